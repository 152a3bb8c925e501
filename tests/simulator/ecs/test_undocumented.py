"""Contract 11: every unknown is an option, and each of its values has its effect."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args, get_type_hints

import pytest

from ecs_hooks_simulator import DeploymentController, EcsBehaviour, LifecycleHook, Service
from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour
from ecs_hooks_simulator.core.service_deployment import TargetGroup
from ecs_hooks_simulator.core.timeline import HookInvoked
from ecs_hooks_simulator.ecs.events import lifecycle_event, stage_weights, traffic_weights
from tests.simulator.plays import HOOK_STAGES, IN_PROGRESS, SUCCEEDED, Gate, play, serving


def test_variants_are_the_default_and_every_other_value_of_every_option() -> None:
    variants = EcsBehaviour.variants()
    values = [get_args(kind) for kind in get_type_hints(EcsBehaviour).values()]
    assert len(variants) == sum(len(each) - 1 for each in values) + 1
    assert variants[0] == EcsBehaviour()
    assert [variant.name for variant in variants][:2] == ["default", "hook_details_merge=deep"]


@pytest.mark.parametrize("kind", [EcsBehaviour, CodeDeployBehaviour])
def test_the_default_of_every_option_is_its_first_value(kind: Any) -> None:
    assert {name: get_args(hint)[0] for name, hint in get_type_hints(kind).items()} == asdict(kind())


@pytest.mark.parametrize("behaviour", EcsBehaviour.variants(), ids=lambda behaviour: behaviour.name)
def test_a_deployment_plays_under_every_behaviour(behaviour: EcsBehaviour) -> None:
    for first in (False, True):
        gate = Gate({**IN_PROGRESS, "hookDetails": {"n": 1}}, SUCCEEDED)
        deployment, _ = play(gate.at(*HOOK_STAGES, hook_details={"m": 1}), behaviour=behaviour, first=first)
        assert deployment.status == "SUCCESSFUL"


@pytest.mark.parametrize(("value", "ids"), [("stable", 1), ("new", 3)])
def test_execution_id_over_in_progress(value: Any, ids: int) -> None:
    gate = Gate(IN_PROGRESS, IN_PROGRESS, SUCCEEDED)
    play(gate.at(), behaviour=EcsBehaviour(execution_id=value))
    assert len({event["executionId"] for event in gate.events}) == ids


def test_contract_2_1_each_stage_is_an_execution_of_its_own() -> None:
    gate = Gate()
    play(gate.at(*HOOK_STAGES))
    assert len({event["executionId"] for event in gate.events}) == len(HOOK_STAGES)


@pytest.mark.parametrize(("value", "weights"), [("single-key", [100]), ("empty", [])])
def test_weights_of_a_first_deployment(value: Any, weights: list[int]) -> None:
    gate = Gate()
    play(gate.at("PRODUCTION_TRAFFIC_SHIFT"), first=True, behaviour=EcsBehaviour(first_weights=value))
    assert list(gate.events[0]["executionDetails"]["productionTrafficWeights"].values()) == weights


@pytest.mark.parametrize(
    ("value", "whole", "tenth"), [("int", 100, 0.1), ("float", 100.0, 0.1), ("string", "100", "0.1")]
)
def test_the_json_type_of_weights(value: Any, whole: Any, tenth: Any) -> None:
    behaviour = EcsBehaviour(numbers=value)
    deployment, _ = play(behaviour=behaviour)
    written = []
    for percent in (100, 0.1):
        weights = stage_weights("PRODUCTION_TRAFFIC_SHIFT", green=deployment.target.arn, blue="b", after=percent)
        event = lifecycle_event(
            deployment,
            "PRODUCTION_TRAFFIC_SHIFT",
            execution_id="",
            weights=weights,
            hook_details=None,
            behaviour=behaviour,
        )
        written.append(event["executionDetails"]["productionTrafficWeights"][deployment.target.arn])
    assert written == [whole, tenth]
    assert [type(value) for value in written] == [type(whole), type(tenth)]
    assert traffic_weights("g", "b", 0.1) == {"g": 0.1, "b": 99.9}


@pytest.mark.parametrize(
    ("value", "answers", "status", "calls"),
    [
        ("none", (OSError(), SUCCEEDED), "ROLLBACK_SUCCESSFUL", 1),
        ("once", (OSError(), SUCCEEDED), "SUCCESSFUL", 2),
        ("once", (OSError(), OSError(), SUCCEEDED), "ROLLBACK_SUCCESSFUL", 2),
        ("once", ({}, SUCCEEDED), "ROLLBACK_SUCCESSFUL", 1),
    ],
)
def test_retries_after_an_error_of_the_function(value: Any, answers: tuple[Any, ...], status: str, calls: int) -> None:
    gate = Gate(*answers)
    deployment, _ = play(gate.at(), behaviour=EcsBehaviour(retries=value))
    assert deployment.status == status
    assert len(gate.events) == calls


def test_duplicate_deliveries_have_the_same_event_and_the_first_response_counts() -> None:
    gate = Gate(SUCCEEDED, {"hookStatus": "FAILED"})
    deployment, player = play(gate.at(), behaviour=EcsBehaviour(delivery="twice"))
    assert deployment.status == "SUCCESSFUL"
    assert gate.events[0] == gate.events[1]
    assert len(gate.events) == len(player.timeline.of(HookInvoked)) == 2


def test_a_duplicate_that_fails_does_no_harm() -> None:
    deployment, _ = play(Gate(SUCCEEDED, OSError()).at(), behaviour=EcsBehaviour(delivery="twice"))
    assert deployment.status == "SUCCESSFUL"


@pytest.mark.parametrize(("value", "present"), [("omitted", False), ("null", True)])
def test_contract_2_1_absent_hook_details(value: Any, present: bool) -> None:
    gate = Gate()
    play(gate.at(), behaviour=EcsBehaviour(absent_details=value))
    assert ("hookDetails" in gate.events[0]) is present
    assert gate.events[0].get("hookDetails") is None


@pytest.mark.parametrize(
    ("value", "stage", "known"),
    [
        ("with-tasks", "PRE_SCALE_UP", False),
        ("with-tasks", "POST_SCALE_UP", True),
        ("always", "PRE_SCALE_UP", True),
    ],
)
def test_contract_5_1_when_the_target_group_of_green_is_known(value: Any, stage: str, known: bool) -> None:
    shapes: list[dict[str, Any]] = []

    def look(event: dict[str, Any]) -> object:
        arn = event["executionDetails"]["targetServiceRevisionArn"]
        shapes.extend(player.deployments.describe_revisions([arn])["serviceRevisions"])
        return SUCCEEDED

    player = serving(Gate(look).at(stage), behaviour=EcsBehaviour(resolved_configuration=value))
    player.deploy()
    assert ("resolvedConfiguration" in shapes[0]) is known


def test_contract_5_1_the_resolved_configuration_names_the_group_that_the_revision_uses() -> None:
    balancer = {
        "targetGroupArn": "tg-1",
        "containerName": "web",
        "containerPort": 80,
        "advancedConfiguration": {
            "alternateTargetGroupArn": "tg-2",
            "productionListenerRule": "rule-production",
            "testListenerRule": "rule-test",
        },
    }
    player = DeploymentController(
        Service(service="s", load_balancers=[balancer], lifecycle_hooks=[LifecycleHook.pause("POST_SCALE_UP")])
    )
    blue = player.adopt()
    shapes: list[dict[str, Any]] = []

    def look(deployment: Any) -> None:
        arns = [blue.arn, deployment.target.arn]
        shapes.extend(player.deployments.describe_revisions(arns)["serviceRevisions"])
        player.deployments.continue_(deployment.arn, deployment.hooks[0].hook_id)

    player.at(1, look)
    player.deploy()
    assert [shape["resolvedConfiguration"]["loadBalancers"] for shape in shapes] == [
        [{"targetGroupArn": "tg-1", "productionListenerRule": "rule-production"}],
        [{"targetGroupArn": "tg-2", "productionListenerRule": "rule-production"}],
    ]
    assert all(shape["loadBalancers"] == [balancer] for shape in shapes)
    assert shapes[0]["containerImages"][0]["containerName"] == "web"
    assert TargetGroup.PRIMARY.other.other is TargetGroup.PRIMARY
