from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_simulator import Fault, Service, TasksFailedError
from ecs_hooks_simulator.codedeploy import (
    CodeDeployBehaviour,
    CodeDeployController,
    ComputePlatform,
    DeploymentGroup,
    RollbackEvent,
)
from ecs_hooks_simulator.codedeploy.lifecycle import EVENTS, hooked_events
from ecs_hooks_simulator.core.timeline import FaultInjected, TasksChanged
from ecs_hooks_simulator.ecs.base_controller import MemoryTasks
from tests.simulator.codedeploy.plays import FAILED, Gate, controller, entered, events, play, shares, statuses
from tests.simulator.plays import MemoryAlarms

ECS, LAMBDA = ComputePlatform.ECS, ComputePlatform.LAMBDA


@pytest.mark.parametrize("platform", ComputePlatform)
def test_a_deployment_that_passes(platform: ComputePlatform) -> None:
    gates = {event: Gate(name=event) for event in hooked_events(platform)}
    deployment, player = play(gates, platform=platform)

    assert statuses(player) == ["Created", "Queued", "InProgress", "Succeeded"]
    assert entered(player) == list(EVENTS[platform])
    assert set(events(deployment).values()) == {"Succeeded"}
    assert [len(gate.events) for gate in gates.values()] == [1] * len(gates)
    assert all(set(gate.events[0]) == {"DeploymentId", "LifecycleEventHookExecutionId"} for gate in gates.values())
    assert str(deployment.outcome) == "SUCCESSFUL"
    assert deployment.status_reason is None
    assert player.active == (deployment.target,)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("AllAtOnce", [(0, 100)]),
        ("Canary10Percent5Minutes", [(0, 10), (300, 100)]),
        ("Linear40PercentEvery2Minutes", [(0, 40), (120, 80), (240, 100)]),
    ],
)
@pytest.mark.parametrize("platform", ComputePlatform)
def test_traffic_moves_as_configured(
    platform: ComputePlatform, config: str, expected: list[tuple[float, float]]
) -> None:
    deployment, player = play(platform=platform, config=config)

    assert shares(player, deployment) == expected
    assert shares(player, deployment, "test") == [(0, 100)]


def test_blue_is_kept_for_a_while() -> None:
    deployment, player = play(termination_wait_minutes=60)
    stopped = [each for each in player.timeline.of(TasksChanged) if each.state == "stopped"]

    assert deployment.terminating
    assert [(each.time - deployment.created_at, each.revision) for each in stopped] == [
        (3600, deployment.sources[0].arn)
    ]
    assert deployment.finished_at == stopped[0].time


def test_a_service_without_a_test_listener() -> None:
    deployment, player = play(test_listener=False)

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert shares(player, deployment, "test") == []


@pytest.mark.parametrize("event", [each for each in hooked_events(ECS) if each != "BeforeInstall"])
def test_a_failed_hook_rolls_back(event: str) -> None:
    deployment, player = play({event: Gate(FAILED)}, config="Canary10Percent5Minutes")
    order = EVENTS[ECS]
    after = [events(deployment)[each] for each in order[order.index(event) + 1 :]]

    assert str(deployment.status) == "Failed"
    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert deployment.error_code == "HOOK_EXECUTION_FAILURE"
    assert str(deployment.status_reason).endswith(
        f"{event}: {deployment.group.hooks[event].arn} reported Failed to CodeDeploy"
    )
    assert events(deployment)[event] == "Failed"
    assert set(after) <= {"Skipped"}
    assert deployment.rollback is not None
    assert (deployment.rollback.creator, str(deployment.rollback.status)) == ("codeDeployRollback", "Succeeded")
    assert player.active == deployment.sources
    assert list(player.running) == list(deployment.sources)
    for kind in ("production", "test"):
        assert [share for _, share in shares(player, deployment, kind)][-1:] in ([], [0])


def test_a_failure_before_install_does_not_roll_back() -> None:
    deployment, player = play({"BeforeInstall": Gate(FAILED)})

    assert str(deployment.status) == "Failed"
    assert str(deployment.outcome) == "STOPPED"
    assert deployment.rollback is None
    assert player.active == deployment.sources
    assert shares(player, deployment) == []


