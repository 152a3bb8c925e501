"""Fixed limits on the series of green alone, as analyses of Argo Rollouts and metric checks of Flagger have them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

MAX_ERROR_PERCENT = 1.0
MARGIN = 1.15
"""The limit of a latency, in terms of its known value."""
FAILED_CHECKS = 5
"""Number of minutes above the limit from which on green is rolled back, as `threshold` in Flagger's examples."""


def too_many_errors(percents: Mapping[float, float], limit: float = MAX_ERROR_PERCENT) -> bool:
    """Return whether the mean of the error percentages by minute is above a limit."""
    return bool(percents) and fmean(percents.values()) > limit


def too_slow(seconds: Mapping[float, float], known: float) -> bool:
    """Return whether enough minutes are slower than the known value with its margin."""
    return sum(value > MARGIN * known for value in seconds.values()) >= FAILED_CHECKS
