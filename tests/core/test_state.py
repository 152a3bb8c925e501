from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.core.event import STATE_KEY, LifecycleEvent
from ecs_hooks.core.measurement import Measured
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.state import MAX_BYTES, Progress, State, key_of, size, step_of, with_state
from tests.conftest import BLUE, GREEN, load_event, shifted
from tests.core.test_event import JSON

EVENT = LifecycleEvent.parse(load_event())
NOW = 1_800_000_000.0


def reload(state: State, now: float = NOW + 30, event: LifecycleEvent = EVENT) -> State:
    return State.load(json.loads(json.dumps(state.dump())), event, now)


def test_a_hook_starts_with_no_memory() -> None:
    state = State.load(None, EVENT, NOW + 0.9)

    assert state == State(step=step_of(EVENT), started_at=int(NOW), attempt=1, expires_at=0, progress={})


def test_the_next_invocation_remembers() -> None:
    state = State.load(None, EVENT, NOW)._replace(expires_at=int(NOW) + 600)
    state = state.after([("0a", Outcome.passed()), (key_of(1), Outcome.passed()), (key_of(2), Outcome.error("x"))])
    state = state.after([(key_of(2), Outcome.error("x")), (key_of(3), Outcome.wait("x"))])

    loaded = reload(state)

    assert loaded.attempt == 2
    assert loaded.started_at == int(NOW)
    assert loaded.expires_at == int(NOW) + 600
    # "0a" is no key that this module makes, so it was not read back.
    assert loaded.progress == {
        key_of(1): Progress(settled=True),
        key_of(2): Progress(errors=2),
        key_of(3): Progress(waits=1),
    }


@pytest.mark.parametrize(("sent", "loaded"), [("100 2.1 1x2", "100 2.1 1x2"), (7, ""), ("1" * 161, "")])
def test_the_requests_that_were_sent_are_remembered(sent: object, loaded: str) -> None:
    stored = {**State.load(None, EVENT, NOW).dump(), "sent": sent}

    assert State.load(stored, EVENT, NOW).sent == loaded


def test_errors_count_only_in_a_row() -> None:
    progress = Progress().after(Outcome.error("")).after(Outcome.error(""))

    assert progress.errors == 2
    assert progress.after(Outcome.wait("")).after(Outcome.error("")).errors == 1
    assert progress.after(Outcome.failed("")) == Progress()
    assert progress.after(Outcome.skip("")).settled


@pytest.mark.parametrize(
    "other",
    [
        load_event(resourceArn="arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/my-service/other"),
        load_event("post_scale_up"),
        shifted("POST_TEST_TRAFFIC_SHIFT", production={GREEN: 10, BLUE: 90}),
        shifted("POST_TEST_TRAFFIC_SHIFT", test={GREEN: 100}),
    ],
)
def test_state_of_another_deployment_stage_or_step_is_dropped(other: dict[str, Any]) -> None:
    state = State.load(None, EVENT, NOW).after([(key_of(1), Outcome.passed())])

    assert reload(state, event=LifecycleEvent.parse(other)) == State.load(None, LifecycleEvent.parse(other), NOW + 30)


def test_weights_may_come_in_any_order() -> None:
    one = LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", production={GREEN: 10, BLUE: 90}))
    two = LifecycleEvent.parse(shifted("PRODUCTION_TRAFFIC_SHIFT", production={BLUE: 90.0, GREEN: "10"}))

    assert step_of(one) == step_of(two)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"step": "x"},
        {"startedAt": -1},
        {"startedAt": True},
        {"startedAt": 10**30},
        {"attempt": "1"},
        {"checks": None},
        {"checks": {}},
    ],
)
def test_state_that_somebody_changed_is_dropped(change: dict[str, Any]) -> None:
    stored = {**State.load(None, EVENT, NOW)._replace(attempt=7).dump(), **change}

    assert State.load(stored, EVENT, NOW) == State.load(None, EVENT, NOW)


def test_a_start_in_the_future_does_not_put_off_the_deadline() -> None:
    stored = {**State.load(None, EVENT, NOW).dump(), "startedAt": int(NOW) + 99_999, "expiresAt": "x"}

    loaded = State.load(stored, EVENT, NOW)

    assert loaded.started_at == int(NOW)
    assert loaded.expires_at == -1


@given(JSON)
def test_garbage_is_no_state(stored: Any) -> None:
    assert State.load(stored, EVENT, NOW) == State.load(None, EVENT, NOW)


