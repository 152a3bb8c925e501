from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import weakref
from contextlib import suppress

import pytest

from ecs_hooks.core.deadline import (
    Call,
    Deadline,
    DeadlinePassedError,
    check_deadline,
    for_answer,
    for_checks,
    limited_by,
    run_with_deadline,
)
from ecs_hooks.core.outcome import Outcome


def test_a_deadline_counts_down_to_nothing_and_no_further() -> None:
    assert 9 < Deadline.after(10).remaining() <= 10
    assert not Deadline.after(10).expired
    assert Deadline.after(-1).expired
    assert Deadline.after(-1).remaining() == 0.0


def test_of_two_the_sooner_counts() -> None:
    later = Deadline.after(100)

    assert later.sooner(1).remaining() <= 1
    assert later.sooner(1000) == later
    assert later.earlier(40).at == later.at - 40


@pytest.mark.parametrize(
    ("seconds", "answer", "checks"), [(900, 898, 895), (120, 118, 115), (10, 9, 8.1), (1, 0.8, 0.72)]
)
def test_what_of_an_invocation_is_for_the_answer_and_for_checks(seconds: float, answer: float, checks: float) -> None:
    assert for_answer(seconds) == pytest.approx(answer)
    assert for_checks(for_answer(seconds)) == pytest.approx(checks)


def test_a_computation_ends_at_the_deadline_of_its_thread() -> None:
    check_deadline()
    with limited_by(Deadline.after(100)):
        check_deadline()
        with limited_by(Deadline.after(-1)), pytest.raises(DeadlinePassedError) as ended:
            check_deadline()
        check_deadline()

    assert ended.value.outcome == Outcome.wait("not finished when the time of this invocation was over")


def test_the_result_comes_back() -> None:
    assert run_with_deadline(lambda: 7, Deadline.after(10)) == 7
    assert run_with_deadline(lambda: None, Deadline.after(10)) is None


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_what_is_raised_is_raised_here(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(error):
        run_with_deadline(fail, Deadline.after(10))


def test_a_call_without_end_is_given_up() -> None:
    release = threading.Event()

    with pytest.raises(TimeoutError, match="not finished in time"):
        run_with_deadline(lambda: release.wait(30), Deadline.after(0.05))
    release.set()


def thread() -> int:
    return threading.get_ident()


def test_the_thread_of_a_finished_call_runs_the_next_one() -> None:
    """In a process of its own: here, threads of other tests may become free at any time."""
    code = """
import threading
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.deadline import run_with_deadline

threads = {run_with_deadline(threading.get_ident, Deadline.after(10)) for _ in range(20)}
assert len(threads) == 1, threads
assert threading.get_ident() not in threads
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_calls_at_the_same_time_have_a_thread_each() -> None:
    meeting = threading.Barrier(5)
    done: queue.SimpleQueue[Call[int]] = queue.SimpleQueue()

    def meet() -> int:
        meeting.wait(10)
        return thread()

    for _ in range(5):
        Call(meet, done.put)

    assert len({done.get(timeout=10).result() for _ in range(5)}) == 5


def test_a_call_without_end_keeps_its_thread_to_itself() -> None:
    release, stuck = threading.Event(), []

    def hang() -> None:
        stuck.append(thread())
        release.wait(30)

    with pytest.raises(TimeoutError):
        run_with_deadline(hang, Deadline.after(0.05))
    assert run_with_deadline(thread, Deadline.after(10)) not in stuck
    release.set()


def test_what_a_call_returned_is_not_kept() -> None:
    class Value:
        pass

    kept = weakref.ref(run_with_deadline(Value, Deadline.after(10)))
    run_with_deadline(thread, Deadline.after(10))

    assert kept() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_has_threads_of_its_own() -> None:
    run_with_deadline(thread, Deadline.after(10))
    child = os.fork()
    if child == 0:
        status = 1
        with suppress(BaseException):
            status = 0 if run_with_deadline(lambda: 7, Deadline.after(10)) == 7 else 1
        os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
