from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from ecs_hooks_cli.report.recording import Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import (
    NO_ANSWER,
    STATUSES,
    Lane,
    Mark,
    Share,
    Span,
    Traffic,
    lane_chart,
    lanes_of,
    legend_shape,
    marks_chart,
    merged_marks,
    merged_spans,
    traffic_chart,
    traffic_of,
)
from ecs_hooks_simulator import DeploymentController, LifecycleHook, Strategy
from tests.cli.report.recorded import recorded
from tests.simulator.plays import FAILED, IN_PROGRESS, STAGES, SUCCEEDED, Gate


def lanes(play: Play) -> dict[str, Lane]:
    """Return the lanes, those of a rollback with an arrow before their names."""
    return {f"{'<' if lane.rollback else ''}{lane.stage}": lane for lane in lanes_of(play, Scale.of(play))}


def test_each_stage_has_a_lane_in_order() -> None:
    found = lanes(recorded())

    assert list(found) == list(STAGES)
    assert found["BAKE_TIME"].summary == "at 0:00:00, 0:15:00 long"
    assert found["CLEAN_UP"].summary == "at 0:15:00, no time"
    assert found["CLEAN_UP"].bars == [Span(97, 100, "CLEAN_UP at 0:15:00, 0:00:00 long")]


def test_steps_are_bars_of_the_same_lane() -> None:
    found = lanes(recorded(Gate().at("PRODUCTION_TRAFFIC_SHIFT"), strategy=Strategy.LINEAR))["PRODUCTION_TRAFFIC_SHIFT"]

    assert len(found.bars) == len(found.marks) == 10
    assert found.summary == "10 times, first at 0:00:00, 0:54:00 in all; 10 SUCCEEDED"
    assert all(left < right for left, right, _ in found.bars)


def test_a_rollback_has_lanes_of_its_own() -> None:
    found = lanes(recorded(Gate(FAILED).at("POST_TEST_TRAFFIC_SHIFT"), Gate().at("TEST_TRAFFIC_SHIFT")))

    assert list(found)[-3:] == ["POST_TEST_TRAFFIC_SHIFT", "<TEST_TRAFFIC_SHIFT", "<CLEAN_UP"]
    assert found["<TEST_TRAFFIC_SHIFT"].summary == "at 0:00:00, no time; 1 SUCCEEDED"
    assert [mark.status for mark in found["POST_TEST_TRAFFIC_SHIFT"].marks] == ["FAILED"]


def test_ecs_waits_between_two_answers() -> None:
    wait = {**IN_PROGRESS, "callBackDelay": 60}
    lane = lanes(recorded(Gate(wait, wait, SUCCEEDED).at("POST_SCALE_UP")))["POST_SCALE_UP"]
    (bar,) = lane.bars
    middle = (bar.left + bar.right) / 2

    assert lane.waits == [
        Span(bar.left, middle, "IN_PROGRESS for 0:01:00"),
        Span(middle, bar.right, "IN_PROGRESS for 0:01:00"),
    ]
    assert [(mark.at, mark.text) for mark in lane.marks] == [
        (bar.left, "IN_PROGRESS at 0:00:00"),
        (middle, "IN_PROGRESS at 0:01:00"),
        (bar.right, "SUCCEEDED at 0:02:00"),
    ]
    assert merged_spans(lane.waits) == [Span(bar.left, bar.right, "IN_PROGRESS for 0:01:00")]


@pytest.mark.parametrize("answer", [ValueError("none"), {"hookStatus": "MAYBE"}, None])
def test_an_invalid_answer_is_a_mark(answer: Any) -> None:
    assert [mark.status for mark in lanes(recorded(Gate(answer).at("PRE_SCALE_UP")))["PRE_SCALE_UP"].marks] == [
        NO_ANSWER
    ]


