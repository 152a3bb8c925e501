"""The texts of `statusReason`.

Documented texts are verbatim (docs/contract.md, 3.2: the troubleshooting page of lifecycle hooks). The others follow
their pattern, and are marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_CANDIDATE = "No rollback candidate was found to run the rollback."
"""A first deployment failed (observed)."""
STOPPED = "Service deployment rolled back because of a StopServiceDeployment request."
"""Not documented."""
ABORTED = "Service deployment stopped because of a StopServiceDeployment request."
"""Not documented."""
TOO_LONG = "Service deployment rolled back because it took longer than 30 days."
"""Not documented."""
ALARMS = "Service deployment rolled back because of one or more active alarms."
"""Not documented; observed once, on a real canary deployment (docs/contract.md, 4.5)."""
ALARMS_NO_ROLLBACK = "Service deployment stopped because of one or more active alarms."
"""Not documented."""
FAILED_STATUS = "Lifecycle hook target {arn} returned FAILED status."
NO_STATUS = "ECS was unable to parse the response from {arn} due to HookStatus must not be null"
BAD_DELAY = "ECS was unable to parse the response from {arn} due to callBackDelay must be a number of seconds"
"""Not documented."""
UNABLE_TO_INVOKE = "ECS was unable to invoke hook target {arn} due to {error}"
LAMBDA_TIMED_OUT = "Lifecycle hook target {arn} timed out."
"""Not documented."""
PAUSE_TIMED_OUT = "pause hook timed out."
PAUSE_ROLLED_BACK = "pause hook was rolled back by a ContinueServiceDeployment request."
"""Not documented."""


@dataclass(frozen=True, slots=True)
class HookFailure:
    """Why one hook did not succeed, and whether it is a PAUSE hook."""

    text: str
    pause: bool = False


class DeploymentFailedError(Exception):
    """The deployment fails.

    Parameters
    ----------
    reason
        The `statusReason`.
    rollback
        Whether ECS rolls it back: False for an alarm, if the service's alarms say so.
    """

    def __init__(self, reason: str, *, rollback: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rollback = rollback


def hooks_failed(stage: str, failures: Sequence[HookFailure]) -> str:
    """Return the reason for hooks that failed at a stage."""
    start = f"Service deployment rolled back because {stage}"
    functions = [failure.text for failure in failures if not failure.pause]
    if functions:
        return f"{start} lifecycle hook(s) failed. {' '.join(functions)}"
    return f"{start} {failures[0].text}"


def tasks_failed(revision_arn: str, problem: str) -> str:
    """Return the reason for tasks that do not run; not documented."""
    return f"Service deployment rolled back because tasks of {revision_arn} {problem}"
