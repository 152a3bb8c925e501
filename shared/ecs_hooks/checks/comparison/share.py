"""Compares `per` metrics, such as errors per request, by the sums over the window."""

from __future__ import annotations

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.outage import share_break
from ecs_hooks.checks.comparison.paired import compare_paired
from ecs_hooks.checks.comparison.sides import (
    MIN_REQUESTS,
    Settings,
    Side,
    enough_minutes,
    requests_seen,
    too_few_datapoints,
)
from ecs_hooks.checks.statistics.by_minute import Comparison, Counts, compare_counts, total

_HALF_AN_EVENT = 0.5
_WORSE_LEVEL = 0.1
"""Level at which blue is worse than earlier."""


def compare_share(metric: ComparedMetric, green: Side, blue: Side, settings: Settings) -> Finding:
    """Compare green's share of events, such as errors, with blue's.

    Raises
    ------
    Undecided
        If one of them has too few requests.
    """
    if any(not _is_part(side) for side in (green, blue)):
        return compare_paired(metric, green._replace(sizes=green.whole), blue._replace(sizes=blue.whole), settings)
    times = sorted({*green.sample.values, *blue.sample.values})
    # An outlier of one of them does not count.
    kept = [
        time for time in times if all(time in each.sample.values or not each.whole.get(time) for each in (green, blue))
    ]
    minutes = [_counts(time, green, blue) for time in kept]
    both = enough_minutes(minutes, settings) or [each for each in minutes if each.both]
    sums = total(both)
    usual = sums.blue_hits / sums.blue_size if sums.blue_size else 0.0
    ratio = _allowed_ratio(metric, usual, max(1.0, sums.blue_size), settings, 1)
    broke = (
        0
        if metric.direction == "decrease"
        else share_break([each for each in minutes if each.green_size > 0], settings.look_level, ratio)
    )
    # A break is proof enough, however short the time since the first request.
    if not broke and not enough_minutes(minutes, settings):
        raise Undecided(too_few_datapoints(metric, len(green.sample.values), len(blue.sample.values), settings))
    if min(sums.green_size, sums.blue_size) < MIN_REQUESTS and not broke:
        name, size = ("blue", sums.blue_size) if sums.blue_size <= sums.green_size else ("green", sums.green_size)
        seen = requests_seen(size, len(both), settings)
        raise Undecided(f"{metric.label}: too few requests of {name} ({seen}; {MIN_REQUESTS} are required)")
    results: list[Comparison] = []
    if metric.direction != "decrease":
        results.append(compare_counts(both, ratio=ratio, sparse=True))
    if metric.direction != "increase":
        lower = _allowed_ratio(metric, usual, sums.blue_size, settings, -1)
        if lower > 0:
            results.append(compare_counts([each.swapped for each in both], ratio=1 / lower, sparse=True))
    best = min(results, key=lambda each: each.p_value, default=Comparison(1.0, 0.0, 1.0, 1.0))
    side = -1 if metric.direction == "decrease" else 1
    return Finding(
        p_value=best.p_value * max(1, len(results)),
        value=100 * sums.green_hits / sums.green_size,
        blue=100 * usual,
        limit=settings.allowed(metric, 100 * usual, side),
        statistic="",
        notes=[
            f"{sums.green_hits:.0f} of {sums.green_size:.0f} requests, blue {sums.blue_hits:.0f} of {sums.blue_size:.0f}"
        ],
        caveats=[],
        detectable=100 * best.detectable(settings.level),
        broke=broke,
        in_points=True,
    )


def blue_is_worse(metric: ComparedMetric, now: Side, earlier: Side) -> bool:
    """Return whether blue has a greater share of events than earlier, or may have: its few requests prove little."""
    both = [sum((side.parts if part else side.whole).values()) for side in (now, earlier) for part in (True, False)]
    counts = Counts(*both)
    if metric.direction == "decrease":
        counts = counts.misses
    return counts.both and counts.green_hits > 0 and compare_counts([counts]).p_value < _WORSE_LEVEL


def _is_part(side: Side) -> bool:
    """Return whether the values are counts of a part of the requests: a sum of bytes or of retries is none."""
    return all(value.is_integer() and value <= side.whole.get(time, 0.0) for time, value in side.parts.items())


def _counts(time: float, green: Side, blue: Side) -> Counts:
    size, other = green.whole.get(time, 0.0), blue.whole.get(time, 0.0)
    return Counts(green.parts.get(time, 0.0), size, blue.parts.get(time, 0.0), other)


def _allowed_ratio(metric: ComparedMetric, usual: float, size: float, settings: Settings, side: int) -> float:
    """Return how many times blue's share is allowed; without an event of blue, of half an event."""
    least = max(usual, _HALF_AN_EVENT / size)
    return max(0.0, settings.allowed(metric, 100 * least, side) / (100 * least))