def test_a_function_that_takes_time_is_busy() -> None:
    def slow(player: Any) -> None:
        player.service.lifecycle_hooks[0].target._handler._answers = [lambda _: player.clock.sleep(30) or SUCCEEDED]

    lane = lanes(recorded(Gate().at("PRE_SCALE_UP"), prepare=slow))["PRE_SCALE_UP"]

    assert [busy.text for busy in lane.busy] == ["busy for 0:00:30"]
    assert lane.busy[0][:2] == lane.bars[0][:2]


@pytest.mark.parametrize(("action", "after"), [("CONTINUE", "SCALE_UP"), ("ROLLBACK", None)])
def test_a_pause_waits_and_times_out(action: str, after: str | None) -> None:
    found = lanes(recorded(LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=5, timeout_action=action)))
    lane = found["PRE_SCALE_UP"]

    assert [mark.status for mark in lane.marks] == ["AWAITING_ACTION", "TIMED_OUT"]
    assert [wait.text for wait in lane.waits] == ["AWAITING_ACTION for 0:05:00"]
    assert (after in found) is (after is not None)


def test_a_function_that_times_out_is_marked() -> None:
    hook = Gate({**IN_PROGRESS, "callBackDelay": 45}).at("PRE_SCALE_UP", timeout_in_minutes=1)
    lane = lanes(recorded(hook))["PRE_SCALE_UP"]

    assert [mark.status for mark in lane.marks] == ["IN_PROGRESS", "IN_PROGRESS", "TIMED_OUT"]
    assert [wait.text for wait in lane.waits] == ["IN_PROGRESS for 0:00:45", "IN_PROGRESS for 0:00:15"]


def test_a_wait_ends_with_the_deployment() -> None:
    def stop(player: DeploymentController) -> None:
        player.at(60, lambda deployment: player.deployments.stop(deployment.arn))

    lane = lanes(recorded(Gate({**IN_PROGRESS, "callBackDelay": 600}).at("PRE_SCALE_UP"), prepare=stop))["PRE_SCALE_UP"]

    assert [wait.text for wait in lane.waits] == ["IN_PROGRESS for 0:01:00"]
    assert lane.waits[0].right == 100


def test_close_marks_are_merged_with_the_worst_status() -> None:
    marks = [
        Mark(1.5, "SUCCEEDED", "c"),
        Mark(1.1, "FAILED", "a"),
        Mark(1.2, "SUCCEEDED", "b"),
        Mark(7, "SUCCEEDED", "d"),
    ]

    assert merged_marks(marks) == [Mark(1.1, "FAILED", "1 FAILED, 2 SUCCEEDED; the first a"), marks[3]]
    assert [STATUSES[0], STATUSES[-1]] == ["SUCCEEDED", NO_ANSWER]


def test_close_spans_are_merged() -> None:
    spans = [Span(5, 6, "c"), Span(0, 2, "a"), Span(1, 4.9, "b"), Span(7, 8, "d")]

    assert merged_spans(spans) == [Span(0, 6, "a"), Span(7, 8, "d")]


def shares(*parts: tuple[float, float, float]) -> Traffic:
    """Return shares from left to right, each with its width and the weights of blue and green."""
    made, left = [], 0.0
    for width, blue, green in parts:
        made.append(Share(left, left + width, 0.0, blue, green, 0.0))
        left += width
    return Traffic("production", made)


def test_a_lane_shows_bars_waits_and_marks() -> None:
    lane = Lane(
        "PRE_SCALE_UP",
        rollback=False,
        bars=[Span(0, 50, "the bar")],
        busy=[Span(0, 1, "busy for 0:00:30")],
        waits=[Span(1, 40, "waits")],
        marks=[Mark(1, "IN_PROGRESS", "IN_PROGRESS at 0:00:00"), Mark(40, "FAILED", "FAILED at 0:01:00")],
    )
    drawn = lane_chart(lane)

    assert 'aria-label="PRE_SCALE_UP: at 0:00:00, no time; 1 IN_PROGRESS, 1 FAILED"' in drawn
    assert 'class="bar"><title>the bar</title>' in drawn or "<title>the bar</title>" in drawn
    assert '<line x1="1%" y1="13" x2="40%" y2="13" class="wait">' in drawn
    assert 'class="mark in-progress"' in drawn
    assert 'class="mark failed"><title>FAILED at 0:01:00</title>' in drawn
    assert 'class="busy"' in drawn


