"""The Mann-Whitney U test, which asks whether the values of one sample tend to be greater than those of another.

It asks for no distribution, so it suits latencies and error counts. The results are those of
`scipy.stats.mannwhitneyu` with its default method; tests hold them to 1e-9, ties included.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

Alternative = Literal["two-sided", "greater", "less"]

_EXACT = 8
"""Up to this size of the smaller sample the distribution of U is counted out, where no values are tied."""


class MannWhitney(NamedTuple):
    """The result of the test.

    Parameters
    ----------
    u
        U of the first sample: in how many of all pairs its value is the greater one, ties counted half.
    p_value
        How likely so large a difference is where both samples come from the same distribution.
    effect
        `u` as a share of all pairs (the common language effect size): 0.5 where neither tends to be greater.
    """

    u: float
    p_value: float
    effect: float


def mann_whitney(
    first: Sequence[float], second: Sequence[float], alternative: Alternative = "two-sided"
) -> MannWhitney:
    """Compare two samples.

    Parameters
    ----------
    first, second
        The samples, neither of them empty; finite numbers.
    alternative
        What is tested for: that values of `first` tend to be `greater` or `less` than those of `second`, or either.

    Raises
    ------
    ValueError
        If a sample is empty, or has a number that is not finite.
    """
    if not first or not second or not all(map(math.isfinite, (*first, *second))):
        raise ValueError("both samples must have finite numbers")
    size, other = len(first), len(second)
    tied = Counter(first) + Counter(second)
    rank = dict(zip(sorted(tied), _mean_ranks([tied[value] for value in sorted(tied)]), strict=True))
    u = math.fsum(rank[value] for value in first) - size * (size + 1) / 2
    extreme = {"greater": u, "less": size * other - u}.get(alternative, max(u, size * other - u))
    if min(size, other) <= _EXACT and len(tied) == size + other:
        tail = _exact_tail(round(extreme), min(size, other), max(size, other))
    else:
        tail = _normal_tail(extreme, size, other, tied.values())
    p_value = 2 * tail if alternative == "two-sided" else tail
    return MannWhitney(u, min(1.0, p_value), u / (size * other))


def _mean_ranks(counts: Sequence[int]) -> list[float]:
    """Return the mean of the ranks that each of the tied values takes, in order."""
    return [last - (count - 1) / 2 for count, last in zip(counts, accumulate(counts), strict=True)]


def _normal_tail(u: float, size: int, other: int, tied: Iterable[int]) -> float:
    """Return the probability of a U of at least `u`, by the normal distribution, corrected for ties and continuity."""
    total = size + other
    ties = sum(count**3 - count for count in tied)
    variance = size * other / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:  # all values are the same
        return 1.0
    return math.erfc((u - size * other / 2 - 0.5) / math.sqrt(2 * variance)) / 2


def _exact_tail(u: int, smaller: int, larger: int) -> float:
    """Return the probability of a U of at least `u` where there are no ties."""
    counts = _counts(smaller, larger)
    # The distribution is symmetric; to sum the few ways of the shorter tail is the more exact one.
    ways = sum(counts[u:]) if u > len(counts) // 2 else sum(counts) - sum(counts[:u])
    return ways / math.comb(smaller + larger, smaller)


@lru_cache(maxsize=64)
def _counts(smaller: int, larger: int) -> tuple[int, ...]:
    """Return in how many orders of the two samples each U comes about: the Gaussian binomial coefficients."""
    counts = [1] + [0] * (smaller * larger)
    for k in range(1, smaller + 1):
        # Times (1 - q^(larger + k)), divided by (1 - q^k), as polynomials in q cut off at the highest U.
        for power in range(len(counts) - 1, larger + k - 1, -1):
            counts[power] -= counts[power - larger - k]
        for power in range(k, len(counts)):
            counts[power] += counts[power - k]
    return tuple(counts)
