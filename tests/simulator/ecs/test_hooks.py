"""Contract 1.1, 3.1 and 4.1 to 4.3: parallel hooks, their `hookDetails`, and PAUSE hooks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_hooks_simulator import (
    DeploymentController,
    EcsBehaviour,
    EcsError,
    LifecycleHook,
    ServiceDeployment,
    VirtualClock,
)
from ecs_hooks_simulator.core.timeline import HookInvoked, HookStateChanged, StageEntered
from tests.simulator.plays import FAILED, HOOK_STAGES, IN_PROGRESS, SUCCEEDED, Gate, controller, play, serving, times

STAGE = "POST_TEST_TRAFFIC_SHIFT"
BACK = f"Service deployment rolled back because {STAGE} pause hook"


def _entered(player: DeploymentController, stage: str) -> float:
    return next(record.time for record in player.timeline.of(StageEntered) if record.stage == stage)


def test_contract_1_1_hooks_of_a_stage_run_in_parallel_each_with_its_own_wake_ups() -> None:
    fast = Gate(*[{**IN_PROGRESS, "callBackDelay": 10}] * 3, SUCCEEDED, name="fast")
    slow = Gate({**IN_PROGRESS, "callBackDelay": 25}, SUCCEEDED, name="slow")
    deployment, player = play(fast.at(), slow.at())
    assert times(player, deployment) == [0, 0, 10, 20, 25, 30]
    assert [record.target.rpartition(":")[2] for record in player.timeline.of(HookInvoked)] == [
        "fast", "slow", "fast", "fast", "slow", "fast",
    ]  # fmt: skip


def test_contract_1_1_the_stage_ends_when_all_its_hooks_are_complete() -> None:
    slow = Gate({**IN_PROGRESS, "callBackDelay": 500}, SUCCEEDED)
    deployment, player = play(Gate().at(), slow.at(), Gate().at())
    assert _entered(player, "PRE_PRODUCTION_TRAFFIC_SHIFT") == deployment.created_at + 500


def test_contract_1_1_any_failing_hook_rolls_back_all() -> None:
    deployment, _ = play(Gate(name="good").at(), Gate(FAILED, name="bad").at())
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert [str(hook.status) for hook in deployment.hooks] == ["SUCCEEDED", "FAILED"]


def test_contract_3_2_hooks_that_fail_together_are_all_named() -> None:
    deployment, _ = play(Gate(FAILED, name="one").at(), Gate(FAILED, name="two").at())
    assert deployment.status_reason is not None
    assert deployment.status_reason.count("lifecycle hook(s) failed") == 1
    assert deployment.status_reason.count("returned FAILED status.") == 2


@pytest.mark.parametrize(("siblings", "seconds"), [("awaited", 500), ("abandoned", 0)])
def test_waiting_for_the_other_hooks_after_a_failure_is_an_option(siblings: Any, seconds: int) -> None:
    slow = Gate({**IN_PROGRESS, "callBackDelay": 500}, SUCCEEDED)
    deployment, _ = play(Gate(FAILED).at(), slow.at(), behaviour=EcsBehaviour(siblings=siblings))
    assert deployment.finished_at == deployment.created_at + seconds
    assert deployment.status == "ROLLBACK_SUCCESSFUL"


def test_hooks_that_sleep_on_the_clock_sleep_side_by_side() -> None:
    clock = VirtualClock()

    def sleepy(event: dict[str, Any]) -> object:
        clock.sleep(event["hookDetails"])
        return SUCCEEDED

    gates = [Gate(sleepy).at(hook_details=seconds) for seconds in (100, 300, 200)]
    player = serving(*gates, bake_time_minutes=0, clock=clock)
    deployment = player.deploy()
    assert deployment.finished_at == deployment.created_at + 300


def test_contract_3_1_returned_hook_details_are_in_the_next_event() -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"approvalChecked": True}}, IN_PROGRESS, SUCCEEDED)
    play(gate.at(hook_details={"S3_BUCKET_NAME": "b"}))
    both = {"S3_BUCKET_NAME": "b", "approvalChecked": True}
    assert [event["hookDetails"] for event in gate.events] == [{"S3_BUCKET_NAME": "b"}, both, both]


def test_contract_3_1_hook_details_do_not_carry_over_between_different_hooks() -> None:
    one = Gate({**IN_PROGRESS, "hookDetails": {"mine": 1}}, SUCCEEDED)
    two = Gate(IN_PROGRESS, SUCCEEDED)
    play(one.at(), two.at("POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    assert all("hookDetails" not in event for event in two.events)


@pytest.mark.parametrize(("identity", "carried"), [("per-stage", False), ("per-hook", True)])
def test_sharing_hook_details_between_stages_is_an_option(identity: Any, carried: bool) -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"mine": 1}}, SUCCEEDED)
    play(gate.at("PRE_SCALE_UP", "POST_SCALE_UP"), behaviour=EcsBehaviour(hook_identity=identity))
    assert ("hookDetails" in gate.events[-1]) is carried


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("deep", {"a": {"x": 1, "y": 3, "z": {"n": 4}}, "b": 1, "c": {"d": 5}}),
        ("shallow", {"a": {"y": 3, "z": {"n": 4}}, "b": 1, "c": {"d": 5}}),
        ("replace", {"a": {"y": 3, "z": {"n": 4}}, "c": {"d": 5}}),
    ],
)
def test_the_depth_of_the_merge_is_an_option(how: Any, expected: Any) -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"a": {"y": 3, "z": {"n": 4}}, "c": {"d": 5}}}, SUCCEEDED)
    configured = {"a": {"x": 1, "y": 2}, "b": 1}
    play(gate.at(hook_details=configured), behaviour=EcsBehaviour(hook_details_merge=how))
    assert gate.events[1]["hookDetails"] == expected


def _decide(player: DeploymentController, action: str) -> Any:
    def decide(deployment: ServiceDeployment) -> None:
        described = player.deployments.describe([deployment.arn])["serviceDeployments"][0]
        (hook,) = [each for each in described["lifecycleHookDetails"] if each["status"] == "AWAITING_ACTION"]
        answer = player.deployments.continue_(deployment.arn, hook["hookId"], action)
        assert answer == {"serviceDeploymentArn": deployment.arn}

    return decide


def _paused(action: str, seconds: float = 60, **options: Any) -> tuple[ServiceDeployment, DeploymentController]:
    player = serving(LifecycleHook.pause(STAGE, **options), bake_time_minutes=0)
    player.at(seconds, _decide(player, action))
    return player.deploy(), player


def test_contract_4_1_a_pause_waits_for_continue_service_deployment() -> None:
    deployment, _ = _paused("CONTINUE")
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 60
    assert [str(hook.status) for hook in deployment.hooks] == ["SUCCEEDED"]


def test_contract_4_2_the_action_rollback_rolls_back() -> None:
    deployment, _ = _paused("ROLLBACK")
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 60
    assert deployment.status_reason == f"{BACK} was rolled back by a ContinueServiceDeployment request."


def test_contract_3_2_a_pause_that_times_out_has_the_documented_reason() -> None:
    deployment, _ = play(LifecycleHook.pause(STAGE, timeout_in_minutes=10))
    assert deployment.status_reason == f"{BACK} timed out."
    assert deployment.finished_at == deployment.created_at + 600


def test_contract_4_1_a_pause_can_time_out_into_continue() -> None:
    deployment, _ = play(LifecycleHook.pause(STAGE, timeout_in_minutes=20_160, timeout_action="CONTINUE"))
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 14 * 86_400 + 900


def test_a_pause_lasts_24_hours_by_default() -> None:
    deployment, _ = play(LifecycleHook.pause(STAGE))
    assert deployment.finished_at == deployment.created_at + 86_400


def test_contract_4_2_hook_id_and_details_have_the_documented_shape() -> None:
    described: list[dict[str, Any]] = []
    player = serving(LifecycleHook.pause(STAGE, timeout_in_minutes=10), Gate().at(STAGE))
    player.at(5, lambda deployment: described.extend(_hooks(player, deployment)))
    deployment = player.deploy()
    pause, function = described
    assert re.fullmatch(r"ecs-pause-[A-Za-z0-9_-]{43}", pause.pop("hookId"))
    assert pause == {
        "targetType": "PAUSE",
        "status": "AWAITING_ACTION",
        "expiresAt": deployment.created_at + 600,
        "timeoutAction": "ROLLBACK",
    }
    assert function["targetArn"] == "arn:aws:lambda:us-west-2:123456789012:function:gate"
    assert function["status"] == "SUCCEEDED"


def _hooks(player: DeploymentController, deployment: ServiceDeployment) -> Any:
    return player.deployments.describe([deployment.arn])["serviceDeployments"][0]["lifecycleHookDetails"]


def test_contract_4_3_hook_state_change_events() -> None:
    deployment, player = _paused("CONTINUE")
    awaiting, succeeded = (record.event for record in player.timeline.of(HookStateChanged))
    detail = dict(awaiting["detail"])
    assert awaiting["detail-type"] == "ECS Hook State Change"
    assert awaiting["resources"] == [deployment.arn]
    assert detail == {
        "eventType": "INFO",
        "eventName": "HOOK_AWAITING_ACTION",
        "hookId": deployment.hooks[0].hook_id,
        "hookType": "PAUSE",
        "expiresAt": "2026-01-02T00:00:00Z",
        "lifecycleStage": STAGE,
        "clusterArn": "arn:aws:ecs:us-west-2:123456789012:cluster/my-cluster",
        "serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service",
        "serviceDeploymentArn": deployment.arn,
        "updatedAt": "2026-01-01T00:00:00Z",
    }
    assert succeeded["detail"]["eventName"] == "HOOK_SUCCEEDED"


@pytest.mark.parametrize(
    ("hook", "names"),
    [
        (Gate(SUCCEEDED).at(STAGE), ["HOOK_IN_PROGRESS", "HOOK_SUCCEEDED"]),
        (Gate(FAILED).at(STAGE), ["HOOK_IN_PROGRESS", "HOOK_FAILED"]),
        (Gate({"hookStatus": "IN_PROGRESS"}).at(STAGE, timeout_in_minutes=1), ["HOOK_IN_PROGRESS", "HOOK_TIMED_OUT"]),
        (LifecycleHook.pause(STAGE), ["HOOK_AWAITING_ACTION", "HOOK_TIMED_OUT"]),
    ],
)
def test_contract_4_3_every_state_has_its_event_name(hook: LifecycleHook, names: list[str]) -> None:
    _, player = play(hook)
    assert [record.event["detail"]["eventName"] for record in player.timeline.of(HookStateChanged)] == names


def test_contract_4_1_pause_and_lambda_hooks_share_a_stage_in_parallel() -> None:
    gate = Gate({"hookStatus": "IN_PROGRESS", "callBackDelay": 200}, SUCCEEDED)
    player = serving(LifecycleHook.pause(STAGE), gate.at(STAGE), bake_time_minutes=0)
    player.at(90, _decide(player, "CONTINUE"))
    deployment = player.deploy()
    assert deployment.finished_at == deployment.created_at + 200


def test_contract_4_1_each_pause_has_its_own_hook_id_and_can_be_answered_by_a_listener() -> None:
    stages = [stage for stage in HOOK_STAGES if stage not in {"TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}]
    player = serving(LifecycleHook.pause(*stages), bake_time_minutes=0)

    def approve(record: object) -> None:
        if isinstance(record, HookStateChanged) and record.state == "AWAITING_ACTION":
            player.deployments.continue_(record.deployment, record.hook_id)

    player.timeline.subscribe(approve)
    deployment = player.deploy()
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at
    assert len({hook.hook_id for hook in deployment.hooks}) == len(stages)
    assert [hook.stage for hook in deployment.hooks] == stages


def test_contract_3_2_a_hook_id_of_another_form_is_refused() -> None:
    _refused("pause-1", "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")


@pytest.mark.parametrize("hook_id", ["ecs-pause-unknown", "ecs-lambda-unknown"])
def test_contract_3_2_an_unknown_hook_id_is_refused(hook_id: str) -> None:
    _refused(hook_id, "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN")


def _refused(hook_id: str, message: str, action: str = "CONTINUE") -> None:
    refusals: list[EcsError] = []

    def attempt(deployment: ServiceDeployment) -> None:
        with pytest.raises(EcsError) as caught:
            player.deployments.continue_(deployment.arn, hook_id, action)
        refusals.append(caught.value)

    player = serving(LifecycleHook.pause(STAGE))
    player.at(10, attempt)
    player.deploy()
    assert [(error.code, error.message) for error in refusals] == [("InvalidParameterException", message)]


def test_another_action_is_refused() -> None:
    _refused("ecs-pause-x", "Invalid action. Valid values are: ROLLBACK, CONTINUE", action="SKIP")


def test_contract_4_2_a_hook_is_continued_once_and_a_lambda_hook_never() -> None:
    outcomes: list[str] = []

    def twice(deployment: ServiceDeployment) -> None:
        for hook in [*deployment.hooks, deployment.hooks[0]]:
            try:
                player.deployments.continue_(deployment.arn, hook.hook_id)
            except EcsError:
                outcomes.append("refused")
            else:
                outcomes.append("continued")

    player = serving(LifecycleHook.pause(STAGE), Gate({"hookStatus": "IN_PROGRESS"}, SUCCEEDED).at(STAGE))
    player.at(10, twice)
    assert player.deploy().status == "SUCCESSFUL"
    assert outcomes == ["continued", "refused", "refused"]


def test_contract_3_2_a_deployment_that_is_over_cannot_be_continued() -> None:
    deployment, player = _paused("CONTINUE")
    with pytest.raises(EcsError, match="not allowed for service deployment in terminal states"):
        player.deployments.continue_(deployment.arn, deployment.hooks[0].hook_id)


def test_contract_3_2_an_unknown_deployment_does_not_exist() -> None:
    player = controller()
    with pytest.raises(EcsError, match=r"^The service deployment does not exist\.$") as caught:
        player.deployments.continue_("arn:nothing", "ecs-pause-x")
    assert caught.value.code == "ServiceDeploymentNotFoundException"


def test_an_action_at_the_moment_of_the_timeout_counts() -> None:
    """The timeout and an action coincide: an accepted action must hold."""
    player = serving(LifecycleHook.pause(STAGE, timeout_in_minutes=1), bake_time_minutes=0)
    accepted: list[bool] = []

    def decide(deployment: ServiceDeployment) -> None:
        try:
            player.deployments.continue_(deployment.arn, deployment.hooks[0].hook_id)
        except EcsError:
            accepted.append(False)
        else:
            accepted.append(True)

    player.at(60, decide)
    deployment = player.deploy()
    assert (deployment.status == "SUCCESSFUL") is (accepted == [True])
    assert [record.stage for record in player.timeline.of(StageEntered)]
