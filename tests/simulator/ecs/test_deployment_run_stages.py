"""Contract 1.1 and 2.2: the stages, their order, and the event at each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks_simulator import DeploymentController, LifecycleHook, Service
from ecs_hooks_simulator.core.timeline import TasksChanged, TrafficShifted
from ecs_hooks_simulator.ecs.base_controller import MemoryTasks, MemoryTraffic
from tests.simulator.plays import (
    HOOK_STAGES,
    IN_PROGRESS,
    STAGES,
    SUCCEEDED,
    Gate,
    controller,
    play,
    serving,
    stages,
    statuses,
)


def test_contract_1_1_the_stages_come_in_the_documented_order() -> None:
    gate = Gate()
    deployment, player = play(gate.at(*HOOK_STAGES))
    assert stages(player) == list(STAGES)
    assert gate.stages == list(HOOK_STAGES)
    assert statuses(player) == ["PENDING", "IN_PROGRESS", "SUCCESSFUL"]
    assert deployment.status == "SUCCESSFUL"
    assert deployment.lifecycle_stage == "CLEAN_UP"


def test_contract_1_1_reconcile_service_only_with_more_than_one_active_revision() -> None:
    gate = Gate()
    player = serving(gate.at("RECONCILE_SERVICE"))
    player.deploy(image="app:2")
    assert gate.events == []
    player.adopt(image="stray")
    deployment = player.deploy(image="app:3")
    assert stages(player)[len(STAGES) :] == ["RECONCILE_SERVICE", *STAGES]
    assert len(gate.events) == 1
    assert len(deployment.sources) == 2
    # OLD's example of this stage: the target has 100, every other revision 0, in both maps.
    details = gate.events[0]["executionDetails"]
    blue, stray = (revision.arn for revision in deployment.sources)
    expected = {deployment.target.arn: 100, blue: 0, stray: 0}
    assert details["testTrafficWeights"] == details["productionTrafficWeights"] == expected
    assert [revision.arn for revision in player.active] == [deployment.target.arn]


@pytest.mark.parametrize("stage", ["SCALE_UP", "BAKE_TIME", "CLEAN_UP"])
def test_contract_1_1_scale_up_bake_time_and_clean_up_accept_no_hook(stage: str) -> None:
    with pytest.raises(ValueError, match="Invalid lifecycle stage"):
        LifecycleHook(target=Gate().target, lifecycle_stages=[stage])


def _weights(event: dict[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """The two maps, with `green` and the like for the ARNs."""
    target = event["executionDetails"]["targetServiceRevisionArn"]
    test, production = (
        {"green" if arn == target else "blue": weight for arn, weight in event["executionDetails"][name].items()}
        for name in ("testTrafficWeights", "productionTrafficWeights")
    )
    return test, production


def test_contract_2_2_weights_are_filled_at_the_documented_stages_only() -> None:
    gate = Gate()
    play(gate.at(*HOOK_STAGES))
    assert {event["lifecycleStage"]: _weights(event) for event in gate.events} == {
        "PRE_SCALE_UP": ({}, {}),
        "POST_SCALE_UP": ({}, {}),
        "TEST_TRAFFIC_SHIFT": ({"green": 100, "blue": 0}, {}),
        "POST_TEST_TRAFFIC_SHIFT": ({}, {}),
        "PRE_PRODUCTION_TRAFFIC_SHIFT": ({}, {"green": 0, "blue": 100}),
        "PRODUCTION_TRAFFIC_SHIFT": ({}, {"green": 100, "blue": 0}),
        "POST_PRODUCTION_TRAFFIC_SHIFT": ({}, {}),
    }


def test_contract_2_2_the_event_has_the_documented_shape_and_nothing_else() -> None:
    gate = Gate()
    deployment, _ = play(gate.at())
    (event,) = gate.events
    assert event == {
        "executionId": event["executionId"],
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        "resourceArn": deployment.arn,
        "executionDetails": {
            "serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service",
            "targetServiceRevisionArn": deployment.target.arn,
            "testTrafficWeights": {},
            "productionTrafficWeights": {},
        },
    }
    parsed = LifecycleEvent.parse(event)
    assert str(parsed.deployment) == deployment.arn
    assert len(parsed.deployment.id) == len("EZe5RNVLH6PPzHXINuP28")
    assert len(parsed.target_revision.id) == len("9313423515462893900")
    assert len(parsed.execution_id) == 36


@pytest.mark.parametrize("details", [{"approvalChecked": True}, "Test string", [1], 7, False])
def test_contract_2_1_configured_hook_details_of_any_json_are_top_level(details: Any) -> None:
    gate = Gate()
    play(gate.at(hook_details=details))
    assert gate.events[0]["hookDetails"] == details
    assert "hookDetails" not in gate.events[0]["executionDetails"]


def test_contract_2_1_two_hooks_with_one_function_differ_in_hook_details_and_execution_id_only() -> None:
    gate = Gate()
    play(gate.at(hook_details={"n": 1}), gate.at(hook_details={"n": 2}))
    first, second = sorted(gate.events, key=lambda event: int(event["hookDetails"]["n"]))
    assert first["executionId"] != second["executionId"]
    assert {**first, "hookDetails": 0, "executionId": 0} == {**second, "hookDetails": 0, "executionId": 0}


def test_contract_1_1_tasks_and_traffic_at_each_stage() -> None:
    traffic, tasks = MemoryTraffic(), MemoryTasks()
    seen: dict[str, tuple[int, dict[str, Any]]] = {}

    def look(event: dict[str, Any]) -> dict[str, str]:
        green = event["executionDetails"]["targetServiceRevisionArn"]
        share: dict[str, Any] = {kind: weights.get(green, 0) for kind, weights in traffic.weights.items()}
        seen[event["lifecycleStage"]] = (len(tasks.running), share)
        return {"hookStatus": "SUCCEEDED"}

    service = Service(service="my-service", lifecycle_hooks=[Gate(look).at(*HOOK_STAGES)])
    player = DeploymentController(service, traffic=traffic, tasks=tasks)
    player.adopt(image="app:1")
    deployment = player.deploy(image="app:2")
    none, test, both = ({"production": 0, "test": 0}, {"production": 0, "test": 100}, {"production": 100, "test": 100})
    assert seen == {
        "PRE_SCALE_UP": (1, none),
        "POST_SCALE_UP": (2, none),
        "TEST_TRAFFIC_SHIFT": (2, test),
        "POST_TEST_TRAFFIC_SHIFT": (2, test),
        "PRE_PRODUCTION_TRAFFIC_SHIFT": (2, test),
        "PRODUCTION_TRAFFIC_SHIFT": (2, both),
        "POST_PRODUCTION_TRAFFIC_SHIFT": (2, both),
    }
    # CLEAN_UP: blue has no tasks any more, green is the production revision.
    assert list(tasks.running) == [deployment.target.arn]


def test_contract_1_1_bake_time_lasts_as_configured_with_both_revisions_running() -> None:
    deployment, player = play(bake_time_minutes=7)
    assert deployment.finished_at == deployment.created_at + 7 * 60
    stopped = [record for record in player.timeline.of(TasksChanged) if record.state == "stopped"]
    assert [record.time for record in stopped] == [deployment.finished_at]


def test_bake_time_is_15_minutes_by_default() -> None:
    deployment, _ = play()
    assert deployment.finished_at == deployment.created_at + 15 * 60


def test_contract_1_1_a_network_load_balancer_adds_ten_minutes_to_both_traffic_shifts() -> None:
    gate = Gate()
    deployment, player = play(gate.at("POST_TEST_TRAFFIC_SHIFT"), network_load_balancer=True, bake_time_minutes=0)
    shifts = [record.time - deployment.created_at for record in player.timeline.of(TrafficShifted) if record.deployment]
    assert shifts == [0, 600]
    assert deployment.finished_at == deployment.created_at + 1200


def test_contract_1_4_a_first_deployment_fires_the_hooks_and_has_no_source() -> None:
    gate = Gate()
    deployment, player = play(gate.at(*HOOK_STAGES), first=True)
    assert deployment.status == "SUCCESSFUL"
    assert deployment.sources == ()
    assert gate.stages == list(HOOK_STAGES)
    assert player.deployments.describe([deployment.arn])["serviceDeployments"][0]["sourceServiceRevisions"] == []


def test_two_deployments_in_a_row_alternate_the_target_groups_and_share_nothing() -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"seen": 1}}, SUCCEEDED)
    player = controller(gate.at())
    first = player.deploy(image="app:1")
    second = player.deploy(image="app:2")
    third = player.deploy(image="app:3")
    groups = [deployment.target.target_group for deployment in (first, second, third)]
    assert [str(group) for group in groups] == ["targetGroupArn", "alternateTargetGroupArn", "targetGroupArn"]
    assert [revision.arn for revision in second.sources] == [first.target.arn]
    assert [revision.arn for revision in third.sources] == [second.target.arn]
    # Contract 3.1: hookDetails never reach the same hook in another deployment.
    assert ["hookDetails" in event for event in gate.events] == [False, True, False, False]
    assert len({deployment.arn for deployment in player.history}) == 3
    assert len({event["executionId"] for event in gate.events}) == 3
    assert json.dumps([record.to_dict() for record in player.timeline.records])
