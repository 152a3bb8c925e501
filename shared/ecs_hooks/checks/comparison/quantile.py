"""Compares percentiles by counts: the requests of both revisions that are slower than a quantile of blue.

A percentile of a few requests is little more than their maximum, so percentiles of unequal traffic cannot be compared. Blue's
quantile over the window is only a cut. Compared are the shares of requests above it: green's above the cut moved by the
tolerance, blue's above the cut itself. Blue's own uncertainty is in the test, since blue's count is as random as green's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.outage import FACTOR, share_break
from ecs_hooks.checks.comparison.paired import compare_paired
from ecs_hooks.checks.comparison.sides import (
    Points,
    Settings,
    Side,
    counted_minutes,
    enough_minutes,
    requests_seen,
    too_few_datapoints,
)
from ecs_hooks.checks.statistics.by_minute import Comparison, Counts, compare_counts, total
from ecs_hooks.core.formatting import counted

_LOWER = (0.95, 0.9, 0.75, 0.5)
_LOWEST = (0.25, 0.1)
_MIN_ABOVE = 10
"""Requests above the quantile that each revision must have in the window."""
_PAIRED_ABOVE = 11
"""Requests above the quantile in a typical minute with which the minutes' own percentiles can be compared."""


class Cut(NamedTuple):
    """The quantile that both revisions support, and the values at which requests are counted.

    Parameters
    ----------
    quantile
        The quantile, at most that of the metric.
    minutes
        The minutes that count.
    warm_up
        Number of green's first minutes that do not count.
    values
        The cuts by their names: `cut` for blue; for green `up` and `down`, moved by the tolerance, and `far` for a break.
    paired
        Whether the minutes' own percentiles are compared, too: each minute has enough requests.
    """

    quantile: float
    minutes: Sequence[float]
    warm_up: int
    values: Mapping[str, float]
    paired: bool


def candidates(metric: ComparedMetric) -> list[float]:
    """Return the quantile of the metric, and the lower ones that may take its place."""
    quantile = metric.quantile or 0.5
    return [quantile, *(each for each in _LOWER if each < quantile)]


def known_quantiles(metric: ComparedMetric) -> list[float]:
    """Return the quantiles to read: the candidates, and lower ones that say how much slower is how many requests more."""
    found = candidates(metric)
    return [*found, *(each for each in _LOWEST if each < min(found))]


def find_cut(metric: ComparedMetric, green: Side, blue: Side, settings: Settings, *, by_green: bool) -> Cut | None:
    """Return the cut for what both revisions have measured; None with too few requests.

    Parameters
    ----------
    metric
        The metric.
    green, blue
        Its datapoints. Blue's quantiles may be missing where green's make the cut.
    settings
        The settings of the check.
    by_green
        Whether a quantile of green is the cut, since blue's counts of earlier minutes are not known yet.
    """
    minutes, cold = counted_minutes(metric, green, settings, None if by_green else blue)
    own = green if by_green else blue
    green_size = sum(green.sizes.get(time, 0.0) for time in minutes)
    # Blue may have requests in other minutes.
    blue_size = (
        math.inf if by_green else sum(size for time, size in blue.sizes.items() if time >= min(minutes, default=0))
    )
    for quantile in candidates(metric):
        tail = min(quantile, 1 - quantile)
        if tail * min(green_size, blue_size) < _MIN_ABOVE or quantile not in own.quantiles:
            continue
        value = own.quantiles[quantile]
        if by_green:
            low = _before_tolerance(metric, value, settings)
            values = {"cut": low, "up": value, "down": settings.allowed(metric, low, -1), "far": FACTOR * value}
            return Cut(quantile, minutes, cold, values, paired=False)
        up = settings.allowed(metric, value)
        values = {"cut": value, "up": up, "down": settings.allowed(metric, value, -1), "far": FACTOR * up}
        typical = median(min(green.sizes.get(time, 0.0), blue.sizes.get(time, 0.0)) for time in minutes)
        paired = quantile == metric.quantile and tail * typical >= _PAIRED_ABOVE
        return Cut(quantile, minutes, cold, values, paired)
    return None


def _before_tolerance(metric: ComparedMetric, value: float, settings: Settings) -> float:
    """Return the value of blue for which this one is just allowed."""
    return min(value / (1 + settings.tolerance(metric) / 100), value - metric.tolerance_difference)


def green_cuts(metric: ComparedMetric) -> tuple[str, ...]:
    """Return the names of the cuts of green that the direction of the metric requires."""
    return {"increase": ("up", "far"), "decrease": ("down",), "either": ("up", "down", "far")}[metric.direction]


