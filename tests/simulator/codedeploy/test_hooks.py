from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.timeline import HookAnswered, HookReported
from tests.simulator.codedeploy.plays import FAILED, SILENT, SUCCEEDED, Gate, controller, events, invoked, play

STAGE = "AfterAllowTestTraffic"


def test_the_response_of_a_hook_is_recorded_and_ignored() -> None:
    def answers(event: dict[str, Any], _: object) -> dict[str, str]:
        gate.report(event, SUCCEEDED)
        return {"hookStatus": "FAILED", "reason": "FAILED it says"}

    gate = Gate(answers)
    deployment, player = play({STAGE: gate})
    (answered,) = player.timeline.of(HookAnswered)

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert (answered.status, answered.reason, answered.stage) == ("FAILED", "FAILED it says", STAGE)
    assert [each.status for each in player.timeline.of(HookReported)] == ["Succeeded"]


@pytest.mark.parametrize("report", [SILENT, ValueError("no reason")])
def test_a_hook_without_a_report_fails_after_an_hour(report: Any) -> None:
    deployment, player = play({STAGE: Gate(report)})
    event = deployment.event(STAGE)

    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 3600
    assert event.to_dict()["diagnostics"] == {
        "errorCode": "ScriptTimedOut",
        "scriptName": "arn:aws:lambda:us-west-2:123456789012:function:gate",
        "message": "arn:aws:lambda:us-west-2:123456789012:function:gate did not report a status to CodeDeploy within one hour",
    }
    assert [each.status for each in player.timeline.of(HookReported)] == ["TimedOut"]
    (answered,) = player.timeline.of(HookAnswered)
    assert answered.status is None
    assert answered.error == ("ValueError: no reason" if report else "no status was reported to CodeDeploy")


def test_a_function_timeout_is_not_a_status() -> None:
    def sleep(*_: object) -> None:
        assert gate.player is not None
        gate.player.clock.sleep(1000)

    gate = Gate(sleep)
    player = controller({STAGE: gate})
    player.adopt()
    deployment = player.deploy()

    assert len(gate.events) == 1
    assert player.timeline.of(HookAnswered)[0].error == "Task timed out after 900.00 seconds"
    assert deployment.finished_at == deployment.created_at + 3600


def test_a_function_error_can_fail_a_hook_at_once() -> None:
    behaviour = CodeDeployBehaviour(function_error="failed")
    deployment, _ = play({STAGE: Gate(ValueError("no reason"))}, behaviour=behaviour)

    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at
    assert str(deployment.status_reason).endswith("function:gate ValueError: no reason")


@pytest.mark.parametrize("reports", [[ValueError("once"), SUCCEEDED], [ValueError("1"), ValueError("2"), SUCCEEDED]])
def test_a_function_error_can_be_retried(reports: list[Any]) -> None:
    tries = len(reports)
    deployment, player = play({STAGE: Gate(*reports)}, behaviour=CodeDeployBehaviour(hook_retries="twice"))

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert invoked(player, deployment) == [0, 60, 180][:tries]


def test_an_event_can_be_delivered_twice() -> None:
    refused: list[str] = []

    def late(event: dict[str, Any], _: object) -> None:
        # Longer than the rest of the deployment, which waits for it.
        time.sleep(0.2)
        with pytest.raises(EcsError) as error:
            gate.report(event, FAILED)
        refused.append(error.value.code)

    gate = Gate(SUCCEEDED, late)
    deployment, _ = play({STAGE: gate}, behaviour=CodeDeployBehaviour(delivery="twice"))

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert refused == ["LifecycleEventAlreadyCompletedException"]


def test_a_late_status_is_refused() -> None:
    gate = Gate(SILENT)
    deployment, player = play({STAGE: gate})

    for identifier, code in (
        (gate.events[0]["LifecycleEventHookExecutionId"], "LifecycleEventAlreadyCompletedException"),
        ("eyJ", "InvalidLifecycleEventHookExecutionIdException"),
    ):
        with pytest.raises(EcsError) as error:
            gate.report({"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": identifier}, SUCCEEDED)
        assert error.value.code == code
    assert str(player.history[0].outcome) == "ROLLBACK_SUCCESSFUL"


def test_a_stopped_deployment_skips_its_running_hook() -> None:
    gate = Gate(SILENT)
    player = controller({STAGE: gate})
    player.adopt()

    def stop(_: object) -> None:
        assert player.run is not None
        player.run.stop(rolls_back=True)

    player.at(60, stop)
    deployment = player.deploy()

    assert events(deployment)[STAGE] == "Skipped"
    with pytest.raises(EcsError, match="already completed"):
        gate.report(gate.events[0], SUCCEEDED)


def schedule(player: Any, event: dict[str, Any], context: Any, minutes: int, **more: Any) -> None:
    """Schedule another invocation of a function."""
    request = {
        "Name": f"schedule-{minutes}",
        "GroupName": "ecs-hooks",
        "ScheduleExpression": f"at(2026-01-01T00:{minutes:02}:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": context.invoked_function_arn, "Input": json.dumps({**event, **more})},
    }
    player.scheduler.answer("CreateSchedule", request)


def test_a_schedule_invokes_the_hook_again() -> None:
    def first(event: dict[str, Any], context: Any) -> None:
        schedule(gate.player, event, context, 7, again=True)
        raise SystemExit

    gate = Gate(first, SUCCEEDED)
    deployment, player = play({STAGE: gate})

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert invoked(player, deployment) == [0, 420]
    assert gate.events[1] == {**gate.events[0], "again": True}
    assert deployment.finished_at == deployment.created_at + 420


def test_an_invocation_by_a_schedule_is_retried_twice() -> None:
    def first(event: dict[str, Any], context: Any) -> None:
        schedule(gate.player, event, context, 5)

    gate = Gate(first, ValueError(), ValueError(), SUCCEEDED)
    deployment, player = play({STAGE: gate})

    assert invoked(player, deployment) == [0, 300, 360, 480]
    assert str(deployment.outcome) == "SUCCESSFUL"


def test_an_invocation_by_a_schedule_is_retried_no_more_than_twice() -> None:
    def first(event: dict[str, Any], context: Any) -> None:
        schedule(gate.player, event, context, 5)

    gate = Gate(first, ValueError())
    deployment, player = play({STAGE: gate})

    assert invoked(player, deployment) == [0, 300, 360, 480]
    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"


@pytest.mark.parametrize("event", [{"DeploymentId": "d-1"}, ["no", "hook"]])
def test_a_schedule_with_another_event_invokes_no_hook(event: Any) -> None:
    def first(received: dict[str, Any], context: Any) -> None:
        request = {
            "Name": "astray",
            "ScheduleExpression": "at(2026-01-01T00:01:00)",
            "Target": {"Arn": context.invoked_function_arn, "Input": json.dumps(event)},
        }
        assert gate.player is not None
        gate.player.scheduler.answer("CreateSchedule", request)

    gate = Gate(first)
    deployment, player = play({STAGE: gate})

    assert len(gate.events) == 1
    assert deployment.finished_at == deployment.created_at + 3600
    assert player.scheduler.names == ["astray"]
