from __future__ import annotations

import threading

import pytest

from ecs_hooks.bounded import call_within
from ecs_hooks.deadline import Deadline


def test_the_result_comes_back() -> None:
    assert call_within(lambda: 7, Deadline.after(10)) == 7
    assert call_within(lambda: None, Deadline.after(10)) is None


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_what_is_raised_is_raised_here(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(error):
        call_within(fail, Deadline.after(10))


def test_a_call_without_end_is_given_up() -> None:
    release = threading.Event()

    with pytest.raises(TimeoutError, match="not finished in time"):
        call_within(lambda: release.wait(30), Deadline.after(0.05))
    release.set()
