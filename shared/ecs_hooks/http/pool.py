"""Connections that stay open from one request to the next."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from ecs_hooks.http.errors import HttpError, ResetBeforeResponseError
from ecs_hooks.http.http1 import Http1Connection
from ecs_hooks.http.resolver import CachingResolver, Resolver

if TYPE_CHECKING:
    from ecs_hooks.http.deadline_socket import InFlight
    from ecs_hooks.http.limits import Budget, Limits, Trust
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.tls import ClientCertificate

IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
"""Methods whose requests may be sent twice (RFC 9110, section 9.2.2)."""

_MAX_IDLE = 1.0
"""Seconds after which a free connection is not used again where no request is resent. The servers with the shortest
keep-alive timeouts close after two seconds (gunicorn) or five (Node.js, uvicorn, Apache): a request that is sent at that
moment would count as aborted."""

_WAIT_FOR_CLOSE = 0.025
"""Seconds for a server to close a connection without an announcement after its response, where no request is resent and no
connection of that server was used twice yet. A server that has closed one so far is expected to close all."""

_Key: TypeAlias = "tuple[tuple[str, str, int], str, Trust, ClientCertificate | None]"
"""Scheme, host and port; the name and the requirements for the server's certificate; the client's certificate."""


class Pool:
    """Sends requests on open connections (HTTP keep-alive), from several threads at a time.

    The connection that became free last is used first, so there are no more of them than requests at the same time. A
    server may close an idle connection at the moment at which the next request is sent. Whether it has processed that
    request is unknown, so only idempotent requests are sent again, on a new connection, and only if `resend` allows it;
    else the request has failed. With `resend`, other requests have a new connection each. A connection is not used again
    after a response without the body that its header announces, as to HEAD: some servers send it nevertheless.

    Parameters
    ----------
    keep
        Whether connections are used again; if not, each request has one of its own.
    resend
        Whether an idempotent request is sent again if a used connection ends before the first byte of a response. If not,
        every abort by the server is an error.
    resolver
        Looks up names. The address guard judges the addresses at each connect.
    in_flight
        Records which requests wait for the server; None if no one needs that, since it takes time.

    Attributes
    ----------
    opened
        How many connections were opened.
    replaced
        How many free connections the server had closed before their next request.
    resent
        How many requests were sent again.
    """

    def __init__(
        self,
        *,
        keep: bool = True,
        resend: bool = True,
        resolver: Resolver | None = None,
        in_flight: InFlight | None = None,
    ) -> None:
        self.opened = self.replaced = self.resent = 0
        self._keep = keep
        self._reuses = keep
        self._resend = resend
        self._kept: set[_Key] = set()
        """Those of which a connection was used twice."""
        self._closing: set[_Key] = set()
        """Those of which the server closed a connection after its first response."""
        self._resolver = resolver or CachingResolver()
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self._free: defaultdict[_Key, list[tuple[Http1Connection, float]]] = defaultdict(list)

    def connect(self, request: Request, limits: Limits, budget: Budget) -> None:
        """Open a connection in advance.

        Raises
        ------
        HttpError
            If there is none.
        """
        try:
            self._put_back(self._open(request, limits, budget), _key(request, limits))
        except HttpError as error:
            error.where = request.shown
            raise

    def exchange(self, request: Request, limits: Limits, budget: Budget) -> Response:
        """Send a request and return its response, whatever its status.

        Raises
        ------
        HttpError
            If there is none.
        """
        request.verify()
        key = _key(request, limits)
        resend = self._resend and request.method in IDEMPOTENT
        used = self._take(key, budget) if resend or not self._resend else None
        if used is not None and resend:
            with suppress(ResetBeforeResponseError):
                return self._exchange(used, key, request, limits, budget)
            with self._lock:
                self.resent += 1
            used = None
        connection = used or self._open(request, limits, budget)
        try:
            response = self._exchange(connection, key, request, limits, budget)
        except ResetBeforeResponseError as error:
            error.may_resend = resend or not self._reuses
            raise
        if connection.exchanges > 1:
            self._kept.add(key)
            self._closing.discard(key)
        return response

    def close(self) -> None:
        """Close the connections that are free; each of the others is closed after its exchange."""
        with self._lock:
            self._keep = False
            free = [each for connections in self._free.values() for each, _ in connections]
            self._free.clear()
        for connection in free:
            connection.close()

    def _open(self, request: Request, limits: Limits, budget: Budget) -> Http1Connection:
        connection = Http1Connection(request, limits, budget, self._resolver, self._in_flight)
        with self._lock:
            self.opened += 1
        return connection

    def _exchange(
        self, connection: Http1Connection, key: _Key, request: Request, limits: Limits, budget: Budget
    ) -> Response:
        try:
            return connection.exchange(request, limits, budget)
        finally:
            self._put_back(connection, key)

    def _take(self, key: _Key, budget: Budget) -> Http1Connection | None:
        """Return a free connection that can be used; None if there is none."""
        while (found := self._pop(key)) is not None:
            connection, wait, is_usable = found
            is_open = connection.reuse(budget, wait)
            if is_open and is_usable:
                return connection
            connection.close()
            if not is_open or key in self._closing:
                with self._lock:
                    self.replaced += 1
                    if connection.exchanges and key not in self._kept:
                        self._closing.add(key)
        return None

    def _pop(self, key: _Key) -> tuple[Http1Connection, float, bool] | None:
        """Take a free connection; return it with the seconds in which the server may close it, and whether to use it."""
        with self._lock:
            free = self._free[key]
            if not free:
                return None
            if self._resend:
                return free.pop()[0], 0.0, True
            is_known = key in self._kept or key in self._closing
            connection, since = free.pop(-1 if is_known else 0)
            idle = time.monotonic() - since
            wait = 0.0 if is_known or not connection.exchanges else max(0.0, _WAIT_FOR_CLOSE - idle)
            if wait and self._in_flight is not None:
                # The wait would be part of the latency that is measured, so this request has a new connection.
                free.insert(0, (connection, since))
                return None
            return connection, wait, idle <= _MAX_IDLE and not (connection.exchanges and key in self._closing)

    def _put_back(self, connection: Http1Connection, key: _Key) -> None:
        with self._lock:
            if self._keep and connection.is_complete and not connection.may_have_surplus:
                self._free[key].append((connection, time.monotonic()))
                return
        connection.close()


def _key(request: Request, limits: Limits) -> _Key:
    """Return the properties that a connection for a request must have."""
    return request.url.origin, request.server_name, limits.trust, request.certificate
