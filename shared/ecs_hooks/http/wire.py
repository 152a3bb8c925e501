"""Sockets that know how long and how much they may still receive.

The time-out of a plain socket counts from one byte to the next, so a server that sends a byte now and then could hold a
request for ever. These sockets set it anew before each call, to what is left of the whole.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from ecs_hooks.deadline import Deadline


class Wire:
    """What one exchange may still cost, and what it has received.

    Parameters
    ----------
    deadline
        When it must be over.

    Attributes
    ----------
    received
        Bytes received in the current exchange.
    ended
        Whether the server has closed its side.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
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

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        self.settimeout(self.wire.remaining())
        return self.wire.count(super().recv_into(*args, **options))

    def sendall(self, *args: Any, **options: Any) -> None:
        """Send, within the time that is left."""
        self.settimeout(self.wire.remaining())
        super().sendall(*args, **options)


class WireSSLSocket(ssl.SSLSocket):
    """A TLS socket that keeps to its `wire`, once it has one: after the handshake, which has a time-out of its own."""

    wire: Wire

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Receive, within the time and the size that are left."""
        self.settimeout(self.wire.remaining())
        return self.wire.count(super().recv_into(*args, **options))

    def send(self, *args: Any, **options: Any) -> int:
        """Send, within the time that is left; `sendall` calls this for each piece."""
        self.settimeout(self.wire.remaining())
        return super().send(*args, **options)
