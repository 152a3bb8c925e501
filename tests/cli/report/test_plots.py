from __future__ import annotations

import re

import pytest

from ecs_hooks_cli.report.latency import axis_of
from ecs_hooks_cli.report.measurements import Measurement, Point
from ecs_hooks_cli.report.play import Moment
from ecs_hooks_cli.report.plots import Range, highest_share, histogram, in_words, measurement_chart, seconds_axis
from tests.cli.report.test_latency import latency


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


def test_labels_of_limits_that_are_close_are_not_on_each_other() -> None:
    def places(lower: float) -> list[float]:
        drawn = measurement_chart(measurement(1, 2, limit=10, lower_limit=lower), connected=True)
        return [float(y) for y in re.findall(r'y="([0-9.]+)" text-anchor="end" class="limit"', drawn)]

    upper, lower = places(9.9)
    assert lower - upper >= 11
    assert places(1)[1] - places(1)[0] > 40


def test_higher_values_are_higher_up_and_all_is_inside() -> None:
    scale = Range.of(measurement(-5, 20, limit=50))

    assert 0 <= scale.at(-5) < scale.at(0) < scale.at(20) < scale.at(50) <= 100
    assert Range.of(measurement(0, 0)) == (0, 1)


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
    assert ">one after the other</text>" in drawn


def test_a_single_value_is_a_bar_beside_its_limit() -> None:
    drawn = measurement_chart(measurement(3, limit=12), connected=True)
    width = re.search(r'width="([0-9.]+)%"[^>]*class="value"', drawn)
    place = re.search(r'<line x1="([0-9.]+)%"[^>]*class="limit"', drawn)

    assert width is not None
    assert place is not None
    assert float(place.group(1)) == pytest.approx(4 * float(width.group(1)), rel=0.01)
    assert 'aria-label="latency (ms): 3; limit 12"' in drawn
    assert 'class="value fail"' in measurement_chart(measurement(30, limit=12, last="FAIL"), connected=True)


def test_words_for_a_measurement() -> None:
    assert in_words(measurement(2, 2, 2)) == "latency (ms): 2 throughout"
    assert in_words(measurement(2)) == "latency (ms): 2"


def test_a_histogram_has_its_percentiles() -> None:
    took = [each / 1000 for each in range(1, 101)]
    found = latency(*took)
    axis = axis_of([found])
    assert axis is not None
    drawn = histogram(found, axis, highest_share([found], axis))

    assert drawn.count('class="area green"') == len(axis.histogram(took))
    assert re.findall(r"height=\"([0-9.]+)%\" class=\"area", drawn).count("100") == 1
    assert re.findall(r">(p\d+ [^<]+)</text>", drawn) == ["p50 50 ms", "p95 95 ms", "p99 99 ms"]
    assert 'aria-label="green: p50 50 ms, p95 95 ms, p99 99 ms, of 100 responses"' in drawn
    assert ">10 ms</text>" in seconds_axis(axis)


def test_a_response_that_took_no_time_is_at_the_left() -> None:
    found = latency(0.0, 0.0, 0.1)
    axis = axis_of([found])
    assert axis is not None

    assert '<line x1="0%"' in histogram(found, axis, 1.0)
