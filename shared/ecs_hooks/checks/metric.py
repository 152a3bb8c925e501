"""The metric check: what CloudWatch measures stays within limits, from the step's beginning to the end of a window."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks import clock
from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.deployment.dimensions import filled, placeholders
from ecs_hooks.deployment.metrics import Series, get_metric_data
from ecs_hooks.outcome import Outcome

Policy = Literal["fail", "pass"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9_]{0,60}$")]


class Condition(BaseModel):
    """A limit that a value is beyond."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    above: float | None = None
    """Holds for a greater value."""
    below: float | None = None
    """Holds for a smaller value."""

    @model_validator(mode="after")
    def _has_a_limit(self) -> Condition:
        if self.above is None and self.below is None:
            message = "give above, below or both"
            raise ValueError(message)
        return self

    def holds(self, value: float) -> bool:
        """Return whether a value is beyond the limit."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def __str__(self) -> str:
        """Return the limit as a reason has it."""
        limits = {"above": self.above, "below": self.below}
        return " or ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)


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


class MetricCheck(Check):
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
    period_seconds: Annotated[int, Field(ge=60, le=3600, multiple_of=60)] = 60
    """Seconds that a datapoint covers."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 5
    """Minutes from the first invocation at this step to the decision."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds that CloudWatch may take until a datapoint is whole; younger ones are not looked at."""
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
            message = "several queries need an expression"
            raise ValueError(message)
        return self

    @property
    def watches_seconds(self) -> float:
        """The window, and the lag after it."""
        return self.window_minutes * 60 + self.lag_seconds

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and judge."""
        began = clock.now() - context.elapsed
        begin = -(-began // self.period_seconds) * self.period_seconds
        end = (clock.now() - self.lag_seconds) // self.period_seconds * self.period_seconds
        over = context.elapsed >= self.watches_seconds
        values = self._series(context, began).values(begin, min(end, begin + self.window_minutes * 60))
        return self._judge(values, over=over)

    def _judge(self, values: list[float], *, over: bool) -> Outcome:
        failures = [value for value in values if self.fail_if.holds(value)]
        between = [value for value in values if self.pass_if and not self.pass_if.holds(value)]
        evidence: dict[str, str | int | float | bool | None] = {
            "samples": len(values),
            "failures": len(failures),
            "last_value": values[-1] if values else None,
        }
        seen = f"{len(values)} datapoint{'' if len(values) == 1 else 's'}"
        if len(failures) > self.failure_limit:
            worst = max(failures, key=abs)
            return Outcome.failed(f"{len(failures)} of {seen} {self.fail_if}, such as {worst:g}", evidence)
        if not over:
            return Outcome.wait(
                f"{seen} so far, none beyond its limit for good", evidence, retry_after=self.period_seconds
            )
        if len(values) < self.min_samples:
            reason = f"{seen} in {self.window_minutes:g} minutes, expected {self.min_samples} or more"
            return self._as(self.missing_data, reason, evidence)
        if len(between) > len(failures):
            reason = f"inconclusive: {len(between)} of {seen} not {self.pass_if}, such as {between[-1]:g}"
            return self._as(self.inconclusive, reason, evidence)
        return Outcome.passed(f"{seen}, the last {values[-1]:g}", evidence)

    def _as(self, policy: Policy, reason: str, evidence: Mapping[str, Any]) -> Outcome:
        return Outcome.failed(reason, evidence) if policy == "fail" else Outcome.passed(reason, evidence)

    def _series(self, context: CheckContext, began: float) -> Series:
        """Return the datapoints; one question to CloudWatch serves all metric checks of the plan."""
        checks = [check for check in context.checks if isinstance(check, MetricCheck)]
        if self not in checks:  # a hook's own code has made it
            checks = [self]

        def find() -> dict[str, Series]:
            queries = [
                query for number, check in enumerate(checks) for query in check.data_queries(context, f"c{number}")
            ]
            return get_metric_data(context.deployment.arn.region, queries, began, clock.now())

        name = "metrics" if len(checks) > 1 else f"metrics {self.model_dump_json()}"
        return context.deployment.facts.get(name, find).get(f"c{checks.index(self)}", Series(()))

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return the `MetricDataQueries` of this check, with ids that no other check has; the one of `prefix` counts."""
        queries: list[dict[str, Any]] = []
        for identifier, query in self.queries.items():
            dimensions = [
                {"Name": name, "Value": filled(value, context.deployment)} for name, value in query.dimensions.items()
            ]
            metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
            queries.append(
                {
                    "Id": f"{prefix}_{identifier}" if self.expression else prefix,
                    "MetricStat": {"Metric": metric, "Period": self.period_seconds, "Stat": query.stat},
                    "ReturnData": not self.expression,
                }
            )
        if self.expression:
            names = "|".join(sorted(map(re.escape, self.queries), key=len, reverse=True))
            # Functions of metric math are written in capitals, so an id is never one of them.
            expression = re.sub(rf"(?<![\w.'\"])({names})(?![\w(])", rf"{prefix}_\1", self.expression)
            queries.append({"Id": prefix, "Expression": expression, "Period": self.period_seconds, "ReturnData": True})
        return queries
