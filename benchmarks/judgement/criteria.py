"""How often criteria roll back a green that equals blue: `python -m benchmarks.judgement.criteria`.

Minutes of independent requests; 95 % of the response times are log-normal around 80 ms, 5 % around 300 ms; 0.5 % of the
responses are errors. Prints the table of docs/verdicts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecs_hooks.checks.comparison.criterion import Criterion

TRAFFIC = ((1200, 4800), (300, 5700), (60, 1140), (20, 380), (300, 300), (380, 20), (190, 10))
"""Requests a minute of green and of blue."""
MINUTES = 15
ERRORS = 0.005
RUNS = 400

Random = Any
"""A generator of numpy."""


def main() -> None:
    """Print the table."""
    latency = Criterion.parse("<= +10%")
    print("| requests a minute, green / blue | Average | p50 | p95 | p99 | errors `<= +10%` | errors `<= +0.1` |")
    print("|---|---|---|---|---|---|---|")
    for traffic in TRAFFIC:
        random = np.random.default_rng(14)
        cells = [_rolled_back(latency, statistic, traffic, random) for statistic in _statistics()]
        cells += [
            _rolled_back(Criterion.parse(text), _error_percent, traffic, random) for text in ("<= +10%", "<= +0.1")
        ]
        print(f"| {traffic[0]:,} / {traffic[1]:,} | " + " | ".join(f"{cell:.0f} %" for cell in cells) + " |")


def _rolled_back(
    criterion: Criterion, value: Callable[[int, Random], float], traffic: Sequence[int], random: Random
) -> float:
    """Return the percentage of equal greens that do not meet the criterion."""
    held = [criterion.holds(*(value(requests, random) for requests in traffic)) for _ in range(RUNS)]
    return 100 * held.count(False) / RUNS


def _statistics() -> list[Callable[[int, Random], float]]:
    """Return the functions that draw the mean of a statistic over the minutes."""

    def over_window(statistic: Callable[[Any], Any]) -> Callable[[int, Random], float]:
        return lambda requests, random: float(statistic(_seconds(requests, random)).mean())

    def percentile(percent: float) -> Callable[[Any], Any]:
        return lambda seconds: np.percentile(seconds, percent, axis=1, method="inverted_cdf")

    return [
        over_window(lambda seconds: seconds.mean(axis=1)),
        *(over_window(percentile(each)) for each in (50, 95, 99)),
    ]


def _seconds(requests: int, random: Random) -> Any:
    slow = random.random((MINUTES, requests)) < 0.05  # noqa: PLR2004 - 5 %
    noise = random.standard_normal((MINUTES, requests))
    return np.where(slow, 0.3 * np.exp(0.35 * noise), 0.08 * np.exp(0.4 * noise))


def _error_percent(requests: int, random: Random) -> float:
    return 100 * float(random.binomial(MINUTES * requests, ERRORS)) / (MINUTES * requests)


if __name__ == "__main__":
    main()
