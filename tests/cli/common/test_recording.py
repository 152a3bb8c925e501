from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks.core.measurement import Watch
from ecs_hooks_cli.common.recording import CheckAnswered, Recorder
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked
from tests.cli.report.recorded import Wave, checked, recorded

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


def test_a_check_that_was_not_asked_took_no_time() -> None:
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
def test_the_hook_is_the_one_that_is_being_invoked_at_the_stage(records: list[Any], hook: str) -> None:
    recorder = Recorder()
    for record in records:
        recorder.record(record)

    assert kept(recorder).hook == hook


def test_what_the_checks_of_a_play_answer_is_among_its_records() -> None:
    play = recorded(checked(Wave(name="a", watch=Watch(for_minutes=2)), stage=Stage.POST_SCALE_UP))
    answers = [(moment, record) for moment, record in play.happened if isinstance(record, CheckAnswered)]

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
    kinds = [record.kind for _, record in play.happened]
    assert kinds[kinds.index("hook-invoked") :][:3] == ["hook-invoked", "check-answered", "hook-answered"]
