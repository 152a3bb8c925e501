"""One connection to an address that the guard has judged."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from urllib3.util import wait_for_read

from ecs_hooks.http.budget import Budget
from ecs_hooks.http.certificate import tls_of
from ecs_hooks.http.opening import Opened, Tls, opened
from ecs_hooks.http.resolver import Resolver
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import tls_context
from ecs_hooks.http.waits import Waits

if TYPE_CHECKING:
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.sending import Limits


class Connection:
    """An open connection.

    Parameters
    ----------
    opened
        The connection as it was opened.

    Attributes
    ----------
    opened
        Its socket.
    opened_at
        When it was begun, on the clock of `time.perf_counter`; when it was taken again, where it was.
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

    def __init__(self, opened: Opened) -> None:
        self.opened = opened.socket
        self.wire = opened.socket.wire
        self.opened_at = opened.began_at
        self.reusable = True
        self.timings = opened.timings
        self.tls = tls_of(opened.socket)

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
        tls = None
        if url.scheme == "https":
            tls = Tls(request.server_name, partial(tls_context, limits.trust, request.certificate, ("http/1.1",)))
        return cls(opened(url.host, url.port, tls, budget, resolver, waits))

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
