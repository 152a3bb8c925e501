"""Whatever hooks answer, every deployment ends, in bounded virtual time."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks_simulator import Behaviour, LifecycleHook
from tests.simulator.plays import HOOK_STAGES, Gate, play

VARIANTS = Behaviour.variants()
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
    drawn: list[Any], behaviour: Behaviour, first: bool, pause: bool
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
