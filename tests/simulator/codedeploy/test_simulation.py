"""The same plans under the three controllers, with the hooks of this repository, over HTTP."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks_cli.play.demo import DEMO_PLAN
from ecs_hooks_simulator import CallableTarget, Fault, LifecycleHook, MetricAlarm, Service, Strategy
from ecs_hooks_simulator.codedeploy import (
    CodeDeployBehaviour,
    ComputePlatform,
    Deployment,
    DeploymentConfig,
    DeploymentGroup,
)
from ecs_hooks_simulator.codedeploy.lifecycle import STAGES, hooked_events
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation, demo_function, function
from ecs_hooks_simulator.core.timeline import HookAnswered, HookReported, Timeline, TrafficShifted
from ecs_hooks_simulator.simulation import Simulation, demo_application

ECS, LAMBDA = ComputePlatform.ECS, ComputePlatform.LAMBDA
BROKEN = {"STORE": "/nonexistent/uploads"}
CONTROLLERS = ("ecs", "codedeploy-ecs", "codedeploy-lambda")
GATES = {ECS: "AfterAllowTestTraffic", LAMBDA: "BeforeAllowTraffic"}
"""The lifecycle event of the plan."""


def target(stage: str) -> CallableTarget:
    module = importlib.import_module(f"hooks.{stage.lower()}")
    return CallableTarget(module.lambda_handler, name=f"CodeDeployHook_{stage.lower()}")


def by_ecs(green: Mapping[str, str], plan: Any, *faults: Fault) -> tuple[str, Timeline]:
    made = [
        LifecycleHook(
            target=target(stage),
            lifecycle_stages=[stage],
            hook_details=plan if stage == Stage.POST_TEST_TRAFFIC_SHIFT else None,
        )
        for stage in Stage
    ]
    service = Service(service="my-service", strategy=Strategy.CANARY)
    with Simulation(demo_application("1"), service=service, requests_per_minute=10) as simulation:
        deployment = simulation.deploy(demo_application("2", **green), hooks=made, faults=faults)
    return str(deployment.outcome), simulation.timeline


def by_codedeploy(
    platform: ComputePlatform,
    green: Mapping[str, str],
    plan: Any,
    *faults: Fault,
) -> tuple[Deployment, Timeline]:
    hooks = {event: target(STAGES[event]) for event in hooked_events(platform)}
    group = DeploymentGroup(platform=platform, config=DeploymentConfig.parse("Canary10Percent5Minutes", platform))
    demo = demo_function if platform is LAMBDA else demo_application
    with CodeDeploySimulation(demo("1"), group=group, requests_per_minute=10) as simulation:
        plans = {GATES[platform]: plan}
        deployment = simulation.deploy(demo("2", **green), hooks=hooks, plans=plans, faults=faults)
    return deployment, simulation.timeline


def outcome(controller: str, green: Mapping[str, str], plan: Any, *faults: Fault) -> tuple[str, Timeline]:
    if controller == "ecs":
        return by_ecs(green, plan, *faults)
    platform = LAMBDA if controller == "codedeploy-lambda" else ECS
    deployment, timeline = by_codedeploy(platform, green, plan, *faults)
    return str(deployment.outcome), timeline


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize(("green", "expected"), [({}, "SUCCESSFUL"), (BROKEN, "ROLLBACK_SUCCESSFUL")])
def test_the_same_plan_gives_the_same_verdict(controller: str, green: Mapping[str, str], expected: str) -> None:
    before = dict(os.environ)

    ended, timeline = outcome(controller, green, DEMO_PLAN)

    assert ended == expected
    assert dict(os.environ) == before
    reasons = [answer.reason for answer in timeline.of(HookAnswered) if answer.status == "FAILED"]
    if expected == "SUCCESSFUL":
        assert reasons == []
    else:
        (reason,) = reasons
        assert 'http "upload" POST ' in reason
        assert "status 500, expected 2xx" in reason
        assert "(1 passed, 1 failed)" in reason


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_broken_green_never_gets_production_traffic(controller: str) -> None:
    _, timeline = outcome(controller, BROKEN, DEMO_PLAN)
    shifts = [each for each in timeline.of(TrafficShifted) if each.listener == "production"]
    first = shifts[0].weights

    assert all(each.weights.get(next(iter(first))) == 100 for each in shifts)


@pytest.mark.parametrize("behaviour", CodeDeployBehaviour.variants(), ids=lambda behaviour: behaviour.name)
def test_the_verdict_is_the_same_with_every_behaviour_of_codedeploy(behaviour: CodeDeployBehaviour) -> None:
    watched = {"checks": [{**check, "watch": {"count": 2, "interval_seconds": 60}} for check in DEMO_PLAN["checks"]]}
    hooks = {event: target(STAGES[event]) for event in (*GATES.values(), "AfterInstall")}
    with CodeDeploySimulation(demo_application("1"), behaviour=behaviour) as simulation:
        for green, expected in (({}, "SUCCESSFUL"), (BROKEN, "ROLLBACK_SUCCESSFUL")):
            plans = {GATES[ECS]: watched}
            deployment = simulation.deploy(demo_application("2", **green), hooks=hooks, plans=plans)
            assert str(deployment.outcome) == expected, deployment.status_reason
    assert "TimedOut" not in {each.status for each in simulation.timeline.of(HookReported)}


def test_a_wait_continues_by_a_schedule() -> None:
    plan = {"checks": [{"type": "http", "path": "/health", "watch": {"for_minutes": 10, "interval_seconds": 120}}]}
    deployment, timeline = by_codedeploy(ECS, {}, plan)
    answers = [each for each in timeline.of(HookAnswered) if each.stage == GATES[ECS]]

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert [each.status for each in answers] == ["IN_PROGRESS"] * (len(answers) - 1) + ["SUCCEEDED"]
    assert answers[-1].time - answers[0].time == 600


def test_an_undecided_check_fails_before_the_end_of_the_hour() -> None:
    plan = {
        "timeout_minutes": 600,
        "checks": [{"type": "http", "path": "/health", "watch": {"for_minutes": 90, "interval_seconds": 300}}],
    }
    deployment, timeline = by_codedeploy(ECS, {}, plan)
    event = deployment.event(GATES[ECS])

    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert [each.status for each in timeline.of(HookReported) if each.stage == GATES[ECS]] == ["Failed"]
    assert event.ended_at is not None
    assert event.started_at is not None
    assert 2700 <= event.ended_at - event.started_at < 3600


def test_the_check_invoke_calls_the_new_version() -> None:
    plan = {"checks": [{"type": "invoke", "payload": {"file": "hello"}, "expect": {"json": {"$.size": 5}}}]}
    good, _ = by_codedeploy(LAMBDA, {}, plan)
    broken, timeline = by_codedeploy(LAMBDA, BROKEN, plan)

    assert (str(good.outcome), str(broken.outcome)) == ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL")
    assert "FileNotFoundError" in timeline.of(HookAnswered)[0].reason


@pytest.mark.parametrize("platform", ComputePlatform)
def test_a_fault_that_begins_with_the_shift_is_found_after_it(platform: ComputePlatform) -> None:
    limits = {"expect": {"status": 200}, "watch": {"count": 5, "interval_seconds": 60}}
    plan = {"checks": [{"type": "http", "path": "/health", **limits}]}
    hook = target(Stage.POST_PRODUCTION_TRAFFIC_SHIFT)
    demo = demo_function if platform is LAMBDA else demo_application
    with CodeDeploySimulation(demo("1"), group=DeploymentGroup(platform=platform)) as simulation:
        deployment = simulation.deploy(
            demo("2"),
            hooks={"AfterAllowTraffic": hook},
            plans={"AfterAllowTraffic": plan},
            faults=[Fault.parse("errors=50%@100%")],
        )

    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert "500" in simulation.timeline.of(HookAnswered)[-1].reason


def test_a_group_with_its_own_alarms() -> None:
    alarms = [MetricAlarm.parse("a: HTTPCode_Target_5XX_Count Sum > 0"), MetricAlarm.parse("b: RequestCount Sum > 0")]
    config = DeploymentConfig.parse("Canary10Percent5Minutes", ECS)
    group = DeploymentGroup(config=config, alarms=["a"])
    with CodeDeploySimulation(demo_application("1"), group=group, alarms=alarms, requests_per_minute=10) as simulation:
        assert str(simulation.deploy(demo_application("2")).outcome) == "SUCCESSFUL"
        broken = simulation.deploy(demo_application("3"), faults=[Fault.parse("errors=100%@10%")])

    assert (str(broken.status), list(broken.triggered)) == ("Stopped", ["a"])


def test_a_function_from_a_file(tmp_path: Any) -> None:
    file = tmp_path / "orders.py"
    file.write_text("def handler(event, context):\n    return {'orders': []}\n")
    group = DeploymentGroup(platform=LAMBDA)
    plan = {"checks": [{"type": "http", "path": "/", "expect": {"json": {"$.orders": []}}}]}
    with CodeDeploySimulation(None, group=group) as simulation:
        hooks = {"BeforeAllowTraffic": target(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT)}
        deployment = simulation.deploy(function(f"{file}:handler"), hooks=hooks, plans={"BeforeAllowTraffic": plan})

    assert str(deployment.outcome) == "SUCCESSFUL", deployment.status_reason
