"""Figures of several rounds, compared."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any


def row(
    name: str, measured: Sequence[float], baseline: str, against: Sequence[float], limit: float | None
) -> dict[str, Any]:
    """Return what a benchmark tells: the medians of both in milliseconds, their ratio, and how the rounds spread.

    Parameters
    ----------
    name, measured
        What was measured, and the seconds of each round.
    baseline, against
        What it is compared with, and its seconds in the same rounds.
    limit
        The greatest ratio that is good enough; None where there is none.
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
