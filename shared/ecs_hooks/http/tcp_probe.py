"""Connects over TCP, sends bytes, and reads the first bytes of the response."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.http.connect import connect
from ecs_hooks.http.errors import DeadlineError, Phase, ResetBeforeResponseError, TlsHandshakeError
from ecs_hooks.http.resolver import Resolver, resolve
from ecs_hooks.http.response import Timings
from ecs_hooks.http.tls import TlsOptions, ssl_reason

if TYPE_CHECKING:
    from ecs_hooks.http.deadline_socket import DeadlineSocket
    from ecs_hooks.http.limits import Budget

MAX_BYTES = 65_536
"""How much of a response is read."""


class TcpProbe(NamedTuple):
    """A connection, and what is sent and expected on it.

    Parameters
    ----------
    host, port
        The address.
    sent
        Bytes to send first; may be empty.
    enough
        Returns whether the bytes received so far are sufficient; None if no response is expected.
    tls
        TLS options; None for plain TCP.
    """

    host: str
    port: int
    sent: bytes = b""
    enough: Callable[[bytes], bool] | None = None
    tls: TlsOptions | None = None


class TcpResult(NamedTuple):
    """The result of a probe.

    Parameters
    ----------
    timings
        Duration of each phase.
    content
        The first bytes of the response.
    end
        Why reading ended: `enough`, `limit`, `end` of the connection, or `timeout`.
    """

    timings: Timings
    content: bytes = b""
    end: str = "enough"


def run_probe(probe: TcpProbe, budget: Budget, resolver: Resolver = resolve) -> TcpResult:
    """Connect, send, and read until the response is sufficient.

    Parameters
    ----------
    probe
        The probe.
    budget
        The time for it.
    resolver
        Looks up names.

    Raises
    ------
    HttpError
        If there is no connection, or if it ends before the first byte of an expected response.
    """
    opened, _, timings = connect(probe.host, probe.port, probe.tls, budget, resolver)
    with closing(opened):
        began = time.perf_counter()
        content, end = _exchange(opened, probe, budget)
        return TcpResult(timings._replace(first_byte=time.perf_counter() - began), content, end)


def _exchange(opened: DeadlineSocket, probe: TcpProbe, budget: Budget) -> tuple[bytes, str]:
    content, end = b"", "enough"
    try:
        # The server may say why it refuses, and close.
        with suppress(ConnectionError, ssl.SSLEOFError):
            opened.send_all(probe.sent)
        if probe.enough is not None:
            content, end = _read(opened, probe.enough)
    except TimeoutError:
        raise budget.timeout(Phase.SEND) from None
    except ssl.SSLError as error:
        raise TlsHandshakeError(f"TLS refused: {ssl_reason(error)}") from error
    if end == "timeout" and isinstance(timeout := budget.timeout(Phase.HEAD), DeadlineError):
        raise timeout
    if end == "end" and not content:
        raise ResetBeforeResponseError("connection ended before a response")
    return content, end


def _read(opened: DeadlineSocket, enough: Callable[[bytes], bool]) -> tuple[bytes, str]:
    """Return the first bytes, and why reading ended."""
    content = b""
    while len(content) < MAX_BYTES:
        try:
            data = opened.recv(MAX_BYTES - len(content))
        except TimeoutError:
            return content, "timeout"
        except (ConnectionError, ssl.SSLEOFError):
            data = b""
        if not data:
            return content, "end"
        content += data
        if enough(content):
            return content, "enough"
    return content, "limit"
