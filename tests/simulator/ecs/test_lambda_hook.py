"""Contract 3.1 to 3.3: the effect of a hook's response, and how long ECS waits for it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.core import clock as library_clock
from ecs_hooks_simulator import DeploymentController, EcsBehaviour, LifecycleHook, Service, VirtualClock
from ecs_hooks_simulator.core.timeline import HookAnswered
from ecs_hooks_simulator.ecs.lambda_hook import DEFAULT_DELAY, Answer, merge_details
from tests.simulator.plays import (
    FAILED,
    HOOK_STAGES,
    IN_PROGRESS,
    SUCCEEDED,
    Gate,
    controller,
    errors,
    play,
    serving,
    statuses,
    times,
)

ARN = "arn:aws:lambda:us-west-2:123456789012:function:gate"
BACK = "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. "
NULL = f"{BACK}ECS was unable to parse the response from {ARN} due to HookStatus must not be null"
DAY = 86_400


def test_contract_3_1_succeeded_continues() -> None:
    gate = Gate(SUCCEEDED)
    deployment, _ = play(gate.at())
    assert deployment.status == "SUCCESSFUL"
    assert deployment.status_reason is None
    assert len(gate.events) == 1


def test_contract_3_1_failed_rolls_back_to_the_last_successful_revision() -> None:
    deployment, player = play(Gate(FAILED).at())
    assert statuses(player) == ["PENDING", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert [revision.arn for revision in player.active] == [deployment.sources[0].arn]
    assert deployment.rollback is not None
    assert deployment.rollback.service_revision_arn == deployment.sources[0].arn


def test_contract_3_2_failed_has_the_clear_status_reason() -> None:
    deployment, _ = play(Gate(FAILED).at())
    assert deployment.status_reason == f"{BACK}Lifecycle hook target {ARN} returned FAILED status."


def test_contract_3_1_in_progress_is_invoked_again_after_30_seconds_by_default() -> None:
    gate = Gate(IN_PROGRESS, IN_PROGRESS, SUCCEEDED)
    deployment, player = play(gate.at())
    assert times(player, deployment) == [0, 30, 60]
    assert deployment.status == "SUCCESSFUL"


@pytest.mark.parametrize("delay", [5, 60, 90.5, 86_400 - 1])
def test_contract_3_1_call_back_delay_replaces_the_default(delay: float) -> None:
    deployment, player = play(Gate({**IN_PROGRESS, "callBackDelay": delay}, SUCCEEDED).at())
    assert times(player, deployment) == [0, delay]


def test_contract_3_1_call_back_delay_seconds_is_the_wrong_key() -> None:
    deployment, player = play(Gate({**IN_PROGRESS, "callBackDelaySeconds": 300}, SUCCEEDED).at())
    assert times(player, deployment) == [0, 30]


@pytest.mark.parametrize("answer", [SUCCEEDED, FAILED])
def test_contract_3_1_call_back_delay_only_matters_with_in_progress(answer: dict[str, str]) -> None:
    gate = Gate({**answer, "callBackDelay": 300, "hookDetails": {"a": 1}})
    play(gate.at())
    assert len(gate.events) == 1


@pytest.mark.parametrize("delay", [0, -1, 86_401, "60", True, [], 10**400])
def test_an_invalid_call_back_delay_is_the_default_or_a_failure(delay: Any) -> None:
    """The range is [UNK] in contract 3.1."""
    deployment, player = play(Gate({**IN_PROGRESS, "callBackDelay": delay}, SUCCEEDED).at())
    assert times(player, deployment) == [0, 30]
    strict = EcsBehaviour(invalid_delay="failed")
    deployment, _ = play(Gate({**IN_PROGRESS, "callBackDelay": delay}, SUCCEEDED).at(), behaviour=strict)
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.status_reason is not None
    assert "callBackDelay" in deployment.status_reason


def test_contract_3_1_extra_keys_and_a_reason_are_tolerated() -> None:
    answer = {**SUCCEEDED, "reason": "Validation passed", "more": [1]}
    deployment, player = play(Gate(answer).at())
    assert deployment.status == "SUCCESSFUL"
    (record,) = player.timeline.of(HookAnswered)
    assert (record.status, record.reason, record.response) == ("SUCCEEDED", "Validation passed", answer)


@pytest.mark.parametrize(
    "answer",
    [None, {}, [], "SUCCEEDED", '{"hookStatus": "SUCCEEDED"}', {"hookStatus": None}, {"hookStatus": "OK"}, 7,
     {"hookStatus": "succeeded"}, {"hookStatus": ["SUCCEEDED"]}, {"HookStatus": "SUCCEEDED"}],
)  # fmt: skip
def test_contract_3_2_no_valid_hook_status_rolls_back(answer: Any) -> None:
    deployment, _ = play(Gate(answer).at())
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.status_reason == NULL


@pytest.mark.parametrize("answer", [ValueError("boom"), {1, 2}, {"hookStatus": "SUCCEEDED", "x": float("nan")}])
def test_contract_3_2_a_function_that_fails_rolls_back_with_the_misleading_reason(answer: Any) -> None:
    gate = Gate(answer)
    deployment, player = play(gate.at())
    assert deployment.status_reason == NULL
    assert len(gate.events) == 1, "no retry is documented"
    assert "Error" in errors(player)[0]


def test_contract_3_2_a_function_that_times_out_looks_like_no_status() -> None:
    gate = Gate(SUCCEEDED)
    player = controller(gate.at())
    gate.target.timeout_seconds = 3

    def slow(event: object) -> object:
        player.clock.sleep(4)
        return SUCCEEDED

    gate._answers = [slow]
    player.adopt()
    deployment = player.deploy()
    assert deployment.status_reason == NULL
    assert errors(player) == ["Task timed out after 3.00 seconds"]
    assert deployment.finished_at == deployment.created_at + 3


def test_contract_3_2_a_target_that_cannot_be_invoked_has_a_reason_of_its_own() -> None:
    class Forbidden:
        arn = ARN

        def invoke(self, event: dict[str, Any]) -> Any:
            raise PermissionError("not authorized to perform: lambda:InvokeFunction")

    deployment, _ = play(LifecycleHook(target=Forbidden(), lifecycle_stages=["POST_TEST_TRAFFIC_SHIFT"]))
    assert deployment.status_reason == (
        f"{BACK}ECS was unable to invoke hook target {ARN} due to PermissionError: "
        "not authorized to perform: lambda:InvokeFunction"
    )


@pytest.mark.parametrize("how", ["shallow", "deep", "replace"])
def test_details_that_are_not_objects_replace_each_other(how: Any) -> None:
    assert merge_details("text", {"a": 1}, how) == {"a": 1}
    assert merge_details({"a": 1}, [1], how) == [1]
    assert merge_details({"a": 1}, None, how) == {"a": 1}
    assert merge_details(None, {"a": 1}, how) == {"a": 1}


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), -0.0])
def test_numbers_outside_json_are_not_a_delay(delay: float) -> None:
    assert Answer.parse({**IN_PROGRESS, "callBackDelay": delay}, EcsBehaviour()).delay == DEFAULT_DELAY


def test_contract_3_3_one_invocation_lasts_at_most_15_minutes() -> None:
    clock = VirtualClock()
    gate = Gate(lambda event: clock.sleep(900.5))
    player = serving(gate.at(), clock=clock)
    deployment = player.deploy()
    assert deployment.status_reason == NULL
    assert deployment.finished_at == deployment.created_at + 900


def test_a_slow_hook_takes_virtual_time() -> None:
    clock = VirtualClock()

    def slow(event: object) -> object:
        clock.sleep(800)
        return SUCCEEDED

    service = Service(service="s", lifecycle_hooks=[Gate(slow).at()], bake_time_minutes=0)
    player = DeploymentController(service, clock=clock)
    player.adopt()
    deployment = player.deploy()
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 800


def test_contract_3_3_a_lambda_hook_lasts_24_hours_by_default_then_rolls_back() -> None:
    gate = Gate({**IN_PROGRESS, "callBackDelay": 3600})
    deployment, _ = play(gate.at())
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + DAY
    assert deployment.status_reason == f"{BACK}Lifecycle hook target {ARN} timed out."
    assert [hook.status for hook in deployment.hooks] == ["TIMED_OUT"]


def test_contract_3_3_the_configured_timeout_counts_from_the_first_invocation() -> None:
    gate = Gate({**IN_PROGRESS, "callBackDelay": 50})
    deployment, player = play(gate.at(timeout_in_minutes=3))
    assert times(player, deployment) == [0, 50, 100, 150]
    assert deployment.finished_at == deployment.created_at + 180
    assert deployment.hooks[0].expires_at == deployment.created_at + 180


def test_contract_3_3_action_continue_fails_open_at_the_timeout() -> None:
    deployment, _ = play(Gate(IN_PROGRESS).at(timeout_in_minutes=2, timeout_action="CONTINUE"), bake_time_minutes=0)
    assert deployment.status == "SUCCESSFUL"
    assert deployment.finished_at == deployment.created_at + 120
    assert [hook.status for hook in deployment.hooks] == ["TIMED_OUT"]


def test_contract_3_3_action_continue_does_not_save_a_hook_that_fails() -> None:
    deployment, _ = play(Gate(IN_PROGRESS, FAILED).at(timeout_in_minutes=2, timeout_action="CONTINUE"))
    assert deployment.status == "ROLLBACK_SUCCESSFUL"


def test_contract_3_3_a_hook_may_stay_in_progress_for_hours() -> None:
    gate = Gate(*[IN_PROGRESS] * 400, SUCCEEDED)
    deployment, player = play(gate.at(), bake_time_minutes=0)
    assert deployment.status == "SUCCESSFUL"
    assert times(player, deployment)[-1] == 12_000


def test_hooks_see_the_virtual_time_as_the_time_of_the_library() -> None:
    seen: list[float] = []

    def look(event: object) -> object:
        seen.append(library_clock.now())
        return IN_PROGRESS if len(seen) == 1 else SUCCEEDED

    deployment, _ = play(Gate(look).at())
    assert [moment - deployment.created_at for moment in seen] == [0, 30]


def test_contract_3_4_invocations_of_one_hook_do_not_overlap() -> None:
    clock = VirtualClock()

    def slow(event: dict[str, Any]) -> object:
        clock.sleep(100)
        return SUCCEEDED if event.get("hookDetails") else {**IN_PROGRESS, "callBackDelay": 10, "hookDetails": {"n": 1}}

    gate = Gate(slow)
    player = serving(gate.at(), clock=clock)
    deployment = player.deploy()
    assert times(player, deployment) == [0, 110]
    assert deployment.status == "SUCCESSFUL"


VARIANTS = EcsBehaviour.variants()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
# Delays from 1 s up are valid, but a day of them is 86,400 invocations; what is tested is the end, not their number.
DELAY = st.sampled_from([600, 3600.5, 86_400]) | st.sampled_from([0, -5, "9", None, 86_401, float("inf"), True])
ANSWER = st.one_of(
    JSON,
    st.fixed_dictionaries(
        {"hookStatus": st.sampled_from(["SUCCEEDED", "FAILED", "IN_PROGRESS", "succeeded"]) | JSON},
        optional={"callBackDelay": st.sampled_from([600, 3600.5, 86_400]), "hookDetails": JSON, "reason": JSON},
    ),
    st.just({"hookStatus": "SUCCEEDED"}),
    st.sampled_from([ValueError("no"), KeyError(), SystemExit(), TimeoutError()]),
)
FOREVER = st.sampled_from(
    [
        {"hookStatus": "SUCCEEDED"},
        {"hookStatus": "IN_PROGRESS", "callBackDelay": 7200},
        {"hookStatus": "FAILED"},
        RuntimeError("again"),
    ]
)
LAMBDA = st.tuples(
    st.lists(ANSWER, max_size=6),
    FOREVER,
    st.lists(st.sampled_from(HOOK_STAGES), min_size=1, max_size=7),
    st.sampled_from([1, 60, 1440]),
    st.sampled_from(["ROLLBACK", "CONTINUE"]),
    JSON.filter(lambda value: value == value and "nan" not in repr(value) and "inf" not in repr(value)),  # noqa: PLR0124
)
TERMINAL = {"SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


def _hooks(drawn: list[Any]) -> list[LifecycleHook]:
    return [
        Gate(*answers, forever).at(*stages, timeout_in_minutes=minutes, timeout_action=action, hook_details=details)
        for answers, forever, stages, minutes, action, details in drawn
    ]


@settings(max_examples=150)
@given(st.lists(LAMBDA, max_size=3), st.sampled_from(VARIANTS), st.booleans(), st.booleans())
def test_every_deployment_ends_in_a_terminal_status(
    drawn: list[Any], behaviour: EcsBehaviour, first: bool, pause: bool
) -> None:
    hooks = _hooks(drawn)
    if pause:
        hooks.append(LifecycleHook.pause("POST_SCALE_UP", timeout_in_minutes=30, timeout_action="CONTINUE"))
    deployment, player = play(*hooks, behaviour=behaviour, first=first)
    assert deployment.status in TERMINAL
    assert deployment.finished_at is not None
    # 24 hours for each of the stages with hooks, once forward and twice back, and the bake time.
    assert deployment.finished_at - deployment.created_at <= (len(HOOK_STAGES) + 2) * 86_400 + 900
    assert len(player.active) == (0 if deployment.status == "ROLLBACK_FAILED" and first else len(player.active))
    assert all(str(hook.status) in {"SUCCEEDED", "FAILED", "TIMED_OUT"} for hook in deployment.hooks)


@settings(max_examples=40)
@given(DELAY, JSON)
def test_an_endless_in_progress_ends_after_24_hours(delay: Any, details: Any) -> None:
    gate = Gate({"hookStatus": "IN_PROGRESS", "callBackDelay": delay, "hookDetails": details})
    deployment, _ = play(gate.at("POST_SCALE_UP", timeout_in_minutes=60))
    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert deployment.finished_at is not None
    assert deployment.finished_at - deployment.created_at <= 3600


def test_two_variants_differ() -> None:
    assert all(one != other for one, other in itertools.combinations(VARIANTS, 2))
