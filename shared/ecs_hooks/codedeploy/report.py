"""Reports the verdict to CodeDeploy; a repeated report does no harm."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.aws.call import call_aws
from ecs_hooks.aws.errors import FactError

if TYPE_CHECKING:
    from ecs_hooks.codedeploy.event import CodeDeployEvent
    from ecs_hooks.core.deadline import Deadline

PATIENCE = 3600
"""Seconds. "The deployment is considered to have failed if CodeDeploy is not notified ... within one hour" (AppSpec guide)."""

MARGIN = 240
"""Seconds of `PATIENCE` that are kept for the report: a schedule may be two minutes late, and the function needs time."""

ACTION = "codedeploy:PutLifecycleEventHookExecutionStatus"

SUCCEEDED, FAILED = "Succeeded", "Failed"
"""The two statuses that CodeDeploy accepts."""

_ALREADY = "LifecycleEventAlreadyCompletedException"
_PERMANENT = {
    "DeploymentDoesNotExistException",
    "DeploymentIdRequiredException",
    "InvalidDeploymentIdException",
    "InvalidLifecycleEventHookExecutionIdException",
    "InvalidLifecycleEventHookExecutionStatusException",
    "UnsupportedActionForDeploymentTypeException",
    "ValidationException",
}
"""Codes of refusals that are about the report itself. Permissions and credentials may be valid again within the hour."""
_PAUSES = (1.0, 2.0, 4.0)
"""Seconds between the attempts of one invocation; further ones are those of the schedule."""

_ATTEMPT_SECONDS = 1.0
"""Time for one attempt: the last one starts this long before the deadline."""


class Reported(Enum):
    """Result of a report."""

    DONE = "CodeDeploy has a status, from this report or an earlier one"
    POINTLESS = "CodeDeploy refuses it permanently"
    NOT_YET = "it may be retried"


class Answer(NamedTuple):
    """Result of a report, with the problem if there is one."""

    reported: Reported
    problem: str = ""


def report(event: CodeDeployEvent, status: str, region: str, deadline: Deadline) -> Answer:
    """Report a verdict, `Succeeded` or `Failed`, with a few retries until the deadline."""
    answer = _once(event, status, region)
    for pause in _PAUSES:
        if answer.reported is not Reported.NOT_YET or deadline.remaining() <= pause + _ATTEMPT_SECONDS:
            break
        time.sleep(pause)
        answer = _once(event, status, region)
    return answer


def _once(event: CodeDeployEvent, status: str, region: str) -> Answer:
    try:
        call_aws(
            ACTION,
            region,
            deploymentId=event.deployment_id,
            lifecycleEventHookExecutionId=event.execution_id,
            status=status,
        )
    except FactError as error:
        if error.code == _ALREADY:
            return Answer(Reported.DONE)
        return Answer(Reported.POINTLESS if error.code in _PERMANENT else Reported.NOT_YET, str(error))
    return Answer(Reported.DONE)
