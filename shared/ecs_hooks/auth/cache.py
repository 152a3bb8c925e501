"""Values that hold for a while, and are asked for by one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from ecs_hooks.core import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(NamedTuple, Generic[V]):
    """A value, and for how long it holds.

    Parameters
    ----------
    value
        The value.
    seconds
        How long it may be used.
    """

    value: V
    seconds: float


class _Entry(Generic[V]):
    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: Kept[V] | None = None
        self.since = 0.0
        self.trouble: Exception | None = None
        self.failed_at = 0.0


class Cache(Generic[K, V]):
    """Keeps values as long as the process lives and they hold: a warm function does not ask again.

    Checks need the same value at the same time, from several threads: one of them asks, and what comes of it, be it
    trouble, is good for all that have waited for it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[K, _Entry[V]] = {}

    def get(self, key: K, ask: Callable[[], Kept[V]]) -> V:
        """Return the value of a key, and ask for it where none is kept that holds.

        Parameters
        ----------
        key
            What the value is of.
        ask
            Finds it. What it raises, this does too.
        """
        came = time.monotonic()
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
        with entry.lock:
            # A clock that was set back tells nothing of an age.
            if entry.kept is not None and 0 <= clock.now() - entry.since < entry.kept.seconds:
                return entry.kept.value
            if entry.trouble is not None and entry.failed_at >= came:
                raise entry.trouble
            entry.kept = entry.trouble = None
            try:
                entry.kept = ask()
            except Exception as error:
                entry.trouble, entry.failed_at = error, time.monotonic()
                raise
            entry.since = clock.now()
            return entry.kept.value

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._entries.clear()
