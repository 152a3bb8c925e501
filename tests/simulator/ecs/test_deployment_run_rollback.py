"""Contract 1.4, 2.2, 2.5 and 3.2: the steps of a rollback, and the hooks that it invokes."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_simulator import (
    DeploymentController,
    EcsBehaviour,
    LifecycleHook,
    Service,
    ServiceRevision,
    TasksFailedError,
)
from ecs_hooks_simulator.core.timeline import TasksChanged, TrafficShifted
from ecs_hooks_simulator.ecs.base_controller import MemoryTasks, MemoryTraffic
from tests.simulator.plays import (
    FAILED,
    HOOK_STAGES,
    IN_PROGRESS,
    SUCCEEDED,
    Gate,
    controller,
    play,
    serving,
    stages,
    statuses,
)


def _back(event: dict[str, Any]) -> bool:
    """Whether green has 0 in the map of a shift stage: the documented sign of a rollback (contract 2.5)."""
    details = event["executionDetails"]
    weights = {
        "TEST_TRAFFIC_SHIFT": details["testTrafficWeights"],
        "PRODUCTION_TRAFFIC_SHIFT": details["productionTrafficWeights"],
    }
    return bool(weights.get(event["lifecycleStage"], {}).get(details["targetServiceRevisionArn"]) == 0)


def _failing_at(stage: str, *, also_back: bool = False) -> Gate:
    """A gate for every stage that fails at one, and with `also_back` in a rollback."""

    def answer(event: dict[str, Any]) -> object:
        if _back(event):
            return FAILED if also_back else SUCCEEDED
        return FAILED if event["lifecycleStage"] == stage else SUCCEEDED

    return Gate(answer)


@pytest.mark.parametrize("stage", HOOK_STAGES)
def test_contract_2_5_only_the_two_shift_stages_are_invoked_again(stage: str) -> None:
    gate = _failing_at(stage)
    deployment, _ = play(gate.at(*HOOK_STAGES))
    forward = list(HOOK_STAGES[: HOOK_STAGES.index(stage) + 1])
    again = [each for each in ("PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT") if each in forward]
    assert gate.stages == forward + again
    assert deployment.status == "ROLLBACK_SUCCESSFUL"


def test_contract_2_2_rollback_weights_are_green_0_blue_100_and_the_target_stays_green() -> None:
    gate = _failing_at("POST_PRODUCTION_TRAFFIC_SHIFT")
    deployment, _ = play(gate.at(*HOOK_STAGES))
    production, test = (event["executionDetails"] for event in gate.events[-2:])
    weights = {deployment.target.arn: 0, deployment.sources[0].arn: 100}
    assert (production["testTrafficWeights"], production["productionTrafficWeights"]) == ({}, weights)
    assert (test["testTrafficWeights"], test["productionTrafficWeights"]) == (weights, {})
    assert production["targetServiceRevisionArn"] == test["targetServiceRevisionArn"] == deployment.target.arn


def test_contract_2_5_trap_a_forward_pre_production_event_has_the_weights_of_a_rollback() -> None:
    gate = Gate()
    deployment, _ = play(gate.at("PRE_PRODUCTION_TRAFFIC_SHIFT"))
    assert deployment.status == "SUCCESSFUL"
    weights = gate.events[0]["executionDetails"]["productionTrafficWeights"]
    assert weights == {deployment.target.arn: 0, deployment.sources[0].arn: 100}


def test_contract_2_5_there_is_no_rollback_stage() -> None:
    _, player = play(_failing_at("POST_PRODUCTION_TRAFFIC_SHIFT").at(*HOOK_STAGES))
    assert stages(player, rollback=True) == ["PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT", "CLEAN_UP"]


def test_traffic_and_tasks_are_as_before_after_a_rollback() -> None:
    deployment, player = play(_failing_at("POST_PRODUCTION_TRAFFIC_SHIFT").at(*HOOK_STAGES))
    blue, green = deployment.sources[0].arn, deployment.target.arn
    last = {record.listener: record.weights for record in player.timeline.of(TrafficShifted)}
    assert last == {"production": {green: 0, blue: 100}, "test": {green: 0, blue: 100}}
    assert [(record.revision, record.state) for record in player.timeline.of(TasksChanged)][-1] == (green, "stopped")
    assert deployment.running == {blue}


def test_before_scale_up_there_is_nothing_to_roll_back() -> None:
    _, player = play(_failing_at("PRE_SCALE_UP").at(*HOOK_STAGES))
    assert stages(player, rollback=True) == []
    assert [record for record in player.timeline.of(TrafficShifted) if record.deployment] == []


def test_contract_1_4_a_first_deployment_that_fails_has_no_rollback_candidate() -> None:
    gate = _failing_at("POST_PRODUCTION_TRAFFIC_SHIFT")
    deployment, player = play(gate.at(*HOOK_STAGES), first=True)
    assert deployment.status == "ROLLBACK_FAILED"
    assert deployment.status_reason == "No rollback candidate was found to run the rollback."
    assert gate.stages == list(HOOK_STAGES)
    described = player.deployments.describe([deployment.arn])["serviceDeployments"][0]
    assert set(described["rollback"]) == {"reason", "startedAt"}
    assert player.active == ()
    assert player.deploy(image="app:3").sources == ()


@pytest.mark.parametrize(
    ("invocation", "again"),
    [
        ("reached", ["TEST_TRAFFIC_SHIFT"]),
        ("always", ["PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"]),
    ],
)
def test_rollback_hooks_of_shifts_that_were_not_reached_are_an_option(invocation: Any, again: list[str]) -> None:
    gate = _failing_at("POST_TEST_TRAFFIC_SHIFT")
    _, player = play(gate.at(*HOOK_STAGES), behaviour=EcsBehaviour(rollback_invocation=invocation))
    assert gate.stages[len(HOOK_STAGES) - 3 :] == again
    shifted = [record.listener for record in player.timeline.of(TrafficShifted) if record.deployment]
    assert shifted == ["test", "test"], "traffic that was not shifted is not shifted back"


@pytest.mark.parametrize(("switch", "weights"), [("blue", [0, 100]), ("empty", [])])
def test_contract_2_4_the_unknown_test_weights_of_a_rollback(switch: Any, weights: list[int]) -> None:
    gate = _failing_at("POST_PRODUCTION_TRAFFIC_SHIFT")
    play(gate.at(*HOOK_STAGES), behaviour=EcsBehaviour(rollback_test_weights=switch))
    forward, back = [event for event in gate.events if event["lifecycleStage"] == "TEST_TRAFFIC_SHIFT"]
    assert sorted(forward["executionDetails"]["testTrafficWeights"].values()) == [0, 100]
    assert sorted(back["executionDetails"]["testTrafficWeights"].values()) == weights


def test_contract_3_2_a_hook_that_fails_during_the_rollback_ends_it() -> None:
    gate = _failing_at("POST_PRODUCTION_TRAFFIC_SHIFT", also_back=True)
    deployment, player = play(gate.at(*HOOK_STAGES))
    assert statuses(player)[-2:] == ["ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"]
    assert deployment.status_reason is not None
    assert "PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed" in deployment.status_reason
    assert [revision.arn for revision in player.active] == [deployment.sources[0].arn, deployment.target.arn]
    # Two active revisions: the next deployment has something to reconcile.
    player.deploy(image="app:3")
    assert "RECONCILE_SERVICE" in stages(player)


def test_a_failure_during_the_rollback_may_be_ignored() -> None:
    gate = _failing_at("POST_PRODUCTION_TRAFFIC_SHIFT", also_back=True)
    ignoring = EcsBehaviour(rollback_failure="ignored")
    deployment, _ = play(gate.at(*HOOK_STAGES), behaviour=ignoring)
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert gate.stages[-2:] == ["PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT"]


@pytest.mark.parametrize(("kept", "expected"), [("kept", {"a": 1, "b": 2}), ("configured", {"a": 1})])
def test_keeping_hook_details_in_the_rollback_is_an_option(kept: Any, expected: dict[str, int]) -> None:
    shift = Gate({**IN_PROGRESS, "hookDetails": {"b": 2}}, SUCCEEDED)
    failing = Gate(FAILED).at("POST_PRODUCTION_TRAFFIC_SHIFT")
    hook = shift.at("PRODUCTION_TRAFFIC_SHIFT", hook_details={"a": 1})
    play(hook, failing, behaviour=EcsBehaviour(rollback_details=kept))
    assert [_back(event) for event in shift.events] == [False, False, True]
    assert shift.events[-1]["hookDetails"] == expected


@pytest.mark.parametrize(("order", "share"), [("hook-after", 100), ("hook-before", None)])
def test_the_order_of_shift_and_hook_is_an_option(order: Any, share: int | None) -> None:
    traffic = MemoryTraffic()
    seen: list[float | None] = []

    def look(event: dict[str, Any]) -> object:
        green = event["executionDetails"]["targetServiceRevisionArn"]
        seen.append(traffic.weights["production"].get(green))
        return SUCCEEDED

    player = DeploymentController(
        Service(service="s", lifecycle_hooks=[Gate(look).at("PRODUCTION_TRAFFIC_SHIFT")]),
        traffic=traffic,
        behaviour=EcsBehaviour(shift_order=order),
    )
    player.adopt()
    deployment = player.deploy()
    assert seen == [share]
    assert traffic.weights["production"][deployment.target.arn] == 100


class _SlowTasks(MemoryTasks):
    """Tasks that are healthy after a number of checks."""

    def __init__(self, patience: float) -> None:
        super().__init__()
        self.checks = 0
        self.patience = patience

    def healthy(self, revision: ServiceRevision) -> bool:
        self.checks += 1
        return self.checks > self.patience


def test_scale_up_waits_until_the_tasks_are_healthy() -> None:
    gate = Gate()
    player = serving(gate.at("POST_SCALE_UP"), tasks=_SlowTasks(3))
    deployment = player.deploy()
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 15 + 30 + 60 + 15 * 60


def test_contract_3_3_a_stage_lasts_24_hours_at_most() -> None:
    player = serving(tasks=_SlowTasks(float("inf")))
    deployment = player.deploy()
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 86_400
    assert deployment.status_reason is not None
    assert "24 hours" in deployment.status_reason


def test_tasks_that_cannot_start_roll_back() -> None:
    class Broken(MemoryTasks):
        def start(self, revision: ServiceRevision) -> None:
            if revision.image == "broken":
                raise TasksFailedError("exit code 1")
            super().start(revision)

    player = serving(tasks=Broken())
    deployment = player.deploy(image="broken")
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.status_reason is not None
    assert deployment.status_reason.endswith("failed to start: exit code 1")
    assert [record.state for record in player.timeline.of(TasksChanged)] == ["started", "failed", "stopped"]


def test_contract_3_3_a_deployment_lasts_30_days_at_most() -> None:
    days = 14 * 24 * 60
    pauses = [
        LifecycleHook.pause(stage, timeout_in_minutes=days, timeout_action="CONTINUE")
        for stage in ("PRE_SCALE_UP", "POST_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT")
    ]
    deployment, player = play(*pauses)
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 30 * 86_400
    assert deployment.status_reason is not None
    assert "30 days" in deployment.status_reason
    assert stages(player)[-1] == "POST_TEST_TRAFFIC_SHIFT"


def test_reconcile_failures_leave_everything_active() -> None:
    player = controller(Gate(FAILED).at("RECONCILE_SERVICE"))
    blue, stray = player.adopt(image="app:1"), player.adopt(image="stray")
    assert player.deploy(image="app:2").status == "ROLLBACK_SUCCESSFUL"
    assert player.active == (blue, stray)


def test_an_error_of_the_load_balancer_is_raised() -> None:
    class Broken(MemoryTraffic):
        def shift(self, kind: Any, weights: Any) -> None:
            raise OSError("the balancer is gone")

    player = controller(traffic=Broken())
    with pytest.raises(OSError, match="balancer is gone"):
        player.deploy()
