"""CloudWatch metrics of the requests that the simulator's load balancer has forwarded."""

from __future__ import annotations

import ast
import math
import operator
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.traffic.load_balancer import Forwarded, LoadBalancer


Measure = Callable[["Forwarded"], float | None]
"""Returns the value that a request adds to a metric; None for no value."""


class Counted(NamedTuple):
    """The requests that a metric counts, and their values.

    Parameters
    ----------
    measure
        Returns the value of a request.
    listeners, revisions
        The sources and the targets of the requests.
    """

    measure: Measure
    listeners: frozenset[str]
    revisions: frozenset[str]


class Metrics(Protocol):
    """The metrics of a simulation: a load balancer's, or a function's."""

    @property
    def namespace(self) -> str:
        """The namespace of the metrics."""

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric, in the shape of GetMetricData, is one of the simulation."""

    def counted(self, name: str, dimensions: Mapping[str, str]) -> Counted | None:
        """Return the requests that a metric counts; None for no requests.

        Raises
        ------
        EcsError
            If the simulator does not support the metric.
        """

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions of an alarm's metric with the simulation's own values."""


class _Series:
    """The values of a metric by the second at which their period begins; counts each request once."""

    def __init__(self, counted: Counted, period: int) -> None:
        self._counted = counted
        self._period = period
        self._seen = 0
        self._lock = threading.Lock()
        self._values: defaultdict[float, list[float]] = defaultdict(list)

    def values(self, balancer: LoadBalancer, begin: float, end: float) -> Mapping[float, Sequence[float]]:
        """Count the requests since the last call, and return the values of the periods between two times.

        As in CloudWatch, the period that contains `begin` is included, one that begins at `end` is not.
        """
        measure, listeners, revisions = self._counted
        with self._lock:
            new = balancer.forwarded_after(self._seen)
            self._seen += len(new)
            for request in new:
                counts = request.revision in revisions and request.listener in listeners
                value = measure(request) if counts else None
                if value is not None:
                    self._values[request.time // self._period * self._period].append(value)
            first = begin // self._period * self._period
            found = {bucket: values for bucket, values in self._values.items() if first <= bucket < end}
            for values in found.values():
                values.sort()  # makes the sort of each later percentile cheap
            return {bucket: tuple(values) for bucket, values in found.items()}


class CloudWatch:
    """Answers GetMetricData for the metrics of a simulation, and measures the metrics of its alarms."""

    def __init__(self, balancer: LoadBalancer, metrics: Metrics) -> None:
        self._balancer = balancer
        self._metrics = metrics
        self._series: dict[tuple[str, frozenset[str], frozenset[str], int], _Series] = {}

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer GetMetricData if all metrics are this simulation's."""
        queries: Sequence[Mapping[str, Any]] = request.get("MetricDataQueries") or ()
        own = [self._metrics.owns(query["MetricStat"]["Metric"]) for query in queries if "MetricStat" in query]
        if operation != "GetMetricData" or not any(own):
            return None
        if not all(own):
            raise EcsError(
                "ValidationError",
                f"the simulator cannot mix its own metrics ({self._metrics.namespace}) with other metrics in one "
                "request; send two requests",
            )
        begin, end = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        descending = request.get("ScanBy") != "TimestampAscending"
        series = self._evaluated(queries, begin, end)
        return {
            "MetricDataResults": [_result(name, found, descending=descending) for name, found in series.items()],
        }

    def check(self, alarm: MetricAlarm) -> None:
        """Check that an alarm can be evaluated.

        Raises
        ------
        EcsError
            If the simulator does not support a metric, a statistic or an expression.
        """
        for stat in alarm.stats:
            namespace = stat["Metric"].get("Namespace")
            if namespace != self._metrics.namespace:
                raise EcsError(
                    "ValidationError",
                    f"namespace {namespace} is not measured in this simulation; use {self._metrics.namespace}",
                )
            statistic(str(stat.get("Stat")), [0.0])
        self.measure(alarm, 0, 0)

    def measure(self, alarm: MetricAlarm, begin: float, end: float) -> Series:
        """Return the datapoints of an alarm between two times."""
        (series,) = self._evaluated([self._filled(query) for query in alarm.queries], begin, end).values()
        return series

    def _filled(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a query with the simulation's own values of the dimensions."""
        if "MetricStat" not in query:
            return query
        stat = query["MetricStat"]
        filled = self._metrics.filled(dimensions_of(stat["Metric"]))
        dimensions = [{"Name": name, "Value": value} for name, value in filled.items()]
        return {**query, "MetricStat": {**stat, "Metric": {**stat["Metric"], "Dimensions": dimensions}}}

    def _evaluated(self, queries: Sequence[Mapping[str, Any]], begin: float, end: float) -> dict[str, Series]:
        """Return the series of the queries that return data, by id."""
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
        return {query["Id"]: known[query["Id"]] for query in queries if query.get("ReturnData", True)}

    def _measured(self, stat: Mapping[str, Any], begin: float, end: float) -> Series:
        name, period = str(stat["Metric"]["MetricName"]), int(stat["Period"])
        counted = self._metrics.counted(name, dimensions_of(stat["Metric"]))
        if counted is None:
            return {}
        key = (name, counted.listeners, counted.revisions, period)
        buckets = self._series.setdefault(key, _Series(counted, period)).values(self._balancer, begin, end)
        return {bucket: statistic(stat["Stat"], buckets[bucket]) for bucket in sorted(buckets)}


def statistic(name: str, values: Sequence[float]) -> float:
    """Return a statistic of CloudWatch over one or more values.

    Parameters
    ----------
    name
        `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99` or `p99.9`.
    values
        The values.

    Raises
    ------
    EcsError
        If the statistic is any other.
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
            raise EcsError(
                "ValidationError",
                f"statistic {name} is not supported by the simulator; "
                "use Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99",
            )


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


Series = Mapping[float, float]
"""Datapoints: value by the second at which the period begins."""
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class MetricMathError(ValueError):
    """The expression is invalid or not supported; the message says why."""


def evaluate(expression: str, series: Mapping[str, Series]) -> Series:
    """Return the series that an expression makes of other series.

    The result has no datapoint where an operand has none, or is divided by zero. `FILL(id, number)` adds a datapoint at
    every time at which any of the series has one.

    Parameters
    ----------
    expression
        Such as `100 * FILL(errors, 0) / requests`.
    series
        Series by the id that the expression uses.

    Raises
    ------
    MetricMathError
        If the expression is invalid or not supported.
    """
    try:
        tree = ast.parse(expression.replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise MetricMathError("invalid syntax") from error
    _value(tree, series, 0.0)  # without datapoints, too, an expression that is not supported is an error
    stamps = sorted({stamp for each in series.values() for stamp in each})
    values = {stamp: _value(tree, series, stamp) for stamp in stamps}
    return {stamp: value for stamp, value in values.items() if value is not None}


def _value(node: ast.expr, series: Mapping[str, Series], stamp: float) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name) if name in series:
            return series[name].get(stamp)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combined(operator.sub, 0.0, _value(operand, series, stamp))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combined(_OPERATORS[type(op)], _value(left, series, stamp), _value(right, series, stamp))
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as default)]):
            found = _value(filled, series, stamp)
            return float(default) if found is None else found
        case _:
            raise MetricMathError(f"{ast.unparse(node)} is not supported by the simulator; use + - * / ^, FILL and ids")


def _combined(function: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return function(left, right)
    except ZeroDivisionError:
        return None