def test_without_automatic_rollback_green_keeps_the_traffic() -> None:
    deployment, player = play({"AfterAllowTraffic": Gate(FAILED)}, rollback_events=())

    assert str(deployment.outcome) == "STOPPED"
    assert player.active[0] is deployment.target
    assert len(player.running) == 2


def test_a_first_deployment_can_not_roll_back() -> None:
    player = controller({"AfterInstall": Gate(FAILED)})
    assert str(player.deploy(image="app:1").outcome) == "STOPPED"

    passing = controller()
    assert str(passing.deploy(image="app:1").outcome) == "SUCCESSFUL"


def test_two_deployments_in_a_row() -> None:
    gate = Gate(FAILED, "Succeeded")
    first, player = play({"AfterAllowTraffic": gate})
    second = player.deploy(image="app:3")

    assert [str(each.outcome) for each in player.history] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert len(player.all) == 3
    assert second.sources == first.sources
    assert {second.target.target_group, second.sources[0].target_group} == {"targetGroupArn", "alternateTargetGroupArn"}


def test_versions_of_a_function_are_numbered() -> None:
    deployment, player = play(platform=LAMBDA)

    assert [each.id for each in player.revisions] == ["1", "2"]
    assert deployment.target.arn == "arn:aws:lambda:us-west-2:123456789012:function:api:2"


class Broken(MemoryTasks):
    """Tasks that do not start, or never become healthy."""

    def __init__(self, *, start: bool) -> None:
        super().__init__()
        self._start = start

    def start(self, revision: Any) -> None:
        if self.running and not self._start:
            message = "no such image"
            raise TasksFailedError(message)
        super().start(revision)

    def healthy(self, revision: Any) -> bool:
        return len(self.running) < 2


@pytest.mark.parametrize(("start", "code", "seconds"), [(False, "ECS_UPDATE_ERROR", 0), (True, "TIMEOUT", 3600)])
def test_tasks_that_do_not_start_fail_the_deployment(start: bool, code: str, seconds: float) -> None:
    deployment, player = play(tasks=Broken(start=start))

    assert deployment.error_code == code
    assert events(deployment)["Install"] == "Failed"
    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + seconds
    assert list(player.running) == list(deployment.sources)


def alarm_play(*rollback_events: str, seconds: float = 60, **states: str) -> tuple[Any, CodeDeployController]:
    alarms = MemoryAlarms(**states)
    group = DeploymentGroup(alarms=["errors"], termination_wait_minutes=60, rollback_events=rollback_events)
    player = CodeDeployController(Service(service="api"), group, alarms=alarms)
    player.adopt(image="app:1")
    player.at(seconds, lambda _: alarms.current.update(errors="ALARM"))
    return player.deploy(image="app:2"), player


@pytest.mark.parametrize(
    ("rolls_back", "outcome"), [([RollbackEvent.DEPLOYMENT_STOP_ON_ALARM], "ROLLBACK_SUCCESSFUL"), ([], "STOPPED")]
)
def test_an_alarm_stops_a_deployment(rolls_back: list[str], outcome: str) -> None:
    deployment, player = alarm_play(*rolls_back, errors="OK", other="ALARM")

    assert str(deployment.status) == "Stopped"
    assert (deployment.error_code, list(deployment.triggered)) == ("ALARM_ACTIVE", ["errors"])
    assert str(deployment.outcome) == outcome
    assert 60 <= deployment.finished_at - deployment.created_at <= 80
    assert (player.active[0] is deployment.target) is (outcome == "STOPPED")


def test_an_alarm_from_before_the_deployment_stops_it() -> None:
    deployment, _ = alarm_play(errors="ALARM")

    assert str(deployment.status) == "Stopped"
    assert deployment.finished_at == deployment.created_at + 10


@pytest.mark.parametrize("rolls_back", [True, False])
def test_a_request_stops_a_deployment(rolls_back: bool) -> None:
    player = controller(config="Canary10Percent5Minutes")
    player.adopt(image="app:1")

    def stop(_: object) -> None:
        assert player.run is not None
        player.run.stop(rolls_back=rolls_back)

    player.at(30, stop)
    deployment = player.deploy(image="app:2")

    assert (str(deployment.status), deployment.error_code) == ("Stopped", "MANUAL_STOP")
    assert events(deployment)["AllowTraffic"] == "Skipped"
    assert str(deployment.outcome) == ("ROLLBACK_SUCCESSFUL" if rolls_back else "STOPPED")
    assert player.active[0] is deployment.sources[0]  # which has nine tenths of the traffic


