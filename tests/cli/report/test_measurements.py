from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.common.recording import CheckAnswered
from ecs_hooks_cli.report.measurements import Measurement, Point, measurements_of, thinned
from ecs_hooks_cli.report.play import Moment


def answer(time: float, status: str = "PASS", **evidence: float) -> tuple[Moment, CheckAnswered]:
    made = CheckAnswered(
        time=time,
        deployment="d",
        stage="s",
        hook="h",
        check="c",
        status=status,
        reason="r",
        seconds=0.1,
        evidence=evidence,
    )
    return Moment(time, 1), made


def points(*values: float) -> list[Point]:
    return [Point(Moment(float(place), 1), value, "PASS") for place, value in enumerate(values)]


def test_numbers_are_followed_over_the_answers() -> None:
    found = measurements_of([answer(1, tries=1), answer(2, "FAIL", tries=3), answer(3)])

    assert found == [Measurement("tries", [Point(Moment(1, 1), 1, "PASS"), Point(Moment(2, 1), 3, "FAIL")])]


def test_limits_belong_to_what_they_are_named_after_and_come_first() -> None:
    found = measurements_of(
        [
            answer(1, tries=1, a_ms=5, a_ms_limit=9, b=7, b_lower_limit=3, speed_limit=50),
            answer(2, tries=1, a_ms=6, a_ms_limit=8, b=6, b_lower_limit=3, b_limit=9, speed_limit=50),
        ]
    )

    assert [(each.name, each.limits) for each in found] == [
        ("a_ms", [("limit", 8)]),
        ("b", [("limit", 9), ("lower limit", 3)]),
        ("tries", []),
        ("speed_limit", []),  # there is no speed
    ]
    assert [each.drawn for each in found] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("latency_ms", "latency (ms)"),
        ("slowest_p99_seconds", "slowest p99 (s)"),
        ("failed_percent", "failed (%)"),
        ("body_bytes", "body (bytes)"),
        ("requests", "requests"),
        ("_ms", "_ms (ms)"),
    ],
)
def test_names_tell_the_unit(name: str, title: str) -> None:
    assert Measurement(name, points(1)).title == title


def test_what_varies_is_drawn() -> None:
    assert Measurement("x", points(1, 1)).drawn is False
    assert Measurement("x", points(1, 2)).drawn is True
    assert Measurement("x", points(4, 1, 2)).median == 2


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(4, 100))
def test_a_thinned_curve_has_the_same_extremes(values: list[float], most: int) -> None:
    thin = thinned(points(*values), most)
    kept = [point.value for point in thin]

    assert len(thin) <= most + 1
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert [point.moment for point in thin] == sorted(point.moment for point in thin)
    assert len(values) > most or kept == values
