"""Begins calls one after the other, each as soon as one of those before has to wait for somebody else.

Fifty checks that begin at once all want the interpreter, and it goes from hand to hand between them: every request is
sent later, and what a check measures is the work of its neighbours beside that of the server. In a relay few of them
work at a time, while the others wait for their turn or for an answer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

ABREAST = 3
"""How many begin at once: while some of them are in the kernel, another one can go on."""

_own = threading.local()


def waits() -> None:
    """Say that the call of this thread has to wait for somebody else now, so that another one may begin."""
    pass_on: Callable[[], None] | None = getattr(_own, "pass_on", None)
    if pass_on is not None:
        _own.pass_on = None
        pass_on()


class Relay:
    """Calls, each of which runs in a thread of its own.

    Parameters
    ----------
    begin
        What begins them, in this order. Each of them has to end up in `run`.
    """

    def __init__(self, begin: Iterable[Callable[[], object]]) -> None:
        self._left = deque(begin)
        self._begun = 0
        self._seen = 0
        self._step = ABREAST

    def __bool__(self) -> bool:
        """Whether there are calls that have not begun."""
        return bool(self._left)

    def start(self) -> None:
        """Begin the first ones."""
        self._next(ABREAST)

    def hurry(self) -> None:
        """Begin some more, and twice as many each time, where none has begun since this was last called.

        What a call waits for may be something that does not say so.
        """
        if self._begun == self._seen:
            self._step *= 2
            self._next(self._step)
        self._seen = self._begun

    def stop(self) -> None:
        """Begin no more of them."""
        self._left.clear()

    def run(self, call: Callable[[], T]) -> T:
        """Run a call, and let the next one begin when it first waits, or is over."""
        _own.pass_on = self._next
        try:
            return call()
        finally:
            waits()

    def _next(self, count: int = 1) -> None:
        for _ in range(count):
            try:
                begin = self._left.popleft()
            except IndexError:
                return
            self._begun += 1
            begin()
