"""CloudWatch over what the simulator's load balancer has measured."""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ecs_hooks_simulator.aws.metric_math import MetricMathError, evaluate
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer

Series = Mapping[float, float]
"""Datapoints: value by the second at which their period begins."""

Measure = Callable[["Forwarded"], float | None]
"""What a request adds to a metric; None for nothing."""


class Metrics(Protocol):
    """Whose metrics they are: a load balancer's, or a function's."""

    @property
    def namespace(self) -> str:
        """The namespace of the metrics."""

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric, in the shape of GetMetricData, is one of the simulation."""

    def counted(
        self, name: str, dimensions: Mapping[str, str]
    ) -> tuple[Measure, frozenset[str], frozenset[str]] | None:
        """Return what a request adds to a metric, and which listeners and revisions count; None where nobody does.

        Raises
        ------
        EcsError
            If the simulator does not measure it.
        """

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions of an alarm's metric with the simulation's own values."""


class _Counted:
    """The values of a metric, by the second at which their period begins; each request is counted once.

    Parameters
    ----------
    measure
        What a request adds to it.
    listeners, revisions
        Which requests, by where they came from and whom they went to.
    period
        Seconds.
    """

    def __init__(self, measure: Measure, listeners: frozenset[str], revisions: frozenset[str], period: int) -> None:
        self._measure = measure
        self._listeners = listeners
        self._revisions = revisions
        self._period = period
        self._seen = 0
        self._counting = threading.Lock()
        self._values: defaultdict[float, list[float]] = defaultdict(list)

    def values(self, balancer: LoadBalancer, begin: float, end: float) -> Mapping[float, Sequence[float]]:
        """Count what the load balancer has forwarded since the last time, and return the values of some periods.

        CloudWatch includes the period that the beginning lies in, and none that begins at the end.
        """
        with self._counting:
            new = balancer.forwarded_after(self._seen)
            self._seen += len(new)
            for request in new:
                counts = request.revision in self._revisions and request.listener in self._listeners
                value = self._measure(request) if counts else None
                if value is not None:
                    self._values[request.time // self._period * self._period].append(value)
            first = begin // self._period * self._period
            asked = {bucket: values for bucket, values in self._values.items() if first <= bucket < end}
            for values in asked.values():
                values.sort()  # percentiles sort them again, each time they are asked for: then it is done already
            return {bucket: tuple(values) for bucket, values in asked.items()}


class CloudWatch:
    """Answers for the metrics of a simulation.

    Parameters
    ----------
    balancer
        What has measured.
    metrics
        Knows whose metrics these are.
    """

    def __init__(self, balancer: LoadBalancer, metrics: Metrics) -> None:
        self._balancer = balancer
        self._metrics = metrics
        self._counted: dict[tuple[str, frozenset[str], frozenset[str], int], _Counted] = {}

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer GetMetricData where all its metrics are this simulation's."""
        queries: Sequence[Mapping[str, Any]] = asked.get("MetricDataQueries") or ()
        metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        mine = [self._metrics.owns(metric) for metric in metrics]
        if operation != "GetMetricData" or not any(mine):
            return None
        if not all(mine):
            raise EcsError(
                "ValidationError",
                f"the simulator answers either metrics of its own ({self._metrics.namespace}) or others, not both",
            )
        return {"MetricDataResults": list(self._results(queries, asked))}

    def _results(self, queries: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        begin, end = asked["StartTime"].timestamp(), asked["EndTime"].timestamp()
        known: dict[str, Series] = {}
        for query in queries:
            if "MetricStat" in query:
                known[query["Id"]] = self._measured(query["MetricStat"], begin, end)
        for query in queries:
            if "Expression" in query:
                try:
                    known[query["Id"]] = evaluate(query["Expression"], known)
                except MetricMathError as error:
                    raise EcsError("ValidationError", f"Error in expression '{query['Id']}': {error}") from error
        descending = asked.get("ScanBy") != "TimestampAscending"
        return [
            _result(query["Id"], known[query["Id"]], descending=descending)
            for query in queries
            if query.get("ReturnData", True)
        ]

    def _measured(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        name = str(stat["Metric"]["MetricName"])
        found = self._metrics.counted(name, dimensions_of(stat["Metric"]))
        if found is None:
            return {}
        measure, listeners, revisions = found
        period = int(stat["Period"])
        key = (name, listeners, revisions, period)
        counted = self._counted.setdefault(key, _Counted(measure, listeners, revisions, period))
        buckets = counted.values(self._balancer, begin, end)
        return {bucket: statistic(stat["Stat"], buckets[bucket]) for bucket in sorted(buckets)}


def statistic(name: str, values: Sequence[float]) -> float:
    """Return a statistic of CloudWatch over some values, at least one.

    Parameters
    ----------
    name
        `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99` or `p99.9`.
    values
        The values.

    Raises
    ------
    EcsError
        If it is none of these.
    """
    percentile = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?|100)", name)
    if percentile:
        rank = math.ceil(float(percentile.group(1)) / 100 * len(values))
        return sorted(values)[max(rank, 1) - 1]
    match name:
        case "Sum":
            return math.fsum(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return float(len(values))
        case _:
            raise EcsError("ValidationError", f"the simulator does not know the statistic {name}")


def dimensions_of(metric: Mapping[str, Any]) -> dict[str, str]:
    """Return the dimensions of a metric in the shape of GetMetricData, by name."""
    return {str(each["Name"]): str(each["Value"]) for each in metric.get("Dimensions") or ()}


def _result(identifier: str, series: Series, *, descending: bool) -> dict[str, Any]:
    points = sorted(series.items(), reverse=descending)
    return {
        "Id": identifier,
        "Label": identifier,
        "Timestamps": [datetime.fromtimestamp(stamp, UTC) for stamp, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }
