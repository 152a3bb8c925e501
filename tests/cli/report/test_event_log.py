from __future__ import annotations

from typing import Any

from ecs_hooks_cli.report.event_log import Entry, entries_of, marks_of
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import merged_marks
from ecs_hooks_simulator import DeploymentController, LifecycleHook
from tests.cli.report.recorded import Surprise, Wave, checked, recorded, troubles
from tests.simulator.plays import FAILED, IN_PROGRESS, Gate


def surprises(*minutes: float, **fields: Any) -> Any:
    """Return a function that adds such records to the next deployment."""

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


def test_the_log_is_in_order() -> None:
    play = recorded(checked(Wave()))

    assert [(each.when, each.subject, each.text) for each in entries_of(play)] == [
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
    entries = [(each.subject, each.text) for each in entries_of(recorded(Gate(FAILED).at()))]

    assert ("hook", "gate FAILED") in entries
    assert ("stage", "TEST_TRAFFIC_SHIFT, rolling back") in entries
    assert entries[-1][1].startswith(
        "ROLLBACK_SUCCESSFUL: Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT"
    )


def test_timeouts_of_pauses_and_functions_are_logged() -> None:
    pause = LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=1, timeout_action="CONTINUE")
    slow = Gate({**IN_PROGRESS, "callBackDelay": 45}).at("POST_SCALE_UP", timeout_in_minutes=1)
    entries = [each for each in entries_of(recorded(pause, slow)) if each.subject == "hook"]

    assert entries == [
        Entry("0:00:00", "hook", "pause AWAITING_ACTION"),
        Entry("0:01:00", "hook", "pause TIMED_OUT"),
        Entry("0:01:00 to 0:01:45", "hook", "gate IN_PROGRESS", 2),
        Entry("0:02:00", "hook", "gate TIMED_OUT"),
    ]


def test_the_middle_of_a_long_log_is_left_out() -> None:
    answers = [{**IN_PROGRESS, "reason": "abc"[number % 3]} for number in range(600)]
    entries = entries_of(recorded(Gate(*answers, FAILED).at("PRE_SCALE_UP")))

    assert len(entries) == 200
    (left_out,) = [each for each in entries if not each.subject]
    assert left_out.text == "left out here"
    assert left_out.times == 600 - (200 - 1 - 3 - 3)
    assert entries[0].text == "PENDING"
    assert entries[-1].text.startswith("ROLLBACK_SUCCESSFUL")


def test_records_of_unknown_kinds_are_logged_with_their_fields() -> None:
    play = recorded(prepare=surprises(5, words="half of the requests"))
    text = "revision green, until 0:06:30, words half of the requests"
    (other,) = marks_of(play, Scale.of(play))

    assert Entry("0:05:00", "fault injected", text) in entries_of(play)
    assert other.kind == "fault injected"
    assert [(mark.status, mark.text) for mark in other.marks] == [("", f"{text} at 0:05:00")]
    assert 27 < other.marks[0].at < 60


def test_faults_and_alarms_are_logged_and_marked() -> None:
    play = recorded(prepare=troubles)
    entries = [(each.when, each.subject, each.text) for each in entries_of(play)]
    faults, alarms = marks_of(play, Scale.of(play))

    assert ("0:05:00", "fault", "errors=20% in green from now on") in entries
    assert ("0:06:00", "alarm", "api-5xx ALARM, OK before: 18 is more than 5") in entries
    assert (faults.kind, faults.summary) == ("faults", "errors=20% at 0:05:00")
    assert (alarms.kind, alarms.summary) == ("alarms", "api-5xx OK at 0:06:00; api-5xx ALARM at 0:06:00")
    assert [mark.text for mark in merged_marks(list(alarms.marks))] == [
        "2 records; the first api-5xx OK at 0:06:00",
    ]


def test_the_summary_of_many_marks_is_their_number() -> None:
    play = recorded(prepare=surprises(*range(1, 10)))
    (other,) = marks_of(play, Scale.of(play))

    assert other.summary == "9, see the table below"


def test_a_very_long_field_is_cut() -> None:
    play = recorded(prepare=surprises(5, words="x" * 10_000))

    assert max(len(each.text) for each in entries_of(play)) < 1000


def test_without_faults_and_alarms_there_are_no_marks() -> None:
    play = recorded(checked(Wave()))

    assert marks_of(play, Scale.of(play)) == []
