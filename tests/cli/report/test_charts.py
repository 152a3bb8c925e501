from __future__ import annotations

import re

import pytest

from ecs_hooks_cli.report import charts
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import STATUSES, Lane, Mark, Span
from ecs_hooks_cli.report.traffic import Share, Traffic

SCALE = Scale([0, 0, 300], 1200)


def shares(*parts: tuple[float, float, float]) -> Traffic:
    """Return shares from left to right: how wide they are, and what blue and green have."""
    made, left = [], 0.0
    for width, blue, green in parts:
        made.append(Share(left, left + width, 0.0, blue, green, 0.0))
        left += width
    return Traffic("production", made)


def test_the_axis_has_its_labels_and_lines_at_the_same_places() -> None:
    places = [re.findall(r'x1?="([0-9.]+%)"', each) for each in (charts.axis(SCALE), charts.grid(SCALE))]

    assert places[0] == places[1]
    assert len(places[0]) == len(SCALE.ticks)
    assert "0:20:00</text>" in charts.axis(SCALE)
    assert charts.axis(SCALE).count("wide-only") == sum(not tick.narrow for tick in SCALE.ticks) > 0


def test_a_lane_shows_bars_waits_and_marks() -> None:
    lane = Lane(
        "PRE_SCALE_UP",
        rollback=False,
        bars=[Span(0, 50, "the bar")],
        busy=[Span(0, 1, "busy for 0:00:30")],
        waits=[Span(1, 40, "waits")],
        marks=[Mark(1, "IN_PROGRESS", "IN_PROGRESS at 0:00:00"), Mark(40, "FAILED", "FAILED at 0:01:00")],
    )
    drawn = charts.lane_chart(lane)

    assert 'aria-label="PRE_SCALE_UP: at 0:00:00, no time; 1 IN_PROGRESS, 1 FAILED"' in drawn
    assert 'class="bar"><title>the bar</title>' in drawn or "<title>the bar</title>" in drawn
    assert '<line x1="1%" y1="13" x2="40%" y2="13" class="wait">' in drawn
    assert 'class="mark in-progress"' in drawn
    assert 'class="mark failed"><title>FAILED at 0:01:00</title>' in drawn
    assert 'class="busy"' in drawn


def test_a_rollback_is_said_and_shown() -> None:
    drawn = charts.lane_chart(Lane("CLEAN_UP", rollback=True, bars=[Span(0, 50, "x")]))

    assert 'aria-label="CLEAN_UP in the rollback: ' in drawn
    assert 'class="bar back"' in drawn


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_a_shape_of_its_own(status: str) -> None:
    def outline(of: str) -> str:
        found = re.search(r'<path d="([^"]+)"', charts.legend_shape(of))
        assert found is not None
        return found.group(1)

    assert [outline(status) == outline(other) for other in STATUSES].count(True) == 1
    assert outline(status) != outline("something else")


def test_other_records_are_marks_with_their_words() -> None:
    drawn = charts.others_chart("fault injected", [Mark(each, "", f"fault {each}") for each in range(0, 60, 4)])

    assert drawn.count('class="mark other"') == 15
    assert 'aria-label="fault injected: fault 0; fault 4; ' in drawn
    assert '; fault 44; and more"' in drawn


def test_areas_are_as_high_as_their_shares() -> None:
    drawn = charts.traffic_chart(shares((40, 100, 0), (60, 25, 75)))

    assert re.findall(r'<rect [^>]*y="([^"]+)" height="([^"]+)" class="area (\w+)"', drawn) == [
        ("0%", "100%", "blue"),
        ("0%", "25%", "blue"),
        ("25%", "75%", "green"),
    ]
    assert re.findall(r">([a-z]+ [0-9.]+ %)</text>", drawn) == ["blue 100 %", "blue 25 %", "green 75 %"]
    assert 'aria-label="production listener: blue 100 %, then blue 25 %, green 75 %"' in drawn


@pytest.mark.parametrize(
    ("width", "wide", "narrow"),
    [(3, "", ""), (6, "80 %", ""), (14, "blue 80 %", "80 %"), (30, "blue 80 %", "blue 80 %")],
)
def test_labels_are_as_long_as_there_is_room(width: float, wide: str, narrow: str) -> None:
    drawn = charts.traffic_chart(shares((width, 80, 20)))
    labels = re.findall(r'class="inside ?([a-z-]*)">([^<]+)</text>', drawn)

    assert [label for shown, label in labels if shown != "narrow-only"] == ([wide] if wide else [])
    assert [label for shown, label in labels if shown != "wide-only"] == ([narrow] if narrow else [])


def test_nobody_is_said() -> None:
    assert ">nobody</text>" in charts.traffic_chart(shares((50, 0, 0), (50, 0, 100)))
