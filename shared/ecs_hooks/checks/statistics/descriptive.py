"""Outliers and percentiles."""

from __future__ import annotations

from collections.abc import Sequence

_MIN_FOR_QUARTILES = 4


def without_outliers(values: Sequence[float], factor: float) -> list[float]:
    """Return the values within Tukey's fences, in their order.

    Parameters
    ----------
    values
        The values. Fewer than four have no quartiles, so all of them are returned.
    factor
        Distance of a fence from its quartile, in interquartile ranges: 1.5 for Tukey's "outside", 3 for "far out".
    """
    if len(values) < _MIN_FOR_QUARTILES:
        return list(values)
    from statistics import quantiles  # noqa: PLC0415 - slow to load, and HTTP checks use this module for percentiles

    lower, _, upper = quantiles(values, n=4, method="inclusive")
    reach = factor * (upper - lower)
    return [value for value in values if lower - reach <= value <= upper + reach]


def nearest_rank(values: Sequence[float], percent: int) -> float:
    """Return the smallest value v such that at least `percent` % of the values are <= v (nearest-rank percentile).

    With fewer than 100 values, the 99th percentile is the greatest value.

    Parameters
    ----------
    values
        The values in ascending order, at least one.
    percent
        1 to 100.

    Raises
    ------
    ValueError
        If there is no value, or `percent` is out of range.
    """
    if not values or not 1 <= percent <= 100:  # noqa: PLR2004 - percent
        raise ValueError("a percentile requires values, and must be from 1 to 100")
    # Integers, because 0.95 * 20 is not exactly 19 in binary.
    rank = -(-len(values) * percent // 100)
    return values[rank - 1]
