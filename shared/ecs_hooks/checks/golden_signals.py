"""The golden signals check: green's users get few errors and fast responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NO_DATA, MetricWindowCheck
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS, LoadBalancing

_METRICS = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    # If a target refuses connections, the 502 is the load balancer's own, which no metric of the target group counts.
    "refused": ("TargetConnectionErrorCount", "Sum"),
    "p99": ("TargetResponseTime", "p99"),
    # If a target never responds, the 504 is the load balancer's own, too.
    "answered": ("TargetResponseTime", "SampleCount"),
}
_DIMENSIONS = {"LoadBalancer": "{load_balancer}", "TargetGroup": "{green.target_group}"}
_MIN_EARLY_REQUESTS = 20
"""Number of requests from which on the error rate can fail the check before the window is over."""


class GoldenSignalsCheck(MetricWindowCheck):
    """Watches errors and latency of green's target group, as measured by its Application Load Balancer.

    The error rate is that of the whole window, not of each minute, so that one failed request in a quiet minute does not
    fail the check. A service without an Application Load Balancer skips it.
    """

    type: Literal["golden_signals"] = "golden_signals"
    max_5xx_percent: Annotated[float, Field(ge=0, le=100)] = 5
    """Maximum percentage of requests that fail: green's 5xx responses and refused connections."""
    max_p99_seconds: Annotated[float, Field(gt=0, le=4000)] = 5
    """Maximum 99th percentile of the latency to the first byte in seconds (`TargetResponseTime`)."""
    max_slow_periods: Annotated[int, Field(ge=0, le=1440)] = 1
    """Number of periods that may be slower, such as the first minute with a cold cache."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Minimum number of requests for a pass."""
    missing_data: Policy = "fail"
    """Policy for fewer requests, once the window is over."""

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(
            actions=frozenset({DESCRIBE_REVISIONS}),
            service_actions=lambda shared: frozenset({GET_METRIC_DATA} if _has_alb(shared.load_balancing) else ()),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Read the metrics, and evaluate them."""
        if not _has_alb(context.deployment.green.load_balancing):
            return Outcome.skip("green has no Application Load Balancer, so there are no metrics")
        window, series = self.window(context), self.series(context)
        values = {name: series.get(name, NO_DATA).values(window.begin, window.end) for name in _METRICS}
        requests, failed = sum(values["requests"]), sum(values["errors"]) + sum(values["refused"])
        # Some requests have no response because users give up; without any response at all, green is at fault.
        silent = requests > 0 and not sum(values["answered"])
        percent = 100.0 if silent else 100 * failed / requests if requests else 0.0
        slowest = max(values["p99"], default=0.0)
        slow = sum(value > self.max_p99_seconds for value in values["p99"])
        evidence: Evidence = {
            "requests": requests,
            "failed_percent": percent,
            "failed_percent_limit": self.max_5xx_percent,
            "slowest_p99_seconds": slowest,
            "slowest_p99_seconds_limit": self.max_p99_seconds,
            "slow_periods": slow,
            "slow_periods_limit": self.max_slow_periods,
        }
        summary = counted(requests, "request") if requests else "no requests"
        if silent:
            summary += ", no responses"
        elif requests:
            summary += f", {percent:.3g} % failed, p99 up to {slowest:.3g} s"
        if percent > self.max_5xx_percent and (window.over or requests >= _MIN_EARLY_REQUESTS):
            return Outcome.failed(f"{summary}; expected at most {self.max_5xx_percent:g} % to fail", evidence)
        if slow > self.max_slow_periods:
            reason = f"{summary}, above {self.max_p99_seconds:g} s in {slow} periods of {self.period_seconds} s"
            return Outcome.failed(reason, evidence)
        if not window.over:
            return Outcome.wait(f"{summary} so far", evidence, retry_after=self.period_seconds)
        if requests < self.min_requests:
            reason = f"{summary} in {self.window_minutes:g} minutes; expected {self.min_requests} or more requests"
            return Outcome.by_policy(self.missing_data, reason, evidence)
        return Outcome.passed(summary, evidence)

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric."""
        return [
            {
                "Id": f"{prefix}_{identifier}",
                "MetricStat": self.metric_stat(context, "AWS/ApplicationELB", name, stat, _DIMENSIONS),
            }
            for identifier, (name, stat) in _METRICS.items()
        ]


def _has_alb(load_balancing: Sequence[LoadBalancing]) -> bool:
    return any("/app/" in each.production for each in load_balancing)