def test_a_rollback_is_named_and_has_its_own_colour() -> None:
    drawn = lane_chart(Lane("CLEAN_UP", rollback=True, bars=[Span(0, 50, "x")]))

    assert 'aria-label="CLEAN_UP in the rollback: ' in drawn
    assert 'class="bar back"' in drawn


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_a_shape_of_its_own(status: str) -> None:
    def outline(of: str) -> str:
        found = re.search(r'<path d="([^"]+)"', legend_shape(of))
        assert found is not None
        return found.group(1)

    assert [outline(status) == outline(other) for other in STATUSES].count(True) == 1
    assert outline(status) != outline("something else")


def test_the_label_of_marks_names_the_first_ones() -> None:
    drawn = marks_chart("fault injected", [Mark(each, "", f"fault {each}") for each in range(0, 60, 4)])

    assert drawn.count('class="mark other"') == 15
    assert 'aria-label="fault injected: fault 0; fault 4; ' in drawn
    assert '; fault 44; and more"' in drawn


def test_areas_are_as_high_as_their_shares() -> None:
    drawn = traffic_chart(shares((40, 100, 0), (60, 25, 75)))

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
def test_labels_are_as_long_as_fits(width: float, wide: str, narrow: str) -> None:
    drawn = traffic_chart(shares((width, 80, 20)))
    labels = re.findall(r'class="inside ?([a-z-]*)">([^<]+)</text>', drawn)

    assert [label for shown, label in labels if shown != "narrow-only"] == ([wide] if wide else [])
    assert [label for shown, label in labels if shown != "wide-only"] == ([narrow] if narrow else [])


def test_a_listener_without_a_target_says_so() -> None:
    assert ">no target</text>" in traffic_chart(shares((50, 0, 0), (50, 0, 100)))


def traffic(play: Play) -> dict[str, Traffic]:
    return {each.listener: each for each in traffic_of(play, Scale.of(play))}


def test_the_weights_of_both_listeners() -> None:
    found = traffic(recorded())

    assert list(found) == ["production", "test"]
    assert found["production"].summary == found["test"].summary == "blue 100 %, then green 100 %"
    assert found["test"].shares[1].left < found["production"].shares[1].left


def test_steps_go_from_one_end_to_the_other() -> None:
    shares = traffic(recorded(strategy=Strategy.LINEAR))["production"].shares

    assert [share.green for share in shares] == [0, *range(10, 101, 10)]
    assert [share.blue for share in shares] == [100, *range(90, -1, -10)]
    assert [share.since for share in shares] == [0, *range(0, 541 * 6, 360)]
    assert (shares[0].left, shares[-1].right) == (0, 100)
    assert all(before.right == after.left for before, after in pairwise(shares))


def test_a_rollback_goes_back() -> None:
    play = recorded(Gate(FAILED).at("POST_PRODUCTION_TRAFFIC_SHIFT"))

    assert traffic(play)["production"].summary == "blue 100 %, then green 100 %, then blue 100 %"


def test_before_a_first_deployment_there_is_no_target() -> None:
    found = traffic(recorded(first=True))["production"]

    assert found.summary == "no target, then green 100 %"


def test_other_revisions_are_neither_blue_nor_green() -> None:
    play = recorded()
    play.weights["production"] = {"another": 30.0, play.blue: 70.0}  # type: ignore[index]

    assert traffic(play)["production"].shares[0].text == "blue 70 %, other 30 %"
