"""The metric check: a CloudWatch metric, or an expression over several, stays within its limits for a window of time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.assertions.predicate import Condition
from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_fields import (
    HIGH_RESOLUTION_MINUTES,
    REGULAR_RESOLUTION,
    Dimensions,
    MetricName,
    Namespace,
    Period,
    Statistic,
)
from ecs_hooks.checks.metric_math import MAX_LENGTH, expression_problem, with_prefix
from ecs_hooks.checks.metric_window import NO_DATA, MetricWindowCheck
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import FieldError, Form
from ecs_hooks.deployment.placeholders import placeholder_actions, placeholders, unmeasured

_RESULT = "Result"
"""The id of the result. An id of a plan begins with a small letter, so it never is the same."""
_SHORTEST_WAIT = 10
"""Seconds between two reads of CloudWatch, whose calls cost money, for short periods."""
_LONGEST_PREFIX = "c199"
"""The prefix of the last check of a plan."""
Identifier = Annotated[
    str, Field(pattern=r"^[a-z][a-zA-Z0-9_]{0,60}$"), Form("of an id: a small letter, then letters, digits and _")
]


class MetricQuery(PlanModel):
    """A CloudWatch metric."""

    namespace: Namespace
    """Namespace, such as `AWS/ApplicationELB`."""
    metric: MetricName
    """Name, such as `HTTPCode_Target_5XX_Count`."""
    stat: Statistic = "Sum"
    """Statistic: `Sum`, `Average`, `Maximum`, a percentile such as `p99`, or any other of CloudWatch."""
    dimensions: Dimensions = Field(default={})
    """Dimensions. `{green.target_group}`, `{blue.target_group}`, `{load_balancer}`, `{cluster}` and `{service}` are
    placeholders for those of the deployment. A literal brace is written twice: `/orders/{{id}}`."""

    @model_validator(mode="after")
    def _has_known_placeholders(self) -> MetricQuery:
        for value in self.dimensions.values():
            placeholders(value)
        return self


class MetricCheck(MetricWindowCheck):
    """Watches a CloudWatch metric, or an expression over several, for a window of time.

    The window begins at the first invocation of the hook at this step. More than `failure_limit` datapoints beyond `fail_if`
    fail the check at once; it passes at the end of the window.
    """

    type: Literal["metric"] = "metric"
    period_seconds: Period = 60
    """Period of a datapoint in seconds: a multiple of 60, or 1, 5, 10, 20 or 30 for metrics of high resolution, which
    CloudWatch has for three hours."""
    queries: Annotated[dict[Identifier, MetricQuery], Field(min_length=1, max_length=20)]
    """Metrics, by their ids in the expression."""
    expression: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)] | None = None
    """Metric math over the ids, such as `100 * errors / requests`. Default: the only metric."""
    fail_if: Condition
    """Limits beyond which a datapoint is a failure."""
    pass_if: Condition | None = None
    """Limits beyond which a datapoint is a success; in between it is inconclusive. Default: every datapoint that is not a
    failure."""
    failure_limit: Annotated[int, Field(ge=0, le=86_400)] = 0
    """Number of datapoints that may be failures."""
    min_samples: Annotated[int, Field(ge=1, le=86_400)] = 1
    """Minimum number of datapoints for a pass."""
    missing_data: Policy = "fail"
    """Policy for fewer datapoints, once the window is over."""
    inconclusive: Policy = "fail"
    """Policy for inconclusive datapoints, once the window is over."""

    @model_validator(mode="after")
    def _has_datapoints_of_its_period(self) -> MetricCheck:
        if self.period_seconds >= 60:  # noqa: PLR2004 - a minute
            return self
        regular = sorted(REGULAR_RESOLUTION.intersection(query.namespace for query in self.queries.values()))
        if regular:
            raise FieldError(
                f"period_seconds: must be a multiple of 60, since {regular[0]} has one datapoint per minute"
            )
        minutes = self.window_minutes + self.lookback_minutes + self.lag_seconds / 60
        if minutes > HIGH_RESOLUTION_MINUTES:
            raise FieldError(
                f"period_seconds: must be a multiple of 60; CloudWatch has datapoints of {self.period_seconds} s for "
                f"{HIGH_RESOLUTION_MINUTES} minutes, but window_minutes, lookback_minutes and lag_seconds are {minutes:g}"
            )
        return self

    @model_validator(mode="after")
    def _has_one_result(self) -> MetricCheck:
        if self.expression is None and len(self.queries) > 1:
            raise FieldError("expression: is required with several queries")
        if self.expression is not None:
            problem = expression_problem(self.expression, self.queries)
            size = len(with_prefix(self.expression, self.queries, _LONGEST_PREFIX))
            if not problem and size > MAX_LENGTH:
                problem = f"must have at most {MAX_LENGTH} characters with {len(_LONGEST_PREFIX) + 1} more before each id, not {size}"
            if problem:
                raise FieldError(f"expression: {problem}")
        return self

    @model_validator(mode="after")
    def _can_pass_and_fail(self) -> MetricCheck:
        periods = self.planned_periods
        window = (
            f"window_minutes {self.window_minutes:g} has {counted(periods, 'datapoint')} of {self.period_seconds} s"
        )
        if self.min_samples > periods:
            enough = self.min_samples * self.period_seconds / 60
            raise FieldError(
                f"min_samples: never passes, {window}; must be at most {periods}, or window_minutes at least {enough:g}"
            )
        if self.failure_limit >= periods:
            enough = (self.failure_limit + 1) * self.period_seconds / 60
            raise FieldError(
                f"failure_limit: never fails, {window}; must be at most {periods - 1}, or window_minutes at least "
                f"{enough:g}"
            )
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        values = [value for query in self.queries.values() for value in query.dimensions.values()]
        actions = frozenset({GET_METRIC_DATA}).union(*map(placeholder_actions, values))
        return super().requirements()._replace(actions=actions)

    def run(self, context: CheckContext) -> Outcome:
        """Read the datapoints, and evaluate them."""
        window = self.window(context)
        values = self.series(context).get(_RESULT, NO_DATA).values(window.begin, window.end)
        failures = [value for value in values if self.fail_if.holds(value)]
        evidence: Evidence = {
            "samples": len(values),
            "failures": len(failures),
            "failures_limit": self.failure_limit,
            "last_value": values[-1] if values else None,
            **self.fail_if.limits("last_value"),
        }
        seen = counted(len(values), "datapoint")
        if len(failures) > self.failure_limit:
            worst = max(failures, key=abs)
            return Outcome.failed(f"{len(failures)} of {seen} {self.fail_if}, such as {worst:g}", evidence)
        if not window.over:
            reason = f"{seen} so far, {len(failures)} {self.fail_if}"
            return Outcome.wait(reason, evidence, retry_after=max(self.period_seconds, _SHORTEST_WAIT))
        if len(values) < self.min_samples:
            reason = f"{seen} in {self.window_minutes:g} minutes, expected {self.min_samples} or more"
            return Outcome.by_policy(self.missing_data, reason, evidence)
        between = [value for value in values if self.pass_if and not self.pass_if.holds(value)]
        if len(between) > len(failures):
            reason = f"inconclusive: {len(between)} of {seen} not {self.pass_if}, such as {between[-1]:g}"
            return Outcome.by_policy(self.inconclusive, reason, evidence)
        dimensions = [value for query in self.queries.values() for value in query.dimensions.values()]
        passed = Outcome.passed(f"{seen}, the last {values[-1]:g}", evidence)
        return passed.leaving_out(unmeasured(dimensions, context.deployment))

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric, and one for the expression; only the result returns data."""
        result = f"{prefix}_{_RESULT}"
        queries: list[dict[str, Any]] = [
            {
                "Id": f"{prefix}_{identifier}" if self.expression else result,
                "MetricStat": self.metric_stat(context, query.namespace, query.metric, query.stat, query.dimensions),
                "ReturnData": not self.expression,
            }
            for identifier, query in self.queries.items()
        ]
        if self.expression:
            expression = with_prefix(self.expression, self.queries, prefix)
            queries.append({"Id": result, "Expression": expression, "Period": self.period_seconds, "ReturnData": True})
        return queries
