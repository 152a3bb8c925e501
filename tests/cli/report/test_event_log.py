from __future__ import annotations

from typing import Any

from ecs_hooks_cli.report.event_log import Happening, happenings_of, others_of
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import together
from ecs_hooks_simulator import DeploymentController, LifecycleHook
from tests.cli.report.recorded import Surprise, Wave, checked, recorded, troubles
from tests.simulator.plays import FAILED, IN_PROGRESS, Gate


def surprises(*minutes: float, **fields: Any) -> Any:
    """Return what makes such records in a deployment to come."""

    def prepare(player: DeploymentController) -> None:
        for minute in minutes:
            player.at(
                60 * minute,
                lambda deployment: player.timeline.emit(
                    Surprise(
                        **{
                            "time": player.clock.now(),
                            "deployment": deployment.arn,
                            "revision": deployment.target.arn,
                            "until": player.clock.now() + 90,
                            "words": "",
                            **fields,
                        }
                    )
                ),
            )

    return prepare


def test_everything_is_told_in_order() -> None:
    play = recorded(checked(Wave()))

    assert [(each.when, each.what, each.text) for each in happenings_of(play)] == [
        ("0:00:00", "deployment", "PENDING"),
        ("0:00:00", "deployment", "IN_PROGRESS"),
        ("0:00:00", "stage", "PRE_SCALE_UP"),
        ("0:00:00", "stage", "SCALE_UP"),
        ("0:00:00", "tasks", "green started"),
        ("0:00:00", "tasks", "green healthy"),
        ("0:00:00", "stage", "POST_SCALE_UP"),
        ("0:00:00", "hook", "Checked SUCCEEDED post_scale_up my-service: 1 passed"),
        ("0:00:00", "stage", "TEST_TRAFFIC_SHIFT"),
        ("0:00:00", "traffic", "test listener: green 100 %"),
        ("0:00:00", "stage", "POST_TEST_TRAFFIC_SHIFT"),
        ("0:00:00", "stage", "PRE_PRODUCTION_TRAFFIC_SHIFT"),
        ("0:00:00", "stage", "PRODUCTION_TRAFFIC_SHIFT"),
        ("0:00:00", "traffic", "production listener: green 100 %"),
        ("0:00:00", "stage", "POST_PRODUCTION_TRAFFIC_SHIFT"),
        ("0:00:00", "stage", "BAKE_TIME"),
        ("0:15:00", "stage", "CLEAN_UP"),
        ("0:15:00", "tasks", "blue stopped"),
        ("0:15:00", "deployment", "SUCCESSFUL"),
    ]


def test_a_rollback_says_why() -> None:
    told = [(each.what, each.text) for each in happenings_of(recorded(Gate(FAILED).at()))]

    assert ("hook", "gate FAILED") in told
    assert ("stage", "TEST_TRAFFIC_SHIFT, rolling back") in told
    assert told[-1][1].startswith("ROLLBACK_SUCCESSFUL: Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT")


def test_pauses_and_functions_that_time_out_are_told() -> None:
    pause = LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=1, timeout_action="CONTINUE")
    slow = Gate({**IN_PROGRESS, "callBackDelay": 45}).at("POST_SCALE_UP", timeout_in_minutes=1)
    told = [each for each in happenings_of(recorded(pause, slow)) if each.what == "hook"]

    assert told == [
        Happening("0:00:00", "hook", "pause AWAITING_ACTION"),
        Happening("0:01:00", "hook", "pause TIMED_OUT"),
        Happening("0:01:00 to 0:01:45", "hook", "gate IN_PROGRESS", 2),
        Happening("0:02:00", "hook", "gate TIMED_OUT"),
    ]


def test_a_long_story_is_told_by_its_ends() -> None:
    answers = [{**IN_PROGRESS, "reason": "abc"[number % 3]} for number in range(600)]
    told = happenings_of(recorded(Gate(*answers, FAILED).at("PRE_SCALE_UP")))

    assert len(told) == 200
    (left_out,) = [each for each in told if not each.what]
    assert left_out.text == "left out here"
    assert left_out.times == 600 - (200 - 1 - 3 - 3)
    assert told[0].text == "PENDING"
    assert told[-1].text.startswith("ROLLBACK_SUCCESSFUL")


def test_records_of_other_kinds_are_told_by_their_fields() -> None:
    play = recorded(prepare=surprises(5, words="half of the requests"))
    text = "revision green, until 0:06:30, words half of the requests"
    (other,) = others_of(play, Scale.of(play))

    assert Happening("0:05:00", "fault injected", text) in happenings_of(play)
    assert other.kind == "fault injected"
    assert [(mark.status, mark.text) for mark in other.marks] == [("", f"{text} at 0:05:00")]
    assert 27 < other.marks[0].at < 60


def test_faults_and_alarms_are_told() -> None:
    play = recorded(prepare=troubles)
    told = [(each.when, each.what, each.text) for each in happenings_of(play)]
    faults, alarms = others_of(play, Scale.of(play))

    assert ("0:05:00", "fault", "errors=20% in green from now on") in told
    assert ("0:06:00", "alarm", "api-5xx ALARM, OK before: 18 is more than 5") in told
    assert (faults.kind, faults.summary) == ("faults", "errors=20% at 0:05:00")
    assert (alarms.kind, alarms.summary) == ("alarms", "api-5xx OK at 0:06:00; api-5xx ALARM at 0:06:00")
    assert [mark.text for mark in together(list(alarms.marks))] == [
        "2 records; the first api-5xx OK at 0:06:00",
    ]


def test_of_many_other_records_the_number_is_told() -> None:
    play = recorded(prepare=surprises(*range(1, 10)))
    (other,) = others_of(play, Scale.of(play))

    assert other.summary == "9, see the table below"


def test_of_a_very_long_field_the_beginning_is_told() -> None:
    play = recorded(prepare=surprises(5, words="x" * 10_000))

    assert max(len(each.text) for each in happenings_of(play)) < 1000


def test_where_there_is_nothing_else_there_are_no_others() -> None:
    play = recorded(checked(Wave()))

    assert others_of(play, Scale.of(play)) == []
