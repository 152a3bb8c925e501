"""Contract 1.1, 3.2, 3.3 and 4.1: what ECS accepts as a service and its hooks."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator import EcsError, LifecycleHook, Service
from tests.simulator.plays import Gate, controller

TARGET = Gate().target


def _refused(message: str, **options: Any) -> None:
    accepted: dict[str, Any] = {"target": TARGET, "lifecycle_stages": ["PRE_SCALE_UP"]}
    with pytest.raises(EcsError) as caught:
        LifecycleHook(**accepted | options)
    assert caught.value.code == "InvalidParameterException"
    assert caught.value.message == message


@pytest.mark.parametrize("stage", ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"])
def test_contract_4_1_pause_is_not_for_the_traffic_shifts(stage: str) -> None:
    _refused("Invalid lifecycle stage provided for Pause Hook", target_type="PAUSE", lifecycle_stages=[stage])


def test_contract_3_2_the_target_type_is_lambda_or_pause() -> None:
    _refused("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE", target_type="STEP_FUNCTION")


@pytest.mark.parametrize("stage", Stage)
def test_contract_1_2_a_lambda_hook_may_be_at_each_of_the_eight_stages(stage: Stage) -> None:
    assert LifecycleHook(target=TARGET, lifecycle_stages=[stage]).lifecycle_stages == (stage,)


@pytest.mark.parametrize("minutes", [0, -1, 1441, 1.5, True, "60"])
def test_contract_3_3_a_lambda_hook_times_out_after_1_to_1440_minutes(minutes: Any) -> None:
    _refused("timeoutInMinutes must be between 1 and 1440 for AWS_LAMBDA hooks", timeout_in_minutes=minutes)


def test_contract_3_3_a_pause_times_out_after_1_to_20160_minutes() -> None:
    message = "timeoutInMinutes must be between 1 and 20160 for PAUSE hooks"
    _refused(message, target_type="PAUSE", timeout_in_minutes=20_161)
    assert LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=20_160).is_pause


def test_contract_3_3_the_timeout_action_is_rollback_or_continue() -> None:
    _refused("Invalid timeout action. Valid values are: ROLLBACK, CONTINUE", timeout_action="STOP")


def test_a_lambda_hook_requires_a_function_and_every_hook_a_stage() -> None:
    _refused("hookTargetArn is required for AWS_LAMBDA hooks", target=None)
    _refused("lifecycleStages must not be empty", lifecycle_stages=[])


def test_contract_1_1_at_most_10_hooks_of_each_type() -> None:
    functions = [LifecycleHook(target=TARGET, lifecycle_stages=["PRE_SCALE_UP"])] * 10
    pauses = [LifecycleHook.pause("PRE_SCALE_UP")] * 10
    assert len(Service(service="s", lifecycle_hooks=functions + pauses).lifecycle_hooks) == 20
    for one_more in (functions[0], pauses[0]):
        with pytest.raises(EcsError, match="at most 10"):
            Service(service="s", lifecycle_hooks=[*functions, *pauses, one_more])


@pytest.mark.parametrize("minutes", [-1, 1441])
def test_contract_1_5_bake_time_is_0_to_1440_minutes(minutes: int) -> None:
    with pytest.raises(EcsError, match="bakeTimeInMinutes"):
        Service(service="s", bake_time_minutes=minutes)


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(EcsError, match="Valid values are: BLUE_GREEN"):
        Service(service="s", strategy="SOMETHING")  # type: ignore[arg-type]


def test_contract_3_3_describe_echoes_the_default_timeout_configuration() -> None:
    hook = LifecycleHook(target=TARGET, lifecycle_stages=["PRE_SCALE_UP"], role="arn:role", hook_details={"a": 1})
    assert hook.to_dict() == {
        "targetType": "AWS_LAMBDA",
        "hookTargetArn": TARGET.arn,
        "roleArn": "arn:role",
        "lifecycleStages": ["PRE_SCALE_UP"],
        "hookDetails": {"a": 1},
        "timeoutConfiguration": {"timeoutInMinutes": 1440, "action": "ROLLBACK"},
    }


def test_contract_4_1_a_pause_ignores_function_role_and_details() -> None:
    hook = LifecycleHook(
        target=TARGET, target_type="PAUSE", role="r", hook_details={"a": 1}, lifecycle_stages=["PRE_SCALE_UP"]
    )
    assert set(hook.to_dict()) == {"targetType", "lifecycleStages", "timeoutConfiguration"}
    assert hook.target_arn is None


def test_hook_details_are_copied() -> None:
    given: dict[str, Any] = {"list": [1]}
    hook = LifecycleHook(target=TARGET, lifecycle_stages=["PRE_SCALE_UP"], hook_details=given)
    given["list"].append(2)
    assert hook.hook_details == {"list": [1]}


def test_tasks_of_a_revision_carry_its_id() -> None:

    revision = controller().adopt()
    assert revision.started_by == f"ecs-svc/{revision.arn.rpartition('/')[2]}"
