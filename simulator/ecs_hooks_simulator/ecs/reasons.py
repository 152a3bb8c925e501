"""The texts of `statusReason`.

Those that AWS documents are verbatim (docs/contract.md, 3.2: the troubleshooting page of lifecycle hooks); the rest follows
their pattern, and says so.
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
UNABLE_TO_INVOKE = "ECS was unable to invoke hook target {arn} due to {error}"
LAMBDA_TIMED_OUT = "Lifecycle hook target {arn} timed out."
"""Not documented."""
PAUSE_TIMED_OUT = "pause hook timed out."
PAUSE_ROLLED_BACK = "pause hook was rolled back by a ContinueServiceDeployment request."
"""Not documented."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one hook did not succeed.

    Parameters
    ----------
    text
        The sentence about it.
    pause
        Whether it was a PAUSE hook.
    """

    text: str
    pause: bool = False


class RollbackNeededError(Exception):
    """The deployment cannot go on.

    Parameters
    ----------
    reason
        The `statusReason`.
    possible
        Whether it may be rolled back: False where an alarm has ended it and the service's alarms say so.
    """

    def __init__(self, reason: str, *, possible: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.possible = possible


def hooks_failed(stage: str, problems: Sequence[Problem]) -> str:
    """Return the reason for hooks that failed at a stage."""
    start = f"Service deployment rolled back because {stage}"
    functions = [problem.text for problem in problems if not problem.pause]
    if functions:
        return f"{start} lifecycle hook(s) failed. {' '.join(functions)}"
    return f"{start} {problems[0].text}"


def tasks_failed(revision_arn: str, problem: str) -> str:
    """Return the reason for tasks that do not run; not documented."""
    return f"Service deployment rolled back because tasks of {revision_arn} {problem}"
