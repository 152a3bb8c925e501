from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks.core.measurement import Watch
from ecs_hooks_cli.report.recording import CheckAnswered, Played, Recorder, plays_of
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, StageEntered
from tests.cli.report.recorded import Wave, checked, recorded
from tests.simulator.plays import FAILED, Gate, controller

OUTCOME = {
    "time": 12.0,
    "deployment": "d",
    "stage": "PRE_SCALE_UP",
    "check": 'http "a"',
    "outcome": "FAIL",
    "duration_ms": 5.5,
    "evidence": {
        "n": 1,
        "share": 0.5,
        "nan": float("nan"),
        "endless": float("inf"),
        "id": "abc",
        "yes": True,
        "no": None,
    },
    "message": 'FAIL http "a" status 500, expected 2xx',
}


def invoked(hook: str, target: str, stage: str = "PRE_SCALE_UP") -> HookInvoked:
    return HookInvoked(time=0.0, deployment="d", hook_id=hook, target=target, stage=stage, attempt=1, event={})


def answered(hook: str) -> HookAnswered:
    return HookAnswered(
        time=0.0, deployment="d", hook_id=hook, target="t", stage="PRE_SCALE_UP", attempt=1, status="SUCCEEDED"
    )


def kept(recorder: Recorder, **changes: Any) -> CheckAnswered:
    recorder.check({**OUTCOME, **changes})
    last = recorder.records[-1]
    assert isinstance(last, CheckAnswered)
    return last


def test_an_outcome_is_kept_with_its_numbers() -> None:
    assert kept(Recorder()).to_dict() == {
        "kind": "check-answered",
        "time": 12.0,
        "deployment": "d",
        "stage": "PRE_SCALE_UP",
        "hook": "",
        "check": 'http "a"',
        "status": "FAIL",
        "reason": "status 500, expected 2xx",
        "seconds": 0.0055,
        "evidence": {"n": 1, "share": 0.5},
    }


def test_a_check_that_did_not_run_has_no_duration() -> None:
    answer = kept(Recorder(), duration_ms=None, evidence=None, message="WAIT x 3 of 3 measurements passed so far")

    assert (answer.seconds, answer.evidence) == (None, {})


def test_a_very_long_reason_is_cut() -> None:
    assert len(kept(Recorder(), message="x" * 100_000).reason) < 1000


@pytest.mark.parametrize(
    ("records", "hook"),
    [
        ([invoked("1", "A")], "A"),
        ([invoked("1", "A"), invoked("2", "B")], ""),
        ([invoked("1", "A"), invoked("2", "B", stage="POST_SCALE_UP")], "A"),
        ([invoked("1", "A"), invoked("2", "B"), answered("2")], "A"),
        ([invoked("1", "A"), answered("1"), answered("1")], ""),
    ],
)
def test_the_hook_is_the_only_one_running_at_the_stage(records: list[Any], hook: str) -> None:
    recorder = Recorder()
    for record in records:
        recorder.record(record)

    assert kept(recorder).hook == hook


def test_outcomes_of_checks_are_among_the_records() -> None:
    play = recorded(checked(Wave(name="a", watch=Watch(for_minutes=2)), stage=Stage.POST_SCALE_UP))
    answers = [(moment, record) for moment, record in play.records if isinstance(record, CheckAnswered)]

    assert [moment.time for moment, _ in answers] == [0, 60, 120]
    assert [answer.status for _, answer in answers] == ["WAIT", "WAIT", "PASS"]
    assert {answer.hook.rpartition(":")[2] for _, answer in answers} == {"Checked"}
    assert answers[0][1].evidence == {
        "latency_ms": 50.0,
        "latency_ms_limit": 150,
        "tries": 1,
        "passed": 1,
        "failed": 0,
        "failed_limit": 0,
    }
    # Between the invocation of the hook and its answer.
    kinds = [record.kind for _, record in play.records]
    assert kinds[kinds.index("hook-invoked") :][:3] == ["hook-invoked", "check-answered", "hook-answered"]


def test_each_record_has_the_number_of_stages_that_had_begun() -> None:
    play = recorded()

    assert play.records[0][0] == (0, 0)
    assert [moment.stage for moment, record in play.records if isinstance(record, StageEntered)] == list(range(1, 11))
    assert play.records[-1][0] == (15 * 60, 10)
    assert play.seconds == 15 * 60


def test_each_deployment_has_its_own_records_and_initial_weights() -> None:
    player, recorder = controller(Gate({"hookStatus": "SUCCEEDED"}, FAILED).at()), Recorder()
    player.timeline.subscribe(recorder.record)
    blue = player.adopt(image="app:1")
    played = [
        Played("first", player.deploy(image="app:2"), "SUCCESSFUL"),
        Played("second", player.deploy(image="app:3"), "SUCCESSFUL"),
    ]
    first, second = plays_of(played, recorder.records)

    assert (first.blue, first.green) == (blue.arn, second.blue)
    assert first.weights == {"production": {blue.arn: 100}, "test": {blue.arn: 100}}
    assert {name: dict(weights)[first.green] for name, weights in second.weights.items()} == {
        "production": 100,
        "test": 100,
    }
    assert second.records[0][0].time == 0
    assert {record.deployment for _, record in second.records} == {second.deployment.arn}


def test_a_first_deployment_has_no_blue() -> None:
    play = recorded(first=True)

    assert (play.blue, play.weights) == ("", {})
    assert [play.colour(play.green), play.colour("another"), play.colour("")] == ["green", "other", "blue"]


@pytest.mark.parametrize("first", [False, True])
def test_each_revision_has_a_colour(first: bool) -> None:
    play = recorded(first=first)

    assert {play.colour(each.arn) for each in (play.deployment.target, *play.deployment.sources)} == (
        {"green"} if first else {"green", "blue"}
    )
