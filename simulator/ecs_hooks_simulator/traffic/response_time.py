"""How long a client of the load balancer waits for an answer: what the target takes, and what a fault adds.

A hook waits in real time, since it measures in real time. Users who live in virtual time do not: for them the delay is
only counted, so that an hour of slow answers takes no time.
"""

from __future__ import annotations

import select
import socket
import threading
import time

from ecs_hooks.core import clock

_GLANCE = 0.1
"""Seconds between two looks at whether a client that is kept waiting is still there."""


class ClientGoneError(Exception):
    """The client did not wait for the answer."""


class ResponseTime:
    """The time of one request, from when it was forwarded.

    Parameters
    ----------
    client
        The client's connection.
    closing
        Ends every wait.
    longest
        Seconds after which the load balancer gives the target up.
    virtual
        Whether the client lives in virtual time.
    """

    def __init__(self, client: socket.socket, closing: threading.Event, *, longest: float, virtual: bool) -> None:
        self._client = client
        self._closing = closing
        self._longest = longest
        self._virtual = virtual
        self._began = time.perf_counter()
        self._counted = 0.0

    @property
    def seconds(self) -> float:
        """Seconds that the client has waited so far."""
        return time.perf_counter() - self._began + self._counted

    @property
    def now(self) -> float:
        """The time of day, in seconds since the epoch, for whoever has waited so long."""
        return clock.now() + self._counted

    def wait(self, seconds: float) -> None:
        """Have the client wait longer.

        Raises
        ------
        TimeoutError
            If that is longer than the load balancer waits.
        ClientGoneError
            If the client does not.
        """
        left = max(self._longest - self.seconds, 0.0)
        if self._virtual:
            self._counted += min(seconds, left)
        else:
            self._wait(min(seconds, left))
        if seconds >= left:
            raise TimeoutError

    def _wait(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0 and not self._closing.wait(min(left, _GLANCE)):
            readable, _, _ = select.select([self._client], [], [], 0)
            if readable and not self._client.recv(1, socket.MSG_PEEK):
                raise ClientGoneError
