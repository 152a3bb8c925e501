"""How often `golden_signals` is wrong about the share of failed requests, by limit, traffic and window.

`python -m benchmarks.golden_signals` draws the failed requests of each minute, and looks at them each minute as the check
does. The table is in docs/verdicts.md. Slow requests are the same with a limit of 1 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ecs_hooks.checks.golden_signals.evaluate import Counts, failed_look, most_failed

LIMITS = (0.1, 1.0, 5.0)
TRAFFIC = (20, 60, 300, 1200)
WINDOWS = (5, 15)
SEED = 14


class Row(NamedTuple):
    """How often the check fails green, in percent of the runs."""

    limit: float
    """The limit of the check, in percent."""
    traffic: int
    """Requests of green a minute."""
    window: int
    """Minutes."""
    at_half: float
    """At half of the limit: wrongly."""
    at_limit_early: float
    """At the limit, before the end of the window: at most 1 % by the error budget."""
    missed_at_twice: float
    """At twice the limit, passed: wrongly."""
    missed_at_half_of_all: float
    """Half of the requests fail, and the second minute does not end the check."""


def measure(limit: float, traffic: int, window: int, runs: int) -> Row:
    """Draw windows, and return how often the check fails."""
    numbers = np.random.default_rng([SEED, int(limit * 10), traffic, window])

    def drawn(percent: float, minutes: int = window) -> Iterator[list[Counts]]:
        for failed in numbers.binomial(traffic, min(1.0, percent / 100), (runs, minutes)):
            yield [Counts(traffic, float(each)) for each in failed]

    def early(counts: list[Counts]) -> bool:
        return failed_look(counts, limit, window) is not None

    def fails(counts: list[Counts]) -> bool:
        size, bad = sum(each.size for each in counts), sum(each.bad for each in counts)
        return bad > most_failed(size, limit) or early(counts)

    def percent(number: int) -> float:
        return 100 * number / runs

    return Row(
        limit,
        traffic,
        window,
        percent(sum(map(fails, drawn(limit / 2)))),
        percent(sum(map(early, drawn(limit)))),
        percent(sum(not fails(each) for each in drawn(2 * limit))),
        percent(sum(not early(each) for each in drawn(50, 2))),
    )


def table(runs: int) -> str:
    """Return the table in Markdown."""
    lines = [
        (
            "| limit | requests a minute | minutes | rolled back at half the limit | before the end, at the limit | "
            "passed at twice the limit | 50 % errors not failed in minute 2 |"
        ),
        "|---|---|---|---|---|---|---|",
    ]
    for limit in LIMITS:
        for traffic in TRAFFIC:
            for window in WINDOWS:
                row = measure(limit, traffic, window, runs)
                rates = " | ".join(f"{rate:.2g} %" for rate in row[3:])
                lines.append(f"| {limit:g} % | {traffic:,} | {window} | {rates} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden_signals", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, help="runs of each cell")
    print(table(parser.parse_args().runs))


if __name__ == "__main__":
    main()
