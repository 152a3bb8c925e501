"""From a host to a connection that bytes can be sent on, with TLS or without."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.http.dialling import allowed, dialled, looked_up
from ecs_hooks.http.handshake import check_server_name, secured
from ecs_hooks.http.timings import Timings

if TYPE_CHECKING:
    import ssl

    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.resolver import Resolver
    from ecs_hooks.http.waits import Waits
    from ecs_hooks.http.wire import WireSocket, WireSSLSocket


class Tls(NamedTuple):
    """TLS, as a connection is to have it.

    Parameters
    ----------
    server_name
        The name that the certificate must be valid for.
    context
        Returns what TLS has to be like.
    """

    server_name: str
    context: Callable[[], ssl.SSLContext]


class Opened(NamedTuple):
    """An open connection.

    Parameters
    ----------
    socket
        The connection.
    began_at
        When it was begun, on the clock of `time.perf_counter`; by then the host was looked up.
    timings
        How long the look-up, the connection and the handshake took.
    """

    socket: WireSocket | WireSSLSocket
    began_at: float
    timings: Timings


def opened(
    host: str, port: int, tls: Tls | None, budget: Budget, resolver: Resolver, waits: Waits | None = None
) -> Opened:
    """Look up a host, judge its addresses, connect to one of them, and shake hands.

    Parameters
    ----------
    host, port
        Where to.
    tls
        What TLS is to be like; None where none is spoken.
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
    began = time.perf_counter()
    found = looked_up(host, port, budget, resolver)
    resolve = time.perf_counter() - began
    endpoints = allowed(host, found)
    context: ssl.SSLContext | None = None
    if tls is not None:
        check_server_name(tls.server_name)
        context = tls.context()
    began = time.perf_counter()
    raw = dialled(endpoints, port, budget, waits)
    connected = time.perf_counter()
    if tls is None or context is None:
        return Opened(raw, began, Timings(resolve, connected - began))
    over_tls = secured(raw, context, tls.server_name, budget)
    return Opened(over_tls, began, Timings(resolve, connected - began, time.perf_counter() - connected))
