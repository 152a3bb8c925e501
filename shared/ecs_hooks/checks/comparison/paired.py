"""Compares metrics by pairs of datapoints of the same minutes: means, minima, sums, and percentiles of many requests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.outage import value_break
from ecs_hooks.checks.comparison.sides import Settings, Side, counted_minutes, enough_minutes, too_few_datapoints
from ecs_hooks.checks.statistics.by_minute import Comparison, Counts, compare_pairs
from ecs_hooks.core.formatting import counted


def compare_paired(metric: ComparedMetric, green: Side, blue: Side, settings: Settings) -> Finding:
    """Compare a metric of both revisions by the ratios of their datapoints, minute by minute.

    Raises
    ------
    Undecided
        If there are too few minutes in which both have a datapoint.
    """
    first, cold = counted_minutes(metric, green, settings, blue)
    minutes = [time for time in first if time in blue.sample.values and blue.sizes.get(time, 1) > 0]
    pairs = [(green.sample.values[time], blue.sample.values[time]) for time in minutes]
    weights = [_weight(green.sizes.get(time), blue.sizes.get(time)) for time in minutes]
    if len(minutes) < settings.min_samples:
        pairs, weights = _blocks(green, blue, settings) if metric.is_latency else ([], [])
    if not pairs:
        raise Undecided(too_few_datapoints(metric, len(first), len(blue.sample.values), settings))
    results: list[Comparison] = []
    broke = 0
    if metric.direction != "decrease":
        allowed = [settings.allowed(metric, each) for _, each in pairs]
        results.append(compare_pairs(_differences([value for value, _ in pairs], allowed), weights))
        broke = value_break([_ratio(value, limit) for (value, _), limit in zip(pairs, allowed, strict=True)])
    if metric.direction != "increase":
        allowed = [settings.allowed(metric, each, -1) for _, each in pairs]
        results.append(compare_pairs(_differences(allowed, [value for value, _ in pairs]), weights))
    best = min(results, key=lambda each: each.p_value)
    usual = median(each for _, each in pairs)
    limit = settings.allowed(metric, usual, -1 if metric.direction == "decrease" else 1)
    detectable = best.detectable(settings.level)
    positive = all(value > 0 for pair in pairs for value in pair)
    factor = math.exp(min(detectable, 100)) if positive else (1 + detectable / abs(usual) if usual else math.inf)
    return Finding(
        p_value=best.p_value * len(results),
        value=median(value for value, _ in pairs),
        blue=usual,
        limit=limit,
        statistic="",
        notes=[],
        caveats=[f"without {counted(cold, 'slow first minute')}"] if cold else [],
        detectable=factor * (limit / usual if usual and metric.direction != "decrease" else 1),
        broke=broke,
    )


def _blocks(green: Side, blue: Side, settings: Settings) -> tuple[list[tuple[float, float]], list[float]]:
    """Return pairs of means over consecutive minutes, and their weights, where few minutes have datapoints of both."""
    sides = (green, blue)
    times = sorted({*green.sample.values, *blue.sample.values})
    # The sum of the values is in the place of the hits.
    sums = [
        Counts(
            *(
                part
                for side in sides
                for part in (side.sample.values.get(time, 0.0) * _size(side, time), _size(side, time))
            )
        )
        for time in times
    ]
    blocks = enough_minutes(sums, settings)
    pairs = [(each.green_hits / each.green_size, each.blue_hits / each.blue_size) for each in blocks]
    return pairs, [_weight(each.green_size, each.blue_size) for each in blocks]


def _size(side: Side, time: float) -> float:
    return side.sizes.get(time, 1.0) if time in side.sample.values else 0.0


def _differences(values: Sequence[float], allowed: Sequence[float]) -> list[float]:
    """Return how much the values exceed the allowed ones: the logarithms of their ratios where all are positive."""
    if all(each > 0 for each in (*values, *allowed)):
        return [math.log(value / limit) for value, limit in zip(values, allowed, strict=True)]
    return [value - limit for value, limit in zip(values, allowed, strict=True)]


def _ratio(value: float, other: float) -> float:
    if other > 0:
        return value / other
    return math.inf if value > 0 else 1.0


def _weight(size: float | None, other: float | None) -> float:
    """Return the weight of a minute: it is as exact as a mean of so many values of both."""
    return 1.0 if not size or not other else size * other / (size + other)
