from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress

import pytest

from ecs_hooks.core.deadline import Deadline, run_with_deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.own_limits import OwnLimitError, has_no_descriptor, max_descriptor, own_limit
from tests.support.limits import few_descriptors, no_descriptors, no_threads


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "the function ran out of file descriptors; at most "),
        (OSError(errno.ENFILE, "Too many open files in system"), "the function ran out of file descriptors; at most "),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "the function ran out of memory"),
        (OSError(errno.ENOBUFS, "No buffer space available"), "the function ran out of memory"),
        (MemoryError(), "the function ran out of memory"),
        (RuntimeError("can't start new thread"), "the function ran out of threads: can't start new thread"),
        (OwnLimitError("the limit"), "the limit"),
    ],
)
def test_limits_are_found_in_every_exception_that_they_cause(error: Exception, reason: str) -> None:
    class WrappedError(Exception):
        pass

    explicit, implicit = WrappedError(), WrappedError()
    explicit.__cause__ = error
    implicit.__context__ = explicit
    for each in (error, explicit, implicit):
        assert own_limit(each).startswith(reason)


def test_other_exceptions_have_no_limit() -> None:
    circle = ValueError()
    circle.__context__ = other = RuntimeError("dictionary changed size during iteration")
    other.__context__ = circle
    for error in (None, ValueError(), OSError(errno.ECONNREFUSED, "refused"), OSError("no number"), circle):
        assert own_limit(error) == ""


def test_the_number_of_descriptors_is_in_the_reason() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1000), hard))
    try:
        assert "at most 1000 at once" in own_limit(OSError(errno.EMFILE, ""))
        assert max_descriptor() == 1000 - 64 - 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert max_descriptor() > 1_000_000


def test_connections_leave_descriptors_to_everything_else() -> None:
    with few_descriptors(3):
        opened = []
        with suppress(OSError):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        try:
            assert sum(number <= max_descriptor() for number in opened) == 3
            assert len(opened) > 3
        finally:
            for number in opened:
                os.close(number)


def test_whether_a_file_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_no_descriptor()
    with no_descriptors():
        assert has_no_descriptor()
    monkeypatch.setattr(os, "devnull", "/does/not/exist")
    assert not has_no_descriptor()


def test_a_call_that_gets_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    no_threads(monkeypatch)
    with pytest.raises(OwnLimitError, match="ran out of threads: can't start new thread") as caught:
        run_with_deadline(lambda: 7, Deadline.after(10))
    assert caught.value.outcome.status is Status.ERROR
