"""A socket with one deadline for everything that is done on it.

The timeout of a plain socket counts from one byte to the next, so a server that sends a byte now and then could hold a
request for ever. This socket never blocks in a call: each wait is in `_wait`, which knows the time that is left.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ecs_hooks.core.own_limits import max_descriptor, out_of_descriptors
from ecs_hooks.http.errors import FunctionLimitError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline


T = TypeVar("T")

RECV_BYTES = 65_536
"""The most that one call of `recv` returns."""

_CONNECTED = {0, errno.EISCONN}

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""The option that acknowledges what arrives at once; Linux has it, for the next packets only."""


class DeadlineSocket:
    """A TCP or TLS socket whose calls raise `TimeoutError` once the deadline has passed.

    Parameters
    ----------
    family
        `AF_INET` or `AF_INET6`.
    deadline
        When everything must be done. A connection that is used again gets a new one.
    in_flight
        Records the waits for the server; None where no one needs them.

    Attributes
    ----------
    raw
        The socket itself; after `start_tls`, the TLS socket.

    Raises
    ------
    FunctionLimitError
        If the process has too many open file descriptors.
    """

    def __init__(self, family: int, deadline: Deadline, in_flight: InFlight | None = None) -> None:
        self.raw = socket.socket(family, socket.SOCK_STREAM)
        if self.raw.fileno() > max_descriptor():
            self.raw.close()
            raise FunctionLimitError(out_of_descriptors())
        self.raw.setblocking(False)  # noqa: FBT003 - its only argument
        self.deadline = deadline
        self._in_flight = in_flight
        self._tls: ssl.SSLSocket | None = None

    def connect(self, target: tuple[Any, ...], seconds: float) -> None:
        """Connect to an address.

        Raises
        ------
        TimeoutError
            If that takes longer.
        OSError
            If there is no connection.
        """
        self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self.raw.connect_ex(target)
        if error == errno.EINPROGRESS:
            # A server nearby is connected by now, and there is nothing to wait for.
            error = self.raw.connect_ex(target)
        if error == errno.EALREADY:
            self._wait(select.POLLOUT, seconds)
            error = self.raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error not in _CONNECTED:
            raise OSError(error, os.strerror(error))

    def start_tls(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLSocket:
        """Do the TLS handshake, and return the TLS socket.

        Raises
        ------
        OSError
            If it fails, or takes too long.
        """
        # suppress_ragged_eofs: a connection that ends without close_notify may have been cut by anyone.
        self.raw = self._tls = context.wrap_socket(
            self.raw, server_hostname=server_name, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        self._retry(select.POLLIN, self._tls.do_handshake)
        return self._tls

    def recv(self, size: int = RECV_BYTES) -> bytes:
        """Return the next bytes; none once the other side has closed."""
        if _QUICK_ACK is not None:  # pragma: no branch - Linux has it
            # A server that sends header and body by two writes, with Nagle's algorithm, sends the body when the header is
            # acknowledged. Linux delays that by 40 ms, but not on a new or an idle connection: the time would depend
            # on the requests before.
            self.raw.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        if self._tls is None:
            # A response is never there at once. In TLS it may be: what TLS has buffered, poll does not see.
            self._wait(select.POLLIN)
        return self._retry(select.POLLIN, self.raw.recv, size)

    def recv_now(self) -> bytes | None:
        """Return bytes that have arrived already: None if there are none, no bytes once the other side has closed."""
        try:
            return self.raw.recv(RECV_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def has_arrived(self) -> bool:
        """Return whether bytes have arrived that were not read, or the other side has closed."""
        poll = select.poll()
        poll.register(self.raw.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def wait_for_data(self, seconds: float) -> None:
        """Wait until bytes have arrived or the other side has closed, for at most these seconds."""
        with suppress(TimeoutError):
            self._wait(select.POLLIN, seconds)

    def send_all(self, data: bytes) -> None:
        """Send bytes."""
        left = memoryview(data)
        while left:
            left = left[self._retry(select.POLLOUT, self.raw.send, left) :]

    def send(self, data: memoryview) -> int:
        """Send some bytes, and return how many; 0 if the other side sends something first."""
        while True:
            self._check()
            try:
                return self.raw.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError) as blocked:
                must_read = isinstance(blocked, ssl.SSLWantReadError)
                if self._wait(select.POLLIN if must_read else select.POLLIN | select.POLLOUT) & select.POLLIN:
                    return 0

    @property
    def pending(self) -> int:
        """Bytes that TLS has received and not returned."""
        return 0 if self._tls is None else self._tls.pending()

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The TLS socket; None on a plain connection."""
        return self._tls

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    def _retry(self, events: int, call: Callable[..., T], *args: Any) -> T:
        """Call until the socket is ready for these events. TLS may have to read in order to send, and vice versa."""
        while True:
            self._check()  # also while data keeps arriving
            try:
                return call(*args)
            except BlockingIOError:
                self._wait(events)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)

    def _check(self) -> float:
        """Return the seconds left.

        Raises
        ------
        TimeoutError
            If there are none.
        """
        seconds = self.deadline.remaining()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def _wait(self, events: int, seconds: float | None = None) -> int:
        """Wait until the socket is ready, and return for what.

        Raises
        ------
        TimeoutError
            If it is not ready in time.
        """
        seconds = self._check() if seconds is None else seconds
        descriptor = self.raw.fileno()
        poll = select.poll()
        poll.register(descriptor, events)
        if self._in_flight is None:
            ready = poll.poll(seconds * 1000)
        else:
            self._in_flight.block(self, descriptor, events)
            try:
                ready = poll.poll(seconds * 1000)
            finally:
                self._in_flight.unblock(self)
        if not ready:
            raise TimeoutError
        return ready[0][1]


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
