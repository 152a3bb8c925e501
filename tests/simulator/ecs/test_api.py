"""Contract 5.1: the service-deployment operations answer in the shapes of the ECS API."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.model import Shape

from ecs_hooks_simulator import DeploymentController, EcsError, LifecycleHook
from tests.simulator.plays import FAILED, IN_PROGRESS, SUCCEEDED, Gate, controller, play, serving

_ECS = botocore.session.get_session().get_service_model("ecs")


def _check(value: Any, shape: Shape, path: str) -> None:
    """Hold a value against a shape of botocore's model: members, types, enum values."""
    match shape.type_name:
        case "structure":
            if getattr(shape, "is_document_type", False):
                return
            unknown = set(value) - set(shape.members)
            assert not unknown, f"{path}: {unknown}"
            for name, member in value.items():
                _check(member, shape.members[name], f"{path}.{name}")
        case "list":
            for index, item in enumerate(value):
                _check(item, shape.member, f"{path}[{index}]")
        case "string":
            assert isinstance(value, str), path
            enum = getattr(shape, "enum", [])
            # PRE_PRODUCTION_TRAFFIC_SHIFT is missing in the enum of the response (contract 1.2).
            assert not enum or value in [*enum, "PRE_PRODUCTION_TRAFFIC_SHIFT"], path
        case "timestamp" | "double":
            assert isinstance(value, float), path
        case "integer":
            assert type(value) is int, path
        case "boolean":
            assert type(value) is bool, path
        case other:
            raise AssertionError(other)


def _conforms(answer: dict[str, Any], operation: str) -> None:
    _check(answer, _ECS.operation_model(operation).output_shape, operation)


