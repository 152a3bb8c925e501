"""The statistics of CloudWatch over the values of a period, by their documented definitions.

Example
-------
>>> statistic("p50", [4.0, 1.0, 3.0, 2.0]), statistic("TC(1:3)", [4.0, 1.0, 3.0, 2.0]), statistic("PR(:3)", [4.0, 1.0, 3.0, 2.0])
(2.0, 2.0, 75.0)
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from typing import NamedTuple

from ecs_hooks_simulator.core.errors import EcsError

Statistic = Callable[[Sequence[float]], float | None]
"""Returns a statistic over one or more values in ascending order; None for no datapoint."""

_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHORT = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\((?:({_NUMBER})(%?))?:(?:({_NUMBER})(%?))?\)")


class _Range(NamedTuple):
    """The values above `low` and up to `high`; None for no bound."""

    low: Fraction | None
    high: Fraction | None
    percent: bool
    """Whether the bounds are shares of the values in ascending order, not values."""


class _Trimmed(NamedTuple):
    """The values in a range."""

    number: float
    total: float


def statistic(name: str, values: Sequence[float]) -> float | None:
    """Return a statistic of CloudWatch over one or more values, in any order; see `parse_statistic`."""
    return parse_statistic(name)(sorted(values))


@lru_cache(maxsize=1024)
def parse_statistic(name: str) -> Statistic:
    """Return the function that computes a statistic of CloudWatch.

    A range of values excludes its lower and includes its upper bound. In a range of percentages, a value that is partly
    inside counts by that part: CloudWatch's trimmed counts may be decimal numbers, too. A period without a value in the
    range has the count, sum and percentile rank 0, and no trimmed mean.

    Parameters
    ----------
    name
        `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, a percentile such as `p99.9`, `IQM`, `tm99`, `wm99`, `tc99`,
        `ts99`, or TM, WM, TC, TS or PR with a range such as `TC(0.1:)`, `PR(:0.3)` or, except for PR, `TM(10%:90%)`.

    Raises
    ------
    EcsError
        If the statistic is any other.
    """
    if name in _SIMPLE:
        return _SIMPLE[name]
    if short := _SHORT.fullmatch(name):
        kind, percent = short.group(1), Fraction(short.group(2))
        if percent <= 100:  # noqa: PLR2004 - per cent
            if kind == "p":
                return partial(_percentile, percent / 100)
            return partial(_TRIMMED[kind.upper()], _Range(None, percent / 100, percent=True))
    elif found := _RANGE.fullmatch(name):
        kind, low, low_sign, high, high_sign = found.groups()
        chosen = _range(low, low_sign, high, high_sign)
        # A percentile rank is the percentage, so its range has values.
        if chosen and not (kind == "PR" and chosen.percent):
            return partial(_TRIMMED[kind], chosen)
    raise EcsError(
        "ValidationError",
        f"statistic {name} is not supported by the simulator; use Sum, Average, Minimum, Maximum, SampleCount, IQM, "
        "a percentile such as p99, tm99, wm99, tc99 or ts99, or TM, WM, TC, TS or PR with a range of values such as "
        "TC(0.5:2), or of percentages such as TM(10%:90%), not for PR; numbers have at most 10 decimal places",
    )


def _range(low: str | None, low_sign: str | None, high: str | None, high_sign: str | None) -> _Range | None:
    """Return a range; None if it is invalid: without bounds, reversed, or with a percentage and a value."""
    signs = {sign for bound, sign in ((low, low_sign), (high, high_sign)) if bound is not None}
    if len(signs) != 1:
        return None
    percent = signs == {"%"}
    scale = 100 if percent else 1
    least, most = (None if bound is None else Fraction(bound) / scale for bound in (low, high))
    if (least is not None and most is not None and least >= most) or (percent and max(least or 0, most or 0) > 1):
        return None
    return _Range(least, most, percent)


def _percentile(share: Fraction, values: Sequence[float]) -> float:
    return values[max(math.ceil(share * len(values)), 1) - 1]


def _trim(chosen: _Range, values: Sequence[float]) -> _Trimmed:
    if not chosen.percent:
        first, last = _inside(chosen, values)
        return _Trimmed(last - first, math.fsum(values[first:last]))
    begin, end = _share(chosen.low, 0, values), _share(chosen.high, 1, values)
    first, last = math.ceil(begin), math.floor(end)
    if first > last:  # both bounds are inside one value
        return _Trimmed(float(end - begin), float(end - begin) * values[last])
    edges = [float(first - begin) * values[first - 1]] if first > begin else []
    edges += [float(end - last) * values[last]] if end > last else []
    return _Trimmed(float(end - begin), math.fsum([*values[first:last], *edges]))


def _inside(chosen: _Range, values: Sequence[float]) -> tuple[int, int]:
    """Return the indexes between which the values are in a range of values."""
    first = 0 if chosen.low is None else bisect_right(values, float(chosen.low))
    last = len(values) if chosen.high is None else bisect_right(values, float(chosen.high))
    return first, last


def _share(share: Fraction | None, default: int, values: Sequence[float]) -> Fraction:
    return (default if share is None else share) * Fraction(len(values))


def _trimmed_mean(chosen: _Range, values: Sequence[float]) -> float | None:
    count, total = _trim(chosen, values)
    return total / count if count else None


def _trimmed_count(chosen: _Range, values: Sequence[float]) -> float:
    return float(_trim(chosen, values).number)


def _trimmed_sum(chosen: _Range, values: Sequence[float]) -> float:
    return _trim(chosen, values).total


def _percentile_rank(chosen: _Range, values: Sequence[float]) -> float:
    return 100 * _trim(chosen, values).number / len(values)


def _winsorized_mean(chosen: _Range, values: Sequence[float]) -> float:
    """Return the mean with every value outside of the range replaced by the bound; of percentages, by the value there."""
    low, high = values[0], values[-1]
    if chosen.percent:
        low = values[min(math.floor(_share(chosen.low, 0, values)), len(values) - 1)]
        high = values[max(math.ceil(_share(chosen.high, 1, values)), 1) - 1]
    else:
        low = low if chosen.low is None else float(chosen.low)
        high = high if chosen.high is None else float(chosen.high)
    return math.fsum(min(max(value, low), high) for value in values) / len(values)


_TRIMMED: dict[str, Callable[[_Range, Sequence[float]], float | None]] = {
    "TM": _trimmed_mean,
    "WM": _winsorized_mean,
    "TC": _trimmed_count,
    "TS": _trimmed_sum,
    "PR": _percentile_rank,
}
_SIMPLE: dict[str, Statistic] = {
    "Sum": math.fsum,
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": lambda values: values[0],
    "Maximum": lambda values: values[-1],
    "SampleCount": lambda values: float(len(values)),
    "IQM": partial(_trimmed_mean, _Range(Fraction(1, 4), Fraction(3, 4), percent=True)),
}
