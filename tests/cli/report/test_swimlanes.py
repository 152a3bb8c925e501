from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.report.play import Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import NO_ANSWER, STATUSES, Lane, Mark, Span, joined, lanes_of, together
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
    assert joined(lane.waits) == [Span(bar.left, bar.right, "IN_PROGRESS for 0:01:00")]


@pytest.mark.parametrize("answer", [ValueError("none"), {"hookStatus": "MAYBE"}, None])
def test_what_is_no_answer_is_a_mark_too(answer: Any) -> None:
    assert [mark.status for mark in lanes(recorded(Gate(answer).at("PRE_SCALE_UP")))["PRE_SCALE_UP"].marks] == [
        NO_ANSWER
    ]


def test_a_function_can_take_time() -> None:
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


def test_marks_in_each_others_way_are_one_with_the_worst_status() -> None:
    marks = [
        Mark(1.5, "SUCCEEDED", "c"),
        Mark(1.1, "FAILED", "a"),
        Mark(1.2, "SUCCEEDED", "b"),
        Mark(7, "SUCCEEDED", "d"),
    ]

    assert together(marks) == [Mark(1.1, "FAILED", "1 FAILED, 2 SUCCEEDED; the first a"), marks[3]]
    assert [STATUSES[0], STATUSES[-1]] == ["SUCCEEDED", NO_ANSWER]


def test_spans_that_touch_are_one() -> None:
    spans = [Span(5, 6, "c"), Span(0, 2, "a"), Span(1, 4.9, "b"), Span(7, 8, "d")]

    assert joined(spans) == [Span(0, 6, "a"), Span(7, 8, "d")]
