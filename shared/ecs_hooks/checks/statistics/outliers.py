"""Leaving out values that lie far from all others."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

_ENOUGH = 4
"""Values from which on quartiles say something."""


def without_outliers(values: Sequence[float], factor: float) -> list[float]:
    """Return the values within Tukey's fences, in their order.

    Parameters
    ----------
    values
        The values.
    factor
        How many times the distance between the quartiles (the interquartile range) a value may lie beyond them: 1.5 for
        what Tukey called outside, 3 for far out.
    """
    if len(values) < _ENOUGH:
        return list(values)
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    reach = factor * (upper - lower)
    return [value for value in values if lower - reach <= value <= upper + reach]
