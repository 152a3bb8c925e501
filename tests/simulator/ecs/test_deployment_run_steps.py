"""LINEAR and CANARY: production traffic in steps (docs/contract.md, 1.1, 1.5 and 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytest

from ecs_hooks import Hook, lifecycle_hook
from ecs_hooks.checks import Check, CheckContext
from ecs_hooks.core.outcome import Outcome
from ecs_hooks_simulator import (
    CallableTarget,
    CanaryConfiguration,
    DeploymentController,
    EcsBehaviour,
    EcsError,
    LifecycleHook,
    LinearConfiguration,
    Service,
    ServiceDeployment,
)
from ecs_hooks_simulator.aws.endpoint import AwsEndpoint
from ecs_hooks_simulator.core.model import Step, Strategy
from ecs_hooks_simulator.core.timeline import HookInvoked, TrafficShifted
from tests.simulator.plays import FAILED, IN_PROGRESS, SUCCEEDED, Gate

STEPS = ("PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")


def play(
    *gates: Gate, behaviour: EcsBehaviour | None = None, stages: tuple[str, ...] = STEPS, **fields: Any
) -> tuple[DeploymentController, ServiceDeployment]:
    hooks = [gate.at(*stages) for gate in gates]
    service = Service(service="api", bake_time_minutes=0, lifecycle_hooks=hooks, **fields)
    controller = DeploymentController(service, behaviour=behaviour)
    controller.adopt()
    return controller, controller.deploy()


def canary(*gates: Gate, **options: Any) -> tuple[DeploymentController, ServiceDeployment]:
    configuration = CanaryConfiguration(canary_percent=10, canary_bake_time_minutes=5)
    return play(*gates, strategy=Strategy.CANARY, canary=configuration, **options)


def shares(gate: Gate, deployment: ServiceDeployment) -> list[tuple[str, Any]]:
    """Return the stage and green's share in each event."""
    green = deployment.target.arn
    return [
        (event["lifecycleStage"].partition("_")[0], event["executionDetails"]["productionTrafficWeights"].get(green))
        for event in gate.events
    ]


class WatchedAtSteps(Check):
    """Reports the limit of each run."""

    type: Literal["watched"] = "watched"
    limit: int = 9

    ran: ClassVar[Callable[[int], object]]

    def run(self, context: CheckContext) -> Outcome:
        WatchedAtSteps.ran(self.limit)
        return Outcome.passed()


def test_contract_1_1_each_step_of_a_canary_has_its_hooks() -> None:
    gate = Gate()
    controller, deployment = canary(gate)

    assert deployment.status == "SUCCESSFUL"
    assert shares(gate, deployment) == [("PRE", 0), ("PRODUCTION", 10), ("PRE", 10), ("PRODUCTION", 100)]
    shifts = [shift for shift in controller.timeline.of(TrafficShifted) if shift.deployment]
    green = [shift.weights[deployment.target.arn] for shift in shifts if shift.listener == "production"]
    assert green == [10, 100]
    invoked = controller.timeline.of(HookInvoked)
    assert [each.time - deployment.created_at for each in invoked] == [0, 0, 300, 300]
    assert deployment.to_dict()["deploymentConfiguration"]["canaryConfiguration"] == {
        "canaryPercent": 10,
        "canaryBakeTimeInMinutes": 5,
    }


def test_contract_1_5_linear_steps_are_equal_except_for_the_last() -> None:
    configuration = LinearConfiguration(step_percent=30, step_bake_time_minutes=2)
    assert configuration.steps == [Step(30, 2), Step(60, 2), Step(90, 2), Step(100, 0)]

    gate = Gate()
    _, deployment = play(gate, strategy=Strategy.LINEAR, linear=configuration, stages=("PRODUCTION_TRAFFIC_SHIFT",))
    assert [share for _, share in shares(gate, deployment)] == [30, 60, 90, 100]
    assert deployment.finished_at is not None
    assert deployment.finished_at - deployment.created_at == 3 * 120


def test_contract_1_5_defaults() -> None:
    linear, of_canary = (Service(service="a", strategy=each) for each in (Strategy.LINEAR, Strategy.CANARY))

    assert linear.steps == [*(Step(share, 6) for share in range(10, 100, 10)), Step(100, 0)]
    assert of_canary.steps == [Step(5, 10), Step(100, 0)]
    assert LinearConfiguration(step_percent=33.3).steps[-2:] == [Step(99.9, 6), Step(100, 0)]
    assert LinearConfiguration(step_percent=100).steps == [Step(100, 0)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: LinearConfiguration(step_percent=2.9),
        lambda: LinearConfiguration(step_percent=10.05),
        lambda: LinearConfiguration(step_bake_time_minutes=1441),
        lambda: CanaryConfiguration(canary_percent=0),
        lambda: CanaryConfiguration(canary_percent=100.1),
        lambda: CanaryConfiguration(canary_bake_time_minutes=-1),
        lambda: Service(service="a", linear=LinearConfiguration()),
        lambda: Service(service="a", strategy=Strategy.LINEAR, canary=CanaryConfiguration()),
    ],
)
def test_contract_1_5_steps_that_ecs_refuses(make: Any) -> None:
    with pytest.raises(EcsError):
        make()


