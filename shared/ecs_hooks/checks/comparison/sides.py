"""What CloudWatch has measured of one metric: the datapoints of green and of blue, minute by minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.statistics.by_minute import Counts, merged
from ecs_hooks.core.formatting import counted

MIN_REQUESTS = 20
"""Requests below which no quantile and no share can be compared."""

_MIN_BLOCKS = 3
"""Blocks of minutes that show how much the minutes differ."""

FEW_REQUESTS = 1000
"""Requests of blue below which blue's earlier ones are compared, too, for errors: fewer cannot show one percentage point."""

Points = Mapping[float, float]
"""Datapoints, by seconds since the beginning of the window."""


class Side(NamedTuple):
    """The datapoints of a metric of one revision.

    Parameters
    ----------
    sample
        The datapoints that count.
    parts
        Datapoints of the metric as CloudWatch returned them.
    whole
        Datapoints of `per`.
    sizes
        Numbers of values (`SampleCount`); empty where the metric is not compared by them.
    quantiles
        Quantiles over the whole window, by the quantile, such as 0.99.
    above
        Numbers of values above the cuts `cut`, `up`, `down` and `far`; see `quantile.Cut`.
    """

    sample: Sample
    parts: Points
    whole: Points
    sizes: Points
    quantiles: Mapping[float, float]
    above: Mapping[str, Points]

    @property
    def requests(self) -> float:
        """The number of requests in the window; 0 if unknown."""
        return sum((self.whole or self.sizes).values())


class Settings(NamedTuple):
    """The settings of the check that apply to every metric.

    Parameters
    ----------
    confidence_percent
        Confidence that a failure requires.
    tolerance_percent
        How much worse green may be, where the metric has no tolerance of its own.
    min_samples
        Minimum number of datapoints.
    warm_up_seconds
        Time from green's first request in which slow minutes may not count.
    period_seconds
        Period of a datapoint.
    looks
        How often the check looks at the datapoints.
    """

    confidence_percent: float
    tolerance_percent: float
    min_samples: int
    warm_up_seconds: float = 180
    period_seconds: int = 60
    looks: int = 15

    @property
    def level(self) -> float:
        """Probability that the last look fails an equal green: seven eighths of the error budget."""
        return 0.875 * (1 - self.confidence_percent / 100)

    @property
    def look_level(self) -> float:
        """The same for one of the looks at a break: the last eighth of the budget, divided by their number (Bonferroni)."""
        return 0.125 * (1 - self.confidence_percent / 100) / self.looks

    def allowed(self, metric: ComparedMetric, value: float, side: int = 1) -> float:
        """Return blue's value, moved by the tolerance: up (1) or down (-1)."""
        return value + side * max(abs(value) * self.tolerance(metric) / 100, metric.tolerance_difference)

    def tolerance(self, metric: ComparedMetric) -> float:
        """Return the tolerance of a metric in percent of blue's value."""
        return self.tolerance_percent if metric.tolerance_percent is None else metric.tolerance_percent


def too_few_datapoints(metric: ComparedMetric, green: int, blue: int, settings: Settings) -> str:
    """Return how many datapoints both revisions have, and how many are required."""
    seen = f"{counted(green, 'datapoint')} of green and {blue} of blue"
    return f"{metric.label}: {seen}, expected {settings.min_samples} or more of each"


def requests_seen(requests: float, periods: int, settings: Settings) -> str:
    """Return a number of requests in words: those a minute, and all."""
    rate = requests / max(1, periods) * 60 / settings.period_seconds
    digits = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"  # noqa: PLR2004 - two digits
    return f"{digits} a minute, {requests:.0f} in total"


def enough_minutes(minutes: Sequence[Counts], settings: Settings) -> list[Counts]:
    """Return the minutes with requests of both revisions, or larger blocks of them where there are too few.

    If a revision has no requests in some minutes, few minutes have both. There are none in the result with too few datapoints.
    """
    both = [each for each in minutes if each.both]
    if len(both) >= settings.min_samples:
        return both
    fewest = min(sum(each.green_size > 0 for each in minutes), sum(each.blue_size > 0 for each in minutes))
    blocks = merged(minutes) if fewest >= settings.min_samples else []
    return blocks if len(blocks) >= _MIN_BLOCKS else []


def counted_minutes(
    metric: ComparedMetric, green: Side, settings: Settings, blue: Side | None = None
) -> tuple[Sequence[float], int]:
    """Return green's minutes that count, and the number of those at the beginning that do not (`warm_up_minutes`).

    The first minutes of a new revision are often slow, with cold caches. Those in which green is slower than in the median
    of the minutes after them do not count, up to the first that is not slower; they are latency's alone. At least
    `min_samples` minutes remain, with datapoints of blue, too, if blue is given.
    """
    minutes = sorted(time for time in green.sample.values if green.sizes.get(time, 1) > 0)
    if not minutes or not metric.is_latency or metric.direction == "decrease":
        return minutes, 0
    end, cold = minutes[0] + settings.warm_up_seconds, 0
    values = [green.sample.values[time] for time in minutes]
    common = minutes if blue is None else [time for time in minutes if time in blue.sample.values]
    most = 0 if len(common) < settings.min_samples else minutes.index(common[-settings.min_samples])
    while cold < most and minutes[cold] < end and values[cold] > median(values[cold + 1 :]):
        cold += 1
    return minutes[cold:], cold
