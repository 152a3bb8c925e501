"""Contract 1.1 and 3.1: several hooks at one stage, and what each of them remembers."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_simulator import Behaviour, DeploymentController, Service, VirtualClock
from ecs_hooks_simulator.core.timeline import HookInvoked, StageEntered
from ecs_hooks_simulator.ecs.answer import DEFAULT_DELAY, Answer, merge_details
from ecs_hooks_simulator.ecs.undocumented import HookIdentity, Merge, Siblings
from tests.simulator.plays import FAILED, IN_PROGRESS, SUCCEEDED, Gate, play, times


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


@pytest.mark.parametrize(("siblings", "seconds"), [(Siblings.AWAITED, 500), (Siblings.ABANDONED, 0)])
def test_whether_a_failure_waits_for_the_other_hooks_is_a_switch(siblings: Siblings, seconds: int) -> None:
    slow = Gate({**IN_PROGRESS, "callBackDelay": 500}, SUCCEEDED)
    deployment, _ = play(Gate(FAILED).at(), slow.at(), behaviour=Behaviour(siblings=siblings))
    assert deployment.finished_at == deployment.created_at + seconds
    assert deployment.status == "ROLLBACK_SUCCESSFUL"


def test_hooks_that_sleep_on_the_clock_sleep_side_by_side() -> None:
    clock = VirtualClock()

    def sleepy(event: dict[str, Any]) -> object:
        clock.sleep(event["hookDetails"])
        return SUCCEEDED

    gates = [Gate(sleepy).at(hook_details=seconds) for seconds in (100, 300, 200)]
    player = DeploymentController(Service(service="s", lifecycle_hooks=gates, bake_time_minutes=0), clock=clock)
    player.adopt()
    deployment = player.deploy()
    assert deployment.finished_at == deployment.created_at + 300


def test_contract_3_1_returned_hook_details_come_back_on_the_next_invocation() -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"approvalChecked": True}}, IN_PROGRESS, SUCCEEDED)
    play(gate.at(hook_details={"S3_BUCKET_NAME": "b"}))
    both = {"S3_BUCKET_NAME": "b", "approvalChecked": True}
    assert [event["hookDetails"] for event in gate.events] == [{"S3_BUCKET_NAME": "b"}, both, both]


def test_contract_3_1_hook_details_do_not_carry_over_between_different_hooks() -> None:
    one = Gate({**IN_PROGRESS, "hookDetails": {"mine": 1}}, SUCCEEDED)
    two = Gate(IN_PROGRESS, SUCCEEDED)
    play(one.at(), two.at("POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"))
    assert all("hookDetails" not in event for event in two.events)


@pytest.mark.parametrize(("identity", "carried"), [(HookIdentity.PER_STAGE, False), (HookIdentity.PER_HOOK, True)])
def test_whether_a_hook_at_two_stages_is_the_same_hook_is_a_switch(identity: HookIdentity, carried: bool) -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"mine": 1}}, SUCCEEDED)
    play(gate.at("PRE_SCALE_UP", "POST_SCALE_UP"), behaviour=Behaviour(hook_identity=identity))
    assert ("hookDetails" in gate.events[-1]) is carried


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Merge.DEEP, {"a": {"x": 1, "y": 3, "z": {"n": 4}}, "b": 1, "c": {"d": 5}}),
        (Merge.SHALLOW, {"a": {"y": 3, "z": {"n": 4}}, "b": 1, "c": {"d": 5}}),
        (Merge.REPLACE, {"a": {"y": 3, "z": {"n": 4}}, "c": {"d": 5}}),
    ],
)
def test_the_depth_of_the_merge_is_a_switch(how: Merge, expected: Any) -> None:
    gate = Gate({**IN_PROGRESS, "hookDetails": {"a": {"y": 3, "z": {"n": 4}}, "c": {"d": 5}}}, SUCCEEDED)
    configured = {"a": {"x": 1, "y": 2}, "b": 1}
    play(gate.at(hook_details=configured), behaviour=Behaviour(hook_details_merge=how))
    assert gate.events[1]["hookDetails"] == expected


@pytest.mark.parametrize("how", Merge)
def test_details_that_are_no_objects_replace_each_other(how: Merge) -> None:
    assert merge_details("text", {"a": 1}, how) == {"a": 1}
    assert merge_details({"a": 1}, [1], how) == [1]
    assert merge_details({"a": 1}, None, how) == {"a": 1}
    assert merge_details(None, {"a": 1}, how) == {"a": 1}


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -0.0])
def test_numbers_that_json_should_not_carry_are_no_delay(delay: float) -> None:
    assert Answer.parse({**IN_PROGRESS, "callBackDelay": delay}, Behaviour()).delay == DEFAULT_DELAY
