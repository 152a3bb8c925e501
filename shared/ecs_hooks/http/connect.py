"""From a host name to a connection: DNS, address guard, TCP, TLS."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from ecs_hooks.core.own_limits import has_no_descriptor, out_of_descriptors, own_limit
from ecs_hooks.http.deadline_socket import DeadlineSocket, InFlight
from ecs_hooks.http.errors import (
    CertificateError,
    ConnectError,
    FunctionLimitError,
    HttpError,
    NameResolutionError,
    Phase,
    TlsHandshakeError,
    TlsVersionError,
)
from ecs_hooks.http.guard import VARIABLE, judge, refusal
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.resolver import Endpoint, Resolver
from ecs_hooks.http.response import Timings
from ecs_hooks.http.tls import TlsOptions, is_valid_for, ssl_reason, tls_context

_OTHER_VERSION = {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"}
"""OpenSSL's reasons for a server with other TLS versions only: sent by the server, and found by the client."""


class Connected(NamedTuple):
    """A new connection.

    Parameters
    ----------
    socket
        The connection.
    began_at
        When connecting began, on the clock of `time.perf_counter`, after the DNS lookup.
    timings
        Duration of DNS lookup, TCP connection and TLS handshake.
    """

    socket: DeadlineSocket
    began_at: float
    timings: Timings


def connect(
    host: str, port: int, tls: TlsOptions | None, budget: Budget, resolver: Resolver, in_flight: InFlight | None = None
) -> Connected:
    """Look up a host, judge its addresses, connect to one of them, and do the TLS handshake.

    Parameters
    ----------
    host, port
        The server.
    tls
        TLS options; None for a plain connection.
    budget
        The time for it.
    resolver
        Looks up names.
    in_flight
        Records waits for the server, during the connect and later.

    Raises
    ------
    HttpError
        One that says which step failed.
    """
    began = time.perf_counter()
    try:
        endpoints = resolver(host, port, budget.deadline)
    except TimeoutError:
        raise budget.timeout(Phase.RESOLVE) from None
    resolve = time.perf_counter() - began
    endpoints = _allowed(host, endpoints)
    context = None if tls is None else _context(tls)
    began = time.perf_counter()
    opened = _dial(endpoints, port, budget, in_flight)
    connected = time.perf_counter()
    timings = Timings(resolve, connected - began)
    if tls is not None and context is not None:
        _start_tls(opened, context, tls, budget)
        timings = timings._replace(tls=time.perf_counter() - connected)
    return Connected(opened, began, timings)


def _allowed(host: str, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Return the addresses that the guard allows."""
    if not endpoints:
        raise NameResolutionError(f"{host} has no address")
    exceptions = os.environ.get(VARIABLE, "")
    judged = [(endpoint, judge(host, endpoint.address, exceptions)) for endpoint in endpoints]
    allowed = [endpoint for endpoint, kind in judged if kind is None]
    if not allowed:
        endpoint, kind = judged[0]
        raise refusal(host, endpoint.address, kind or "special")
    return allowed


def _dial(endpoints: Sequence[Endpoint], port: int, budget: Budget, in_flight: InFlight | None) -> DeadlineSocket:
    """Connect to the first address that accepts; each gets its share of the time that is left."""
    error: HttpError | None = None
    for index, endpoint in enumerate(endpoints):
        remaining = budget.deadline.remaining()
        if remaining <= 0:
            break
        with ExitStack() as cleanup:
            try:
                opened = DeadlineSocket(endpoint.family, budget.deadline, in_flight)
                cleanup.callback(opened.close)
                opened.connect(endpoint.target, remaining / (len(endpoints) - index))
            except TimeoutError:
                error = None
            except OSError as failure:
                limit = _limit_of(failure, endpoint, port)
                if limit:
                    raise FunctionLimitError(limit) from failure
                why = (failure.strerror or "connection failed").lower()
                error = ConnectError(f"{why} ({endpoint.address} port {port})")
            else:
                cleanup.pop_all()
                return opened
    raise error or budget.timeout(Phase.CONNECT)


def _limit_of(failure: OSError, endpoint: Endpoint, port: int) -> str:
    """Return the limit of the function because of which there is no connection; empty if there is none."""
    if failure.errno == errno.EADDRNOTAVAIL and endpoint.family == socket.AF_INET:
        return (
            f"the function ran out of local ports for {endpoint.address} port {port}; reuse connections (keep_alive), or "
            f"send fewer requests"
        )
    return own_limit(failure)


def _context(tls: TlsOptions) -> ssl.SSLContext:
    try:
        tls.server_name.encode("idna")
    except UnicodeError:
        raise CertificateError(f"no certificate can be valid for {tls.server_name[:80]}") from None
    return tls_context(tls.trust, tls.certificate, tls.protocols, checks_name="_" not in tls.server_name)


def _start_tls(opened: DeadlineSocket, context: ssl.SSLContext, tls: TlsOptions, budget: Budget) -> None:
    """Do the TLS handshake; the connection is closed if it fails."""
    # The dot at the end of a fully qualified name is not in certificates.
    name = tls.server_name.rstrip(".")
    try:
        connected = opened.start_tls(context, name)
    except OSError as error:
        opened.close()
        raise _handshake_error(error, budget, tls.server_name) from error
    if tls.trust.verify and not context.check_hostname and not is_valid_for(connected, name):
        opened.close()
        raise CertificateError(f"certificate is not valid for {tls.server_name}: Hostname mismatch")


def _handshake_error(error: OSError, budget: Budget, server_name: str) -> HttpError:
    match error:
        case TimeoutError():
            return budget.timeout(Phase.TLS)
        case ssl.SSLCertVerificationError() if has_no_descriptor():  # the authorities could not be read
            return FunctionLimitError(out_of_descriptors())
        case ssl.SSLCertVerificationError():
            return CertificateError(f"certificate is not valid for {server_name}: {error.verify_message}")
        case ssl.SSLError() if error.reason in _OTHER_VERSION:
            return TlsVersionError("server does not support the required TLS version (min_tls_version)")
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
            return TlsHandshakeError(f"TLS handshake failed: {ssl_reason(error)}")
        case _:
            return TlsHandshakeError("connection ended in the TLS handshake")
