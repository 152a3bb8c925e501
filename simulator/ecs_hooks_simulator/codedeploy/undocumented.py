"""Options for the behaviour of CodeDeploy and EventBridge Scheduler that AWS does not document.

Example
-------
>>> CodeDeployBehaviour(function_error="failed").name
'function_error=failed'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecs_hooks_simulator.ecs.undocumented import UndocumentedOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeDeployBehaviour(UndocumentedOptions):
    """What CodeDeploy and EventBridge Scheduler do where their documentation says nothing."""

    function_error: Literal["ignored", "failed"] = "ignored"
    """Result of a hook whose function raises, times out or cannot be invoked: CodeDeploy waits for a status until the end
    of the hour (observed), or the hook fails at once."""
    hook_retries: Literal["none", "twice"] = "none"
    """Whether CodeDeploy retries after a function error: after one minute and after two more, as Lambda retries
    asynchronous invocations."""
    delivery: Literal["once", "twice"] = "once"
    """How often one invocation is delivered."""
    increments: Literal["in-progress", "baking"] = "in-progress"
    """Status of a deployment between two increments, and before it terminates blue."""
    rollback_hooks: Literal["none", "run"] = "none"
    """Whether a rollback runs the hooks of its traffic shift."""
    unscripted: Literal["succeeded", "skipped"] = "succeeded"
    """Final status of a lifecycle event without a hook and without work."""
    version_weight: Literal["percent", "fraction"] = "percent"
    """`targetVersionWeight` of a deployment of a Lambda function: "the percentage of production traffic", or 0 to 1, as in
    the routing configuration of an alias."""
    precision: Literal["next-minute", "early", "late"] = "next-minute"
    """When a schedule is due (EventBridge Scheduler user guide): at the full minute or the next one; at the beginning of
    its minute, even if its expression has seconds; or at the last second of its minute."""
    completed: Literal["gone", "lingers"] = "gone"
    """When a schedule with `ActionAfterCompletion` DELETE is deleted: before its target runs, or later, unless it has a new
    time by then."""
