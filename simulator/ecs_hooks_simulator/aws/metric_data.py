"""GetMetricData over values of any origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ecs_hooks_simulator.aws.metric_math import MetricMathError, Series, evaluate
from ecs_hooks_simulator.aws.metric_statistic import parse_statistic
from ecs_hooks_simulator.core.errors import EcsError

MAX_QUERIES = 500
"""Most queries in one GetMetricData."""
MAX_DATAPOINTS = 100_800
"""Most datapoints in one response; `NextToken` returns the others."""


class MetricData(ABC):
    """Answers GetMetricData.

    A period begins at a multiple of its length since the epoch. A query includes the period that contains its StartTime, as
    a whole. A period without values has no datapoint.
    """

    @property
    @abstractmethod
    def namespace(self) -> str:
        """The namespace of the metrics."""

    @abstractmethod
    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric, in the shape of GetMetricData, has its values here."""

    @abstractmethod
    def values(
        self, name: str, dimensions: Mapping[str, str], period: int, begin: float, end: float
    ) -> Mapping[float, Sequence[float]]:
        """Return the values of a metric in ascending order, by the second at which their period begins.

        The first period is the one that contains `begin`; the last one begins before `end`.

        Raises
        ------
        EcsError
            If the metric is not supported.
        """

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer GetMetricData if all metrics are of this namespace and resource; None if none is.

        Raises
        ------
        EcsError
            If the request is invalid, or a metric, a statistic or an expression is not supported.
        """
        queries: Sequence[Mapping[str, Any]] = request.get("MetricDataQueries") or ()
        own = [self.owns(query["MetricStat"]["Metric"]) for query in queries if "MetricStat" in query]
        if operation != "GetMetricData" or not any(own):
            return None
        if not all(own):
            raise EcsError(
                "ValidationError",
                f"the simulator cannot mix its own metrics ({self.namespace}) with other metrics in one "
                "request; send two requests",
            )
        if len(queries) > MAX_QUERIES:
            raise EcsError(
                "ValidationError", f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
            )
        series = self.evaluate(queries, request["StartTime"].timestamp(), request["EndTime"].timestamp())
        most = min(int(request.get("MaxDatapoints") or MAX_DATAPOINTS), MAX_DATAPOINTS)
        begin = int(request.get("NextToken") or 0)
        return _page(series, begin, begin + most, descending=request.get("ScanBy") != "TimestampAscending")

    def evaluate(self, queries: Sequence[Mapping[str, Any]], begin: float, end: float) -> dict[str, Series]:
        """Return the series of the queries that return data, by id; see `answer`."""
        known: dict[str, Series] = {}
        for query in queries:
            if "MetricStat" in query:
                known[query["Id"]] = self.measure_stat(query["MetricStat"], begin, end)
        for query in queries:
            if "Expression" in query:
                try:
                    known[query["Id"]] = evaluate(query["Expression"], known)
                except MetricMathError as error:
                    raise EcsError("ValidationError", f"Error in expression '{query['Id']}': {error}") from error
        return {query["Id"]: known[query["Id"]] for query in queries if query.get("ReturnData", True)}

    def measure_stat(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        """Return the datapoints of a MetricStat; see `answer`."""
        period = int(stat["Period"])
        if period < 60 or period % 60:  # noqa: PLR2004 - the metrics have one datapoint a minute
            raise EcsError(
                "ValidationError", f"period {period} is not supported by the simulator; use a multiple of 60"
            )
        statistic = parse_statistic(str(stat.get("Stat")))
        dimensions = dimensions_of(stat["Metric"])
        buckets = self.values(str(stat["Metric"]["MetricName"]), dimensions, period, begin, end)
        points = {bucket: statistic(buckets[bucket]) for bucket in sorted(buckets)}
        return {bucket: value for bucket, value in points.items() if value is not None}


def dimensions_of(metric: Mapping[str, Any]) -> dict[str, str]:
    """Return the dimensions of a metric in the shape of GetMetricData, by name."""
    return {str(each["Name"]): str(each["Value"]) for each in metric.get("Dimensions") or ()}


def _page(series: Mapping[str, Series], begin: int, end: int, *, descending: bool) -> dict[str, Any]:
    """Return the datapoints with these numbers, counted over all series; the first page has the empty series, too."""
    results: list[dict[str, Any]] = []
    first = 0
    for identifier, found in series.items():
        last = first + len(found)
        points = sorted(found.items(), reverse=descending)[max(begin - first, 0) : max(end - first, 0)]
        if points or (not found and not begin):
            results.append(
                {
                    "Id": identifier,
                    "Label": identifier,
                    "Timestamps": [datetime.fromtimestamp(stamp, UTC) for stamp, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "PartialData" if found and last > end else "Complete",
                }
            )
        first = last
    return {"MetricDataResults": results} | ({"NextToken": str(end)} if first > end else {})
