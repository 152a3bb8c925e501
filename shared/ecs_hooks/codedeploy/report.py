"""Tells CodeDeploy the verdict: once, and again without harm."""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.aws.call import ask_page
from ecs_hooks.aws.errors import FactDeniedError, FactError

if TYPE_CHECKING:
    from ecs_hooks.codedeploy.event import CodeDeployEvent
    from ecs_hooks.core.deadline import Deadline

ACTION = "codedeploy:PutLifecycleEventHookExecutionStatus"

SUCCEEDED, FAILED = "Succeeded", "Failed"
"""The two of its statuses that CodeDeploy takes."""

_ALREADY = "LifecycleEventAlreadyCompletedException"
_PAUSE = 1.0
"""Seconds between two tries."""


class Reported(Enum):
    """What came of a report."""

    DONE = "CodeDeploy has it, now or from before"
    POINTLESS = "CodeDeploy refuses it, and would again: nobody waits for it"
    NOT_YET = "it is worth another try"


class Answer(NamedTuple):
    """What came of a report, and why."""

    reported: Reported
    problem: str = ""


def report(event: CodeDeployEvent, status: str, region: str, deadline: Deadline) -> Answer:
    """Report a verdict, again and again while CodeDeploy is in trouble and there is time.

    Parameters
    ----------
    event
        The hook execution.
    status
        `Succeeded` or `Failed`.
    region
        Region of the deployment.
    deadline
        When there is no time any more.
    """
    while True:
        answer = _once(event, status, region)
        if answer.reported is not Reported.NOT_YET or deadline.remaining() <= 2 * _PAUSE:
            return answer
        time.sleep(_PAUSE)


def _once(event: CodeDeployEvent, status: str, region: str) -> Answer:
    try:
        ask_page(
            ACTION,
            region,
            deploymentId=event.deployment_id,
            lifecycleEventHookExecutionId=event.execution_id,
            status=status,
        )
    except FactError as error:
        if error.code == _ALREADY:
            return Answer(Reported.DONE)
        # A role can be mended within the hour. No such deployment or execution, and whatever else is refused, can't.
        pointless = isinstance(error, FactDeniedError) and not error.forbidden and bool(error.code)
        return Answer(Reported.POINTLESS if pointless else Reported.NOT_YET, str(error))
    return Answer(Reported.DONE)
