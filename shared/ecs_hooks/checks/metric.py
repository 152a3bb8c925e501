"""The metric check: what CloudWatch measures stays within limits, from the step's beginning to the end of a window."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.assertions.condition import Condition
from ecs_hooks.aws.metrics import ACTION
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NOTHING, MetricsWatch
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome, Policy
from ecs_hooks.deployment.dimensions import placeholder_actions, placeholders

_RESULT = "Result"
"""The id that counts; none that a plan can use."""
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9_]{0,60}$")]


class MetricQuery(BaseModel):
    """A metric of CloudWatch."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    namespace: Annotated[str, Field(min_length=1, max_length=255)]
    """Such as `AWS/ApplicationELB`."""
    metric: Annotated[str, Field(min_length=1, max_length=255)]
    """Its name, such as `HTTPCode_Target_5XX_Count`."""
    stat: Annotated[str, Field(min_length=1, max_length=100)] = "Sum"
    """Statistic: `Sum`, `Average`, `Maximum`, a percentile such as `p99`, ..."""
    dimensions: Annotated[dict[str, str], Field(max_length=30)] = Field(default={})
    """Dimensions. `{green.target_group}`, `{blue.target_group}`, `{load_balancer}`, `{cluster}` and `{service}` stand for
    those of the deployment."""

    @model_validator(mode="after")
    def _names_what_is_known(self) -> MetricQuery:
        for value in self.dimensions.values():
            placeholders(value)
        return self


class MetricCheck(MetricsWatch):
    """Asks CloudWatch for a metric, or for an expression over several, and watches it for a while.

    The window begins when the hook is first invoked at this step. A datapoint beyond `fail_if` is a failure at once (or
    after `failure_limit` of them); whether the rest is a pass is decided when the window is over.
    """

    type: Literal["metric"] = "metric"
    queries: Annotated[dict[Identifier, MetricQuery], Field(min_length=1, max_length=20)]
    """Metrics by the id that the expression uses."""
    expression: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Metric math over the ids, such as `100 * errors / requests`. Default: the only metric."""
    fail_if: Condition
    """When a datapoint is a failure."""
    pass_if: Condition | None = None
    """When a datapoint is a pass. Default: whenever it is no failure. In between it is inconclusive."""
    failure_limit: Annotated[int, Field(ge=0, le=1440)] = 0
    """Datapoints beyond `fail_if` that are let pass."""
    min_samples: Annotated[int, Field(ge=1, le=1440)] = 1
    """Datapoints that there must be for a pass."""
    missing_data: Policy = "fail"
    """What fewer datapoints are, once the window is over."""
    inconclusive: Policy = "fail"
    """What datapoints between `fail_if` and `pass_if` are, once the window is over."""

    @model_validator(mode="after")
    def _has_one_result(self) -> MetricCheck:
        if self.expression is None and len(self.queries) > 1:
            raise ValueError("several queries need an expression")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        values = [value for query in self.queries.values() for value in query.dimensions.values()]
        return super().requirements()._replace(actions=frozenset({ACTION}).union(*map(placeholder_actions, values)))

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and judge."""
        window = self.window(context)
        values = self.series(context).get(_RESULT, NOTHING).values(window.begin, window.end)
        return self._judge(values, over=window.over)

    def _judge(self, values: list[float], *, over: bool) -> Outcome:
        failures = [value for value in values if self.fail_if.holds(value)]
        between = [value for value in values if self.pass_if and not self.pass_if.holds(value)]
        evidence: dict[str, str | int | float | bool | None] = {
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
        if not over:
            return Outcome.wait(
                f"{seen} so far, none beyond its limit for good", evidence, retry_after=self.period_seconds
            )
        if len(values) < self.min_samples:
            reason = f"{seen} in {self.window_minutes:g} minutes, expected {self.min_samples} or more"
            return Outcome.by_policy(self.missing_data, reason, evidence)
        if len(between) > len(failures):
            reason = f"inconclusive: {len(between)} of {seen} not {self.pass_if}, such as {between[-1]:g}"
            return Outcome.by_policy(self.inconclusive, reason, evidence)
        return Outcome.passed(f"{seen}, the last {values[-1]:g}", evidence)

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric, and one for the expression; only the one that counts returns data."""
        result = f"{prefix}_{_RESULT}"
        queries: list[dict[str, Any]] = []
        for identifier, query in self.queries.items():
            stat = self.metric_stat(context, query.namespace, query.metric, query.stat, query.dimensions)
            queries.append(
                {
                    "Id": f"{prefix}_{identifier}" if self.expression else result,
                    "MetricStat": stat,
                    "ReturnData": not self.expression,
                }
            )
        if self.expression:
            names = "|".join(sorted(map(re.escape, self.queries), key=len, reverse=True))
            # Functions of metric math are written in capitals, so an id is never one of them.
            expression = re.sub(rf"(?<![\w.'\"])({names})(?![\w(])", rf"{prefix}_\1", self.expression)
            queries.append({"Id": result, "Expression": expression, "Period": self.period_seconds, "ReturnData": True})
        return queries
