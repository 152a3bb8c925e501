"""The golden signals check: green's users get few errors and fast responses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA
from ecs_hooks.aws.errors import FactError
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.golden_signals import evaluate, report
from ecs_hooks.checks.golden_signals.evaluate import Limits, Measured
from ecs_hooks.checks.metric_window import NO_DATA, MetricWindowCheck
from ecs_hooks.core.outcome import MissingDataPolicy, Outcome
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.placeholders import load_balancer_dimension, others, target_group_dimension
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS, LoadBalancing

_METRICS = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    # If a target refuses connections, the 502 is the load balancer's own, which no metric of the target group counts.
    "refused": ("TargetConnectionErrorCount", "Sum"),
    # If a target never responds, the 504 is the load balancer's own, too.
    "answered": ("TargetResponseTime", "SampleCount"),
    "slow": ("TargetResponseTime", "TC({}:)"),
    "p99": ("TargetResponseTime", "p99"),
}
_JUDGED_PERIODS = 2
"""Number of periods of the window that the warm-up leaves, unless `warm_up_minutes` is set."""


class GoldenSignalsCheck(MetricWindowCheck):
    """Watches errors and latency of green's target group, as measured by its Application Load Balancer.

    Both are counts of requests: those that fail (5xx, refused connections) and those that are slower than the limit. At the
    end of the window their shares are compared with the limits. Before that, and for the last periods of the window, the
    check fails as soon as green is certainly beyond a limit; all these looks share one error budget. A service without an
    Application Load Balancer skips the check.
    """

    type: Literal["golden_signals"] = "golden_signals"
    max_5xx_percent: Annotated[float, Field(ge=0, lt=100)] = 5
    """Maximum percentage of requests that fail: green's 5xx responses and refused connections."""
    max_p99_seconds: Annotated[float, Field(gt=0, le=4000)] = 5
    """Maximum 99th percentile of the latency to the first byte in seconds (`TargetResponseTime`): at most 1 % of the requests
    may be slower."""
    warm_up_minutes: Annotated[float, Field(ge=0, le=1440)] = 3
    """Minutes whose latency does not count, from the first minute with requests on, such as for cold caches; errors count
    from the start. The default is less for short windows, so that it leaves two periods."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Minimum number of requests for a pass."""
    missing_data: MissingDataPolicy = "fail"
    """Policy for fewer requests and for unknown latency, once the window is over: `fail`, `pass`, or `skip`."""

    @model_validator(mode="after")
    def _leaves_periods_after_the_warm_up(self) -> GoldenSignalsCheck:
        period = self.period_seconds / 60
        most = (self.planned_periods - 1) * period
        if "warm_up_minutes" in self.model_fields_set and self.warm_up_minutes > most:
            raise FieldError(
                f"warm_up_minutes: leaves no period of {self.period_seconds} s for the latency; must be at most {most:g}, "
                f"or window_minutes at least {math.ceil(self.warm_up_minutes / period + 1) * period:g}"
            )
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(
            actions=frozenset({DESCRIBE_REVISIONS}),
            service_actions=lambda shared: frozenset(
                {GET_METRIC_DATA} if _application_load_balancer(shared.load_balancing) else ()
            ),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Read the metrics, and evaluate them."""
        green = context.deployment.green
        measured = _application_load_balancer(green.load_balancing)
        if measured is None:
            skipped = Outcome.skip("green has no Application Load Balancer, so there are no metrics")
            return skipped.leaving_out(green.unread)
        left_out = [*others(green.load_balancing, measured), *green.unread]
        window, series, limits = self.window(context), self.series(context), self._limits
        values = {name: series.get(name, NO_DATA).between(window.begin, window.end) for name in _METRICS}
        stamps = range(int(window.begin), int(window.end), self.period_seconds)
        own = {each: context.target.sent.between(each, each + self.period_seconds) for each in stamps}
        found = evaluate.measured(values, stamps, own, limits)
        failure = evaluate.failure(found, limits, over=window.over)
        decided = window.over or failure is not None
        summary, evidence = report.summary(found, limits, decided=decided), report.evidence(found, limits)
        if failure:
            return Outcome.failed(f"{summary}; {report.exceeded(failure, found, limits)}", evidence)
        if not window.over:
            return Outcome.wait(f"{summary} so far", evidence, retry_after=self.period_seconds)
        unknown = self._unknown(found, summary)
        if unknown:
            return Outcome.by_policy(self.missing_data, unknown, evidence).leaving_out(left_out)
        return Outcome.passed(f"{summary}{report.power(found, limits)}", evidence).leaving_out(left_out)

    @property
    def _limits(self) -> Limits:
        warm_up = -(-int(self.warm_up_minutes * 60) // self.period_seconds)
        if "warm_up_minutes" not in self.model_fields_set:
            warm_up = max(0, min(warm_up, self.planned_periods - _JUDGED_PERIODS))
        return Limits(
            self.max_5xx_percent, self.max_p99_seconds, self.planned_periods, self.period_seconds / 60, warm_up
        )

    def _unknown(self, found: Measured, summary: str) -> str:
        """Return what is unknown at the end of the window; empty if nothing is."""
        if not found.errors.size:
            own = report.own_requests(found)
            unknown = f"{summary} in {self.window_minutes:g} minutes: errors and latency are unknown"
            return f"{unknown} ({own})" if own else unknown
        if found.errors.size < self.min_requests:
            return f"{summary} in {self.window_minutes:g} minutes; expected {self.min_requests} or more requests"
        if not found.latency_known:
            return f"{summary}; latency is unknown: CloudWatch returns no {self._stat('slow')} of TargetResponseTime"
        if found.only_warm_up and found.latency.bad > evaluate.most_slow(found.latency.size):
            return f"{summary}; latency after the warm-up is unknown"
        return ""

    def _stat(self, name: str) -> str:
        # The bounds of a statistic have no exponent, and at most ten decimals.
        return _METRICS[name][1].format(f"{self.max_p99_seconds:.10f}".rstrip("0").rstrip("."))

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric."""
        measured = _application_load_balancer(context.deployment.green.load_balancing)
        if measured is None:
            return []
        if not measured.target_group:
            raise FactError(f"{DESCRIBE_REVISIONS}: green's target group is not resolved yet")
        dimensions = {
            "LoadBalancer": load_balancer_dimension(measured),
            "TargetGroup": target_group_dimension(measured),
        }
        return [
            {
                "Id": f"{prefix}_{identifier}",
                "MetricStat": self.metric_stat(context, "AWS/ApplicationELB", name, self._stat(identifier), dimensions),
            }
            for identifier, (name, _) in _METRICS.items()
        ]


def _application_load_balancer(load_balancing: Sequence[LoadBalancing]) -> LoadBalancing | None:
    return next((each for each in load_balancing if "/app/" in each.production), None)
