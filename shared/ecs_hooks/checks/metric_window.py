"""What checks that watch metrics have in common: a window, and one question to CloudWatch for all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from ecs_hooks.aws.metrics import Series, get_metric_data
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core import clock
from ecs_hooks.deployment.dimensions import filled

NOTHING = Series(())


class Window(NamedTuple):
    """The time that is looked at.

    Parameters
    ----------
    begin, end
        The first period begins at `begin`, the last ends at `end`; seconds since the epoch.
    over
        Whether nothing can be added any more.
    """

    begin: float
    end: float
    over: bool


class MetricsWatch(Check):
    """Watches metrics, from the first invocation at a step, or some time before, to the end of a window."""

    period_seconds: Annotated[int, Field(ge=60, le=3600, multiple_of=60)] = 60
    """Seconds that a datapoint covers."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 5
    """Minutes that are looked at, up to the decision."""
    lookback_minutes: Annotated[float, Field(ge=0, le=1440)] = 0
    """Minutes of them before the first invocation at this step, such as the bake time of the step before."""
    lag_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds that CloudWatch may take until a datapoint is whole; younger ones are not looked at."""

    watchable: ClassVar[bool] = False

    @property
    def _watch_seconds(self) -> float:
        """Seconds until the window is over, and its last datapoint complete."""
        return max(0.0, self.window_minutes - self.lookback_minutes) * 60 + self.lag_seconds

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return super().requirements()._replace(watch_seconds=self._watch_seconds)

    @abstractmethod
    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return the `MetricDataQueries` of this check; `prefix` begins each `Id`, so that no other check has the same."""

    def metric_stat(
        self, context: CheckContext, namespace: str, metric: str, stat: str, dimensions: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return a `MetricStat` of GetMetricData, with what the placeholders in the dimensions stand for."""
        named = [{"Name": name, "Value": filled(value, context.deployment)} for name, value in dimensions.items()]
        return {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": self.period_seconds,
            "Stat": stat,
        }

    def window(self, context: CheckContext) -> Window:
        """Return the time to look at."""
        begin = -(-self._begins(context) // self.period_seconds) * self.period_seconds
        end = (clock.now() - self.lag_seconds) // self.period_seconds * self.period_seconds
        over = context.elapsed >= self._watch_seconds
        return Window(begin, min(end, begin + self.window_minutes * 60), over)

    def series(self, context: CheckContext) -> Mapping[str, Series]:
        """Return the datapoints by `Id`, without its prefix; one question to CloudWatch serves all checks of the plan."""
        checks = [check for check in context.at_step(context.checks) if isinstance(check, MetricsWatch)]
        # By identity where that is possible: of hundreds of checks, each would be compared with all others.
        numbers = [number for number, check in enumerate(checks) if check is self]
        numbers = numbers or [number for number, check in enumerate(checks) if check == self]
        if not numbers:  # a hook's own code has made it
            checks, numbers = [self], [0]

        def find() -> list[dict[str, Series]]:
            prefixes = [f"c{number}" for number in range(len(checks))]
            queries = [
                query
                for check, prefix in zip(checks, prefixes, strict=True)
                for query in check.data_queries(context, prefix)
            ]
            begin = min(check._begins(context) for check in checks)  # noqa: SLF001 - of the same class
            found = get_metric_data(context.region, queries, begin, clock.now())
            by_check: dict[str, dict[str, Series]] = {prefix: {} for prefix in prefixes}
            for identifier, each in found.items():
                prefix, _, own = identifier.partition("_")
                by_check.get(prefix, {})[own] = each
            return list(by_check.values())

        name = "metrics" if len(checks) > 1 else f"metrics {self.model_dump_json()}"
        return context.deployment.facts.get(name, find)[numbers[0]]

    def _begins(self, context: CheckContext) -> float:
        return clock.now() - context.elapsed - self.lookback_minutes * 60
