"""Percentiles of what was measured, by nearest rank: each is one of the values, none is made up between two of them."""

from __future__ import annotations

from collections.abc import Sequence


def nearest_rank(values: Sequence[float], percent: int) -> float:
    """Return the smallest of the values that is not exceeded by at least `percent` per cent of them.

    With fewer than 100 values, the 99th percentile is the greatest one.

    Parameters
    ----------
    values
        The values, in ascending order; one at least.
    percent
        1 to 100.

    Raises
    ------
    ValueError
        If there are no values, or no such percentile.
    """
    if not values or not 1 <= percent <= 100:  # noqa: PLR2004 - per cent
        raise ValueError("a percentile, from 1 to 100, needs values")
    # In whole numbers: 0.95 * 20 is not 19 on every machine.
    rank = -(-len(values) * percent // 100)
    return values[rank - 1]
