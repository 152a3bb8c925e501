from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.response import HookStatus
from ecs_hooks.core.state import Progress, State
from ecs_hooks.engine.runner import Result
from ecs_hooks.engine.verdict import Verdict, decide, ends_at
from ecs_hooks.plan.model import Plan

START = 1_000


def judge(*outcomes: Outcome, now: float = START, expires_at: int = -1, errors: int = 0, **policies: object) -> Verdict:
    results = [Result(f"{number:08x}", f'http "{number}"', outcome) for number, outcome in enumerate(outcomes)]
    state = State(
        "step", START, expires_at=expires_at, progress={each.key: Progress(errors=errors) for each in results}
    )
    state = state.after((each.key, each.outcome) for each in results)
    return decide(results, state, Plan.parse(policies), now)


def test_all_passed() -> None:
    assert judge(Outcome.passed(), Outcome.passed(), Outcome.skip("")) == Verdict(
        HookStatus.SUCCEEDED, "2 passed, 1 skipped"
    )


def test_a_check_that_had_too_little_data_is_named() -> None:
    skipped = Outcome.by_policy("skip", "no requests", {"requests": 0})

    assert judge(Outcome.passed(), skipped) == Verdict(
        HookStatus.SUCCEEDED, '1 passed, 1 skipped; http "1" no requests'
    )


def test_a_check_that_left_parts_out_is_named() -> None:
    passed = Outcome.passed("0 log events").leaving_out(["container envoy (log driver awsfirelens)"])

    assert judge(Outcome.passed(), passed) == Verdict(
        HookStatus.SUCCEEDED, '2 passed; http "1" 0 log events; not checked: container envoy (log driver awsfirelens)'
    )


def test_nothing_to_check_is_said() -> None:
    assert judge() == Verdict(HookStatus.SUCCEEDED, "there is nothing to check at this stage")


def test_one_failure_is_enough() -> None:
    verdict = judge(Outcome.passed(), Outcome.failed("status 500, expected 2xx"), Outcome.wait("w"), Outcome.error("e"))

    assert verdict.status is HookStatus.FAILED
    assert verdict.why == 'http "1" status 500, expected 2xx (1 passed, 1 failed, 1 error, 1 waiting)'


def test_a_reason_names_three_and_counts_the_rest() -> None:
    assert "; and 2 more (5 failed)" in judge(*[Outcome.failed("x")] * 5).why


def test_an_error_is_asked_again_until_the_limit() -> None:
    third = judge(Outcome.error("refused"), errors=2, error_limit=4)
    fourth = judge(Outcome.error("refused"), errors=3, error_limit=4)

    assert third == Verdict(
        HookStatus.IN_PROGRESS, 'http "0" refused (error 3 of 4); checks again in 30 s (1 error)', 30
    )
    assert fourth.status is HookStatus.FAILED
    assert "4 times in a row, which is the error_limit" in fourth.why


def test_a_wait_is_no_error() -> None:
    assert judge(Outcome.wait("no data"), errors=99).status is HookStatus.IN_PROGRESS


@pytest.mark.parametrize(
    ("wishes", "delay"),
    [
        ((5,), 5),
        ((5, 2.1), 3),
        ((None, 60), 30),
        ((0,), 1),
        ((-3,), 1),
        ((10**9,), 1800),
        ((math.nan,), 30),
        ((math.inf,), 30),
    ],
)
def test_the_delay_follows_who_wants_to_be_asked_first(wishes: tuple[float | None, ...], delay: int) -> None:
    assert judge(*[Outcome.wait("", retry_after=wish) for wish in wishes]).delay == delay


def test_the_delay_does_not_pass_the_end() -> None:
    assert judge(Outcome.wait(""), now=START + 1795).delay == 5
    assert judge(Outcome.wait(""), now=START + 1799.5).delay == 1


def test_what_is_undecided_at_the_end_of_the_plans_time_has_failed() -> None:
    verdict = judge(Outcome.wait("no data"), Outcome.passed(), now=START + 120, timeout_minutes=2)

    assert verdict == Verdict(HookStatus.FAILED, 'undecided after 2 minutes: http "0" no data (1 passed, 1 waiting)')


@pytest.mark.parametrize(
    ("expires_at", "end"),
    [(0, 1800), (-1, 1800), (START + 36_000, 1800), (START + 600, 540), (START + 60, 48), (START - 5, -5)],
)
def test_the_end_is_always_before_ecs_gives_up(expires_at: int, end: int) -> None:
    assert ends_at(State("step", START, expires_at=expires_at), Plan.parse({})) == START + end


@given(
    st.lists(
        st.builds(Outcome, st.sampled_from(Status), st.just(""), st.just({}), st.none() | st.floats()), max_size=6
    ),
    st.integers(min_value=0, max_value=4000),
    st.integers(min_value=-1, max_value=5000),
    st.integers(min_value=0, max_value=9),
)
def test_every_verdict_is_as_the_outcomes_say(
    outcomes: list[Outcome], later: int, expires_at: int, errors: int
) -> None:
    verdict = judge(*outcomes, now=START + later, expires_at=expires_at, errors=errors)
    statuses = {outcome.status for outcome in outcomes}

    if verdict.status is HookStatus.SUCCEEDED:
        assert statuses <= {Status.PASS, Status.SKIP}
    if Status.FAIL in statuses:
        assert verdict.status is HookStatus.FAILED
    if verdict.in_progress:
        assert statuses & {Status.WAIT, Status.ERROR}
        assert verdict.delay is not None
        assert 1 <= verdict.delay <= 86_400
    else:
        assert verdict.delay is None
