"""Fisher's exact test: whether something happens more often in one group than in another.

It is exact for any number of cases, the few of a check included. The results are those of `scipy.stats.fisher_exact` with
`alternative="greater"`; tests hold them to 1e-9.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb


@lru_cache(maxsize=4096)
def more_often(hits: int, size: int, other_hits: int, other_size: int) -> float:
    """Return how likely it is that chance alone gives one group so many of all hits, or more.

    Parameters
    ----------
    hits, size
        In how many cases of the group it happened, and how many cases there are.
    other_hits, other_size
        Those of the other group.
    """
    total, all_hits = size + other_size, hits + other_hits
    term = comb(all_hits, hits) * comb(total - all_hits, size - hits) / comb(total, size)
    tail = 0.0
    for number in range(hits, min(size, all_hits) + 1):
        tail += term
        # From one number of hits to the next, the hypergeometric distribution changes by this factor.
        term *= (all_hits - number) * (size - number) / ((number + 1) * (total - all_hits - size + number + 1))
    return min(1.0, tail)
