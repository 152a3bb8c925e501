"""Whether green takes longer than blue."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from ecs_hooks.checks.statistics.mann_whitney import mann_whitney


class Slower(NamedTuple):
    """How long both take.

    Parameters
    ----------
    blue_ms, green_ms
        The medians, in milliseconds.
    chance
        How likely so large a difference is, beyond what is tolerated, where both are alike.
    """

    blue_ms: float
    green_ms: float
    chance: float


def slower(blue: Sequence[float], green: Sequence[float], percent: float, least_ms: float) -> Slower:
    """Compare latencies by the Mann-Whitney U test.

    Parameters
    ----------
    blue, green
        The latencies, in seconds.
    percent
        How much longer than blue's green's may be, in per cent of them.
    least_ms
        Milliseconds more that are tolerated in any case.
    """
    allowed = [each + max(each * percent / 100, least_ms / 1000) for each in blue]
    return Slower(median(blue) * 1000, median(green) * 1000, mann_whitney(green, allowed, "greater").p_value)
