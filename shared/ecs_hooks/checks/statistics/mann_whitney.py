"""The Mann-Whitney U test."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

Alternative = Literal["two-sided", "greater", "less"]

_MAX_EXACT = 8
"""Largest size of the smaller sample for which the distribution of U is computed exactly, without ties."""


class MannWhitney(NamedTuple):
    """The result of a Mann-Whitney U test."""

    u: float
    """U of the first sample: the number of pairs in which its value is greater, ties counted half."""
    p_value: float
    """Probability of a difference at least as large if both samples have the same distribution."""
    effect: float
    """`u` as a share of all pairs (common language effect size): 0.5 if neither sample tends to be greater."""


def mann_whitney_u(
    first: Sequence[float], second: Sequence[float], alternative: Alternative = "two-sided"
) -> MannWhitney:
    """Test whether the values of one sample tend to be greater than those of another (Mann-Whitney U test).

    The test assumes no distribution, so it fits latencies and error counts. It does what `scipy.stats.mannwhitneyu` does.

    Parameters
    ----------
    first, second
        The samples.
    alternative
        The alternative hypothesis: values of `first` tend to be `greater` or `less` than those of `second`, or either.

    Raises
    ------
    ValueError
        If a sample is empty, or contains a number that is not finite.
    """
    if not first or not second or not all(map(math.isfinite, (*first, *second))):
        raise ValueError("both samples must have finite numbers")
    size, other = len(first), len(second)
    counts = Counter(first) + Counter(second)
    values = sorted(counts)
    # Tied values all have the mean of their ranks.
    last_ranks = accumulate(counts[value] for value in values)
    rank = {value: last - (counts[value] - 1) / 2 for value, last in zip(values, last_ranks, strict=True)}
    u = math.fsum(rank[value] for value in first) - size * (size + 1) / 2
    extreme = {"greater": u, "less": size * other - u}.get(alternative, max(u, size * other - u))
    if min(size, other) <= _MAX_EXACT and len(counts) == size + other:
        tail = _exact_tail(round(extreme), min(size, other), max(size, other))
    else:
        tail = _normal_tail(extreme, size, other, counts.values())
    p_value = 2 * tail if alternative == "two-sided" else tail
    return MannWhitney(u, min(1.0, p_value), u / (size * other))


def _normal_tail(u: float, size: int, other: int, counts: Iterable[int]) -> float:
    """Return the probability of a U of at least `u`: normal approximation, corrected for ties and continuity."""
    total = size + other
    ties = sum(count**3 - count for count in counts)
    variance = size * other / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:  # all values are equal
        return 1.0
    return math.erfc((u - size * other / 2 - 0.5) / math.sqrt(2 * variance)) / 2


def _exact_tail(u: int, smaller: int, larger: int) -> float:
    """Return the probability of a U of at least `u`, without ties."""
    counts = _orders_by_u(smaller, larger)
    # The distribution is symmetric, and the sum over the shorter tail is more exact.
    ways = sum(counts[u:]) if u > len(counts) // 2 else sum(counts) - sum(counts[:u])
    return ways / math.comb(smaller + larger, smaller)


@lru_cache(maxsize=64)
def _orders_by_u(smaller: int, larger: int) -> tuple[int, ...]:
    """Return the number of orders of the two samples for each U: the Gaussian binomial coefficients."""
    counts = [1] + [0] * (smaller * larger)
    for k in range(1, smaller + 1):
        # Multiply by (1 - q^(larger + k)), divide by (1 - q^k), as polynomials in q up to the highest U.
        for power in range(len(counts) - 1, larger + k - 1, -1):
            counts[power] -= counts[power - larger - k]
        for power in range(k, len(counts)):
            counts[power] += counts[power - k]
    return tuple(counts)
