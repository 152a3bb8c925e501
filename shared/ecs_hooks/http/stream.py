"""A connection without HTTP on it: bytes out, and the first bytes that come back."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.http.errors import DeadlineError, Phase, ResetBeforeResponseError, TlsHandshakeError
from ecs_hooks.http.opening import Tls, opened
from ecs_hooks.http.resolver import Resolver, resolve
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import Trust, tls_context

if TYPE_CHECKING:
    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.wire import WireSocket, WireSSLSocket

MOST_BYTES = 65_536
"""How much of an answer is read."""


class Talk(NamedTuple):
    """What is said on a connection.

    Parameters
    ----------
    host, port
        Where to.
    sent
        The bytes to send first; none where there are none.
    enough
        Returns whether what has come is what was waited for; None where no answer is waited for.
    server_name
        The name that the certificate must be valid for.
    trust
        What else the other side must be like; None where no TLS is spoken.
    """

    host: str
    port: int
    sent: bytes = b""
    enough: Callable[[bytes], bool] | None = None
    server_name: str = ""
    trust: Trust | None = None


class Heard(NamedTuple):
    """What came of it.

    Parameters
    ----------
    timings
        Where the time went.
    content
        The first bytes of the answer.
    end
        Why no more of them were read: `enough`, `limit`, `end` of the connection, or `timeout`.
    """

    timings: Timings
    content: bytes = b""
    end: str = "enough"


def talk(said: Talk, budget: Budget, resolver: Resolver = resolve) -> Heard:
    """Connect, send, and read until that is enough.

    Parameters
    ----------
    said
        What is said.
    budget
        The time for it.
    resolver
        What looks up names.

    Raises
    ------
    HttpError
        If there is no connection, or if it ends before the first byte of an answer that is waited for.
    """
    tls = None if said.trust is None else Tls(said.server_name, partial(tls_context, said.trust))
    connection, _, timings = opened(said.host, said.port, tls, budget, resolver)
    with closing(connection):
        began = time.perf_counter()
        heard = _exchange(connection, said, budget)
        return heard._replace(timings=timings._replace(first_byte=time.perf_counter() - began))


def _exchange(opened: WireSocket | WireSSLSocket, said: Talk, budget: Budget) -> Heard:
    content, end = b"", "enough"
    try:
        # The other side may say why it takes nothing, and close.
        with suppress(ConnectionError, ssl.SSLEOFError):
            opened.sendall(said.sent)
        if said.enough is not None:
            content, end = _read(opened, said.enough)
    except TimeoutError:
        trouble = budget.timeout(Phase.SEND)
        raise trouble from None
    except ssl.SSLError as error:
        why = (error.reason or "unknown").lower().replace("_", " ")
        message = f"TLS refused: {why}"
        raise TlsHandshakeError(message) from error
    if end == "timeout" and isinstance(budget.timeout(Phase.HEAD), DeadlineError):
        raise budget.timeout(Phase.HEAD)
    if end == "end" and not content:
        message = "connection ended before an answer"
        raise ResetBeforeResponseError(message)
    return Heard(Timings(), content, end)


def _read(opened: WireSocket | WireSSLSocket, enough: Callable[[bytes], bool]) -> tuple[bytes, str]:
    """Return the first bytes, and why there are no more."""
    opened.wire.allow(MOST_BYTES, OverflowError)
    buffer = memoryview(bytearray(MOST_BYTES))
    size = 0
    while size < MOST_BYTES:
        try:
            count = opened.recv_into(buffer[size:])
        except TimeoutError:
            return bytes(buffer[:size]), "timeout"
        except (ConnectionError, ssl.SSLEOFError):
            count = 0
        if not count:
            return bytes(buffer[:size]), "end"
        size += count
        if enough(bytes(buffer[:size])):
            return bytes(buffer[:size]), "enough"
    return bytes(buffer), "limit"