def test_contract_2_4_steps_of_a_tenth_of_a_per_cent() -> None:
    gate = Gate()
    _, deployment = play(
        gate, strategy=Strategy.CANARY, canary=CanaryConfiguration(canary_percent=0.1), stages=STEPS[1:]
    )

    assert shares(gate, deployment) == [("PRODUCTION", 0.1), ("PRODUCTION", 100)]


@pytest.mark.parametrize(("rollback", "way"), [("jump", [0]), ("stepwise", [60, 30, 0])])
def test_a_step_that_fails_is_rolled_back(rollback: Any, way: list[float]) -> None:
    gate = Gate(*[SUCCEEDED] * 2, FAILED, SUCCEEDED)
    configuration = LinearConfiguration(step_percent=30)
    controller, deployment = play(
        gate,
        behaviour=EcsBehaviour(step_rollback=rollback),
        strategy=Strategy.LINEAR,
        linear=configuration,
        stages=("PRODUCTION_TRAFFIC_SHIFT",),
    )

    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert [share for _, share in shares(gate, deployment)] == [30, 60, 90, *way]
    assert controller.active[0].arn == deployment.sources[0].arn


def test_a_failure_before_any_shift_shifts_nothing_back() -> None:
    gate = Gate(FAILED)
    controller, deployment = canary(gate, behaviour=EcsBehaviour(step_rollback="stepwise"))

    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    production = [each for each in controller.timeline.of(TrafficShifted) if each.listener == "production"]
    assert len(production) == 1  # when blue was adopted


def test_the_weights_before_a_step_are_an_option() -> None:
    gate = Gate()
    _, deployment = canary(gate, behaviour=EcsBehaviour(step_weights="after"), stages=STEPS[:1])

    assert shares(gate, deployment) == [("PRE", 10), ("PRE", 100)]


@pytest.mark.parametrize(("steps", "way"), [("all", [10, 100]), ("one", [100])])
def test_the_steps_of_a_first_deployment_are_an_option(steps: Any, way: list[float]) -> None:
    gate = Gate()
    configuration = CanaryConfiguration(canary_percent=10)
    hook = gate.at("PRODUCTION_TRAFFIC_SHIFT")
    service = Service(service="api", strategy=Strategy.CANARY, canary=configuration, lifecycle_hooks=[hook])
    deployment = DeploymentController(service, behaviour=EcsBehaviour(first_steps=steps)).deploy()

    assert [share for _, share in shares(gate, deployment)] == way


def test_the_order_of_shift_and_hook_holds_for_every_step() -> None:
    seen: list[float] = []
    controller: DeploymentController | None = None

    def look(event: Any) -> dict[str, str]:
        assert controller is not None
        deployment = controller.history[-1]
        seen.append(deployment.weights["production"][deployment.target.arn])
        return SUCCEEDED

    gate = Gate(look)
    for order in ("hook-after", "hook-before"):
        service = Service(
            service="api", strategy=Strategy.CANARY, lifecycle_hooks=[gate.at("PRODUCTION_TRAFFIC_SHIFT")]
        )
        controller = DeploymentController(service, behaviour=EcsBehaviour(shift_order=order))
        controller.adopt()
        controller.deploy()

    assert seen == [5, 100, 0, 5]


@pytest.mark.parametrize(("identity", "kept"), [("per-stage", True), ("per-step", False)])
def test_keeping_hook_details_between_steps_is_an_option(identity: Any, *, kept: bool) -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"seen": True}}, SUCCEEDED)
    canary(gate, behaviour=EcsBehaviour(hook_identity=identity), stages=STEPS[1:])

    assert [("hookDetails" in event) for event in gate.events] == [False, True, kept]


@pytest.mark.parametrize("behaviour", EcsBehaviour.variants(), ids=lambda behaviour: behaviour.name)
def test_a_check_gets_greens_share_and_its_step_under_every_behaviour(
    behaviour: EcsBehaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, float | None, float, int]] = []

    @lifecycle_hook
    def handler(hook: Hook) -> Any:
        check = WatchedAtSteps.model_validate({"watch": {"count": 2}, "steps": [{"up_to_percent": 50, "limit": 1}]})
        WatchedAtSteps.ran = lambda limit: seen.append(
            (str(hook.event.stage), hook.context.green_percent, hook.context.elapsed, limit)
        )
        yield check

    target = CallableTarget(handler, name="gate")
    hook = LifecycleHook(target=target, lifecycle_stages=STEPS)
    configuration = LinearConfiguration(step_percent=50, step_bake_time_minutes=5)
    service = Service(service="api", strategy=Strategy.LINEAR, linear=configuration, lifecycle_hooks=[hook])
    controller = DeploymentController(service, behaviour=behaviour)
    controller.adopt()
    with AwsEndpoint(controller.deployments) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulator")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulator")
        deployment = controller.deploy()

    assert deployment.status == "SUCCESSFUL"
    pre, shift = STEPS
    # Two measurements at each step, counted from its own beginning; the limit is that of the step.
    expected = [
        (stage, share, elapsed, 1 if share <= 50 else 9)
        for stage, share in ((pre, 0), (shift, 50), (pre, 50), (shift, 100))
        for elapsed in (0, 60)
    ]
    assert list(dict.fromkeys(seen)) == expected
