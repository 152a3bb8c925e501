"""How long a comparison of green with blue must watch to find a difference, by the traffic of both.

The normal approximation for two shares of requests: errors, and requests beyond a quantile of blue's latency. It assumes that
requests are independent; bursts and noise of the minutes need longer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ecs_hooks.checks.statistics.distributions import normal_quantile, normal_tail

LEVEL = 0.015
"""Probability of a false alarm at the end of the window: a little below the 1.75 % of a comparison, so as not to promise too much."""

MISSED = 0.2
"""Probability that the difference is not found."""

MIN_MINUTES = 5
"""Minimum number of minutes with datapoints, `min_samples` of a comparison."""

_MIN_EXCEEDANCES = 10
"""Number of requests beyond a quantile that each side needs."""


class Traffic(NamedTuple):
    """Requests a minute."""

    green: float
    blue: float

    @classmethod
    def at_step(cls, requests: float, percent: float) -> Traffic:
        """Return the traffic of both at a step; at 100 percent, blue is the one of its own deployment before."""
        if percent >= 100:  # noqa: PLR2004 - percent
            return cls(requests, requests)
        return cls(requests * percent / 100, requests * (100 - percent) / 100)


def minutes_for_errors(
    traffic: Traffic, usual_percent: float, more_points: float, tolerance_percent: float = 10
) -> float:
    """Return the minutes after which more errors are found with a probability of 80 %; infinite without traffic.

    Parameters
    ----------
    traffic
        Requests of both.
    usual_percent
        Blue's percentage of errors.
    more_points
        How many percentage points green has more.
    tolerance_percent
        How much worse green may be, in percent of blue's value.
    """
    usual = usual_percent / 100
    allowed, found = min(1.0, usual * (1 + tolerance_percent / 100)), min(1.0, usual + more_points / 100)
    return _minutes(traffic, usual, allowed, found)


def minutes_for_latency(
    traffic: Traffic, quantile: float, slower_percent: float, spread: float, tolerance_percent: float = 10
) -> float:
    """Return the minutes after which slower requests are found with a probability of 80 %; infinite if never.

    Parameters
    ----------
    traffic
        Requests of both.
    quantile
        The quantile that is compared, from 0.5 on, such as 0.99.
    slower_percent
        How much slower every request of green is.
    spread
        Standard deviation of the logarithm of the latency (log-normal), the more the longer its tail.
    tolerance_percent
        How much slower green may be.
    """
    usual = 1 - quantile
    factor = (1 + slower_percent / 100) / (1 + tolerance_percent / 100)
    found = normal_tail(normal_quantile(usual) - math.log(factor) / max(spread, 1e-9))
    rarest = min(traffic.green, traffic.blue) * usual
    if rarest <= 0:
        return math.inf
    return max(_minutes(traffic, usual, usual, found), _MIN_EXCEEDANCES / rarest)


def spread_of(median: float, p99: float) -> float:
    """Return the spread of a log-normal latency with this median and 99th percentile."""
    return math.log(p99 / median) / normal_quantile(0.01) if p99 > median > 0 else 0.0


def _minutes(traffic: Traffic, usual: float, allowed: float, found: float) -> float:
    """Return the minutes after which green's share `found` is told from the allowed one; both grow with the requests."""
    green, blue = traffic
    if found <= allowed or min(green, blue) <= 0:
        return math.inf
    ratio = allowed / usual if usual else 1.0
    # Blue's share is known to within its own variance, and is multiplied by what is allowed.
    pooled = (green * found + blue * allowed) / (green + blue)
    under_equal = math.sqrt(pooled * (1 - pooled) * (1 / green + 1 / blue))
    under_worse = math.sqrt(found * (1 - found) / green + ratio**2 * usual * (1 - usual) / blue)
    needed = normal_quantile(LEVEL) * under_equal + normal_quantile(MISSED) * under_worse
    return max(float(MIN_MINUTES), (needed / (found - allowed)) ** 2)
