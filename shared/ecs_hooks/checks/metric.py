"""The metric check: a CloudWatch metric, or an expression over several, stays within its limits for a window of time."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.assertions.predicate import Condition
from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NO_DATA, MetricWindowCheck
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.core.validation_errors import FieldError, Form
from ecs_hooks.deployment.placeholders import placeholder_actions, placeholders, unmeasured

_RESULT = "Result"
"""The id of the result. An id of a plan begins with a small letter, so it never is the same."""
Identifier = Annotated[
    str, Field(pattern=r"^[a-z][a-zA-Z0-9_]{0,60}$"), Form("of an id: a small letter, then letters, digits and _")
]


class MetricQuery(BaseModel):
    """A CloudWatch metric."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    namespace: Annotated[str, Field(min_length=1, max_length=255)]
    """Namespace, such as `AWS/ApplicationELB`."""
    metric: Annotated[str, Field(min_length=1, max_length=255)]
    """Name, such as `HTTPCode_Target_5XX_Count`."""
    stat: Annotated[str, Field(min_length=1, max_length=100)] = "Sum"
    """Statistic: `Sum`, `Average`, `Maximum`, a percentile such as `p99`, or any other of CloudWatch."""
    dimensions: Annotated[dict[str, str], Field(max_length=30)] = Field(default={})
    """Dimensions. `{green.target_group}`, `{blue.target_group}`, `{load_balancer}`, `{cluster}` and `{service}` are
    placeholders for those of the deployment."""

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
    queries: Annotated[dict[Identifier, MetricQuery], Field(min_length=1, max_length=20)]
    """Metrics, by their ids in the expression."""
    expression: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Metric math over the ids, such as `100 * errors / requests`. Default: the only metric."""
    fail_if: Condition
    """Limits beyond which a datapoint is a failure."""
    pass_if: Condition | None = None
    """Limits beyond which a datapoint is a success; in between it is inconclusive. Default: every datapoint that is not a
    failure."""
    failure_limit: Annotated[int, Field(ge=0, le=1440)] = 0
    """Number of datapoints that may be failures."""
    min_samples: Annotated[int, Field(ge=1, le=1440)] = 1
    """Minimum number of datapoints for a pass."""
    missing_data: Policy = "fail"
    """Policy for fewer datapoints, once the window is over."""
    inconclusive: Policy = "fail"
    """Policy for inconclusive datapoints, once the window is over."""

    @model_validator(mode="after")
    def _has_one_result(self) -> MetricCheck:
        if self.expression is None and len(self.queries) > 1:
            raise FieldError("expression: is required with several queries")
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
            return Outcome.wait(reason, evidence, retry_after=self.period_seconds)
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
            names = "|".join(sorted(map(re.escape, self.queries), key=len, reverse=True))
            # The functions of metric math are in capitals, so an id never is the name of one.
            expression = re.sub(rf"(?<![\w.'\"])({names})(?![\w(])", rf"{prefix}_\1", self.expression)
            queries.append({"Id": result, "Expression": expression, "Period": self.period_seconds, "ReturnData": True})
        return queries
