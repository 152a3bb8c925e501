from __future__ import annotations

import threading
import time
from typing import Any, Literal

import pytest

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.deadline import Deadline, check_deadline
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.state import State
from ecs_hooks.engine.runner import Runner, may_go_on, outcome_of_exception
from tests.conftest import load_event
from tests.support.checks import Fixed, Hanging, Raising, Wrong
from tests.support.targets import FixedTarget

EVENT = LifecycleEvent.parse(load_event())


def runner(seconds: float = 20, state: State | None = None) -> Runner:
    context = CheckContext(FixedTarget("", stage="POST_SCALE_UP"), Deadline.after(seconds))
    return Runner(context, state or State.load(None, EVENT, 0), lambda _: None)


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def test_outcomes_come_in_the_order_of_the_checks() -> None:
    running = runner()

    outcomes = running.run([Fixed(name="a"), Fixed(name="b", status=Status.FAIL), Fixed(name="c", status=Status.WAIT)])

    assert statuses(outcomes) == [Status.PASS, Status.FAIL, Status.WAIT]
    assert [result.label for result in running.results] == ['fixed "a"', 'fixed "b"', 'fixed "c"']
    assert all(result.seconds is not None for result in running.results)


def test_a_hanging_check_does_not_cost_the_others_their_result() -> None:
    running = runner(0.3)

    outcomes = running.run([Hanging(), *[Fixed(name=str(number)) for number in range(60)], Hanging()])

    assert statuses(outcomes) == [Status.WAIT, *[Status.PASS] * 60, Status.WAIT]
    assert outcomes[0].reason == "not finished when the time of this invocation was over"


def test_each_outcome_is_told_once_and_while_others_are_waited_for() -> None:
    running = runner(0.3)
    told: list[tuple[str, float]] = []
    running.on_result = lambda result: told.append((result.label, running.context.deadline.remaining()))

    running.run([Hanging(), Fixed(name="a")])
    running.add("hook", Outcome.passed())

    assert [label for label, _ in told] == ['fixed "a"', "hanging", "hook"]
    assert told[0][1] > 0 >= told[1][1]


def test_checks_that_wait_in_their_own_way_do_not_hold_up_the_others() -> None:
    running = runner(2)

    outcomes = running.run([*[Hanging(name=str(number)) for number in range(40)], Fixed()])

    assert statuses(outcomes) == [*[Status.WAIT] * 40, Status.PASS]


def test_a_computation_ends_at_the_deadline() -> None:
    begun, ended = threading.Event(), threading.Event()

    class Computing(Check):
        type: Literal["computing"] = "computing"

        def run(self, context: CheckContext) -> Outcome:
            begun.set()
            try:
                while True:
                    time.sleep(0.01)
                    check_deadline()
            finally:
                ended.set()

    # On a busy machine the check may not begin in so short a time.
    outcomes = next(
        found for seconds in (0.1, 1, 10) if (found := runner(seconds).run([Computing(), Fixed()])) and begun.is_set()
    )

    assert outcomes == [Outcome.wait("not finished when the time of this invocation was over"), outcomes[1]]
    assert ended.wait(30)


def test_no_check_begins_when_the_time_is_over() -> None:
    begun: list[str] = []

    class Late(Check):
        type: Literal["late"] = "late"

        def run(self, context: CheckContext) -> Outcome:
            begun.append(self.name)
            return Outcome.passed()

    outcomes = runner(0).run([Late(name=str(number)) for number in range(20)])

    assert statuses(outcomes) == [Status.WAIT] * 20
    assert not begun


@pytest.mark.parametrize("check", [Raising(), Raising(kind="SystemExit"), Wrong()])
def test_a_check_that_is_broken_is_a_failure_with_its_traceback(check: Check) -> None:
    running = runner()

    (outcome,) = running.run([check])

    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("raised ")
    assert "hunter2" not in outcome.reason
    assert "Traceback" in (running.results[0].traceback or "")


def test_what_is_settled_is_not_asked_again() -> None:
    first = runner()
    first.run([Fixed(name="a"), Fixed(name="b", status=Status.ERROR)])
    state = first.state.after((result.key, result.outcome) for result in first.results)

    second = runner(state=state)
    outcomes = second.run([Fixed(name="a"), Fixed(name="b", status=Status.ERROR)])

    assert outcomes[0] == Outcome.passed("as before")
    assert second.results[0].seconds is None
    assert outcomes[1].status is Status.ERROR


def test_a_changed_check_is_asked_again() -> None:
    first = runner()
    first.run([Fixed(name="a")])
    state = first.state.after((result.key, result.outcome) for result in first.results)

    (outcome,) = runner(state=state).run([Fixed(name="a", reason="new")])

    assert outcome.reason == "new"


def test_equal_checks_are_two() -> None:
    running = runner()
    running.run([Fixed(), Fixed()])

    assert len({result.key for result in running.results}) == 2


def test_without_a_thread_left_the_check_could_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr("ecs_hooks.core.deadline._idle", [])
    monkeypatch.setattr("threading.Thread.start", no_more)

    (outcome,) = runner().run([Fixed()])

    assert outcome.status is Status.ERROR
    assert "can't start new thread" in outcome.reason


def test_only_what_passed_or_does_not_apply_lets_a_hook_go_on() -> None:
    assert may_go_on([])
    assert may_go_on([Outcome.passed(), Outcome.skip("")])
    assert not any(may_go_on([Outcome(status, "")]) for status in (Status.FAIL, Status.WAIT, Status.ERROR))


def test_errors_that_explain_themselves_keep_their_words() -> None:
    assert outcome_of_exception(FactError("throttled")) == (Outcome.error("throttled"), None)
    assert outcome_of_exception(FactDeniedError("denied")) == (Outcome.failed("denied"), None)


def test_an_exception_without_a_place_is_told_too() -> None:
    outcome, trace = outcome_of_exception(ValueError("hunter2"))

    assert outcome.reason == "raised ValueError; the traceback is in the log"
    assert trace is not None


def test_a_traceback_has_no_secret() -> None:
    Redactor("hunter2-hunter2")
    _, trace = outcome_of_exception(ValueError("not a number: 'hunter2-hunter2'"))
    assert trace is not None
    assert trace.rstrip().endswith("ValueError: not a number: '***'")
