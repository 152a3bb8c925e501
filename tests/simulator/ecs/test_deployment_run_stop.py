"""Contract 4.4: StopServiceDeployment."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ecs_hooks_simulator import (
    DeploymentController,
    EcsBehaviour,
    EcsError,
    LifecycleHook,
    ServiceDeployment,
    ServiceRevision,
    TasksFailedError,
)
from ecs_hooks_simulator.core.timeline import HookStateChanged, Record, StageEntered, StatusChanged, TrafficShifted
from ecs_hooks_simulator.ecs.base_controller import MemoryTasks
from tests.simulator.plays import IN_PROGRESS, SUCCEEDED, Gate, controller, serving, stages, statuses


def _stop(player: DeploymentController, **options: str) -> Any:
    return lambda deployment: player.deployments.stop(deployment.arn, **options)


def test_contract_4_4_stop_rolls_back_while_a_hook_is_waiting() -> None:
    gate = Gate(IN_PROGRESS)
    player = serving(gate.at())
    player.at(75, _stop(player))
    deployment = player.deploy()
    assert statuses(player) == [
        "PENDING", "IN_PROGRESS", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL",
    ]  # fmt: skip
    assert deployment.finished_at == deployment.created_at + 75
    assert len(gate.events) == 3
    assert [str(hook.status) for hook in deployment.hooks] == ["FAILED"]


def test_contract_4_4_stop_during_the_bake_time_takes_all_traffic_back() -> None:
    shift = Gate()
    player = serving(shift.at("PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"))
    player.at(600, _stop(player))
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 600
    assert shift.stages[-2:] == ["PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"]
    last = {record.listener: record.weights for record in player.timeline.of(TrafficShifted)}
    assert {weights[deployment.target.arn] for weights in last.values()} == {0}


def test_stop_on_a_pause_ends_it() -> None:
    player = serving(LifecycleHook.pause("PRE_SCALE_UP"))
    player.at(60, _stop(player))
    assert player.deploy().status == "ROLLBACK_SUCCESSFUL"


def _on(player: DeploymentController, kind: type[Record], action: Any, **wanted: str) -> None:
    def listener(record: Any) -> None:
        if isinstance(record, kind) and all(getattr(record, name) == value for name, value in wanted.items()):
            action(record.deployment)

    player.timeline.subscribe(listener)


def test_contract_4_4_stop_is_allowed_while_pending() -> None:
    player = serving(Gate().at("PRE_SCALE_UP"))
    _on(player, StatusChanged, player.deployments.stop, status="PENDING")
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert stages(player) == []


def test_contract_4_4_stop_is_allowed_in_every_status_that_is_not_terminal() -> None:
    player = serving(Gate(IN_PROGRESS, SUCCEEDED).at("TEST_TRAFFIC_SHIFT"))
    player.at(10, _stop(player))
    for status in ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"):
        _on(player, StatusChanged, player.deployments.stop, status=status)
    assert player.deploy().status == "ROLLBACK_SUCCESSFUL"


def test_contract_4_4_stop_is_a_conflict_once_the_deployment_is_over() -> None:
    player = controller()
    deployment = player.deploy()
    with pytest.raises(EcsError) as caught:
        player.deployments.stop(deployment.arn)
    assert caught.value.code == "ConflictException"
    with pytest.raises(EcsError) as caught:
        player.deployments.stop("arn:nothing")
    assert caught.value.code == "ServiceDeploymentNotFoundException"


@pytest.mark.parametrize("stop_type", ["ABORT", "PAUSE", ""])
def test_contract_4_4_the_valid_stop_types_are_rollback(stop_type: str) -> None:
    player = controller()
    deployment = player.deploy()
    with pytest.raises(EcsError, match="The valid values are ROLLBACK") as caught:
        player.deployments.stop(deployment.arn, stop_type)
    assert caught.value.code == "InvalidParameterException"


def test_abort_without_a_rollback_is_an_option() -> None:
    player = serving(Gate(IN_PROGRESS).at(), behaviour=EcsBehaviour(abort="stopped"))
    blue = player.active[0]
    player.at(40, _stop(player, stop_type="ABORT"))
    deployment = player.deploy()
    assert statuses(player)[-2:] == ["STOP_REQUESTED", "STOPPED"]
    assert deployment.stopped_at == deployment.created_at + 40
    assert player.active == (blue, deployment.target)


def test_stop_during_clean_up_brings_blue_back() -> None:
    tasks = MemoryTasks()
    player = serving(tasks=tasks)
    blue = player.active[0]
    _on(player, StageEntered, player.deployments.stop, stage="CLEAN_UP")
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert list(tasks.running) == [blue.arn]


def test_a_stop_waits_for_tasks_that_are_being_started() -> None:
    started = threading.Event()

    class Slow(MemoryTasks):
        def start(self, revision: ServiceRevision) -> None:
            if started.is_set():
                player.deployments.stop(player.history[-1].arn)
                player.clock.sleep(30)
            started.set()
            super().start(revision)

    tasks = Slow()
    player = serving(tasks=tasks)
    blue = player.active[0]
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 30
    assert list(tasks.running) == [blue.arn]


def test_the_error_of_tasks_that_fail_during_a_stop_is_the_reason() -> None:
    class Failing(MemoryTasks):
        def start(self, revision: ServiceRevision) -> None:
            if self.running:
                player.deployments.stop(player.history[-1].arn)
                player.clock.sleep(30)
                raise TasksFailedError("exit code 1")
            super().start(revision)

    player = serving(tasks=Failing())
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.status_reason is not None
    assert "exit code 1" in deployment.status_reason


def test_a_stop_in_the_last_moment_still_counts() -> None:
    class Last(MemoryTasks):
        def stop(self, revision: ServiceRevision) -> None:
            if player.history[-1].status == "IN_PROGRESS":
                player.deployments.stop(player.history[-1].arn)
            super().stop(revision)

    tasks = Last()
    player = serving(tasks=tasks)
    blue = player.active[0]
    assert player.deploy().status == "ROLLBACK_SUCCESSFUL"
    assert list(tasks.running) == [blue.arn]


def test_a_hook_may_stop_its_own_deployment() -> None:
    def stop(event: dict[str, Any]) -> object:
        player.deployments.stop(event["resourceArn"])
        return SUCCEEDED

    player = serving(Gate(stop).at("POST_SCALE_UP"))
    assert player.deploy().status == "ROLLBACK_SUCCESSFUL"


def test_a_paused_hook_cannot_be_continued_once_the_rollback_is_requested() -> None:
    refused = threading.Event()

    def both(deployment: ServiceDeployment) -> None:
        player.deployments.stop(deployment.arn)
        with pytest.raises(EcsError):
            player.deployments.continue_(deployment.arn, deployment.hooks[0].hook_id)
        refused.set()

    player = serving(LifecycleHook.pause("PRE_SCALE_UP"))
    player.at(5, both)
    player.deploy()
    assert refused.wait(30)  # the rollback may end before this thread continues
    assert [record.state for record in player.timeline.of(HookStateChanged)] == ["AWAITING_ACTION", "FAILED"]


def test_deploy_raises_the_exception_of_an_action() -> None:
    def broken(deployment: ServiceDeployment) -> None:
        raise LookupError("the test is wrong")

    player = controller()
    player.at(5, broken)
    with pytest.raises(LookupError, match="the test is wrong"):
        player.deploy()
    assert player.deploy().status == "SUCCESSFUL", "and the next deployment is not touched"


def test_an_action_after_the_end_is_not_called() -> None:
    happened: list[ServiceDeployment] = []
    player = controller(bake_time_minutes=1)
    player.at(61, happened.append)
    player.deploy()
    player.deploy()
    assert happened == []


def test_one_deployment_at_a_time() -> None:
    def nested(event: object) -> object:
        with pytest.raises(RuntimeError, match="one at a time"):
            player.deploy()
        return SUCCEEDED

    player = controller(Gate(nested).at())
    assert player.deploy().status == "SUCCESSFUL"
