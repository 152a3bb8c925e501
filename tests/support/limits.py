"""The limits of the process, lowered for a test."""

from __future__ import annotations

import gc
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ecs_hooks.core.own_limits import max_descriptor

_LOWEST = 16
"""Descriptors below this number are opened when the process starts, and stay open."""


@contextmanager
def few_descriptors(spare: int) -> Iterator[None]:
    """Let the process open so many further connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what earlier tests left open must not be closed meanwhile
    with ExitStack() as opened:
        highest = max(int(each.name) for each in Path("/dev/fd").iterdir())
        # Numbers between those in use are free, too: fill them, so that the next one is above all.
        while (free := opened.enter_context(open(os.devnull)).fileno()) < highest:  # noqa: PTH123
            pass
        free += 1
        try:
            for limit in range(free, soft):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                if max_descriptor() == free + spare - 1:
                    break
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let the process open nothing at all.

    The limit is below the numbers that other threads use, and may close meanwhile.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as opened:
        while opened.enter_context(open(os.devnull)).fileno() < _LOWEST:  # noqa: PTH123
            pass
        resource.setrlimit(resource.RLIMIT_NOFILE, (_LOWEST, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def no_threads(monkeypatch: pytest.MonkeyPatch, name: str = "") -> None:
    """Let no thread start whose name begins like this, as where the process has too many."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(name):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr("ecs_hooks.core.deadline._idle", [])
    monkeypatch.setattr(threading.Thread, "start", refuse)
