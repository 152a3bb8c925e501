"""The answer of a lifecycle hook, as a type that is always valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ecs_hooks.core.formatting import printable

MAX_CALL_BACK_DELAY = 86_400
"""Seconds. A stage lasts at most 24 hours (ECS developer guide, "Lifecycle hooks"), so no wait can be longer."""

MAX_REASON = 1_000
"""Characters. ECS does not document where it shows the reason, so it is short enough for every place."""


class HookStatus(StrEnum):
    """The three answers that ECS accepts."""

    SUCCEEDED = "SUCCEEDED"
    """The deployment continues to the next lifecycle stage."""
    FAILED = "FAILED"
    """ECS rolls the deployment back."""
    IN_PROGRESS = "IN_PROGRESS"
    """ECS invokes the hook again after `callBackDelay` seconds, 30 by default."""


@dataclass(frozen=True)
class HookResponse:
    """The answer of a lifecycle hook.

    Source: ECS developer guide, "Lifecycle hooks for Amazon ECS service deployments". The key of the delay is
    `callBackDelay`; `callBackDelaySeconds`, which other pages show, is wrong.

    Parameters
    ----------
    status
        The answer.
    reason
        One line for a person. ECS accepts the key and documents no use of it.
    call_back_delay
        Whole seconds until ECS invokes the hook again, 1 to 86400; only with IN_PROGRESS. The range that ECS accepts
        is not documented.
    hook_details
        `hookDetails` of the next invocation; only with IN_PROGRESS.

    Raises
    ------
    ValueError
        If the parts contradict each other.
    """

    status: HookStatus
    reason: str = ""
    call_back_delay: int | None = None
    hook_details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse an answer that ECS would not accept, and make the reason one line."""
        object.__setattr__(self, "status", HookStatus(self.status))
        object.__setattr__(self, "reason", one_line(self.reason))
        delay = self.call_back_delay
        if self.status is not HookStatus.IN_PROGRESS:
            if delay is not None or self.hook_details is not None:
                raise ValueError(f"callBackDelay and hookDetails require IN_PROGRESS, not {self.status}")
        elif delay is not None and (type(delay) is not int or not 1 <= delay <= MAX_CALL_BACK_DELAY):
            raise ValueError(f"callBackDelay must be a whole number of seconds from 1 to {MAX_CALL_BACK_DELAY}")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that the Lambda function returns to ECS."""
        answer: dict[str, Any] = {"hookStatus": self.status.value}
        if self.call_back_delay is not None:
            answer["callBackDelay"] = self.call_back_delay
        if self.hook_details is not None:
            answer["hookDetails"] = dict(self.hook_details)
        if self.reason:
            answer["reason"] = self.reason
        return answer


def one_line(text: str, limit: int = MAX_REASON) -> str:
    """Return the text on one line of printable characters, cut to `limit`."""
    # A lone surrogate, which JSON can contain, would break encoders.
    line = printable(" ".join(text.encode("utf-8", "replace").decode("utf-8").split()))
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
