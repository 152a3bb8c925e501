from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.comparison.sides import Settings, Side, counted_minutes, requests_seen

SETTINGS = Settings(98, 10, 5)


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", "stat": "p99", **fields})


def side(*values: float, sizes: float | None = 100, whole: float | None = None) -> Side:
    points = {60.0 * minute: value for minute, value in enumerate(values)}

    def each(number: float | None) -> dict[float, float]:
        return {} if number is None else dict.fromkeys(points, number)

    return Side(Sample(points, None), points, each(whole), each(sizes), {}, {})


def counted(*values: float, settings: Settings = SETTINGS, **fields: Any) -> tuple[list[float], int]:
    minutes, cold = counted_minutes(metric(**fields), side(*values), settings)
    return list(minutes), cold


def test_the_requests_are_those_of_per_or_the_sample_counts() -> None:
    assert side(1, 2).requests == 200
    assert side(1, 2, whole=7).requests == 14
    assert side(1, 2, sizes=None).requests == 0


def test_slow_first_minutes_do_not_count() -> None:
    assert counted(9, 8, 1, 1, 1, 1, 1, 1)[1] == 2
    assert counted(9, 8, 1, 1, 1, 1, 1, 1)[0][0] == 120


def test_no_more_than_the_warm_up_is_left_out() -> None:
    assert counted(9, 9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)[1] == 3
    assert counted(9, 9, 9, *[1] * 9, settings=SETTINGS._replace(warm_up_seconds=0))[1] == 0
    assert counted(9, 9, 9, 1, 1, 1)[1] == 1  # min_samples remain


def test_minutes_that_are_no_slower_count() -> None:
    assert counted(*[1] * 15) == ([60.0 * minute for minute in range(15)], 0)
    assert counted(1, 9, 9, *[1] * 9)[1] == 0


def test_only_latency_has_a_warm_up() -> None:
    assert counted(9, 9, *[1] * 9, stat="Sum")[1] == 0
    assert counted(9, 9, *[1] * 9, direction="decrease")[1] == 0
    assert counted(9, 9, *[1] * 9, stat="Average")[1] == 2


def test_the_warm_up_begins_with_greens_first_request() -> None:
    late = side(9, 9, *[1] * 12)
    shifted = late._replace(
        sample=Sample({time + 600: value for time, value in late.sample.values.items()}, None), sizes={}
    )

    assert counted_minutes(metric(), shifted, SETTINGS)[1] == 2
    assert counted_minutes(metric(), side(sizes=None), SETTINGS) == ([], 0)
    assert counted_minutes(metric(), side(1, 2, sizes=0), SETTINGS) == ([], 0)


def test_all_looks_share_the_error_budget() -> None:
    for looks in (1, 15, 60):
        settings = SETTINGS._replace(looks=looks)
        assert settings.level + looks * settings.look_level == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("fields", "side", "allowed"),
    [
        ({}, 1, 110),
        ({}, -1, 90),
        ({"tolerance_percent": 50}, 1, 150),
        ({"tolerance_difference": 3}, 1, 110),
        ({"tolerance_difference": 30}, 1, 130),
        ({"tolerance_difference": 30}, -1, 70),
    ],
)
def test_the_wider_tolerance_is_allowed(fields: dict[str, Any], side: int, allowed: float) -> None:
    assert SETTINGS.allowed(metric(**fields), 100, side) == allowed


@pytest.mark.parametrize(
    ("requests", "periods", "seconds", "words"),
    [
        (15, 15, 60, "1 a minute, 15 in total"),
        (8, 15, 60, "0.53 a minute, 8 in total"),
        (1500, 15, 60, "100 a minute, 1500 in total"),
        (1500, 3, 300, "100 a minute, 1500 in total"),
        (0, 0, 60, "0 a minute, 0 in total"),
    ],
)
def test_requests_are_counted_by_minute(requests: float, periods: int, seconds: int, words: str) -> None:
    assert requests_seen(requests, periods, SETTINGS._replace(period_seconds=seconds)) == words
