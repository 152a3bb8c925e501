"""Connections that stay open from one request to the next."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from ecs_hooks.http.connection import Connection
from ecs_hooks.http.errors import HttpError, ResetBeforeResponseError
from ecs_hooks.http.exchange import exchange
from ecs_hooks.http.resolver import Remembering, Resolver

if TYPE_CHECKING:
    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.client_certificate import ClientCertificate
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.sending import Limits
    from ecs_hooks.http.tls import Trust
    from ecs_hooks.http.waits import Waits

_Place: TypeAlias = "tuple[tuple[str, str, int], str, Trust, ClientCertificate | None]"
"""Scheme, host and port; the name that the certificate must be valid for; what else TLS must be like; the client's own."""


class Pool:
    """Sends requests on connections that others have left open (HTTP keep-alive), from several threads at a time.

    The connection that became free last is taken first, so there are no more of them than requests at the same time. A
    server may close a connection that it has not been asked on for a while, just when the next request is under way:
    where a used connection ends before the first byte of a response, the request is sent once more on a new one, as
    browsers do.

    Parameters
    ----------
    keep
        Whether connections are kept; else each request has one of its own.
    resolver
        What looks up names. The address guard judges what it finds, at each connection.
    waits
        Where it is noted which requests wait for the server; None where nobody wants to know, since to note it takes time.

    Attributes
    ----------
    opened
        How many connections were opened.
    """

    def __init__(self, *, keep: bool = True, resolver: Resolver | None = None, waits: Waits | None = None) -> None:
        self.opened = 0
        self._keep = keep
        self._resolver = resolver or Remembering()
        self._waits = waits
        self._lock = threading.Lock()
        self._free: defaultdict[_Place, list[Connection]] = defaultdict(list)

    def connect(self, request: Request, limits: Limits, budget: Budget) -> None:
        """Open a connection ahead, for a request to come.

        Raises
        ------
        HttpError
            If there is none.
        """
        try:
            self._put_back(self._open(request, limits, budget), _place(request, limits))
        except HttpError as error:
            error.where = request.shown
            raise

    def ask(self, request: Request, limits: Limits, budget: Budget) -> Response:
        """Send a request and return its response, whatever its status.

        Raises
        ------
        HttpError
            If there is none.
        """
        place = _place(request, limits)
        used = self._take(place, budget)
        if used is not None:
            with suppress(ResetBeforeResponseError):
                return self._exchange(used, place, request, limits, budget)
        return self._exchange(self._open(request, limits, budget), place, request, limits, budget)

    def close(self) -> None:
        """Close the connections that are free; each of the others is closed after its exchange."""
        with self._lock:
            self._keep = False
            free = [each for connections in self._free.values() for each in connections]
            self._free.clear()
        for connection in free:
            connection.close()

    def _open(self, request: Request, limits: Limits, budget: Budget) -> Connection:
        connection = Connection.open(request, limits, budget, self._resolver, self._waits)
        with self._lock:
            self.opened += 1
        return connection

    def _exchange(
        self, connection: Connection, place: _Place, request: Request, limits: Limits, budget: Budget
    ) -> Response:
        try:
            return exchange(connection, request, limits, budget)
        finally:
            self._put_back(connection, place)

    def _take(self, place: _Place, budget: Budget) -> Connection | None:
        """Return a connection that is free; None where there is none that is still open."""
        while True:
            with self._lock:
                free = self._free[place]
                connection = free.pop() if free else None
            if connection is None:
                return None
            if connection.is_open:
                connection.begin_again(budget)
                return connection
            connection.close()

    def _put_back(self, connection: Connection, place: _Place) -> None:
        with self._lock:
            if self._keep and connection.reusable:
                self._free[place].append(connection)
                return
        connection.close()


def _place(request: Request, limits: Limits) -> _Place:
    """Return what a connection has to have in common with a request, for that to be sent on it."""
    return request.url.origin, request.server_name, limits.trust, request.certificate
