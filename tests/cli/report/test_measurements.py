from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.report.measurements import (
    Measurement,
    Point,
    ValueAxis,
    measurement_chart,
    measurements_of,
    thinned,
)
from ecs_hooks_cli.report.recording import CheckAnswered, Moment


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


def test_a_number_has_a_point_for_each_answer() -> None:
    found = measurements_of([answer(1, tries=1), answer(2, "FAIL", tries=3), answer(3)])

    assert found == [Measurement("tries", [Point(Moment(1, 1), 1, "PASS"), Point(Moment(2, 1), 3, "FAIL")])]


def test_measurements_with_limits_are_first() -> None:
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
    assert [each.charted for each in found] == [True, True, False, False]


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
def test_the_title_has_the_unit(name: str, title: str) -> None:
    assert Measurement(name, points(1)).title == title


def test_a_measurement_that_varies_has_a_chart() -> None:
    assert Measurement("x", points(1, 1)).charted is False
    assert Measurement("x", points(1, 2)).charted is True
    assert Measurement("x", points(4, 1, 2)).median == 2


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(4, 100))
def test_a_thinned_curve_has_the_same_extremes(values: list[float], most: int) -> None:
    thin = thinned(points(*values), most)
    kept = [point.value for point in thin]

    assert len(thin) <= most + 1
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert [point.moment for point in thin] == sorted(point.moment for point in thin)
    assert len(values) > most or kept == values


def measurement(*values: float, last: str = "PASS", step: float = 60, **limits: float) -> Measurement:
    points = [Point(Moment(step * place, 1), value, "PASS") for place, value in enumerate(values)]
    points[-1] = points[-1]._replace(status=last)
    return Measurement("latency_ms", points, **limits)


def curve(drawn: str) -> list[tuple[float, float]]:
    found = re.search(r'points="([^"]+)"', drawn)
    assert found is not None
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in found.group(1).split())]


def test_a_curve_over_time_with_its_limits() -> None:
    drawn = measurement_chart(measurement(1, 3, 2, limit=4, lower_limit=0.5), connected=True)

    (first, one), (second, three), (third, two) = curve(drawn)
    assert (first, second, third) == (1, 50, 99)
    assert one > two > three  # from above
    assert drawn.count('class="limit"') == 4  # a line and a label each
    assert 'width="78%"' in drawn
    assert ">limit 4</text>" in drawn
    assert ">lower 0.5</text>" in drawn
    assert drawn.count('class="dot"') == 3
    assert ">0:00:00</text>" in drawn
    assert ">0:02:00</text>" in drawn
    assert 'aria-label="latency (ms): 1 to 3, median 2, last 2; limit 4; lower limit 0.5"' in drawn


def test_labels_of_close_limits_do_not_overlap() -> None:
    def places(lower: float) -> list[float]:
        drawn = measurement_chart(measurement(1, 2, limit=10, lower_limit=lower), connected=True)
        return [float(y) for y in re.findall(r'y="([0-9.]+)" text-anchor="end" class="limit"', drawn)]

    upper, lower = places(9.9)
    assert lower - upper >= 11
    assert places(1)[1] - places(1)[0] > 40


def test_all_values_and_limits_are_on_the_axis() -> None:
    scale = ValueAxis(measurement(-5, 20, limit=50))

    assert 0 <= scale.at(-5) < scale.at(0) < scale.at(20) < scale.at(50) <= 100
    assert [ValueAxis(measurement(0, 0)).at(each) for each in (0, 1)] == [0, 100]


def test_failures_are_crosses() -> None:
    drawn = measurement_chart(measurement(1, 9, last="FAIL", limit=4), connected=True)

    assert drawn.count('class="dot fail"') == drawn.count('class="dot"') == 1
    assert "<title>9 at 0:01:00, FAIL</title>" in drawn


def test_many_points_are_a_curve_with_its_failures_only() -> None:
    drawn = measurement_chart(measurement(*range(5000), last="FAIL"), connected=True)

    assert len(curve(drawn)) <= 241
    assert (drawn.count('class="dot"'), drawn.count('class="dot fail"')) == (0, 1)
    assert len(drawn) < 10_000


def test_answers_of_several_checks_are_not_connected() -> None:
    drawn = measurement_chart(measurement(1, 2, step=0), connected=False)

    assert "<polyline" not in drawn
    assert drawn.count('class="dot"') == 2
    assert ">in order</text>" in drawn


def test_a_single_value_is_a_bar_beside_its_limit() -> None:
    drawn = measurement_chart(measurement(3, limit=12), connected=True)
    width = re.search(r'width="([0-9.]+)%"[^>]*class="value"', drawn)
    place = re.search(r'<line x1="([0-9.]+)%"[^>]*class="limit"', drawn)

    assert width is not None
    assert place is not None
    assert float(place.group(1)) == pytest.approx(4 * float(width.group(1)), rel=0.01)
    assert 'aria-label="latency (ms): 3; limit 12"' in drawn
    assert 'class="value fail"' in measurement_chart(measurement(30, limit=12, last="FAIL"), connected=True)


def test_a_measurement_in_words() -> None:
    assert measurement(2, 2, 2).summary == "latency (ms): 2 throughout"
    assert measurement(2).summary == "latency (ms): 2"