def compare_quantile(metric: ComparedMetric, green: Side, blue: Side, settings: Settings, *, by_green: bool) -> Finding:
    """Compare a percentile of both revisions.

    Raises
    ------
    Undecided
        If there are too few requests, or CloudWatch cannot count them.
    """
    if not green.sizes and not blue.sizes:
        return compare_paired(metric, green, blue, settings)
    cut = find_cut(metric, green, blue, settings, by_green=by_green)
    if cut is None:
        raise Undecided(_too_few(metric, green, blue, settings))
    pairs = compare_paired(metric, green, blue, settings) if cut.paired else None
    if _lacks_counts(metric, cut, green, blue):
        if pairs is not None:
            return pairs
        raise Undecided(
            f"{metric.label}: CloudWatch has no counts of its values (TC), so {metric.stat} requires "
            f"{_PAIRED_ABOVE / _tail(metric):.0f} values of each revision in a period"
        )
    up = _minutes(cut, green, blue, "up")
    enough = enough_minutes(up, settings)
    if not enough:
        numbers = sum(each.green_size > 0 for each in up), sum(each.blue_size > 0 for each in up)
        raise Undecided(too_few_datapoints(metric, *numbers, settings))
    results: list[Comparison] = []
    if metric.direction != "decrease":
        results.append(compare_counts(enough))
    if metric.direction != "increase":
        down = enough_minutes(_minutes(cut, green, blue, "down"), settings)
        results.append(compare_counts([each.misses for each in down]))
    best = min(results, key=lambda each: each.p_value)
    broke = 0
    if metric.direction != "decrease":
        far = [each for each in _minutes(cut, green, blue, "far") if each.green_size > 0]
        broke = share_break(far, settings.look_level, plain=False)
    found = Finding(
        p_value=best.p_value * len(results),
        value=green.quantiles.get(cut.quantile, 0.0),
        blue=blue.quantiles.get(cut.quantile, cut.values["cut"]),
        limit=cut.values["down" if metric.direction == "decrease" else "up"],
        statistic=f"p{100 * cut.quantile:g}",
        notes=_notes(cut, enough),
        caveats=_caveats(metric, cut, green, blue),
        detectable=_detectable(cut, blue, total(enough), best.detectable(settings.level)),
        broke=broke,
    )
    return found if pairs is None else _either(found, pairs)


def _either(found: Finding, pairs: Finding) -> Finding:
    """Return the result of two tests, each with half of the level.

    Counts see more where the minutes are alike, and pairs of percentiles where a load moves both revisions.
    """
    return found._replace(
        p_value=2 * min(found.p_value, pairs.p_value),
        detectable=min(found.detectable, pairs.detectable),
        broke=found.broke or pairs.broke,
    )


def _minutes(cut: Cut, green: Side, blue: Side, name: str) -> list[Counts]:
    def hits(points: Points | None, time: float) -> float:
        return (points or {}).get(time, 0.0)

    return [
        Counts(
            min(hits(green.above.get(name), time), green.sizes.get(time, 0.0)),
            green.sizes.get(time, 0.0),
            min(hits(blue.above.get("cut"), time), blue.sizes.get(time, 0.0)),
            blue.sizes.get(time, 0.0),
        )
        for time in sorted({*cut.minutes, *(time for time in blue.sizes if time >= cut.minutes[0])})
    ]


def _lacks_counts(metric: ComparedMetric, cut: Cut, green: Side, blue: Side) -> bool:
    """Return whether CloudWatch has no counts, although the percentiles of minutes show that there are requests to count.

    Where no request is above a cut, such as of a constant, there may be no datapoint.
    """
    if any(green.above.values()) or any(blue.above.values()):
        return False
    least = min(cut.values[name] for name in green_cuts(metric))
    return max(blue.parts.values(), default=0.0) > cut.values["cut"] or max(green.parts.values(), default=0.0) > least


def _tail(metric: ComparedMetric) -> float:
    """Return the share of requests beyond the quantile of the metric."""
    quantile = metric.quantile or 0.5
    return min(quantile, 1 - quantile)


def _too_few(metric: ComparedMetric, green: Side, blue: Side, settings: Settings) -> str:
    if any(side.sizes and not side.parts for side in (green, blue)):
        return (
            f"{metric.label}: CloudWatch has no {metric.stat} of its values, as of statistic sets; publish single values, "
            "or compare Average"
        )
    name, side = ("blue", blue) if blue.requests <= green.requests else ("green", green)
    required = _MIN_ABOVE / _tail(metric)
    seen = requests_seen(side.requests, len(side.sizes), settings)
    return (
        f"{metric.label}: too few requests of {name} ({seen}; {metric.stat} requires {required:.0f}, "
        f"p50 {2 * _MIN_ABOVE})"
    )


def _notes(cut: Cut, minutes: Sequence[Counts]) -> list[str]:
    sums = total(minutes)
    return [
        (
            f"{sums.green_hits:.0f} of {sums.green_size:.0f} requests above {cut.values['up']:.3g}, "
            f"blue {sums.blue_hits:.0f} of {sums.blue_size:.0f} above {cut.values['cut']:.3g}"
        )
    ]


def _caveats(metric: ComparedMetric, cut: Cut, green: Side, blue: Side) -> list[str]:
    caveats: list[str] = []
    if cut.quantile != metric.quantile:
        name, side = ("blue", blue) if blue.requests <= green.requests else ("green", green)
        caveats.append(f"p{100 * cut.quantile:g} in place of {metric.stat} ({name} has {side.requests:.0f} requests)")
    if cut.warm_up:
        caveats.append(f"without {counted(cut.warm_up, 'slow first minute')}")
    return caveats


def _detectable(cut: Cut, blue: Side, sums: Counts, difference: float) -> float:
    """Return the smallest regression that would have been found, as a factor of the latency; infinite if unknown.

    Blue's own quantiles say how much slower all requests must be, so that so many more are above the cut.
    """
    share = (sums.blue_hits / sums.blue_size if sums.blue_size else 1 - cut.quantile) + difference
    known = sorted((1 - quantile, value) for quantile, value in blue.quantiles.items() if value > 0)
    if known and share < known[0][0]:  # fewer than the highest quantile shows
        return cut.values["up"] / known[0][1]
    for (tail, value), (further, lower) in pairwise(known):
        if tail <= share <= further:
            part = (share - tail) / (further - tail)
            return cut.values["up"] / math.exp((1 - part) * math.log(value) + part * math.log(lower))
    return math.inf
