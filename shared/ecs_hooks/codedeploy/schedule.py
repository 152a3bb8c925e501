"""One-time schedules of EventBridge Scheduler that invoke the function again.

CodeDeploy invokes a hook once and waits for an hour. Waiting inside the function costs money for minutes and is limited to
Lambda's 15 minutes. A schedule is free while it waits, and is set before the checks run: if the function crashes, the
schedule continues.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws
from ecs_hooks.aws.errors import FactDeniedError, FactError

CREATE = "scheduler:CreateSchedule"
UPDATE = "scheduler:UpdateSchedule"
DELETE = "scheduler:DeleteSchedule"

GROUP_VARIABLE = "ECS_HOOKS_SCHEDULE_GROUP"
"""Environment variable with the name of the schedule group."""
ROLE_VARIABLE = "ECS_HOOKS_SCHEDULE_ROLE"
"""Environment variable with the ARN of the role that lets Scheduler invoke the function."""

MINUTE = 60
"""Seconds. "EventBridge Scheduler provides 60-second precision" (user guide): a schedule runs within its minute."""

_LEAST = 15
"""Seconds from now to the earliest schedule: Scheduler refuses times in the past."""


class Schedule(NamedTuple):
    """The schedule for the invocation after this one.

    Each invocation sets a schedule with a new name: whether a schedule that has run and awaits deletion can be updated is
    not documented.

    Parameters
    ----------
    name, group
        Names of the schedule and of its group.
    role
        ARN of the role that lets Scheduler invoke the function.
    """

    name: str
    group: str
    role: str
    function_arn: str
    region: str

    @classmethod
    def of(
        cls, execution_id: str, number: int, function_arn: str, region: str, environment: Mapping[str, str] = os.environ
    ) -> Schedule:
        """Return the schedule after an invocation, without setting it.

        Parameters
        ----------
        number
            Number of earlier invocations of the hook execution.
        environment
            Environment of the function.

        Raises
        ------
        FactDeniedError
            If the environment or the ARN of the function is incomplete.
        """
        missing = [name for name in (GROUP_VARIABLE, ROLE_VARIABLE) if not environment.get(name)]
        if missing or not function_arn:
            raise FactDeniedError(
                f"cannot schedule the next invocation: {' and '.join(missing) or 'the ARN of the function'} is not set"
            )
        digest = hashlib.sha256(execution_id.encode(errors="replace")).hexdigest()[:32]
        group, role = environment[GROUP_VARIABLE], environment[ROLE_VARIABLE]
        return cls(f"ecs-hooks-{digest}-{number}", group, role, function_arn, region)

    def set(self, event: Mapping[str, Any], at: float) -> None:
        """Schedule an invocation with an event, at a time or up to a minute later.

        Raises
        ------
        FactError
            If Scheduler refuses it or does not answer.
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
                call_aws(action, self.region, **parameters)
            except FactError as error:
                if error.code != unless:
                    raise
            else:
                return
        # Another invocation of the same event deleted it between the two calls.
        call_aws(CREATE, self.region, **parameters)

    def delete(self) -> None:
        """Delete the schedule if it exists.

        Raises
        ------
        FactError
            If Scheduler does not answer.
        """
        try:
            call_aws(DELETE, self.region, Name=self.name, GroupName=self.group)
        except FactError as error:
            if error.code != "ResourceNotFoundException":
                raise


def minute_after(now: float, seconds: float) -> int:
    """Return the next full minute after a delay, in seconds since the epoch."""
    return math.ceil((now + max(seconds, _LEAST)) / MINUTE) * MINUTE