def test_a_deployment_waits_to_be_continued() -> None:
    player = controller(ready_wait_minutes=30)
    player.adopt(image="app:1")

    def go_on(deployment: Any) -> None:
        assert str(deployment.status) == "Ready"
        assert player.run is not None
        player.run.continue_()

    player.at(600, go_on)
    deployment = player.deploy(image="app:2")

    assert shares(player, deployment) == [(600, 100)]
    assert statuses(player)[2:] == ["InProgress", "Ready", "InProgress", "Succeeded"]


def test_a_deployment_that_is_not_continued_is_stopped() -> None:
    deployment, player = play(ready_wait_minutes=30)

    assert (str(deployment.status), deployment.error_code) == ("Stopped", "TIMEOUT")
    assert deployment.finished_at == deployment.created_at + 1800
    assert shares(player, deployment) == []


@pytest.mark.parametrize("platform", ComputePlatform)
def test_faults_begin_at_their_stage_or_percentage(platform: ComputePlatform) -> None:
    player = controller(platform=platform, config="Canary10Percent5Minutes")
    player.adopt(image="app:1")
    faults = [
        Fault.parse(each) for each in ("crash", "latency@POST_TEST_TRAFFIC_SHIFT", "errors@50%", "hang@BAKE_TIME")
    ]
    deployment = player.deploy(image="app:2", faults=faults)
    begun = [
        (each.fault.partition("=")[0], each.stage, each.time - deployment.created_at, each.percent)
        for each in player.timeline.of(FaultInjected)
    ]

    early = ("AfterInstall", "AfterAllowTestTraffic") if platform is ECS else ("BeforeAllowTraffic",) * 2
    assert begun == [
        ("crash", early[0], 0, 0),
        ("latency", early[1], 0, 0),
        ("errors", "AllowTraffic", 300, 100),
        ("hang", "AfterAllowTraffic", 300, 100),
    ]
    assert set(player.crashed) == {deployment.target.arn}


def test_the_status_between_increments_can_be_baking() -> None:
    _, player = play(config="Canary10Percent5Minutes", behaviour=CodeDeployBehaviour(increments="baking"))

    assert statuses(player)[2:] == ["InProgress", "Baking", "InProgress", "Succeeded"]


def test_events_without_a_hook_can_be_skipped() -> None:
    deployment, _ = play({"AfterInstall": Gate()}, behaviour=CodeDeployBehaviour(unscripted="skipped"))

    assert [name for name, status in events(deployment).items() if status == "Succeeded"] == [
        "Install",
        "AfterInstall",
        "AllowTestTraffic",
        "AllowTraffic",
    ]


@pytest.mark.parametrize(
    ("report", "outcome", "share"), [("Succeeded", "ROLLBACK_SUCCESSFUL", 0), (FAILED, "ROLLBACK_FAILED", 100)]
)
def test_a_rollback_can_run_hooks(report: str, outcome: str, share: float) -> None:
    gates = {"AfterAllowTraffic": Gate(FAILED, "Succeeded"), "BeforeAllowTraffic": Gate("Succeeded", report)}
    deployment, player = play(gates, behaviour=CodeDeployBehaviour(rollback_hooks="run"))

    assert str(deployment.outcome) == outcome
    assert deployment.rollback is not None
    assert gates["BeforeAllowTraffic"].events[-1]["DeploymentId"] == deployment.rollback.id
    assert shares(player, deployment)[-1][1] == share


def test_a_second_deployment_at_the_same_time_is_refused() -> None:
    player = controller()
    player.adopt(image="app:1")

    def another(_: object) -> None:
        with pytest.raises(RuntimeError, match="one at a time"):
            player.deploy(image="app:3")

    player.at(0, another)
    assert str(player.deploy(image="app:2").outcome) == "SUCCESSFUL"
