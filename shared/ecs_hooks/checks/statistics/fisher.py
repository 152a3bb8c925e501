"""Fisher's exact test."""

from __future__ import annotations

import math
from functools import lru_cache


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
