"""Connections that stay open from one request to the next."""

from __future__ import annotations

import threading
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

_Key: TypeAlias = "tuple[tuple[str, str, int], str, Trust, ClientCertificate | None]"
"""Scheme, host and port; the name and the requirements for the server's certificate; the client's certificate."""


class Pool:
    """Sends requests on open connections (HTTP keep-alive), from several threads at a time.

    The connection that became free last is used first, so there are no more of them than requests at the same time. A
    server may close an idle connection at the moment at which the next request is sent: if a used connection ends before
    the first byte of a response, the request is sent again on a new one, as browsers do.

    Parameters
    ----------
    keep
        Whether connections are used again; if not, each request has one of its own.
    resolver
        Looks up names. The address guard judges the addresses at each connect.
    in_flight
        Records which requests wait for the server; None if no one needs that, since it takes time.

    Attributes
    ----------
    opened
        How many connections were opened.
    """

    def __init__(
        self, *, keep: bool = True, resolver: Resolver | None = None, in_flight: InFlight | None = None
    ) -> None:
        self.opened = 0
        self._keep = keep
        self._resolver = resolver or CachingResolver()
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self._free: defaultdict[_Key, list[Http1Connection]] = defaultdict(list)

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
        key = _key(request, limits)
        used = self._take(key, budget)
        if used is not None:
            with suppress(ResetBeforeResponseError):
                return self._exchange(used, key, request, limits, budget)
        return self._exchange(self._open(request, limits, budget), key, request, limits, budget)

    def close(self) -> None:
        """Close the connections that are free; each of the others is closed after its exchange."""
        with self._lock:
            self._keep = False
            free = [each for connections in self._free.values() for each in connections]
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
        while True:
            with self._lock:
                free = self._free[key]
                connection = free.pop() if free else None
            if connection is None or connection.reuse(budget):
                return connection
            connection.close()

    def _put_back(self, connection: Http1Connection, key: _Key) -> None:
        with self._lock:
            if self._keep and connection.is_complete:
                self._free[key].append(connection)
                return
        connection.close()


def _key(request: Request, limits: Limits) -> _Key:
    """Return the properties that a connection for a request must have."""
    return request.url.origin, request.server_name, limits.trust, request.certificate
