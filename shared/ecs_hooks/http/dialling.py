"""From a host to an open TCP connection, at an address that the guard has judged."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks.http.errors import ConnectError, HttpError, NameResolutionError, Phase
from ecs_hooks.http.guard import VARIABLE, judge, refusal
from ecs_hooks.http.wire import Wire, WireSocket

if TYPE_CHECKING:
    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.resolver import Endpoint, Resolver
    from ecs_hooks.http.waits import Waits


def looked_up(host: str, port: int, budget: Budget, resolver: Resolver) -> Sequence[Endpoint]:
    """Return the addresses of a host.

    Raises
    ------
    HttpError
        If there are none in time.
    """
    try:
        return resolver(host, port, budget.deadline)
    except TimeoutError:
        raise budget.timeout(Phase.RESOLVE) from None


def allowed(host: str, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Return those of the addresses of a host that the guard lets a hook talk to.

    Raises
    ------
    HttpError
        If there is none.
    """
    if not endpoints:
        message = f"{host} has no address"
        raise NameResolutionError(message)
    exceptions = os.environ.get(VARIABLE, "")
    judged = [(endpoint, judge(host, endpoint.address, exceptions)) for endpoint in endpoints]
    good = [endpoint for endpoint, kind in judged if kind is None]
    if not good:
        endpoint, kind = judged[0]
        raise refusal(host, endpoint.address, kind or "special")
    return good


def dialled(endpoints: Sequence[Endpoint], port: int, budget: Budget, waits: Waits | None = None) -> WireSocket:
    """Connect to the first address that answers; each gets its share of the time that is left.

    Parameters
    ----------
    endpoints
        The addresses.
    port
        Their port, for messages.
    budget
        The time for it.
    waits
        Where it is noted that the other side is waited for.

    Raises
    ------
    HttpError
        If none answers.
    """
    error: HttpError | None = None
    for index, endpoint in enumerate(endpoints):
        remaining = budget.deadline.remaining()
        if remaining <= 0:
            break
        raw = WireSocket(endpoint.family, Wire(budget.deadline, waits))
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.connect_within(endpoint.target, remaining / (len(endpoints) - index))
        except TimeoutError:
            raw.close()
            error = None
        except OSError as failure:
            raw.close()
            why = (failure.strerror or "connection failed").lower()
            error = ConnectError(f"{why} ({endpoint.address} port {port})")
        except BaseException:
            raw.close()
            raise
        else:
            return raw
    raise error or budget.timeout(Phase.CONNECT)
