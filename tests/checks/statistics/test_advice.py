from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ecs_hooks.checks.statistics.advice import (
    LEVEL,
    MISSED,
    Traffic,
    minutes_for_errors,
    minutes_for_latency,
    spread_of,
)
from ecs_hooks.checks.statistics.by_minute import Counts, compare_counts


def found(traffic: Traffic, minutes: int, usual: float, worse: float, ratio: float) -> float:
    """Return how often the comparison finds a difference in these minutes."""
    numbers = np.random.default_rng(14)
    hits = 0
    for _ in range(100):
        counts = [
            Counts(
                float(numbers.binomial(int(traffic.green), worse)),
                traffic.green,
                float(numbers.binomial(int(traffic.blue), usual)),
                traffic.blue,
            )
            for _ in range(minutes)
        ]
        hits += compare_counts(counts, ratio=ratio).p_value < LEVEL
    return hits / 100


@pytest.mark.parametrize(("requests", "percent", "usual", "points"), [(600, 10, 1.0, 1.0), (600, 50, 0.1, 0.5)])
def test_the_comparison_finds_more_errors_in_the_advised_minutes(
    requests: float, percent: float, usual: float, points: float
) -> None:
    traffic = Traffic.at_step(requests, percent)
    minutes = math.ceil(minutes_for_errors(traffic, usual, points))

    assert found(traffic, minutes, usual / 100, (usual + points) / 100, 1.1) == pytest.approx(0.8, abs=0.12)
    assert found(traffic, max(2, minutes // 4), usual / 100, (usual + points) / 100, 1.1) < 0.6


def test_one_point_is_the_formula_for_two_shares() -> None:
    level, missed = stats.norm.isf(LEVEL), stats.norm.isf(MISSED)
    pooled = (0.02 + 0.01) / 2
    equal, worse = math.sqrt(2 * pooled * (1 - pooled)), math.sqrt(0.02 * 0.98 + 0.01 * 0.99)
    requests = ((level * equal + missed * worse) / 0.01) ** 2

    assert minutes_for_errors(Traffic(10, 10), 1, 1, tolerance_percent=0) == pytest.approx(requests / 10)


def test_slower_requests_are_found_sooner_the_slower_and_the_more_they_are() -> None:
    traffic = Traffic(60, 540)
    p50 = [minutes_for_latency(traffic, 0.5, slower, 0.5) for slower in (15, 30, 100)]

    assert p50 == sorted(p50, reverse=True)
    assert p50[-1] == 5
    assert minutes_for_latency(Traffic(20, 180), 0.5, 15, 0.5) == pytest.approx(3 * p50[0])
    # A 99th percentile requires ten requests beyond it on each side.
    assert minutes_for_latency(traffic, 0.99, 100, 0.5) == pytest.approx(10 / 0.6)


def test_what_is_within_the_tolerance_is_never_found() -> None:
    assert minutes_for_latency(Traffic(60, 60), 0.5, 10, 0.5) == math.inf
    assert minutes_for_latency(Traffic(60, 60), 0.5, 10, 0.5, tolerance_percent=0) < math.inf
    assert minutes_for_errors(Traffic(60, 60), 50, 5) == math.inf


@pytest.mark.parametrize("traffic", [Traffic(0, 10), Traffic(10, 0)])
def test_without_traffic_nothing_is_found(traffic: Traffic) -> None:
    assert minutes_for_errors(traffic, 1, 5) == math.inf
    assert minutes_for_latency(traffic, 0.5, 100, 0.5) == math.inf


def test_the_traffic_of_a_step() -> None:
    assert Traffic.at_step(200, 10) == Traffic(20, 180)
    assert Traffic.at_step(200, 100) == Traffic(200, 200)


def test_the_spread_of_a_latency() -> None:
    assert spread_of(0.1, 0.1 * math.exp(0.4 * stats.norm.isf(0.01))) == pytest.approx(0.4)
    assert spread_of(0, 1) == spread_of(1, 1) == 0
