"""The base class of checks that watch CloudWatch metrics for a window of time."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from ecs_hooks.aws.cloudwatch import Series, get_metric_data
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core import clock
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.placeholders import fill_placeholders

NO_DATA = Series(())


class Window(NamedTuple):
    """The time whose datapoints count, in seconds since the epoch."""

    begin: float
    """When the first period begins."""
    end: float
    """When the last complete period ends."""
    over: bool
    """Whether all datapoints of the window are complete."""


class FurtherQueries(NamedTuple):
    """Queries that follow from the datapoints of others."""

    queries: Sequence[dict[str, Any]] = ()
    """`MetricDataQueries`."""
    begin: float = math.inf
    """When their datapoints begin, if that is before the window."""


class MetricWindowCheck(Check):
    """Watches metrics from the first invocation at a step, or some time before it, to the end of a window."""

    period_seconds: Annotated[int, Field(ge=60, le=3600, multiple_of=60)] = 60
    """Period of a datapoint in seconds."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 5
    """Length of the window in minutes. The check passes at its end."""
    lookback_minutes: Annotated[float, Field(ge=0, le=1440)] = 0
    """Minutes of the window before the first invocation at this step, such as the bake time of the previous step."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds until CloudWatch's datapoints are complete; younger datapoints do not count."""

    watchable: ClassVar[bool] = False

    @property
    def _watch_seconds(self) -> float:
        """Seconds until the last datapoint of the window is complete, if the window begins at once."""
        window = self.planned_periods * self.period_seconds
        return max(0.0, window - self.lookback_minutes * 60) + self.lag_seconds

    @property
    def planned_periods(self) -> int:
        """Number of whole periods of the window.

        Raises
        ------
        FieldError
            If there is none, so that the window never has a datapoint.
        """
        periods = int(self.window_minutes * 60) // self.period_seconds
        if not periods:
            raise FieldError(
                f"window_minutes: must be at least {self.period_seconds / 60:g}, one period (period_seconds)"
            )
        return periods

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(watch_seconds=self._watch_seconds)

    @abstractmethod
    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return the `MetricDataQueries` of this check; `prefix` begins each `Id`, so that it is unique in the plan."""

    def further_queries(
        self,
        context: CheckContext,  # noqa: ARG002 - for subclasses
        prefix: str,  # noqa: ARG002
        series: Mapping[str, Series],  # noqa: ARG002
    ) -> FurtherQueries:
        """Return the queries that follow from the datapoints of the first ones; most checks have none.

        One more GetMetricData call serves all checks of the plan.
        """
        return FurtherQueries()

    def metric_stat(
        self, context: CheckContext, namespace: str, metric: str, stat: str, dimensions: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return a `MetricStat` of GetMetricData. Fills in the placeholders of the dimensions."""
        named = [
            {"Name": name, "Value": fill_placeholders(value, context.deployment)} for name, value in dimensions.items()
        ]
        return {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": self.period_seconds,
            "Stat": stat,
        }

    def window(self, context: CheckContext) -> Window:
        """Return the window, up to the last complete datapoint."""
        self.series(context)  # CloudWatch's response corrects the clock, if that is wrong
        return self._window(context)

    def _window(self, context: CheckContext) -> Window:
        # The window begins with a whole period, up to one period after the first invocation.
        begin = -(-self._begins(context) // self.period_seconds) * self.period_seconds
        last = begin + self.planned_periods * self.period_seconds
        end = (clock.now() - self.lag_seconds) // self.period_seconds * self.period_seconds
        return Window(begin, min(end, last), over=end >= last)

    def series(self, context: CheckContext) -> Mapping[str, Series]:
        """Return the datapoints by `Id` without its prefix. One GetMetricData call serves all checks of the plan."""
        checks = [check for check in context.at_step(context.checks) if isinstance(check, MetricWindowCheck)]
        # By identity if possible: to compare each of hundreds of checks with all others takes long.
        numbers = [number for number, check in enumerate(checks) if check is self]
        numbers = numbers or [number for number, check in enumerate(checks) if check == self]
        if not numbers:  # the code of a hook made the check, so it is not in the plan
            checks, numbers = [self], [0]

        def find() -> list[dict[str, Series]]:
            by_check: dict[str, dict[str, Series]] = {f"c{number}": {} for number in range(len(checks))}

            def keep(found: Mapping[str, Series]) -> None:
                for identifier, each in found.items():
                    prefix, _, own = identifier.partition("_")
                    by_check.get(prefix, {})[own] = each

            queries = [
                query
                for prefix, check in zip(by_check, checks, strict=True)
                for query in check.data_queries(context, prefix)
            ]
            keep(self._read(context, checks, queries))
            further = [
                check.further_queries(context, prefix, found)
                for check, (prefix, found) in zip(checks, by_check.items(), strict=True)
            ]
            if any(each.queries for each in further):
                queries = [query for each in further for query in each.queries]
                keep(self._read(context, checks, queries, min(each.begin for each in further)))
            return list(by_check.values())

        name = "metrics" if len(checks) > 1 else f"metrics {self.model_dump_json()}"
        return context.deployment.facts.get(name, find)[numbers[0]]

    def _read(
        self,
        context: CheckContext,
        checks: Sequence[MetricWindowCheck],
        queries: Sequence[Mapping[str, Any]],
        earliest: float = math.inf,
    ) -> Mapping[str, Series]:
        while True:
            offset = clock.offset()
            begin = min(earliest, *(check._begins(context) for check in checks))  # noqa: SLF001 - of the same class
            found = get_metric_data(context.region, queries, begin, clock.now())
            if clock.offset() == offset:
                return found
            # The response has corrected the clock, and the interval was that of another time.

    def _begins(self, context: CheckContext) -> float:
        return clock.now() - context.elapsed - self.lookback_minutes * 60
