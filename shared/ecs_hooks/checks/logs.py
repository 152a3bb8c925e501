"""The logs check: nothing bad is in green's logs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ecs_hooks.assertions.condition import Condition
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core import clock
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.logs import FILTER, LogConfiguration, count_matches
from ecs_hooks.deployment.logs_insights import RESULTS, START, Row, rows_of, start_queries
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.task_definition import ACTION as TASK_DEFINITION
from ecs_hooks.deployment.tasks import DESCRIBE, LIST

_QUERY_SECONDS = 60
"""Seconds after which a query is asked anew; each costs what it reads."""

_NAMED = 10
"""Columns that a reason names."""


class LogsCheck(Check):
    """Looks into the log streams of green's tasks alone: with a pattern that counts events, or with a query.

    The streams are found from the task definition (`awslogs` driver with a stream prefix). The window begins when the hook
    is first invoked at this step: too much of what is looked for is a failure at once, the pass is decided when the window
    is over.

    A query of Logs Insights is restricted to green's streams and to the window. CloudWatch bills what it reads, so it is
    asked first when there can be something (`lag_seconds`), then once a minute, and a last time when the window is over;
    where other checks of the plan bring the hook back sooner, as often as that. Without `field` each row of the result is
    one too many beyond `max_matches`: rows are what is left after the query's own `stats` and `filter`, unlike the number
    of events that it read. With `field`, the number in that column of each row is held against `fail_if`: `above` at once,
    `below` when the window is over, since until then there may be more. No rows at all are a failure with `below` only.
    """

    type: Literal["logs"] = "logs"
    pattern: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Filter pattern of CloudWatch Logs, such as `?ERROR ?Exception` or `{ $.level = "error" }`."""
    query: Annotated[str, Field(max_length=4_000)] | None = None
    """Query of Logs Insights, in place of `pattern`, such as `filter level = "error" | stats count(*) as errors by path`."""
    field: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Column of the query's result that holds a number, such as `errors`."""
    fail_if: Condition | None = None
    """When that number is a failure."""
    container: Annotated[str, Field(max_length=255)] = ""
    """Name of the container. Default: all that log to CloudWatch."""
    max_matches: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Events that the pattern may match, or rows that the query may give."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 2
    """Minutes from the first invocation at this step to the decision."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    """Seconds that CloudWatch may take until an event can be found."""

    watchable: ClassVar[bool] = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> LogsCheck:
        if (self.pattern is None) == (self.query is None):
            raise ValueError("give one of pattern and query")
        if self.query is not None and re.match(r"\s*(source\b|$)", self.query, re.IGNORECASE):
            raise ValueError(
                "query must be there, and not begin with SOURCE: the log groups are those of green's containers"
            )
        if (self.field is None) != (self.fail_if is None):
            raise ValueError("give both field and fail_if, or none of them")
        if self.field is not None and (self.query is None or "max_matches" in self.model_fields_set):
            raise ValueError("field is for a query, in place of max_matches")
        return self

    @property
    def _watch_seconds(self) -> float:
        return self.window_minutes * 60 + self.lag_seconds

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        reads = {FILTER} if self.query is None else {START, RESULTS}
        required = super().requirements()
        return required._replace(
            running=True,
            watch_seconds=self._watch_seconds,
            actions=frozenset({*reads, TASK_DEFINITION, REVISIONS, LIST, DESCRIBE}),
        )

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
        if self.query is not None:
            return self._run_query(context, configured, tasks, self.query)
        return self._count(context, configured, tasks, str(self.pattern))

    def _count(
        self, context: CheckContext, configured: Sequence[LogConfiguration], tasks: Sequence[str], pattern: str
    ) -> Outcome:
        began, enough = clock.now() - context.elapsed, self.max_matches + 1
        found = [count_matches(each, tasks, pattern, began, enough) for each in configured]
        count = sum(each.number for each in found)
        evidence = {"matches": count, "matches_limit": self.max_matches}
        told = f"{counted(count, 'log event')} of green match the pattern"
        if count > self.max_matches:
            first = next(each.first for each in found if each.first)
            return Outcome.failed(f"{told}, the first in {first}", evidence)
        if context.elapsed < self._watch_seconds:
            return Outcome.wait(f"{told} so far", evidence)
        return Outcome.passed(told, evidence)

    def _run_query(
        self, context: CheckContext, configured: Sequence[LogConfiguration], tasks: Sequence[str], query: str
    ) -> Outcome:
        if context.elapsed < self.lag_seconds:
            wait = self.lag_seconds - context.elapsed
            return Outcome.wait("what green logs can't be found yet", retry_after=wait)
        now = clock.now()
        started = start_queries(query, configured, tasks, now - context.elapsed, now)
        results = [rows_of(each, context.deadline) for each in started]
        found = [result for result in results if result is not None]
        if len(found) < len(started):
            return Outcome.wait("the query took longer than this invocation may", retry_after=_QUERY_SECONDS)
        rows = [row for result in found for row in result.rows]
        scanned = sum(result.scanned_bytes for result in found)
        evidence = {"rows": len(rows), "scanned_bytes": scanned, **self._measured(rows)}
        over = context.elapsed >= self._watch_seconds
        told = f"the query gives {counted(len(rows), 'row')} of green's log"
        wrong = self._beyond(rows, told, over=over)
        if wrong:
            return Outcome.failed(wrong, evidence)
        if not over:
            left = self._watch_seconds - context.elapsed
            return Outcome.wait(f"{told} so far", evidence, retry_after=min(_QUERY_SECONDS, left))
        return Outcome.passed(told, evidence)

    def _measured(self, rows: Sequence[Row]) -> dict[str, float]:
        """Return limits as evidence, with what of the rows is held against them."""
        if self.field is None or self.fail_if is None:
            return {"rows_limit": self.max_matches}
        values = [_number(row.get(self.field)) for row in rows]
        numbers = [value for value in values if value is not None]
        measured: dict[str, float] = {}
        if numbers and self.fail_if.above is not None:
            measured |= {"highest_value": max(numbers), "highest_value_limit": self.fail_if.above}
        if numbers and self.fail_if.below is not None:
            measured |= {"lowest_value": min(numbers), "lowest_value_lower_limit": self.fail_if.below}
        return measured

    def _beyond(self, rows: Sequence[Row], told: str, *, over: bool) -> str:
        """Return why the rows are a failure; empty where they are none."""
        if self.field is None or self.fail_if is None:
            return f"{told}, at most {self.max_matches} may be" if len(rows) > self.max_matches else ""
        if not rows:
            return f"{told}, so nothing is known of {self.field}" if over and self.fail_if.below is not None else ""
        values = [_number(row.get(self.field)) for row in rows]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(rows):
            columns = sorted({name for row in rows for name in row})
            return f"column {self.field} of the query's result is not a number in each row; columns: {_names(columns)}"
        limit = self.fail_if if over else self.fail_if.model_copy(update={"below": None})
        beyond = [value for value in numbers if limit.holds(value)]
        if not beyond:
            return ""
        return (
            f"{self.field} is {limit} in {len(beyond)} of {counted(len(rows), 'row')}, such as {max(beyond, key=abs):g}"
        )


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _names(columns: Sequence[str]) -> str:
    return listed([" ".join(name.split())[:40] for name in columns], _NAMED, ", ", " and ") or "none"
