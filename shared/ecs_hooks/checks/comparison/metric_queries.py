"""The GetMetricData queries of a compared metric, and what their datapoints mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from ecs_hooks.aws.cloudwatch import Series
from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Kind
from ecs_hooks.checks.comparison.quantile import Cut, green_cuts, known_quantiles
from ecs_hooks.checks.comparison.sides import Side
from ecs_hooks.checks.metric_window import NO_DATA, Window


class Statistic(NamedTuple):
    """A statistic of a metric that the comparison reads.

    Parameters
    ----------
    suffix
        What its identifier has after that of the metric.
    metric
        The name of the metric in CloudWatch.
    stat
        The statistic.
    whole_window
        Whether its period is the window.
    """

    suffix: str
    metric: str
    stat: str
    whole_window: bool = False


def first_statistics(metric: ComparedMetric) -> Iterator[Statistic]:
    """Yield what the comparison reads first of each revision."""
    yield Statistic("", metric.metric, metric.stat)
    if metric.per:
        yield Statistic("per", metric.per, "Sum")
    if metric.criteria or not metric.is_latency:
        return
    yield Statistic("n", metric.metric, "SampleCount")
    if metric.kind is Kind.QUANTILE:
        for quantile in known_quantiles(metric):
            yield Statistic(_name(quantile), metric.metric, f"p{100 * quantile:.10g}", whole_window=True)


def cut_statistics(metric: ComparedMetric, cut: Cut, revision: str) -> Iterator[Statistic]:
    """Yield the counts above the cuts, which the comparison reads next."""
    for name in green_cuts(metric) if revision == "green" else ("cut",):
        # CloudWatch accepts no exponent, and at most ten decimals.
        value = f"{cut.values[name]:.10f}".rstrip("0").rstrip(".")
        yield Statistic(name, metric.metric, f"TC({value}:)")


def _name(quantile: float) -> str:
    return f"w{100 * quantile:.10g}".replace(".", "d")


def read_side(
    metric: ComparedMetric,
    identifier: str,
    window: Window,
    series: Mapping[str, Series],
    period_seconds: int,
) -> Side:
    """Return the datapoints of a revision in a window.

    Parameters
    ----------
    metric
        The metric.
    identifier
        What the identifiers of its queries begin with, such as `green0`.
    window
        The window.
    series
        Datapoints by identifier.
    period_seconds
        Period of a datapoint.
    """

    def points(suffix: str) -> dict[float, float]:
        found = series.get(f"{identifier}{suffix}", NO_DATA).between(window.begin, window.end)
        return {time - window.begin: value for time, value in found.items()}

    parts, whole = points(""), points("per")
    periods = [float(each) for each in range(0, int(window.end - window.begin), period_seconds)]
    # A period with values, but without one above the cut, may have no datapoint.
    return Side(
        sample=metric.sample(parts, whole, periods),
        parts=parts,
        whole=whole,
        sizes=points("n"),
        quantiles=dict(_quantiles(metric, identifier, series)) if metric.kind is Kind.QUANTILE else {},
        above={name: points(name) for name in ("cut", *green_cuts(metric))},
    )


def _quantiles(metric: ComparedMetric, identifier: str, series: Mapping[str, Series]) -> Iterator[tuple[float, float]]:
    """Yield the quantiles over the window.

    CloudWatch aligns a period of the length of the window to a multiple of it, so there may be two datapoints: their mean,
    weighted by the number of values in each. The verdict is right for any cut.
    """
    sizes = series.get(f"{identifier}n", NO_DATA).points
    for quantile in known_quantiles(metric):
        points = series.get(f"{identifier}{_name(quantile)}", NO_DATA).points
        begins = [time for time, _ in points]
        weights = [
            sum(size for time, size in sizes if begin <= time < end) for begin, end in pairwise([*begins, math.inf])
        ]
        if sum(weights) > 0:
            mean = sum(value * weight for (_, value), weight in zip(points, weights, strict=True)) / sum(weights)
            yield quantile, mean
