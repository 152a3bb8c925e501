"""Choices where the documentation of CodeDeploy and EventBridge Scheduler leaves the behaviour open.

Example
-------
>>> CodeDeployBehaviour(function_error=FunctionError.FAILED).name
'function_error=failed'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ecs_hooks_simulator.ecs.undocumented import Delivery, UndocumentedOptions


class FunctionError(StrEnum):
    """Result of a hook whose function raises an exception, times out or cannot be invoked."""

    IGNORED = "ignored"
    """CodeDeploy waits for a status until the end of the hour (observed)."""
    FAILED = "failed"
    """The hook fails at once."""


class HookRetries(StrEnum):
    """Whether CodeDeploy invokes a hook again after a function error."""

    NONE = "none"
    TWICE = "twice"
    """After one minute and after two more, as Lambda retries asynchronous invocations."""


class Increments(StrEnum):
    """Status of a deployment between two increments, and before it terminates blue."""

    IN_PROGRESS = "in-progress"
    BAKING = "baking"


class RollbackHooks(StrEnum):
    """Whether a rollback runs the hooks of its traffic shift."""

    NONE = "none"
    RUN = "run"


class Unscripted(StrEnum):
    """Final status of a lifecycle event without a hook and without work."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"


class VersionWeight(StrEnum):
    """`targetVersionWeight` of a deployment of a Lambda function: "the percentage of production traffic"."""

    PERCENT = "percent"
    FRACTION = "fraction"
    """0 to 1, as in the routing configuration of an alias."""


class Precision(StrEnum):
    """When a schedule is due within its minute (EventBridge Scheduler user guide)."""

    NEXT_MINUTE = "next-minute"
    """At the full minute, or the next full minute."""
    EARLY = "early"
    """At the beginning of its minute, even if its expression has seconds."""
    LATE = "late"
    """At the last second of its minute."""


class Completed(StrEnum):
    """When a schedule with `ActionAfterCompletion` DELETE is deleted."""

    GONE = "gone"
    """Before its target runs."""
    LINGERS = "lingers"
    """Later, unless it has a new time by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDeployBehaviour(UndocumentedOptions):
    """One choice of each behaviour that AWS does not document."""

    function_error: FunctionError = FunctionError.IGNORED
    hook_retries: HookRetries = HookRetries.NONE
    delivery: Delivery = Delivery.ONCE
    increments: Increments = Increments.IN_PROGRESS
    rollback_hooks: RollbackHooks = RollbackHooks.NONE
    unscripted: Unscripted = Unscripted.SUCCEEDED
    version_weight: VersionWeight = VersionWeight.PERCENT
    precision: Precision = Precision.NEXT_MINUTE
    completed: Completed = Completed.GONE