def test_further_failures_are_added_to_checks_that_are_not_settled() -> None:
    state = State.load(None, EVENT, NOW).after([(key_of(1), Outcome.passed()), (key_of(2), Outcome.error(""))])
    added = state.with_failures({key_of(1): 1, key_of(2): 2, key_of(3): 3}).progress

    assert added[key_of(1)] == Progress(settled=True)
    assert added[key_of(2)] == Progress(errors=1, measured=Measured(failed=2))
    assert added[key_of(3)] == Progress(measured=Measured(failed=3))


def test_equal_checks_have_different_keys() -> None:
    assert key_of("check", 0) != key_of("check", 1)
    assert key_of("check", 0) == key_of("check")


def test_where_not_everything_fits_counts_of_errors_stay_longest() -> None:
    outcomes = [(key_of(number), Outcome.passed()) for number in range(400)]
    outcomes += [(key_of(-number), Outcome.wait("")) for number in range(1, 100)]
    outcomes += [(key_of(number), Outcome.error("")) for number in range(500, 700)]

    state = State.load(None, EVENT, NOW).after(outcomes)
    loaded = reload(state)

    assert size(state.dump()) <= MAX_BYTES
    assert all(loaded.progress[key_of(number)].errors == 1 for number in range(500, 700))


def test_facts_are_kept_where_there_is_room() -> None:
    state = State.load(None, EVENT, NOW)._replace(facts='{"a":"' + "x" * 2000 + '"}')
    assert reload(state).facts == state.facts

    full = state.after((key_of(number), Outcome.passed()) for number in range(400))
    assert reload(full).facts == ""
    assert State.load({**state.dump(), "facts": 5}, EVENT, NOW).facts == ""


def test_what_json_can_carry_in_but_not_out_is_replaced() -> None:
    details = with_state({"half": "\ud800", "not": float("nan"), "kept": "ä"}, State.load(None, EVENT, NOW))

    json.dumps(details, ensure_ascii=False, allow_nan=False).encode()
    assert details["kept"] == "ä"
    assert details["not"] is None
    assert details[STATE_KEY]["version"] == 1


def replace(before: Any, returned: Any) -> Any:
    return copy.deepcopy(returned)


def shallow(before: Any, returned: Any) -> Any:
    return {**before, **copy.deepcopy(returned)}


def deep(before: Any, returned: Any) -> Any:
    if not (isinstance(before, Mapping) and isinstance(returned, Mapping)):
        return copy.deepcopy(returned)
    merged = {key: deep(before.get(key), value) for key, value in returned.items()}
    return {**before, **merged}


CONFIGURED = st.dictionaries(st.text(max_size=5).filter(lambda key: key != STATE_KEY), JSON, max_size=3)
STATUSES = st.lists(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=200), min_size=1, max_size=6)


@given(
    CONFIGURED,
    STATUSES,
    st.lists(st.sampled_from(["arrives", "twice", "lost"]), min_size=6, max_size=6),
    st.text(max_size=3000),
)
@settings(max_examples=60)
def test_the_budget_holds_and_nothing_is_lost_however_ecs_merges(
    configured: dict[str, Any], polls: list[list[Status]], delivery: list[str], facts: str
) -> None:
    configured = json.loads(
        json.dumps(configured).replace("NaN", "0").replace("-Infinity", "0").replace("Infinity", "0")
    )
    ends = []
    for merge in (replace, shallow, deep):
        details: Any = copy.deepcopy(configured)
        for poll, how in zip(polls, delivery, strict=False):
            for _ in range(2 if how == "twice" else 1):
                event = LifecycleEvent.parse(load_event(hookDetails=details))
                state = State.load(event.state, event, NOW)
                state = state.after((key_of(n), Outcome(status, "")) for n, status in enumerate(poll))
                state = state._replace(facts=facts)
                returned = json.loads(json.dumps(with_state(event.configuration or {}, state)))
                assert size(returned[STATE_KEY]) <= MAX_BYTES
            if how != "lost":
                details = merge(details, returned)
            # Configured keys come back as they were, beside the state.
            kept = {key: value for key, value in details.items() if key != STATE_KEY}
            assert json.dumps(kept, sort_keys=True) == json.dumps(configured, sort_keys=True) or _surrogates(configured)
        ends.append(details.get(STATE_KEY))
    assert ends[0] == ends[1] == ends[2]


def _surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
