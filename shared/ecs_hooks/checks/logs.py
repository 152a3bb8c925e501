"""The logs check: green's logs have no more matches of a filter pattern or a query than allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ecs_hooks.assertions.numbers import plain, read_number
from ecs_hooks.assertions.predicate import Condition
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.log_syntax import pattern_problem, query_problem
from ecs_hooks.core import clock
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Evidence, Outcome
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.logs import (
    FILTER,
    RESULTS,
    START,
    LogConfiguration,
    Row,
    count_matches,
    start_queries,
    wait_for_rows,
)
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS
from ecs_hooks.deployment.tasks import DESCRIBE_TASKS, LIST_TASKS, TASK_DEFINITION

_QUERY_SECONDS = 60
"""Seconds between two runs of a query: CloudWatch charges for the data that each run scans."""

_MAX_CONTAINERS = 10
"""Number of containers in a reason."""

_MAX_COLUMNS = 10
"""Number of columns in a reason."""


class LogsCheck(Check):
    """Reads the log streams of green's tasks only: with a filter pattern that counts events, or with a query.

    The log streams come from the task definition (`awslogs` driver with a stream prefix). A container that logs elsewhere
    cannot be checked: the reason of a pass names it, and a check without any other container fails, also if that is only the
    FireLens log router. The window begins at the first invocation of the hook at this step, and the streams are those of the
    tasks that run or stopped since then. Too many matches fail the check at once; it passes at the end of the window.

    A Logs Insights query is restricted to green's log streams and to the window. CloudWatch charges for the data that it
    scans, so it first runs after `lag_seconds`, then once a minute, and a last time at the end of the window; more often
    only if other checks of the plan invoke the hook sooner. Without `field`, the number of rows must not exceed
    `max_matches`: rows after the query's own `stats` and `filter`, not the events that it scans. With `field`, that column
    of each row is compared with `fail_if`: with `above` at once, with `below` at the end of the window, since more events
    may follow. A result without rows fails the check with `below` only.
    """

    type: Literal["logs"] = "logs"
    pattern: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """CloudWatch Logs filter pattern, such as `?ERROR ?Exception` or `{ $.level = "error" }`."""
    query: Annotated[str, Field(max_length=4_000)] | None = None
    """Logs Insights query, in place of `pattern`, such as `filter level = "error" | stats count(*) as errors by path`."""
    field: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Column of the query's result that has a number, such as `errors`."""
    fail_if: Condition | None = None
    """Limits beyond which that number is a failure."""
    container: Annotated[str, Field(max_length=255)] = ""
    """Name of the container, whose log must be in CloudWatch. Default: all containers that log to CloudWatch."""
    max_matches: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Maximum number of events that match the pattern, or of rows that the query returns."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 2
    """Length of the window in minutes, from the first invocation at this step."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    """Seconds until CloudWatch finds an event."""

    watchable: ClassVar[bool] = False

    @model_validator(mode="after")
    def _has_pattern_or_query(self) -> LogsCheck:
        if (self.pattern is None) == (self.query is None):
            raise ValueError("give one of pattern and query")
        if self.query is not None and re.match(r"\s*(source\b|$)", self.query, re.IGNORECASE):
            raise FieldError(
                "query: must not be empty or begin with SOURCE; the log groups are those of green's containers"
            )
        for name, text, problem_of in (
            ("pattern", self.pattern, pattern_problem),
            ("query", self.query, query_problem),
        ):
            problem = "" if text is None else problem_of(text)
            if problem:
                raise FieldError(f"{name}: {problem}")
        if (self.field is None) != (self.fail_if is None):
            raise ValueError("give both field and fail_if, or neither")
        if self.field is not None and (self.query is None or "max_matches" in self.model_fields_set):
            raise FieldError("field: requires query, and replaces max_matches")
        return self

    @property
    def _watch_seconds(self) -> float:
        return self.window_minutes * 60 + self.lag_seconds

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        reads = {FILTER} if self.query is None else {START, RESULTS}
        actions = frozenset({*reads, TASK_DEFINITION, DESCRIBE_REVISIONS, LIST_TASKS, DESCRIBE_TASKS})
        return super().requirements()._replace(running=True, watch_seconds=self._watch_seconds, actions=actions)

    def run(self, context: CheckContext) -> Outcome:
        """Read the logs, and count the matches."""
        require_running(context.stage)
        deployment = context.deployment
        containers = deployment.logs
        chosen = [each for each in containers if self.container in {"", each.container}]
        readable = [each for each in chosen if not each.obstacle]
        problem = self._problem(containers, chosen, readable)
        if problem:
            return Outcome.failed(problem)
        # A task that stopped within the window may have logged why.
        stopped = [each for each in deployment.stopped_tasks if (each.stopped_at or math.inf) >= self._begin(context)]
        tasks = list(dict.fromkeys(each.id for each in [*deployment.tasks, *stopped]))
        if not tasks:
            return Outcome.error("green has no tasks, so it has no log streams")
        if self.query is not None:
            outcome = self._run_query(context, readable, tasks, self.query)
        else:
            outcome = self._count(context, readable, tasks, str(self.pattern))
        return outcome.leaving_out(_unread(chosen))

    def _problem(
        self,
        containers: Sequence[LogConfiguration],
        chosen: Sequence[LogConfiguration],
        readable: Sequence[LogConfiguration],
    ) -> str:
        """Return why the check cannot read green's logs; empty if it can read those of at least one container."""
        if self.container and not chosen:
            known = listed([each.container for each in containers], _MAX_CONTAINERS, ", ", " and ") or "none"
            return f"container {self.container} is not in green's task definition; containers: {known}"
        if any(self.container or not each.is_router for each in readable):
            return ""
        routers = [f"container {each.container} (FireLens log router)" for each in readable]
        unread = [each.not_checked for each in chosen if each.obstacle] + routers
        return (
            "cannot read the log of green's application from CloudWatch, which requires the awslogs driver with "
            f"awslogs-stream-prefix: {listed(unread, _MAX_CONTAINERS, ', ', ' and ') or 'no containers'}"
        )

    @staticmethod
    def _begin(context: CheckContext) -> float:
        return clock.now() - context.elapsed

    def _count(
        self, context: CheckContext, configured: Sequence[LogConfiguration], tasks: Sequence[str], pattern: str
    ) -> Outcome:
        began, enough = self._begin(context), self.max_matches + 1
        found = [count_matches(each, tasks, pattern, began, enough) for each in configured]
        count = sum(each.number for each in found)
        evidence = {"matches": count, "matches_limit": self.max_matches}
        summary = f"{counted(count, 'log event')} of green match the pattern"
        if count > self.max_matches:
            first = next(each.first for each in found if each.first)
            return Outcome.failed(f"{summary}, the first in {first}", evidence)
        if context.elapsed < self._watch_seconds:
            return Outcome.wait(f"{summary} so far", evidence)
        return Outcome.passed(summary, evidence)

    def _run_query(
        self, context: CheckContext, configured: Sequence[LogConfiguration], tasks: Sequence[str], query: str
    ) -> Outcome:
        if context.elapsed < self.lag_seconds:
            reason = f"CloudWatch needs {self.lag_seconds} s (lag_seconds) to find green's log events"
            return Outcome.wait(reason, retry_after=self.lag_seconds - context.elapsed)
        now = clock.now()
        started = start_queries(query, configured, tasks, now - context.elapsed, now)
        found = [result for each in started if (result := wait_for_rows(each, context.deadline)) is not None]
        if len(found) < len(started):
            return Outcome.wait("the query did not end within this invocation", retry_after=_QUERY_SECONDS)
        rows = [row for result in found for row in result.rows]
        scanned = sum(result.scanned_bytes for result in found)
        over = context.elapsed >= self._watch_seconds
        summary = f"the query returned {counted(len(rows), 'row')}"
        problem, limits = self._evaluate(rows, summary, over=over)
        evidence: Evidence = {"rows": len(rows), "scanned_bytes": scanned, **limits}
        if problem:
            return Outcome.failed(problem, evidence)
        if not over:
            left = self._watch_seconds - context.elapsed
            return Outcome.wait(f"{summary} so far", evidence, retry_after=min(_QUERY_SECONDS, left))
        return Outcome.passed(summary, evidence)

    def _evaluate(self, rows: Sequence[Row], summary: str, *, over: bool) -> tuple[str, dict[str, float]]:
        """Return why the rows are a failure, empty where they are none, and the values beside their limits."""
        if self.field is None or self.fail_if is None:
            problem = f"{summary}, expected at most {self.max_matches}" if len(rows) > self.max_matches else ""
            return problem, {"rows_limit": self.max_matches}
        numbers = [number for row in rows if (number := _number(row.get(self.field))) is not None]
        evidence: dict[str, float] = {}
        if numbers and self.fail_if.above is not None:
            evidence |= {"highest_value": max(numbers), "highest_value_limit": self.fail_if.above}
        if numbers and self.fail_if.below is not None:
            evidence |= {"lowest_value": min(numbers), "lowest_value_lower_limit": self.fail_if.below}
        if len(numbers) < len(rows):
            columns = [" ".join(name.split())[:40] for name in sorted({name for row in rows for name in row})]
            known = listed(columns, _MAX_COLUMNS, ", ", " and ") or "none"
            return f"column {self.field} of the query's result is not a number in every row; columns: {known}", evidence
        if over and not rows and self.fail_if.below is not None:
            return f"{summary}, so {self.field} is unknown", evidence
        limit = self.fail_if if over else self.fail_if.model_copy(update={"below": None})
        beyond = [value for value in numbers if limit.holds(value)]
        if not beyond:
            return "", evidence
        seen = f"{len(beyond)} of {counted(len(rows), 'row')}"
        return f"{self.field} is {limit} in {seen}, such as {max(beyond, key=abs):g}", evidence


def _unread(containers: Sequence[LogConfiguration]) -> list[str]:
    return [each.not_checked for each in containers if each.not_checked]


def _number(value: str | None) -> float | None:
    number = read_number(value or "")
    return None if number is None else plain(number)
