"""Comparison of the results of several rounds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any


def row(
    name: str, measured: Sequence[float], baseline: str, against: Sequence[float], limit: float | None
) -> dict[str, Any]:
    """Return the result of a benchmark: the medians of both in milliseconds, their ratio, and the spread of the rounds.

    Parameters
    ----------
    name, measured
        The name of the measured code, and its seconds in each round.
    baseline, against
        The name of the baseline, and its seconds in the same rounds.
    limit
        The highest allowed ratio; None without a limit.
    """
    ratios = [one / other for one, other in zip(measured, against, strict=True)]
    lower, _, upper = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {
        "name": name,
        "measured_ms": median(measured) * 1000,
        "baseline": baseline,
        "baseline_ms": median(against) * 1000,
        "ratio": median(measured) / median(against),
        "middle_half": [lower, upper],
        "limit": limit,
    }
