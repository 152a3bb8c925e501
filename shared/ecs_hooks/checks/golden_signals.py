"""The golden signals check: green's users get few errors, and quick answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from ecs_hooks.aws.metrics import ACTION
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NOTHING, MetricsWatch
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.revision import LoadBalancing

_METRICS = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    # Where a target does not even accept connections, the load balancer's own 502 is not counted at the target group.
    "refused": ("TargetConnectionErrorCount", "Sum"),
    "p99": ("TargetResponseTime", "p99"),
    # Of a target that takes requests and never answers, the load balancer's 504 is not counted at the target group either.
    "answered": ("TargetResponseTime", "SampleCount"),
}
_DIMENSIONS = {"LoadBalancer": "{load_balancer}", "TargetGroup": "{green.target_group}"}
_ENOUGH = 20
"""Requests from which on a share is taken for more than chance, before the window is over."""


class GoldenSignalsCheck(MetricsWatch):
    """Watches errors and latency of green's target group, as an Application Load Balancer measures them.

    The share of errors counts over the whole window, not minute by minute, so that one failed request in a quiet minute is
    no alarm. Services that are not behind an Application Load Balancer skip this check.
    """

    type: Literal["golden_signals"] = "golden_signals"
    max_5xx_percent: Annotated[float, Field(ge=0, le=100)] = 5
    """Share of requests that green may answer with 5xx, or refuse to take, in per cent."""
    max_p99_seconds: Annotated[float, Field(gt=0, le=4000)] = 5
    """Seconds within which 99 per cent of the responses have to begin (`TargetResponseTime`)."""
    max_slow_periods: Annotated[int, Field(ge=0, le=1440)] = 1
    """Periods that may be slower, such as the first minute of a cold cache."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Requests that there must be for a pass."""
    missing_data: Policy = "fail"
    """What fewer requests are, once the window is over."""

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(
            actions=frozenset({REVISIONS}),
            service_actions=lambda shared: frozenset({ACTION} if _is_measured(shared.load_balancing) else ()),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and judge."""
        if not _is_measured(context.deployment.green.load_balancing):
            return Outcome.skip("green is not behind an Application Load Balancer, which would measure it")
        window, series = self.window(context), self.series(context)
        values = {name: series.get(name, NOTHING).values(window.begin, window.end) for name in _METRICS}
        requests, failed = sum(values["requests"]), sum(values["errors"]) + sum(values["refused"])
        # Users who give up leave requests without an answer, too; that none has one is more than that.
        silent = requests > 0 and not sum(values["answered"])
        percent = 100.0 if silent else 100 * failed / requests if requests else 0.0
        slowest = max(values["p99"], default=0.0)
        slow = [value for value in values["p99"] if value > self.max_p99_seconds]
        evidence: Evidence = {
            "requests": requests,
            "failed_percent": percent,
            "failed_percent_limit": self.max_5xx_percent,
            "slowest_p99_seconds": slowest,
            "slowest_p99_seconds_limit": self.max_p99_seconds,
            "slow_periods": len(slow),
            "slow_periods_limit": self.max_slow_periods,
        }
        told = counted(requests, "request") if requests else "no requests"
        if silent:
            told += ", none was answered"
        elif requests:
            told += f", {percent:.3g} % failed, p99 up to {slowest:.3g} s"
        if percent > self.max_5xx_percent and (window.over or requests >= _ENOUGH):
            return Outcome.failed(f"{told}; expected at most {self.max_5xx_percent:g} % to fail", evidence)
        if len(slow) > self.max_slow_periods:
            reason = f"{told}, above {self.max_p99_seconds:g} s in {len(slow)} periods of {self.period_seconds} s"
            return Outcome.failed(reason, evidence)
        if not window.over:
            return Outcome.wait(f"{told} so far", evidence, retry_after=self.period_seconds)
        if requests < self.min_requests:
            reason = f"{told} in {self.window_minutes:g} minutes; expected {self.min_requests} or more requests"
            return Outcome.by_policy(self.missing_data, reason, evidence)
        return Outcome.passed(told, evidence)

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each of the metrics."""
        return [
            {
                "Id": f"{prefix}_{identifier}",
                "MetricStat": self.metric_stat(context, "AWS/ApplicationELB", name, stat, _DIMENSIONS),
            }
            for identifier, (name, stat) in _METRICS.items()
        ]


def _is_measured(load_balancing: Sequence[LoadBalancing]) -> bool:
    """Return whether an Application Load Balancer is in front of green."""
    return any("/app/" in each.production for each in load_balancing)
