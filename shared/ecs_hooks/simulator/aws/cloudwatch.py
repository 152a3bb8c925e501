"""CloudWatch over what the simulator's load balancer has measured: the metrics of target groups."""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecs_hooks.simulator.aws.metric_math import MetricMathError, evaluate
from ecs_hooks.simulator.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks.simulator.aws.elastic_load_balancing import ElasticLoadBalancing
    from ecs_hooks.simulator.balancer import Forwarded, LoadBalancer

NAMESPACE = "AWS/ApplicationELB"

Series = Mapping[float, float]
"""Datapoints: value by the second at which their period begins."""

Measure = Callable[["Forwarded"], float | None]
"""What a request adds to a metric; None for nothing."""


def _measure_of(name: str) -> Measure:
    if name == "RequestCount":
        return lambda _: 1.0
    if name == "TargetConnectionErrorCount":
        return lambda request: 1.0 if request.origin == "connection" else None
    if name == "TargetResponseTime":
        return lambda request: request.seconds if request.origin == "target" else None
    own = re.fullmatch(r"HTTPCode_ELB_([45])XX_Count", name)
    if own:
        return lambda request: (
            1.0 if request.origin != "target" and request.status // 100 == int(own.group(1)) else None
        )
    status = re.fullmatch(r"HTTPCode_Target_([2-5])XX_Count", name)
    if not status:
        message = f"the simulator does not measure {name}"
        raise EcsError("ValidationError", message)
    return lambda request: 1.0 if request.origin == "target" and request.status // 100 == int(status.group(1)) else None


class _Counted:
    """The values of a metric, by the second at which their period begins; each request is counted once.

    Parameters
    ----------
    measure
        What a request adds to it.
    revisions
        Whose requests.
    period
        Seconds.
    """

    def __init__(self, measure: Measure, revisions: frozenset[str], period: int) -> None:
        self._measure = measure
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
                value = self._measure(request) if request.revision in self._revisions else None
                if value is not None:
                    self._values[request.time // self._period * self._period].append(value)
            first = begin // self._period * self._period
            asked = {bucket: values for bucket, values in self._values.items() if first <= bucket < end}
            for values in asked.values():
                values.sort()  # percentiles sort them again, each time they are asked for: then it is done already
            return {bucket: tuple(values) for bucket, values in asked.items()}


class CloudWatch:
    """Answers for the metrics of a simulation's target groups.

    Parameters
    ----------
    balancer
        What has measured.
    balancing
        Knows which revision is in which target group.
    """

    def __init__(self, balancer: LoadBalancer, balancing: ElasticLoadBalancing) -> None:
        self._balancer = balancer
        self._balancing = balancing
        self._counted: dict[tuple[str, frozenset[str], int], _Counted] = {}

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer GetMetricData where all its metrics are this load balancer's."""
        queries: Sequence[Mapping[str, Any]] = asked.get("MetricDataQueries") or ()
        metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        mine = [
            metric["Namespace"] == NAMESPACE and _dimensions(metric).get("LoadBalancer") == self._balancing.name
            for metric in metrics
        ]
        if operation != "GetMetricData" or not any(mine):
            return None
        if not all(mine):
            message = f"the simulator answers either metrics of its load balancer ({NAMESPACE}) or others, not both"
            raise EcsError("ValidationError", message)
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
                    message = f"Error in expression '{query['Id']}': {error}"
                    raise EcsError("ValidationError", message) from error
        descending = asked.get("ScanBy") != "TimestampAscending"
        return [
            _result(query["Id"], known[query["Id"]], descending=descending)
            for query in queries
            if query.get("ReturnData", True)
        ]

    def _measured(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        name = str(stat["Metric"]["MetricName"])
        measure = _measure_of(name)
        dimensions = _dimensions(stat["Metric"])
        if name.startswith("HTTPCode_ELB_") and "TargetGroup" in dimensions:
            return {}  # what the load balancer answers by itself is counted for all of it only
        groups = {arn.rpartition(":")[2]: arn for arn in self._balancing.target_groups}
        named = dimensions.get("TargetGroup")
        revisions = frozenset(self._balancing.revisions_of(None if named is None else groups.get(named, named)))
        period = int(stat["Period"])
        counted = self._counted.setdefault((name, revisions, period), _Counted(measure, revisions, period))
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
            message = f"the simulator does not know the statistic {name}"
            raise EcsError("ValidationError", message)


def _dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
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
