"""CloudWatch metrics of the requests that the simulator's load balancer has forwarded."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ecs_hooks_simulator.aws.metric_data import MetricData, dimensions_of
from ecs_hooks_simulator.aws.metric_math import Series
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
                values.sort()
            return {bucket: tuple(values) for bucket, values in found.items()}


class CloudWatch(MetricData):
    """Answers GetMetricData for the metrics of a simulation, and measures the metrics of its alarms."""

    def __init__(self, balancer: LoadBalancer, metrics: Metrics) -> None:
        self._balancer = balancer
        self._metrics = metrics
        self._series: dict[tuple[str, frozenset[str], frozenset[str], int], _Series] = {}

    @property
    def namespace(self) -> str:
        """The namespace of the metrics."""
        return self._metrics.namespace

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is one of the simulation."""
        return self._metrics.owns(metric)

    def values(
        self, name: str, dimensions: Mapping[str, str], period: int, begin: float, end: float
    ) -> Mapping[float, Sequence[float]]:
        """Return the values that the requests so far have added to a metric, by period."""
        counted = self._metrics.counted(name, dimensions)
        if counted is None:
            return {}
        key = (name, counted.listeners, counted.revisions, period)
        return self._series.setdefault(key, _Series(counted, period)).values(self._balancer, begin, end)

    def check(self, alarm: MetricAlarm) -> None:
        """Check that an alarm can be evaluated.

        Raises
        ------
        EcsError
            If the simulator does not support a metric, a statistic or an expression.
        """
        for stat in alarm.stats:
            namespace = stat["Metric"].get("Namespace")
            if namespace != self.namespace:
                raise EcsError(
                    "ValidationError",
                    f"namespace {namespace} is not measured in this simulation; use {self.namespace}",
                )
        self.measure(alarm, 0, 0)

    def measure(self, alarm: MetricAlarm, begin: float, end: float) -> Series:
        """Return the datapoints of an alarm between two times."""
        (series,) = self.evaluate([self._filled(query) for query in alarm.queries], begin, end).values()
        return series

    def _filled(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a query with the simulation's own values of the dimensions."""
        if "MetricStat" not in query:
            return query
        stat = query["MetricStat"]
        filled = self._metrics.filled(dimensions_of(stat["Metric"]))
        dimensions = [{"Name": name, "Value": value} for name, value in filled.items()]
        return {**query, "MetricStat": {**stat, "Metric": {**stat["Metric"], "Dimensions": dimensions}}}
