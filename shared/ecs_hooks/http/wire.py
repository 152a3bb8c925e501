"""Sockets that know how long and how much they may still receive.

The time-out of a plain socket counts from one byte to the next, so a server that sends a byte now and then could hold a
request for ever. These sockets set it anew before each call, to what is left of the whole.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from ecs_hooks.deadline import Deadline
from ecs_hooks.http.waits import Waits

_NEARLY = 0.01
"""Seconds by which a wait may be longer than what is left."""


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

    @property
    def watched(self) -> bool:
        """Whether somebody wants to know for whom the exchange waits."""
        return self._waits is not None

    def waiting(self, waiting: socket.socket, event: int) -> AbstractContextManager[None]:
        """Return the context of a call that waits for this event at a socket."""
        return nullcontext() if self._waits is None else self._waits.noted(self, waiting.fileno(), event)

    def await_data(self, waiting: socket.socket) -> None:
        """Wait until there is something to read, where somebody wants to know how long that takes.

        A call that receives takes the data and then waits for the interpreter: it would look as if there were none yet.
        """
        if self.watched:
            poll = select.poll()
            poll.register(waiting, select.POLLIN)
            with self.waiting(waiting, select.POLLIN):
                poll.poll(self.remaining() * 1000)

    def count(self, size: int) -> int:
        """Take note of bytes received, or, where there are none, of the end."""
        self.received += size
        self.ended = size == 0
        if self.received > self._limit:
            raise self._exceeded()
        return size


class WireSocket(socket.socket):
    """A TCP socket that keeps to its `wire`."""

    wire: Wire

    def wait_at_most(self, seconds: float) -> None:
        """Set the time-out, unless it is nearly that: to set it makes a system call, and lets another thread go first."""
        now = self.gettimeout()
        if now is None or not seconds <= now <= seconds + _NEARLY:
            self.settimeout(seconds)

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        self.wire.await_data(self)
        self.wait_at_most(self.wire.remaining())
        return self.wire.count(super().recv_into(*args, **options))

    def sendall(self, *args: Any, **options: Any) -> None:
        """Send, within the time that is left."""
        self.wait_at_most(self.wire.remaining())
        with self.wire.waiting(self, select.POLLOUT):
            super().sendall(*args, **options)


class WireSSLSocket(ssl.SSLSocket):
    """A TLS socket that keeps to its `wire`, once it has one: after the handshake, which has a time-out of its own."""

    wire: Wire

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        while self.wire.watched:
            if not self.pending():
                self.wire.await_data(self)
            self.settimeout(0)
            # What has come may be none of the data, but a ticket for the next session.
            with suppress(ssl.SSLWantReadError):
                return self.wire.count(super().recv_into(*args, **options))
        self.settimeout(self.wire.remaining())
        return self.wire.count(super().recv_into(*args, **options))

    def send(self, *args: Any, **options: Any) -> int:
        """Send, within the time that is left; `sendall` calls this for each piece."""
        self.settimeout(self.wire.remaining())
        with self.wire.waiting(self, select.POLLOUT):
            return super().send(*args, **options)
