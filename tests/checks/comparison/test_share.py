from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.share import blue_is_worse, compare_share
from ecs_hooks.checks.comparison.sides import Settings, Side

SETTINGS = Settings(98, 10, 5)
PERIODS = [60.0 * minute for minute in range(15)]


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate(
        {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount", **fields}
    )


def side(errors: dict[int, float], requests: float = 100, minutes: range = range(15)) -> Side:
    parts = {60.0 * minute: float(number) for minute, number in errors.items()}
    whole = {60.0 * minute: requests for minute in minutes}
    return Side(metric().sample(parts, whole, PERIODS), parts, whole, {}, {}, {})


def compare(green: Side, blue: Side, **fields: Any) -> Finding:
    return compare_share(metric(**fields), green, blue, SETTINGS)


def evenly(errors: float) -> dict[int, float]:
    return dict.fromkeys(range(15), errors)


def fails(green: Side, blue: Side, **fields: Any) -> bool:
    found = compare(green, blue, **fields)
    return found.p_value < SETTINGS.level or found.broke > 0


def test_the_sums_are_compared() -> None:
    found = compare(side({3: 6, 9: 6}), side({1: 10, 7: 5}, requests=500))

    assert found.value == pytest.approx(0.8)
    assert found.blue == pytest.approx(0.2)
    assert found.limit == pytest.approx(0.22)
    assert found.notes == ["12 of 1500 requests, blue 15 of 7500"]
    assert found.in_points


@pytest.mark.parametrize(
    ("green", "blue", "fields", "failed"),
    [
        (3, 0, {}, True),
        (0, 0, {}, False),
        (10, 10, {}, False),
        (20, 10, {}, True),
        (20, 10, {"tolerance_percent": 150}, False),
        (20, 10, {"tolerance_difference": 12}, False),
        (20, 10, {"tolerance_difference": 5}, True),
        (1, 0, {"tolerance_difference": 3}, False),
        (5, 10, {}, False),
        (5, 10, {"direction": "decrease"}, True),
        (20, 10, {"direction": "decrease"}, False),
        (5, 10, {"direction": "either"}, True),
        (20, 10, {"direction": "either"}, True),
        (10, 10, {"direction": "either"}, False),
        (0, 10, {"direction": "decrease", "tolerance_difference": 20}, False),
    ],
)
def test_the_tolerance_is_a_margin(green: float, blue: float, fields: dict[str, Any], failed: bool) -> None:
    assert fails(side(evenly(green)), side(evenly(blue)), **fields) is failed


@pytest.mark.parametrize(("green", "blue"), [(20, 380), (60, 1140)])
def test_errors_are_seen_at_little_traffic(green: int, blue: int) -> None:
    errors = dict.fromkeys(range(0, 15, 1 if green == 20 else 3), 1.0)

    assert fails(side(errors, green), side({}, blue))
    assert not fails(side({4: 1}, green), side({}, blue))


def test_a_break_counts_before_min_samples() -> None:
    green, blue = ({0: 100.0, 1: 100.0}, range(2))

    found = compare(side(green, minutes=blue), side({}, minutes=blue))
    assert found.broke == 2
    with pytest.raises(Undecided, match="2 datapoints of green and 2 of blue, expected 5 or more of each"):
        compare(side({0: 1, 1: 1}, minutes=blue), side({}, minutes=blue))
    with pytest.raises(Undecided, match="expected 5"):
        compare(side(green, minutes=blue), side({}, minutes=blue), direction="decrease")


def test_minutes_without_requests_of_blue_do_not_count() -> None:
    found = compare(side(evenly(3)), side({}, minutes=range(10)))

    assert found.notes == ["30 of 1000 requests, blue 0 of 1000"]
    with pytest.raises(Undecided, match="15 datapoints of green and 0 of blue"):
        compare(side(evenly(3)), side({}, minutes=range(0)))


@pytest.mark.parametrize(
    ("green", "blue", "message"),
    [
        (100, 1, "too few requests of blue (1 a minute, 15 in total; 20 are required)"),
        (1, 100, "too few requests of green (1 a minute, 15 in total; 20 are required)"),
    ],
)
def test_too_few_requests_are_undecided(green: int, blue: int, message: str) -> None:
    with pytest.raises(Undecided) as error:
        compare(side({}, green), side({}, blue))
    assert message in str(error.value)


def test_values_that_are_no_counts_of_requests_are_compared_by_pairs() -> None:
    parts = {minute: 1000.0 + minute for minute in range(15)}
    doubled = {minute: 2 * value for minute, value in parts.items()}

    found = compare(side(parts), side(parts, requests=100))
    assert (found.p_value > 0.3, found.notes, found.in_points) == (True, [], False)
    assert fails(side(doubled), side(parts))
    assert fails(side(dict.fromkeys(range(15), 1.5)), side(dict.fromkeys(range(15), 0.7)))


def test_the_detectable_difference_is_that_of_the_traffic() -> None:
    few, many = (compare(side({}, size), side({}, size)).detectable for size in (10, 1000))

    assert 0 < many < few < 10


@pytest.mark.parametrize(
    ("now", "earlier", "direction", "worse"),
    [
        (9, 0, "increase", True),
        (1, 0, "increase", True),
        (0, 3, "increase", False),
        (3, 3, "increase", False),
        (10, 90, "decrease", True),
        (90, 90, "decrease", False),
    ],
)
def test_blue_may_be_worse_than_earlier(now: float, earlier: float, direction: str, worse: bool) -> None:
    few = side({0: now}, 100, range(1))

    assert blue_is_worse(metric(direction=direction), few, side(evenly(earlier))) is worse
    assert not blue_is_worse(metric(), side({}, minutes=range(0)), side(evenly(earlier)))
