"""How quickly a revision answers that exists only in numbers: a distribution with a long tail.

Most requests take the ordinary way, a few a slow one (a cache that lacks it, a report, a lock); the times of either are
log-normal.

Example
-------
>>> blue = Performance()
>>> round(blue.quantile(0.5), 3), round(blue.quantile(0.99), 3)
(0.082, 0.403)
>>> green = blue.slower_tail(1.3)
>>> round(green.quantile(0.5), 3), round(green.quantile(0.99), 3)
(0.082, 0.524)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from statistics import NormalDist

_LONGEST = 3600.0
"""Seconds: beyond what any quantile of a usable distribution is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The distribution of a revision's latencies, and its errors.

    Parameters
    ----------
    median, spread
        Of the ordinary requests: seconds, and the standard deviation of their logarithm.
    slow_percent
        How many requests take the slow way.
    slow_median, slow_spread
        The same of those.
    error_percent
        How many are answered with 500.
    """

    median: float = 0.08
    spread: float = 0.4
    slow_percent: float = 5.0
    slow_median: float = 0.3
    slow_spread: float = 0.35
    error_percent: float = 0.0

    def answers(self, random: Random, count: int) -> Iterator[tuple[int, float]]:
        """Draw the status and the seconds of so many answers."""
        slow, errors = self.slow_percent / 100, self.error_percent / 100
        # The inverse of the distribution takes a third of the time that `random` takes for such a number.
        slow_logarithm, logarithm = self._slow.inv_cdf, self._ordinary.inv_cdf
        for _ in range(count):
            drawn = (slow_logarithm if random.random() < slow else logarithm)(random.random() or 0.5)
            yield 500 if errors and random.random() < errors else 200, math.exp(drawn)

    def quantile(self, share: float) -> float:
        """Return the seconds within which this share of the answers comes, 0.99 for p99."""
        return _where(lambda seconds: self._share_within(seconds) >= share, 0, _LONGEST)

    def slower(self, factor: float) -> Performance:
        """Return the performance of a revision all of whose answers take so many times as long."""
        return replace(self, median=self.median * factor, slow_median=self.slow_median * factor)

    def slower_tail(self, factor: float) -> Performance:
        """Return that of a revision of which only the slow answers take longer: so much that p99 is `factor` times blue's.

        Raises
        ------
        ValueError
            If there is no slow way that could be it.
        """
        wanted = factor * self.quantile(0.99)

        def slow_ones(times: float) -> Performance:
            return replace(self, slow_median=self.slow_median * times)

        if not slow_ones(_LONGEST).quantile(0.99) >= wanted:
            raise ValueError(f"slow_percent {self.slow_percent:g}: p99 depends on slow answers from 1 per cent on")
        return slow_ones(_where(lambda times: slow_ones(times).quantile(0.99) >= wanted, 1, _LONGEST))

    @property
    def _ordinary(self) -> NormalDist:
        """Distribution of the logarithm of an ordinary answer's seconds."""
        return NormalDist(math.log(self.median), self.spread)

    @property
    def _slow(self) -> NormalDist:
        return NormalDist(math.log(self.slow_median), self.slow_spread)

    def _share_within(self, seconds: float) -> float:
        slow, logarithm = self.slow_percent / 100, math.log(seconds)
        return slow * self._slow.cdf(logarithm) + (1 - slow) * self._ordinary.cdf(logarithm)


def _where(reached: Callable[[float], bool], low: float, high: float) -> float:
    """Return the least number between two at which something is reached that stays reached."""
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
