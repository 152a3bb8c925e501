"""Values that are valid for a while, and are requested by one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from ecs_hooks.core import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(NamedTuple, Generic[V]):
    """A value, and the seconds for which it is valid."""

    value: V
    seconds: float


class _Entry(Generic[V]):
    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: Kept[V] | None = None
        self.since = 0.0
        self.error: Exception | None = None
        self.failed_at = 0.0


class Cache(Generic[K, V]):
    """Keeps values over the invocations of a warm function, while they are valid.

    Checks in several threads need the same value at the same time: one of them requests it, and all that wait get its
    result, also if that is an error.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[K, _Entry[V]] = {}

    def get(self, key: K, find: Callable[[], Kept[V]]) -> V:
        """Return the value of a key; call `find` if no valid one is kept, and pass on its exceptions."""
        started = time.monotonic()
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
        with entry.lock:
            # A negative age means that the clock was set back.
            if entry.kept is not None and 0 <= clock.now() - entry.since < entry.kept.seconds:
                return entry.kept.value
            if entry.error is not None and entry.failed_at >= started:
                raise entry.error
            entry.kept = entry.error = None
            try:
                entry.kept = find()
            except Exception as error:
                entry.error, entry.failed_at = error, time.monotonic()
                raise
            entry.since = clock.now()
            return entry.kept.value

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._entries.clear()
