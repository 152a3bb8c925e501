"""What ECS makes of the JSON value that a hook returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecs_hooks.core.response import HookStatus
from ecs_hooks_simulator.ecs.undocumented import Behaviour, InvalidDelay, Merge

DEFAULT_DELAY = 30.0
"""Seconds until a hook that answered IN_PROGRESS is invoked again."""
SHORTEST_DELAY = 1.0
"""Seconds; the shortest wait that the simulator grants, since the range that ECS accepts is not documented."""
LONGEST_DELAY = 86_400.0

NO_STATUS = "ECS was unable to parse the response from {arn} due to HookStatus must not be null"
BAD_DELAY = "ECS was unable to parse the response from {arn} due to callBackDelay must be a number of seconds"


@dataclass(frozen=True, slots=True)
class Answer:
    """A hook's answer as ECS understands it.

    Parameters
    ----------
    status
        The `hookStatus`; None where there was no valid one, which ECS treats as a failure.
    delay
        Seconds until the next invocation, with IN_PROGRESS.
    hook_details
        What it returned as `hookDetails`, with IN_PROGRESS; None for nothing.
    reason
        Its `reason`, which ECS tolerates and ignores.
    problem
        What is wrong with it, in ECS's words with `{arn}` for the function; empty where nothing is.
    """

    status: HookStatus | None
    delay: float = 0.0
    hook_details: Any = None
    reason: str = ""
    problem: str = ""

    @classmethod
    def parse(cls, value: Any, behaviour: Behaviour) -> Answer:
        """Read the JSON value that the function returned."""
        if not isinstance(value, Mapping):
            return cls(None, problem=NO_STATUS)
        said = value.get("reason")
        reason = said if isinstance(said, str) else ""
        status = value.get("hookStatus")
        if not isinstance(status, str) or status not in HookStatus.__members__:
            return cls(None, reason=reason, problem=NO_STATUS)
        if status != HookStatus.IN_PROGRESS:
            return cls(HookStatus(status), reason=reason)
        delay = _delay(value.get("callBackDelay"))
        if delay is None:
            if behaviour.invalid_delay is InvalidDelay.FAILED:
                return cls(None, reason=reason, problem=BAD_DELAY)
            delay = DEFAULT_DELAY
        return cls(HookStatus.IN_PROGRESS, delay, value.get("hookDetails"), reason)


def merge_details(present: Any, returned: Any, how: Merge) -> Any:
    """Return the `hookDetails` of the next invocation.

    Parameters
    ----------
    present
        Those of the last invocation.
    returned
        Those that it returned; None changes nothing.
    how
        How deep. Values that are no objects replace each other in any case.
    """
    if returned is None:
        return present
    returned = json.loads(json.dumps(returned))
    if how is Merge.REPLACE or not isinstance(present, dict) or not isinstance(returned, dict):
        return returned
    if how is Merge.SHALLOW:
        return present | returned
    return present | {
        key: merge_details(present.get(key), value, how) if isinstance(value, dict) else value
        for key, value in returned.items()
    }


def _delay(value: Any) -> float | None:
    if value is None:
        return DEFAULT_DELAY
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it becomes a float: JSON can carry an integer that no float can hold.
    if not 0 < value <= LONGEST_DELAY:
        return None
    return max(SHORTEST_DELAY, float(value))
