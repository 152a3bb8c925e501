from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import boto3
import pytest
import urllib3

from ecs_hooks import Hook, LifecycleEvent, Outcome, Stage, lifecycle_hook, stage_hook
from ecs_hooks_cli.play.demo import DEMO_PLAN
from ecs_hooks_simulator import (
    CallableTarget,
    EcsBehaviour,
    LifecycleHook,
    Service,
    Strategy,
    TasksFailedError,
    simulate,
)
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.aws.elastic_load_balancing import load_balancers
from ecs_hooks_simulator.core.timeline import HookAnswered, TrafficShifted
from ecs_hooks_simulator.simulation import Simulation, demo_application
from tests.support.checks import Fixed

HANDLER = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)


def hook(handler: Any = HANDLER, stage: str = "POST_TEST_TRAFFIC_SHIFT", details: Any = DEMO_PLAN) -> LifecycleHook:
    return LifecycleHook(target=CallableTarget(handler, name="gate"), lifecycle_stages=[stage], hook_details=details)


def test_a_good_green_passes_and_a_broken_one_is_rolled_back() -> None:
    before = dict(os.environ)
    with Simulation(demo_application("1")) as simulation:
        good = simulation.deploy(demo_application("2"), hooks=[hook()])
        broken = simulation.deploy(demo_application("3", STORE="/nonexistent"), hooks=[hook()])

    assert good.status == "SUCCESSFUL"
    assert broken.status == "ROLLBACK_SUCCESSFUL"
    reasons = [answer.reason for answer in simulation.timeline.of(HookAnswered)]
    assert reasons[0] == "SUCCEEDED post_test_traffic_shift my-service: 2 passed"
    assert "status 500, expected 2xx" in reasons[1]
    assert dict(os.environ) == before


def test_one_call_plays_a_deployment_and_returns_its_records() -> None:
    result = simulate(
        HANDLER,
        hook_details=DEMO_PLAN,
        green=demo_application("2", STORE="/nonexistent"),
        service=Service(service="api", strategy=Strategy.CANARY),
        requests_per_minute=2,
    )

    assert result.status == result.deployment.status == "ROLLBACK_SUCCESSFUL"
    assert "status 500, expected 2xx" in result.reasons[-1]
    assert [record.kind for record in result.records][:3] == ["tasks-changed", "traffic-shifted", "traffic-shifted"]
    assert "canaryConfiguration" in result.deployment.to_dict()["deploymentConfiguration"]
    assert [request.listener for request in result.requests] == ["test"] * 2


def test_the_test_listener_forwards_to_green_while_blue_serves() -> None:
    seen: dict[str, Any] = {}

    @lifecycle_hook
    def look(hook: Hook) -> None:
        seen["test"] = hook.green.get("/").json()["version"]
        seen["deployment"] = hook.deployment.strategy

    with Simulation(demo_application("1")) as simulation:
        seen["production"] = urllib3.request("GET", simulation.production_url).json()["version"]

        @look.on_rollback
        def back(hook: Hook) -> None:
            """Nothing to do."""

        assert simulation.deploy(demo_application("2"), hooks=[hook(look, details=None)]).status == "SUCCESSFUL"
        shifts = simulation.timeline.of(TrafficShifted)

    assert seen == {"production": "1", "test": "2", "deployment": "BLUE_GREEN"}
    assert [shift.listener for shift in shifts][-2:] == ["test", "production"]


def test_the_service_deployment_is_known_at_the_endpoint() -> None:
    described: list[str] = []

    @lifecycle_hook
    def ask(hook: Hook) -> Outcome:
        ecs = boto3.client("ecs")
        assert isinstance(hook.event, LifecycleEvent)
        answer = ecs.describe_service_deployments(serviceDeploymentArns=[str(hook.event.deployment)])
        described.append(answer["serviceDeployments"][0]["lifecycleStage"])
        return hook.passed()

    with Simulation(demo_application("1")) as simulation:
        simulation.deploy(demo_application("2"), hooks=[hook(ask, details=None)])

    assert described == ["POST_TEST_TRAFFIC_SHIFT"]


def test_a_first_deployment_has_no_blue() -> None:
    with Simulation(None) as simulation:
        checked = hook(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, [Fixed()]), details={"first_deployment": "skip"})
        deployment = simulation.deploy(demo_application("1"), hooks=[checked])

    assert deployment.status == "SUCCESSFUL"
    assert "1 skipped" in simulation.timeline.of(HookAnswered)[0].reason


def test_a_blue_that_cannot_start_is_an_error() -> None:
    with pytest.raises(TasksFailedError), Simulation(Application(command=["/nonexistent"])):
        pytest.fail("it was started")


@pytest.mark.parametrize("behaviour", EcsBehaviour.variants(), ids=lambda behaviour: behaviour.name)
def test_a_broken_green_never_reaches_production_however_ecs_behaves(behaviour: EcsBehaviour) -> None:
    with Simulation(demo_application("1"), behaviour=behaviour) as simulation:
        everywhere = [hook(stage_hook(stage), stage, {"checks": []}) for stage in Stage]
        deployment = simulation.deploy(demo_application("2", STORE="/nonexistent"), hooks=[*everywhere, hook()])
        shares = [
            shift.weights.get(deployment.target.arn, 0)
            for shift in simulation.timeline.of(TrafficShifted)
            if shift.listener == "production"
        ]

    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert set(shares) == {0}


def test_a_service_with_target_groups_of_its_own() -> None:
    described: list[str] = []

    @lifecycle_hook
    def look(hook: Hook) -> None:
        described.append(hook.deployment.green.load_balancing[0].target_group)
        hook.green.get("/")

    service = Service(service="my-service")
    own = load_balancers(service)
    with Simulation(demo_application("1"), service=replace(service, load_balancers=own)) as simulation:
        assert simulation.deploy(demo_application("2"), hooks=[hook(look, details=None)]).status == "SUCCESSFUL"

    assert described == [own[0]["advancedConfiguration"]["alternateTargetGroupArn"]]
