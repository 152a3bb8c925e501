"""One connection to an address that the guard has judged."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from urllib3.util import wait_for_read

from ecs_hooks.http.budget import Budget
from ecs_hooks.http.certificate import tls_of
from ecs_hooks.http.dialling import allowed, dialled, looked_up
from ecs_hooks.http.handshake import check_server_name, secured
from ecs_hooks.http.resolver import Resolver
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import tls_context
from ecs_hooks.http.waits import Waits
from ecs_hooks.http.wire import WireSocket, WireSSLSocket

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.sending import Limits


class Connection:
    """An open connection.

    Parameters
    ----------
    opened
        The socket, connected.
    opened_at
        When the connection was begun, on the clock of `time.perf_counter`; when it was taken again, where it was.

    Attributes
    ----------
    wire
        Time and size that the current exchange may cost.
    reusable
        Whether the last response was read to its end, and does not end with the connection, so that another request may
        follow.
    timings
        What it took to open the connection; nothing where it was open already.
    tls
        The TLS side of it; None where it has none.
    """

    def __init__(self, opened: WireSocket | WireSSLSocket, opened_at: float, timings: Timings) -> None:
        self.opened = opened
        self.wire = opened.wire
        self.opened_at = opened_at
        self.reusable = True
        self.timings = timings
        self.tls = tls_of(opened)

    @classmethod
    def open(
        cls, request: Request, limits: Limits, budget: Budget, resolver: Resolver, waits: Waits | None = None
    ) -> Connection:
        """Look up the host, judge its addresses, and connect to one of them.

        Parameters
        ----------
        request
            Says where to, by which name, and what this side proves itself with.
        limits
            What the other side of a TLS connection must be like.
        budget
            The time for it.
        resolver
            What looks up names.
        waits
            Where it is noted, now and in each exchange, that the other side is waited for.

        Raises
        ------
        HttpError
            One that says which step failed.
        """
        url = request.url
        began = time.perf_counter()
        endpoints = allowed(url.host, looked_up(url.host, url.port, budget, resolver))
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            check_server_name(request.server_name)
            context = tls_context(limits.trust, request.certificate, ("http/1.1",))
        opened_at = time.perf_counter()
        raw = dialled(endpoints, url.port, budget, waits)
        connected = time.perf_counter()
        opened = raw if context is None else secured(raw, context, request.server_name, budget)
        tls = 0.0 if context is None else time.perf_counter() - connected
        return cls(opened, opened_at, Timings(opened_at - began, connected - opened_at, tls))

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent: neither side has closed it, and nothing has come that nobody asked for."""
        return self.reusable and not wait_for_read(self.opened, timeout=0)

    def begin_again(self, budget: Budget) -> None:
        """Take the connection for another exchange, with the time that this one may cost."""
        self.wire.deadline = budget.deadline
        self.opened_at = time.perf_counter()
        self.timings = Timings()

    def close(self) -> None:
        """Close the connection."""
        self.opened.close()