def test_contract_5_1_every_response_has_the_members_of_the_api_at_every_moment() -> None:
    looked = 0

    def look(event: dict[str, Any]) -> object:
        nonlocal looked
        looked += 1
        _all_conform(player, event["resourceArn"])
        return SUCCEEDED if event["lifecycleStage"] != "POST_PRODUCTION_TRAFFIC_SHIFT" else FAILED

    stages = ("PRE_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
    player = serving(
        Gate(look).at(*stages, "POST_PRODUCTION_TRAFFIC_SHIFT", hook_details={"a": [1]}),
        LifecycleHook.pause("PRE_SCALE_UP", timeout_action="CONTINUE"),
        load_balancers=[{"targetGroupArn": "tg", "containerName": "c", "containerPort": 80}],
    )
    deployment = player.deploy(image="app:2")
    _all_conform(player, deployment.arn)
    assert looked == 5


def _all_conform(player: DeploymentController, arn: str) -> None:
    api = player.deployments
    described = api.describe([arn, "arn:unknown"])
    _conforms(described, "DescribeServiceDeployments")
    assert described["failures"] == [{"arn": "arn:unknown", "reason": "MISSING"}]
    _conforms(api.list("my-service"), "ListServiceDeployments")
    target = described["serviceDeployments"][0]["targetServiceRevision"]["arn"]
    revisions = api.describe_revisions([target, "arn:unknown"])
    _conforms(revisions, "DescribeServiceRevisions")
    assert revisions["failures"] == [{"arn": "arn:unknown", "reason": "MISSING"}]


def test_contract_1_2_the_lifecycle_stage_may_be_one_that_the_sdk_does_not_know() -> None:
    seen: list[str] = []

    def look(event: dict[str, Any]) -> object:
        seen.append(player.deployments.describe([event["resourceArn"]])["serviceDeployments"][0]["lifecycleStage"])
        return SUCCEEDED

    player = serving(Gate(look).at("PRE_PRODUCTION_TRAFFIC_SHIFT"))
    player.deploy()
    assert seen == ["PRE_PRODUCTION_TRAFFIC_SHIFT"]


def test_contract_1_1_the_status_is_in_progress_while_hooks_run_and_rollback_is_visible_to_them() -> None:
    seen: dict[str, tuple[str, bool]] = {}

    def look(event: dict[str, Any]) -> object:
        shape = player.deployments.describe([event["resourceArn"]])["serviceDeployments"][0]
        seen[f"{event['lifecycleStage']} {len(seen)}"] = (shape["status"], "rollback" in shape)
        return FAILED if event["lifecycleStage"] == "POST_PRODUCTION_TRAFFIC_SHIFT" else SUCCEEDED

    player = serving(Gate(look).at("PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    player.deploy()
    assert seen == {
        "PRODUCTION_TRAFFIC_SHIFT 0": ("IN_PROGRESS", False),
        "POST_PRODUCTION_TRAFFIC_SHIFT 1": ("IN_PROGRESS", False),
        "PRODUCTION_TRAFFIC_SHIFT 2": ("ROLLBACK_IN_PROGRESS", True),
    }


def test_contract_5_1_weights_of_a_revision_are_a_snapshot_of_what_was_requested() -> None:
    shapes: dict[str, tuple[float, float]] = {}

    def look(event: dict[str, Any]) -> object:
        target = player.deployments.describe([event["resourceArn"]])["serviceDeployments"][0]["targetServiceRevision"]
        weights = (target["requestedTestTrafficWeight"], target["requestedProductionTrafficWeight"])
        shapes[event["lifecycleStage"]] = weights
        return SUCCEEDED

    player = serving(Gate(look).at("PRE_SCALE_UP", "POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    player.deploy()
    assert list(shapes.values()) == [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0)]


def test_list_is_newest_first_in_pages_and_filters() -> None:
    gate = Gate(SUCCEEDED, FAILED, SUCCEEDED)
    player = controller(gate.at())
    first, second, third = (player.deploy() for _ in range(3))
    api = player.deployments

    def arns(**options: Any) -> list[str]:
        return [each["serviceDeploymentArn"] for each in api.list("my-service", **options)["serviceDeployments"]]

    assert arns() == [third.arn, second.arn, first.arn]
    assert arns(status=["SUCCESSFUL"]) == [third.arn, first.arn]
    assert arns(cluster="my-cluster", created_at={"after": second.created_at}) == [third.arn, second.arn]
    assert arns(created_at={"before": first.created_at}) == [first.arn]
    page = api.list(player.service.arn, cluster=player.service.cluster_arn, max_results=2)
    assert page["nextToken"]
    assert arns(next_token=page["nextToken"]) == [first.arn]
    assert "nextToken" not in api.list("my-service", max_results=3)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"service": "other"}, "ServiceNotFoundException"),
        ({"cluster": "other"}, "ClusterNotFoundException"),
        ({"status": ["DONE"]}, "InvalidParameterException"),
        ({"max_results": 0}, "InvalidParameterException"),
        ({"max_results": 101}, "InvalidParameterException"),
        ({"next_token": "x"}, "InvalidParameterException"),
    ],
)
def test_list_refuses_unknown_names_and_invalid_pages(options: dict[str, Any], code: str) -> None:
    with pytest.raises(EcsError) as caught:
        controller().deployments.list(**{"service": "my-service"} | options)
    assert caught.value.code == code


@pytest.mark.parametrize("count", [0, 21])
def test_contract_5_1_at_most_20_arns(count: int) -> None:
    api = controller().deployments
    for operation in (api.describe, api.describe_revisions):
        with pytest.raises(EcsError, match="between 1 and 20"):
            operation(["arn"] * count)


def test_contract_1_4_the_first_deployment_has_no_sources() -> None:
    deployment, player = play(Gate(IN_PROGRESS, SUCCEEDED).at(), first=True)
    assert player.deployments.describe([deployment.arn])["serviceDeployments"][0]["sourceServiceRevisions"] == []
    assert len(player.deployments.list("my-service")["serviceDeployments"]) == 1


def test_the_service_may_change_between_two_deployments() -> None:
    player = controller()
    player.deploy()
    gate = Gate()
    player.service = type(player.service)(service="my-service", lifecycle_hooks=[gate.at()])
    player.deploy()
    assert len(gate.events) == 1
