"""The types of the simulator's public names, for mypy: this module is never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_type

from ecs_hooks import Hook, lifecycle_hook
from ecs_hooks_simulator import (
    Application,
    CallableTarget,
    CanaryConfiguration,
    Clock,
    DeploymentAlarms,
    DeploymentController,
    DeploymentStatus,
    EcsBehaviour,
    EcsError,
    Fault,
    FaultError,
    FaultKind,
    HookInvocationError,
    HookTarget,
    LambdaTarget,
    LifecycleHook,
    LinearConfiguration,
    MetricAlarm,
    RealClock,
    Service,
    ServiceDeployment,
    ServiceDeployments,
    ServiceRevision,
    Simulation,
    SimulationResult,
    Strategy,
    Tasks,
    TasksFailedError,
    Timeline,
    Traffic,
    VirtualClock,
    demo_application,
    simulate,
)
from ecs_hooks_simulator.canaries import Canaries, Performance, Played
from ecs_hooks_simulator.core.timeline import Record, TrafficShifted
from ecs_hooks_simulator.pytest_plugin import EcsSimulator


@lifecycle_hook
def handler(hook: Hook) -> None:
    """A hook of a user."""


def one_call_plays_a_deployment() -> None:
    result = simulate(
        handler,
        stage="POST_TEST_TRAFFIC_SHIFT",
        hook_details={"checks": []},
        green=demo_application("2", STORE="/nonexistent"),
        blue=Application(command=["my-app"], environment={"MODE": "test"}),
        service=Service(service="api", strategy=Strategy.CANARY, canary=CanaryConfiguration(canary_percent=10)),
        behaviour=EcsBehaviour(hook_details_merge="deep"),
        alarms=[MetricAlarm.parse("api-5xx: HTTPCode_Target_5XX_Count Sum > 5")],
        faults=[Fault(kind=FaultKind.CRASH), Fault.parse("errors=20%@50%")],
        requests_per_minute=10,
        app_url=True,
    )
    assert_type(result, SimulationResult)
    assert_type(result.status, DeploymentStatus)
    assert_type(result.deployment, ServiceDeployment)
    assert_type(result.records, Sequence[Record])
    assert_type(result.reasons, list[str])
    simulate("not a handler")  # type: ignore[arg-type]
    simulate(handler, behaviour="numbers=int")  # type: ignore[arg-type]


def the_fixture_takes_the_same_options(ecs_simulator: EcsSimulator) -> None:
    deployment = ecs_simulator.deploy(handler, service=Service(service="api"), faults=[Fault.parse("hang")])
    assert_type(deployment, ServiceDeployment)
    assert_type(ecs_simulator.records, Sequence[Record])
    assert_type(ecs_simulator.reasons, Sequence[str])


def a_simulation_plays_several_deployments(remote: LambdaTarget) -> None:
    hooks = [LifecycleHook(target=remote, lifecycle_stages=["PRE_SCALE_UP"]), LifecycleHook.pause("POST_SCALE_UP")]
    with Simulation(demo_application("1"), clock=RealClock(), timeline=Timeline()) as simulation:
        assert_type(simulation, Simulation)
        assert_type(simulation.deploy(demo_application("2"), hooks=hooks), ServiceDeployment)
        assert_type(simulation.timeline.of(TrafficShifted), list[TrafficShifted])


def a_controller_plays_without_applications(traffic: Traffic, tasks: Tasks, clock: Clock) -> None:
    service = Service(service="api", strategy=Strategy.LINEAR, linear=LinearConfiguration(step_percent=50))
    controller = DeploymentController(service, traffic=traffic, tasks=tasks, clock=clock)
    assert_type(controller.adopt(), ServiceRevision)
    assert_type(controller.deploy(), ServiceDeployment)
    assert_type(controller.deployments, ServiceDeployments)
    assert_type(controller.history, Sequence[ServiceDeployment])


def clocks_and_targets_are_interchangeable() -> None:
    clocks: list[Clock] = [VirtualClock(), RealClock()]
    targets: list[HookTarget] = [CallableTarget(handler), LambdaTarget("function")]
    assert_type(targets[0].invoke({}), Any)
    DeploymentController(Service(service="api", alarms=DeploymentAlarms(alarm_names=["api"])), clock=clocks[0])


def canaries_are_played_by_seed() -> None:
    with Canaries(requests_per_minute=1200, blue=Performance()) as canaries:
        assert_type(canaries.play(1, canaries.blue.slower(1.3), hooks=[]), Played)


ERRORS: tuple[type[Exception], ...] = (EcsError, FaultError, HookInvocationError, TasksFailedError)
