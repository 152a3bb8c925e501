"""Sockets that know how long and how much they may still receive.

The time-out of a plain socket counts from one byte to the next, so a server that sends a byte now and then could hold a
request for ever. These sockets never block: whatever they wait for, they wait for it in one place, which knows what is
left of the whole.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from urllib3.util import wait_for_read, wait_for_write

from ecs_hooks import relay
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http.waits import Waits

T = TypeVar("T")

_CONNECTED = {0, errno.EISCONN}


class Wire:
    """What one exchange may still cost, and what it has received.

    Parameters
    ----------
    deadline
        When it must be over.
    waits
        Where it is noted that the exchange waits for the other side; None where nobody wants to know.

    Attributes
    ----------
    received
        Bytes received in the current exchange.
    ended
        Whether the server has closed its side.
    """

    def __init__(self, deadline: Deadline, waits: Waits | None = None) -> None:
        self.deadline = deadline
        self._waits = waits
        self.received = 0
        self.ended = False
        self._limit = 0
        self._exceeded: Callable[[], Exception] = OverflowError

    def allow(self, size: int, exceeded: Callable[[], Exception]) -> None:
        """Let no more than `size` further bytes be received; `exceeded` makes the error for more."""
        self._limit = self.received + size
        self._exceeded = exceeded

    def remaining(self) -> float:
        """Return the seconds left.

        Raises
        ------
        TimeoutError
            If there are none.
        """
        remaining = self.deadline.remaining()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def wait_to_read(self, waiting: socket.socket) -> None:
        """Wait until there is something to read.

        Raises
        ------
        TimeoutError
            If there is nothing in time.
        """
        self._wait(wait_for_read, waiting, select.POLLIN, self.remaining())

    def wait_to_write(self, waiting: socket.socket, seconds: float | None = None) -> None:
        """Wait until more can be sent, or the connection is there.

        Parameters
        ----------
        waiting
            The socket.
        seconds
            For how long; None for all that is left.

        Raises
        ------
        TimeoutError
            If it can't in time.
        """
        self._wait(wait_for_write, waiting, select.POLLOUT, self.remaining() if seconds is None else seconds)

    def _wait(
        self, wait: Callable[[socket.socket, float], bool], waiting: socket.socket, event: int, seconds: float
    ) -> None:
        relay.waits()
        if self._waits is None:
            ready = wait(waiting, seconds)
        else:
            with self._waits.noted(self, waiting.fileno(), event):
                ready = wait(waiting, seconds)
        if not ready:
            raise TimeoutError

    def count(self, size: int) -> int:
        """Take note of bytes received, or, where there are none, of the end."""
        self.received += size
        self.ended = size == 0
        if self.received > self._limit:
            raise self._exceeded()
        return size


class WireSocket(socket.socket):
    """A TCP socket that keeps to its `wire`.

    Parameters
    ----------
    family
        `AF_INET` or `AF_INET6`.
    wire
        Time and size.
    """

    def __init__(self, family: int, wire: Wire) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self.wire = wire
        self.settimeout(0)

    def connect_within(self, target: tuple[Any, ...], seconds: float) -> None:
        """Connect to an address.

        Raises
        ------
        TimeoutError
            If that takes longer.
        OSError
            If there is no connection.
        """
        error = self.connect_ex(target)
        if error == errno.EINPROGRESS:
            # Nearby the connection is there at once, and nobody has to wait.
            error = self.connect_ex(target)
        if error == errno.EALREADY:
            self.wire.wait_to_write(self, seconds)
            error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error not in _CONNECTED:
            raise OSError(error, os.strerror(error))

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        while True:
            self.wire.remaining()  # a side that always has something to say is not waited for
            try:
                return self.wire.count(super().recv_into(*args, **options))
            except BlockingIOError:
                self.wire.wait_to_read(self)

    def await_answer(self) -> None:
        """Wait until there is something to read; it never is at once, and to try would be in vain."""
        self.wire.wait_to_read(self)

    def sendall(self, data: Any, *args: Any) -> None:
        """Send, within the time that is left."""
        left = memoryview(data)
        while left:
            try:
                left = left[super().send(left, *args) :]
            except BlockingIOError:
                self.wire.wait_to_write(self)


class WireSSLSocket(ssl.SSLSocket):
    """A TLS socket that keeps to the `wire` which it is given before the handshake."""

    wire: Wire

    def await_answer(self) -> None:
        """Do nothing: what TLS has read already can't be waited for, only tried."""

    def shake_hands(self) -> None:
        """Bring about the handshake, within the time that is left."""
        self._persistently(self.do_handshake)

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        return self.wire.count(self._persistently(lambda: super(WireSSLSocket, self).recv_into(*args, **options)))

    def send(self, *args: Any, **options: Any) -> int:
        """Send, within the time that is left; `sendall` calls this for each piece."""
        return self._persistently(lambda: super(WireSSLSocket, self).send(*args, **options))

    def _persistently(self, once: Callable[[], T]) -> T:
        """Do something as soon as TLS lets it be done: to send it may have to read first, and the other way round."""
        while True:
            self.wire.remaining()  # a side that always has something to say is not waited for
            try:
                return once()
            except ssl.SSLWantReadError:
                self.wire.wait_to_read(self)
            except ssl.SSLWantWriteError:
                self.wire.wait_to_write(self)
