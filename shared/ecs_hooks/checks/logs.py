"""The logs check: nothing bad is in green's logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ecs_hooks import clock
from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.logs import FILTER, count_matches
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.task_definition import ACTION as TASK_DEFINITION
from ecs_hooks.deployment.tasks import DESCRIBE, LIST
from ecs_hooks.outcome import Outcome

if TYPE_CHECKING:
    from ecs_hooks.deployment.actions import SharedActions


class LogsCheck(Check):
    """Counts the events that a pattern matches, in the log streams of green's tasks alone.

    The streams are found from the task definition (`awslogs` driver with a stream prefix). The window begins when the hook
    is first invoked at this step: too many matches are a failure at once, the pass is decided when the window is over.
    """

    type: Literal["logs"] = "logs"
    pattern: Annotated[str, Field(min_length=1, max_length=1024)]
    """Filter pattern of CloudWatch Logs, such as `?ERROR ?Exception` or `{ $.level = "error" }`."""
    container: Annotated[str, Field(max_length=255)] = ""
    """Name of the container. Default: all that log to CloudWatch."""
    max_matches: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Events that there may be."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 2
    """Minutes from the first invocation at this step to the decision."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    """Seconds that CloudWatch may take until an event can be found."""

    watchable: ClassVar[bool] = False

    @property
    def watches_seconds(self) -> float:
        """The window, and the lag after it."""
        return self.window_minutes * 60 + self.lag_seconds

    @property
    def needs_running(self) -> bool:
        """Always."""
        return True

    def actions(self, shared: SharedActions) -> frozenset[str]:
        """Return those for log events, and for the log streams of green's tasks."""
        return frozenset({FILTER, TASK_DEFINITION, REVISIONS, LIST, DESCRIBE} if shared.green_runs else ())

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and count."""
        require_running(context.stage)
        configured = [each for each in context.deployment.logs if self.container in {"", each.container}]
        if not configured:
            which = f"container {self.container}" if self.container else "no container of green"
            return Outcome.failed(f"{which} is known to log with the awslogs driver and an awslogs-stream-prefix")
        tasks = [task.id for task in context.deployment.tasks]
        if not tasks:
            return Outcome.error("no task of green is known that could have logged")
        began, enough = clock.now() - context.elapsed, self.max_matches + 1
        found = [count_matches(each, tasks, self.pattern, began, enough) for each in configured]
        count = sum(each.number for each in found)
        told = f"{count} log event{'' if count == 1 else 's'} of green match the pattern"
        if count > self.max_matches:
            first = next(each.first for each in found if each.first)
            return Outcome.failed(f"{told}, the first in {first}", {"matches": count})
        if context.elapsed < self.watches_seconds:
            return Outcome.wait(f"{told} so far", {"matches": count})
        return Outcome.passed(told, {"matches": count})
