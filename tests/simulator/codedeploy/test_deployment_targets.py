"""Responses have the members and the values of AWS's API models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import botocore.session
import pytest

from ecs_hooks_simulator import Service
from ecs_hooks_simulator.aws.elastic_load_balancing import load_balancers
from ecs_hooks_simulator.codedeploy import ComputePlatform, Deployment
from ecs_hooks_simulator.codedeploy.api import CodeDeployApi
from ecs_hooks_simulator.codedeploy.deployment_targets import TaskSetTargets, VersionTargets
from tests.simulator.codedeploy.plays import FAILED, Gate, controller
from tests.simulator.codedeploy.test_scheduler import Played, schedule

SESSION = botocore.session.get_session()
TYPES = {"string": str, "integer": int, "long": int, "double": float, "boolean": bool, "timestamp": datetime}


def conforms(service: str, operation: str, answer: Mapping[str, Any]) -> None:
    """Check a response against the model of an operation."""
    _conforms(answer, SESSION.get_service_model(service).operation_model(operation).output_shape, operation)


def _conforms(value: Any, shape: Any, where: str) -> None:
    match shape.type_name:
        case "structure":
            assert isinstance(value, Mapping), where
            assert set(value) <= set(shape.members), where
            for name, member in value.items():
                _conforms(member, shape.members[name], f"{where}.{name}")
        case "list":
            for each in value:
                _conforms(each, shape.member, f"{where}[]")
        case kind:
            assert isinstance(value, TYPES[kind]), where
            assert value in (getattr(shape, "enum", None) or [value]), where


@pytest.mark.parametrize("platform", ComputePlatform)
@pytest.mark.parametrize("report", ["Succeeded", FAILED])
@pytest.mark.parametrize("balanced", [True, False])
def test_every_response_has_the_shape_of_the_api(platform: ComputePlatform, report: str, balanced: bool) -> None:
    player = controller(
        {"BeforeAllowTraffic": Gate(report)},
        platform=platform,
        config="Canary10Percent5Minutes",
        alarms=None,
        ready_wait_minutes=None if platform is ComputePlatform.LAMBDA else 10,
        termination_wait_minutes=0 if platform is ComputePlatform.LAMBDA else 10,
    )
    if balanced:
        player.service = Service(service="api", load_balancers=load_balancers(player.service))
    versions = platform is ComputePlatform.LAMBDA
    task_sets = TaskSetTargets(player)
    api = CodeDeployApi(player, VersionTargets(player) if versions else task_sets)
    seen: set[str] = set()
    sets: set[str] = set()

    def call(api_of: str, answers: Any, operation: str, **parameters: Any) -> Any:
        answer = answers.answer(operation, parameters)
        conforms(api_of, operation, answer)
        return answer

    def look(_: object = None) -> None:
        for deployment in player.all:
            named = {"deploymentId": deployment.id}
            assert (str(deployment.outcome) == "IN_PROGRESS") is not deployment.status.terminal
            seen.add(call("codedeploy", api, "GetDeployment", **named)["deploymentInfo"]["status"])
            if str(deployment.status) in {"Created", "Queued"}:
                continue
            (target,) = call("codedeploy", api, "ListDeploymentTargets", **named)["targetIds"]
            call("codedeploy", api, "GetDeploymentTarget", **named, targetId=target)
            call("codedeploy", api, "BatchGetDeploymentTargets", **named, targetIds=[target])
        names = {"applicationName": "my-application", "deploymentGroupName": "my-deployment-group"}
        call("codedeploy", api, "GetDeploymentGroup", **names)
        found = call("ecs", task_sets, "DescribeTaskSets", cluster="my-cluster", service="api")
        sets.update(each["status"] for each in found["taskSets"])

    def go_on(_: Deployment) -> None:
        assert player.run is not None
        player.run.continue_()

    player.adopt(image="app:1")
    look()
    player.timeline.subscribe(look)
    player.at(60, go_on)
    player.at(400, look)
    player.deploy(image="app:2")

    assert {"Created", "Queued", "InProgress", "Succeeded"} <= seen
    assert ("Failed" in seen) is (report == FAILED)
    assert ("Ready" in seen) is not versions
    assert ("DRAINING" in sets) is (not versions and report != FAILED)


def test_a_group_without_a_test_listener() -> None:
    player = controller(test_listener=False)
    player.service = Service(service="api", load_balancers=load_balancers(player.service))
    (pair,) = TaskSetTargets(player).load_balancer()["loadBalancerInfo"]["targetGroupPairInfoList"]

    assert set(pair) == {"targetGroups", "prodTrafficRoute"}


def test_schedules_have_the_shape_of_the_api() -> None:
    played = Played()
    conforms("scheduler", "CreateSchedule", played.answer("CreateSchedule", **schedule()))
    conforms("scheduler", "UpdateSchedule", played.answer("UpdateSchedule", **schedule(600)))
    conforms("scheduler", "GetSchedule", played.answer("GetSchedule", Name="one"))
    conforms("scheduler", "DeleteSchedule", played.answer("DeleteSchedule", Name="one"))


def test_requests_about_other_resources_are_not_answered() -> None:
    player = controller()
    api = CodeDeployApi(player, TaskSetTargets(player))

    assert api.answer("ListApplications", {}) is None
    assert api.answer("GetDeploymentGroup", {"applicationName": "other", "deploymentGroupName": "group"}) is None
    assert TaskSetTargets(player).answer("DescribeServices", {}) is None
