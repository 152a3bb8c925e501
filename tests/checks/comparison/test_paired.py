from __future__ import annotations

import math
from typing import Any

import pytest

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.paired import compare_paired
from ecs_hooks.checks.comparison.sides import Settings, Side

SETTINGS = Settings(98, 10, 5)
BLUE = [20.0, 22.0, 19.0, 21.0, 20.0, 23.0, 18.0, 20.0, 21.0, 19.0, 22.0, 20.0, 21.0, 20.0, 19.0]


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", **fields})


def side(values: list[float], sizes: list[float] | None = None) -> Side:
    points = {60.0 * minute: value for minute, value in enumerate(values)}
    counts = {60.0 * minute: size for minute, size in enumerate(sizes or [])}
    return Side(Sample(points, None), points, {}, counts, {}, {})


def compare(green: list[float], blue: list[float] = BLUE, **fields: Any) -> Finding:
    return compare_paired(metric(**fields), side(green), side(blue), SETTINGS)


def test_the_values_are_medians_and_the_limit_is_blues() -> None:
    found = compare([2 * value for value in BLUE])

    assert (found.value, found.blue, found.limit) == (40, 20, 22)
    assert found.p_value < 1e-6
    assert not found.in_points


def test_a_load_that_moves_both_does_not_matter() -> None:
    load = [math.exp(math.sin(minute)) for minute in range(15)]
    noise = [1 + 0.02 * (-1) ** minute for minute in range(15)]
    blue = [20 * each for each in load]

    assert compare([each * other for each, other in zip(blue, noise, strict=True)], blue).p_value > 0.5
    slower = [1.3 * each * other for each, other in zip(blue, noise, strict=True)]
    assert compare(slower, blue).p_value < 0.001


@pytest.mark.parametrize(
    ("factor", "direction", "failed"),
    [(0.5, "decrease", True), (2, "decrease", False), (0.5, "either", True), (2, "either", True), (1, "either", False)],
)
def test_the_direction_defines_what_is_worse(factor: float, direction: str, failed: bool) -> None:
    found = compare([factor * value for value in BLUE], direction=direction)

    assert (found.p_value < SETTINGS.level) is failed


def test_each_direction_of_either_has_half_of_the_error_budget() -> None:
    green = [1.15 * value + 0.2 * (-1) ** minute for minute, value in enumerate(BLUE)]

    assert compare(green, direction="either").p_value == pytest.approx(2 * compare(green).p_value)


def test_differences_take_the_place_of_ratios_where_values_are_0_or_less() -> None:
    zeros = [0.0] * 7 + [1.0] * 8

    assert compare([value + 5 for value in zeros], zeros).p_value < 1e-6
    assert compare(zeros, zeros).p_value > 0.9
    assert compare([-value for value in BLUE], [-value for value in BLUE]).p_value > 0.9
    assert compare([1.0] * 9, [0.0] * 9).detectable == math.inf


def test_a_minute_without_the_other_revision_does_not_count() -> None:
    green = side([1.0, 1.0, 50.0, *[1.0] * 7])
    values = {60.0 * minute: 1.0 for minute in range(10) if minute != 2}
    blue = side([])._replace(sample=Sample(values, None))

    assert compare_paired(metric(stat="Sum"), green, blue, SETTINGS).value == 1
    empty = blue._replace(sizes=dict.fromkeys(values, 0.0))
    with pytest.raises(Undecided, match="10 datapoints of green and 9 of blue, expected 5 or more of each"):
        compare_paired(metric(stat="Sum"), green, empty, SETTINGS)


def test_means_count_by_their_numbers_of_values() -> None:
    green, noise = [1.0] * 12 + [3.0, 0.2, 2.5], [1 + 0.01 * (-1) ** minute for minute in range(15)]
    few = [1000.0] * 12 + [1.0] * 3
    weighted = compare_paired(metric(), side(green, few), side(noise, few), SETTINGS)

    assert weighted.p_value > 0.99  # the three last minutes have few requests
    assert compare(green, noise).p_value < weighted.p_value


def test_slow_first_minutes_are_named() -> None:
    assert compare([60.0, 60.0, *BLUE[2:]]).caveats == ["without 2 slow first minutes"]
    assert compare([60.0, 18.0, *BLUE[2:]]).caveats == ["without 1 slow first minute"]
    assert compare([60.0, 60.0, *BLUE[2:]], stat="Sum").caveats == []


def test_a_break_is_found_in_three_minutes() -> None:
    assert compare([*BLUE[:12], 200.0, 200.0, 200.0]).broke == 15
    assert compare([*BLUE[:12], 200.0, 200.0, 200.0], direction="decrease").broke == 0
    assert compare([*[0.0] * 12, 5.0, 5.0, 5.0], [0.0] * 15).broke == 15


def test_the_detectable_regression_includes_the_tolerance() -> None:
    assert 1.1 < compare(BLUE[::-1]).detectable < 1.4
    assert compare(BLUE[::-1], tolerance_percent=50).detectable > 1.5
    assert compare(BLUE[::-1], direction="decrease").detectable < 1.4
