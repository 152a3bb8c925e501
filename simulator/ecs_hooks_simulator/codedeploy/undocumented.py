"""What AWS does not document about CodeDeploy's hooks and EventBridge Scheduler, as switches.

Example
-------
>>> CodeDeployBehaviour(function_error=FunctionError.FAILED).name
'function_error=failed'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ecs_hooks_simulator.ecs.undocumented import Delivery, Switches


class FunctionError(StrEnum):
    """What becomes of a hook whose function raises, runs out of time or can't be invoked."""

    IGNORED = "ignored"
    """CodeDeploy goes on to wait for its status, to the end of the hour. So people have seen it."""
    FAILED = "failed"
    """The hook has failed."""


class HookRetries(StrEnum):
    """Whether a hook is invoked again that raised."""

    NONE = "none"
    TWICE = "twice"
    """A minute and two minutes later, as Lambda does with asynchronous invocations."""


class Increments(StrEnum):
    """Status of a deployment while it waits for the next increment of its traffic, or for the end of blue."""

    IN_PROGRESS = "in-progress"
    BAKING = "baking"


class RollbackHooks(StrEnum):
    """Whether the deployment that rolls back runs the hooks of its traffic shift."""

    NONE = "none"
    RUN = "run"


class Unscripted(StrEnum):
    """Status of a lifecycle event that has no hook and nothing to do, once it is over."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"


class VersionWeight(StrEnum):
    """`targetVersionWeight` of a deployment of a Lambda function: "the percentage of production traffic"."""

    PERCENT = "percent"
    FRACTION = "fraction"
    """As in the routing configuration of an alias, which it is made into."""


class Precision(StrEnum):
    """When a schedule is due: within the minute that it names (EventBridge Scheduler user guide)."""

    NEXT_MINUTE = "next-minute"
    """At the full minute, or the next one."""
    EARLY = "early"
    """At the beginning of its minute, even where it names a second within."""
    LATE = "late"
    """At the last second of its minute."""


class Completed(StrEnum):
    """What becomes of a schedule with `ActionAfterCompletion` DELETE once it has invoked its target."""

    GONE = "gone"
    """It is deleted before the function asks for it."""
    LINGERS = "lingers"
    """It is deleted a while later, unless it was given another time by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDeployBehaviour(Switches):
    """One way in which CodeDeploy and EventBridge Scheduler may work where their documentation is silent."""

    function_error: FunctionError = FunctionError.IGNORED
    hook_retries: HookRetries = HookRetries.NONE
    delivery: Delivery = Delivery.ONCE
    increments: Increments = Increments.IN_PROGRESS
    rollback_hooks: RollbackHooks = RollbackHooks.NONE
    unscripted: Unscripted = Unscripted.SUCCEEDED
    version_weight: VersionWeight = VersionWeight.PERCENT
    precision: Precision = Precision.NEXT_MINUTE
    completed: Completed = Completed.GONE
