"""Which requests are waiting for the network, and which for this process.

The latency of a request is partly the server's and partly the client's. `load` separates them by sampling: a request
whose socket has nothing to read waits for the server; every other request waits for this process.
"""

from __future__ import annotations

import select


class InFlight:
    """The requests, in all threads, that are blocked on a socket."""

    def __init__(self) -> None:
        self._blocked: dict[object, tuple[int, int]] = {}

    def block(self, request: object, descriptor: int, events: int) -> None:
        """Record that a request is blocked.

        Parameters
        ----------
        request
            Identifies the request.
        descriptor
            The file descriptor of its socket.
        events
            The events that end the wait: `select.POLLIN`, `select.POLLOUT`, or both.
        """
        self._blocked[request] = (descriptor, events)

    def unblock(self, request: object) -> None:
        """Record that a request runs again."""
        del self._blocked[request]

    def count(self) -> int:
        """Return the number of requests that are blocked now, and whose socket is not ready."""
        poll = select.poll()
        blocked = dict(self._blocked.copy().values())  # other threads continue; copy() is atomic
        for descriptor, events in blocked.items():
            poll.register(descriptor, events)
        return len(blocked) - len(poll.poll(0))
