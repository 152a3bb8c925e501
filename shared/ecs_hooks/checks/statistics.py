"""Statistics without numpy and scipy, so that the Lambda layer stays small: two tests, outliers and percentiles.

The p-values are those of `scipy.stats`; tests compare them to within 1e-9.
"""

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

_MIN_FOR_QUARTILES = 4


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


@lru_cache(maxsize=4096)
def fisher_exact(hits: int, size: int, other_hits: int, other_size: int) -> float:
    """Return the p-value of Fisher's exact test: the probability of at least as many hits in the first group by chance.

    It is exact for any number of cases, and equals `scipy.stats.fisher_exact` with `alternative="greater"`.

    Parameters
    ----------
    hits, size
        Number of hits and of cases in the first group.
    other_hits, other_size
        Number of hits and of cases in the second group.
    """
    total, all_hits = size + other_size, hits + other_hits
    term = math.comb(all_hits, hits) * math.comb(total - all_hits, size - hits) / math.comb(total, size)
    tail = 0.0
    for number in range(hits, min(size, all_hits) + 1):
        tail += term
        # The ratio of two consecutive probabilities of the hypergeometric distribution.
        term *= (all_hits - number) * (size - number) / ((number + 1) * (total - all_hits - size + number + 1))
    return min(1.0, tail)


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
