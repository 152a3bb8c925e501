from __future__ import annotations

import math

import pytest

from ecs_hooks.checks.comparison.outage import share_break, value_break
from ecs_hooks.checks.statistics.by_minute import Counts

LEVEL = 0.005 / 15


def minutes(*green: int, blue: int = 0, size: int = 100) -> list[Counts]:
    return [Counts(hits, size, blue, size) for hits in green]


def test_an_outage_is_seen_in_its_second_minute() -> None:
    assert share_break(minutes(100), LEVEL) == 0
    assert share_break(minutes(100, 100), LEVEL) == 2
    assert share_break(minutes(*[0] * 12, 100, 100, 100), LEVEL) == 14
    assert share_break(minutes(50, 50), LEVEL) == 2


def test_a_smaller_break_requires_three_minutes() -> None:
    assert share_break(minutes(*[0] * 10, 12, 13), LEVEL) == 0
    assert share_break(minutes(*[0] * 10, 12, 13, 12), LEVEL) == 13
    assert share_break(minutes(*[0] * 10, 100, 100, 0), LEVEL, plain=False) == 0
    assert share_break(minutes(*[0] * 10, 100, 100, 100), LEVEL, plain=False) == 13


def test_without_minutes_before_it_a_smaller_break_is_none() -> None:
    assert share_break(minutes(12, 13, 12), LEVEL) == 0


def test_a_break_that_is_over_counts() -> None:
    assert share_break(minutes(*[0] * 5, 80, 80, 0, 0, 0, 0), LEVEL) == 7


def test_bad_minutes_before_it_do_not_hide_an_outage() -> None:
    assert share_break(minutes(*[0] * 5, 100, *[0] * 6, 100, 100), LEVEL) == 0
    assert share_break(minutes(*[0] * 5, 100, *[0] * 6, 100, 100, 100), LEVEL) == 15
    assert share_break(minutes(100, 0, 0, 100, 100, 100), LEVEL) == 6
    assert share_break(minutes(15, *[0] * 8, 12, 13, 12), LEVEL) == 12
    assert share_break(minutes(15, 15, *[0] * 7, 12, 13, 12), LEVEL) == 0


def test_what_blue_has_too_is_no_break() -> None:
    assert share_break(minutes(*[0] * 10, 60, 60, 60, blue=60), LEVEL) == 0
    assert share_break(minutes(*[1] * 10, 40, 1, 40), LEVEL) == 0
    assert share_break(minutes(*[0] * 10, 90, 90, blue=40), LEVEL, ratio=2.5) == 0


def test_a_break_requires_significance_and_requests_of_blue() -> None:
    assert share_break(minutes(1, 1, size=1), LEVEL) == 0
    assert share_break([Counts(50, 50, 0, 0)] * 5, LEVEL) == 0
    assert share_break([*minutes(*[0] * 10), Counts(0, 0, 0, 100), Counts(0, 0, 0, 100)], LEVEL) == 0
    assert share_break([], LEVEL) == 0


def test_a_single_hit_of_blue_hides_no_outage() -> None:
    assert share_break([Counts(0, 100, 1, 1), Counts(90, 100, 0, 100), Counts(90, 100, 0, 100)], LEVEL) == 3


@pytest.mark.parametrize(
    ("ratios", "minute"),
    [
        ([1.0] * 12 + [10.0] * 3, 15),
        ([1.0] * 12 + [10.0] * 2, 0),
        ([1.0] * 12 + [1.2] * 3, 0),
        ([12.0] + [1.0] * 11 + [10.0] * 3, 15),  # one bad minute does not hide it
        ([12.0, 12.0] + [1.0] * 10 + [10.0] * 3, 0),
        ([1.0] * 9 + [math.inf] * 3, 12),
        ([10.0] * 3, 0),
        ([], 0),
    ],
)
def test_values_break_away_in_three_minutes(ratios: list[float], minute: int) -> None:
    assert value_break(ratios) == minute
