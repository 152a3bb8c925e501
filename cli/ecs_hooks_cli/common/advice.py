"""Advice by traffic: how long a comparison must watch at a step to see which difference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from ecs_hooks.aws.cloudwatch import get_metric_data
from ecs_hooks.checks import Check
from ecs_hooks.checks.statistics.advice import Traffic, minutes_for_errors, minutes_for_latency, spread_of
from ecs_hooks.core import clock
from ecs_hooks.deployment.revision import LoadBalancing

LATENCIES = (10.0, 30.0, 100.0)
ERRORS = (0.5, 1.0, 5.0)
_QUANTILES = (("p50", 0.5), ("p99", 0.99))
_TOLERANCE = 10.0
_TYPES = {"comparison", "golden_signals"}
_WEEK = 7 * 86_400
_HOUR = 3600
_LONGEST = 1440
_STATISTICS = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    "p50": ("TargetResponseTime", "p50"),
    "p99": ("TargetResponseTime", "p99"),
}


class Usual(NamedTuple):
    """What is usual for a service."""

    requests: float
    """Requests a minute."""
    error_percent: float = 0.1
    spread: float = 0.5
    """Standard deviation of the logarithm of the latency."""

    def __str__(self) -> str:
        """Return the traffic in words."""
        return f"{self.requests:.4g} requests a minute in the median hour of the last week, {self.error_percent:.2g} % errors"


def usual_of_last_week(region: str, load_balancing: Sequence[LoadBalancing]) -> Usual | None:
    """Return the traffic of a service in the last week, in the median of its hours; None without a load balancer.

    Raises
    ------
    FactError
        If CloudWatch does not return it.
    """
    queries = list(_queries(load_balancing))
    if not queries:
        return None
    end = clock.now() // _HOUR * _HOUR
    by_hour: dict[str, dict[float, list[float]]] = {name: {} for name in _STATISTICS}
    for identifier, series in get_metric_data(region, queries, end - _WEEK, end).items():
        for stamp, value in series.between(end - _WEEK, end).items():
            by_hour[identifier.partition("_")[0]].setdefault(stamp, []).append(value)
    requests = [sum(each) for each in by_hour["requests"].values()]
    total, failed = sum(requests), sum(sum(each) for each in by_hour["errors"].values())
    if not total:
        return Usual(0)
    middle = {name: median(max(each) for each in by_hour[name].values()) for name in ("p50", "p99") if by_hour[name]}
    spread = spread_of(middle["p50"], middle["p99"]) if len(middle) == len(("p50", "p99")) else 0.0
    # Hours without a datapoint are hours without requests.
    hourly = median([*requests, *[0.0] * (_WEEK // _HOUR - len(requests))])
    return Usual(hourly / 60, 100 * failed / total, spread or Usual(0).spread)


def judges_traffic(checks: Iterable[Check]) -> list[str]:
    """Return the labels of the checks that judge the metrics of a service's traffic."""
    return list(dict.fromkeys(each.label for each in checks if each.type in _TYPES))


def shares(configuration: Mapping[str, Any]) -> tuple[float, ...]:
    """Return green's percentages at the steps of a deployment configuration; 100 for one without steps."""
    strategy = configuration.get("strategy")
    if strategy == "CANARY":
        return (float((configuration.get("canaryConfiguration") or {}).get("canaryPercent") or 5),)
    if strategy == "LINEAR":
        return linear_shares(float((configuration.get("linearConfiguration") or {}).get("stepPercent") or 10))
    return (100.0,)


def linear_shares(step: float) -> tuple[float, ...]:
    """Return the first, the middle and the last percentage of a linear deployment before 100."""
    number = max(1, math.ceil(100 / step) - 1)
    return tuple(dict.fromkeys(step * each for each in (1, (number + 1) // 2, number)))


def advice(usual: Usual, percents: Sequence[float]) -> Iterator[str]:
    """Yield for each step, in words, how long a comparison must watch to find which difference with 80 %."""
    for percent in percents:
        traffic = Traffic.at_step(usual.requests, percent)
        where = f"at {percent:g} %" if percent < 100 else 'after the last step, with baseline "previous"'  # noqa: PLR2004
        latencies = [
            f"+{slower:g} % "
            + " or ".join(
                f"{name} {_words(_latency(traffic, quantile, slower, usual))}" for name, quantile in _QUANTILES
            )
            + (" with tolerance_percent 0" if slower <= _TOLERANCE else "")
            for slower in LATENCIES
        ]
        errors = [
            f"+{points:g} {_words(minutes_for_errors(traffic, usual.error_percent, points))}" for points in ERRORS
        ]
        yield (
            f"{where} (green {traffic.green:.4g} and blue {traffic.blue:.4g} requests a minute): "
            f"latency {', '.join(latencies)}; percentage points of errors {', '.join(errors)}"
        )


def _latency(traffic: Traffic, quantile: float, slower: float, usual: Usual) -> float:
    tolerance = 0.0 if slower <= _TOLERANCE else _TOLERANCE
    return minutes_for_latency(traffic, quantile, slower, usual.spread, tolerance)


def _words(minutes: float) -> str:
    if minutes > _LONGEST:
        return "in more than a day"
    return f"in {math.ceil(minutes)} min"


def _queries(load_balancing: Sequence[LoadBalancing]) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(load_balancing):
        _, is_alb, name = each.production.partition("/app/")
        if not is_alb:
            continue
        balancer = "/".join(["app", *name.split("/")[:2]])
        for other, group in enumerate(each.pair):
            dimensions = {"LoadBalancer": balancer, "TargetGroup": group.rpartition(":")[2]}
            for identifier, (metric, stat) in _STATISTICS.items():
                yield {
                    "Id": f"{identifier}_{number}_{other}",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/ApplicationELB",
                            "MetricName": metric,
                            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                        },
                        "Period": _HOUR,
                        "Stat": stat,
                    },
                }
