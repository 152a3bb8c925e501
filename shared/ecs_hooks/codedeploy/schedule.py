"""How a hook goes on: EventBridge Scheduler invokes the function again.

CodeDeploy invokes a hook once and waits for an hour. To wait inside the function would hold it open for minutes, and ends
with Lambda's 15. A one-time schedule costs nothing while it waits, needs no state machine and no other programming model,
and is there already while the function works: should that die without a word, the schedule goes on in its place.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask_page
from ecs_hooks.aws.errors import FactDeniedError, FactError

CREATE = "scheduler:CreateSchedule"
UPDATE = "scheduler:UpdateSchedule"
DELETE = "scheduler:DeleteSchedule"

GROUP_VARIABLE = "ECS_HOOKS_SCHEDULE_GROUP"
"""Environment variable with the name of the schedule group."""
ROLE_VARIABLE = "ECS_HOOKS_SCHEDULE_ROLE"
"""Environment variable with the ARN of the role with which Scheduler invokes the function."""

MINUTE = 60
"""Seconds. "EventBridge Scheduler provides 60-second precision" (its user guide): what is set for a minute comes in it."""

_LEAST = 15
"""Seconds from now at which a schedule may be set: one in the past would be refused."""


class Schedule(NamedTuple):
    """The schedule that goes on after one invocation of a hook execution.

    Each invocation has one of its own: whether one that has fired, and is to be deleted after that, can be set anew is not
    documented.

    Parameters
    ----------
    name
        Its name.
    group
        The schedule group.
    role
        ARN of the role with which Scheduler invokes the function.
    function_arn
        The function.
    region
        Region of all of them.
    """

    name: str
    group: str
    role: str
    function_arn: str
    region: str

    @classmethod
    def of(
        cls,
        execution_id: str,
        number: int,
        function_arn: str,
        region: str,
        environment: Mapping[str, str] = os.environ,
    ) -> Schedule:
        """Return the schedule after an invocation; nothing is set yet.

        Parameters
        ----------
        execution_id
            The hook execution.
        number
            How many invocations of it there were before.
        function_arn, region
            As above.
        environment
            The environment of the function.

        Raises
        ------
        FactDeniedError
            If the function does not know what it takes.
        """
        missing = [name for name in (GROUP_VARIABLE, ROLE_VARIABLE) if not environment.get(name)]
        if missing or not function_arn:
            raise FactDeniedError(
                f"the function can't schedule itself: {' and '.join(missing) or 'its ARN'} is not set"
            )
        digest = hashlib.sha256(execution_id.encode(errors="replace")).hexdigest()[:32]
        group, role = environment[GROUP_VARIABLE], environment[ROLE_VARIABLE]
        return cls(f"ecs-hooks-{digest}-{number}", group, role, function_arn, region)

    def set(self, event: Mapping[str, Any], at: float) -> None:
        """Have the function invoked with an event, at a time or up to a minute later.

        Raises
        ------
        FactError
            If Scheduler does not take it.
        """
        parameters = {
            "Name": self.name,
            "GroupName": self.group,
            "ScheduleExpression": f"at({datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self.function_arn,
                "RoleArn": self.role,
                "Input": json.dumps(event),
                "RetryPolicy": {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 10},
            },
        }
        for action, unless in ((CREATE, "ConflictException"), (UPDATE, "ResourceNotFoundException")):
            try:
                ask_page(action, self.region, **parameters)
            except FactError as error:
                if error.code != unless:
                    raise
            else:
                return
        # It has just been there, and is gone: deleted by another invocation of the same event.
        ask_page(CREATE, self.region, **parameters)

    def delete(self) -> None:
        """Take it back, if it is there.

        Raises
        ------
        FactError
            If Scheduler does not answer.
        """
        try:
            ask_page(DELETE, self.region, Name=self.name, GroupName=self.group)
        except FactError as error:
            if error.code != "ResourceNotFoundException":
                raise


def minute_after(now: float, seconds: float) -> int:
    """Return the full minute that comes next after a wait, in seconds since the epoch."""
    return math.ceil((now + max(seconds, _LEAST)) / MINUTE) * MINUTE
