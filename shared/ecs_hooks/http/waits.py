"""Which exchanges wait for the other side, and which have something to do that they have not come to yet.

The time of a request is that of the server and that of whoever asks it. They are told apart by looking, now and then: a
request that is sent, and whose socket has nothing to read, waits for the server; any other waits for this process.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager


class Waits:
    """The exchanges, in all threads, that wait for the network."""

    def __init__(self) -> None:
        self._now: dict[object, tuple[int, int]] = {}

    @contextmanager
    def noted(self, waiting: object, descriptor: int, event: int) -> Iterator[None]:
        """Take note of a wait while it lasts.

        Parameters
        ----------
        waiting
            Who waits; one wait each.
        descriptor
            The file descriptor of its socket.
        event
            What it waits for: `select.POLLIN` or `select.POLLOUT`.
        """
        self._now[waiting] = (descriptor, event)
        try:
            yield
        finally:
            del self._now[waiting]

    def count(self) -> int:
        """Return how many exchanges wait right now, and would find nothing to do if they looked.

        All others that are under way wait for this process.
        """
        poll = select.poll()
        waits = dict(self._now.copy().values())  # other threads go on; to copy is one step
        for descriptor, event in waits.items():
            poll.register(descriptor, event)
        return len(waits) - len(poll.poll(0))
