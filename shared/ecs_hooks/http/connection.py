"""One connection to an address that the guard has judged."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.response import assert_header_parsing

from ecs_hooks.http.budget import Budget
from ecs_hooks.http.certificate import tls_of
from ecs_hooks.http.errors import (
    CertificateError,
    ConnectError,
    HttpError,
    NameResolutionError,
    Phase,
    ProtocolError,
    TlsHandshakeError,
)
from ecs_hooks.http.guard import AllowedHosts, judge, refusal
from ecs_hooks.http.resolver import Endpoint, Resolver
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import tls_context
from ecs_hooks.http.url import Url
from ecs_hooks.http.waits import Waits
from ecs_hooks.http.wire import Wire, WireSocket

if TYPE_CHECKING:
    from ecs_hooks.http.client_certificate import ClientCertificate


class Connection:
    """An open connection.

    Parameters
    ----------
    inner
        urllib3's connection, connected.
    wire
        Time and size that the current exchange may cost.
    opened_at
        When the connection was begun, on the clock of `time.perf_counter`; when it was taken again, where it was.

    Attributes
    ----------
    reusable
        Whether the last response was read to its end, so that another request may follow.
    timings
        What it took to open the connection; nothing where it was open already.
    tls
        The TLS side of it; None where it has none.
    """

    def __init__(self, inner: HTTPConnection, wire: Wire, opened_at: float, timings: Timings) -> None:
        self.inner = inner
        self.wire = wire
        self.opened_at = opened_at
        self.reusable = True
        self.timings = timings
        self.tls = tls_of(inner.sock)

    @classmethod
    def open(
        cls,
        url: Url,
        budget: Budget,
        resolver: Resolver,
        *,
        server_name: str,
        verify_tls: bool,
        waits: Waits | None = None,
        certificate: ClientCertificate | None = None,
    ) -> Connection:
        """Look up the host, judge its addresses, and connect to one of them.

        Parameters
        ----------
        url
            Where to.
        budget
            The time for it.
        resolver
            What looks up names.
        server_name
            The name that the certificate must be valid for.
        verify_tls
            Whether it must.
        waits
            Where it is noted, now and in each exchange, that the other side is waited for.
        certificate
            What this side proves itself with.

        Raises
        ------
        HttpError
            One that says which step failed.
        """
        began = time.perf_counter()
        endpoints = _allowed(url.host, _look_up(url, budget, resolver))
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            _check_server_name(server_name)
            context = tls_context(verify=verify_tls, certificate=certificate)
        opened_at = time.perf_counter()
        raw = _connect(url, endpoints, budget, waits)
        connected = time.perf_counter()
        inner = _Plain(url, raw) if context is None else _Tls(url, raw, server_name, context)
        try:
            if context is not None:
                raw.wait_at_most(raw.wire.remaining())  # for the handshake; later the wire sees to it
            with raw.wire.waiting(raw, select.POLLIN):
                inner.connect()
        except OSError as error:
            raw.close()
            inner.close()
            raise _handshake_error(error, budget, server_name) from error
        opened: WireSocket = inner.sock  # type: ignore[assignment] # or the TLS socket, which has a wire just as well
        opened.wire = raw.wire
        tls = 0.0 if context is None else time.perf_counter() - connected
        return cls(inner, raw.wire, opened_at, Timings(opened_at - began, connected - opened_at, tls))

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent: neither side has closed it, and nothing has come that nobody asked for."""
        return self.reusable and self.inner.is_connected

    def begin_again(self, budget: Budget) -> None:
        """Take the connection for another exchange, with the time that this one may cost."""
        self.wire.deadline = budget.deadline
        self.opened_at = time.perf_counter()
        self.timings = Timings()

    def close(self) -> None:
        """Close the connection."""
        self.inner.close()


class _Response(http.client.HTTPResponse):
    """Skips every interim response, and takes no header that is malformed.

    http.client itself only skips 100 Continue: 103 Early Hints would be the answer.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            if not http.HTTPStatus.SWITCHING_PROTOCOLS < status < http.HTTPStatus.OK:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def begin(self) -> None:
        super().begin()
        # urllib3 examines every header, and only logs what is wrong, with the address and whatever the server wrote.
        if self.msg.defects or self.msg.get_payload():
            assert_header_parsing(self.msg)
        lengths = {each.strip() for value in self.msg.get_all("content-length", ()) for each in value.split(",")}
        if len(lengths) > 1 or not all(each.isascii() and each.isdigit() for each in lengths):
            message = "response tells a Content-Length that is no number, or several"
            raise ProtocolError(message)


class _Plain(HTTPConnection):
    response_class = _Response

    def __init__(self, url: Url, opened: WireSocket) -> None:
        super().__init__(url.host, url.port, timeout=None)
        self._opened = opened

    def _new_conn(self) -> socket.socket:
        return self._opened


class _Tls(HTTPSConnection):
    response_class = _Response

    def __init__(self, url: Url, opened: WireSocket, server_name: str, context: ssl.SSLContext) -> None:
        super().__init__(url.host, url.port, timeout=None, ssl_context=context, server_hostname=server_name)
        self._opened = opened

    def _new_conn(self) -> socket.socket:
        return self._opened


def _look_up(url: Url, budget: Budget, resolver: Resolver) -> Sequence[Endpoint]:
    try:
        return resolver(url.host, url.port, budget.deadline)
    except TimeoutError:
        raise budget.timeout(Phase.RESOLVE) from None


def _allowed(host: str, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    if not endpoints:
        message = f"{host} has no address"
        raise NameResolutionError(message)
    allowed = AllowedHosts.from_environment()
    judged = [(endpoint, judge(host, endpoint.address, allowed)) for endpoint in endpoints]
    good = [endpoint for endpoint, kind in judged if kind is None]
    if not good:
        endpoint, kind = judged[0]
        raise refusal(host, endpoint.address, kind or "special")
    return good


def _connect(url: Url, endpoints: Sequence[Endpoint], budget: Budget, waits: Waits | None) -> WireSocket:
    """Connect to the first address that answers; each gets its share of the time that is left."""
    error: HttpError = budget.timeout(Phase.CONNECT)
    for index, endpoint in enumerate(endpoints):
        remaining = budget.deadline.remaining()
        if remaining <= 0:
            break
        raw = WireSocket(endpoint.family, socket.SOCK_STREAM)
        try:
            raw.wire = Wire(budget.deadline, waits)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.wait_at_most(remaining / (len(endpoints) - index))
            with raw.wire.waiting(raw, select.POLLOUT):
                raw.connect(endpoint.target)
        except TimeoutError:
            raw.close()
            error = budget.timeout(Phase.CONNECT)
        except OSError as failure:
            raw.close()
            why = (failure.strerror or "connection failed").lower()
            error = ConnectError(f"{why} ({endpoint.address} port {url.port})")
        except BaseException:
            raw.close()
            raise
        else:
            return raw
    raise error


def _check_server_name(name: str) -> None:
    try:
        name.encode("idna")
    except UnicodeError:
        message = f"no certificate can be valid for {name[:80]}"
        raise CertificateError(message) from None


def _handshake_error(error: Exception, budget: Budget, server_name: str) -> HttpError:
    match error:
        case TimeoutError():
            return budget.timeout(Phase.TLS)
        case ssl.SSLCertVerificationError():
            return CertificateError(f"certificate is not valid for {server_name}: {error.verify_message}")
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):
            return TlsHandshakeError(f"TLS handshake failed: {(error.reason or 'unknown').lower().replace('_', ' ')}")
        case _:
            return TlsHandshakeError("connection ended in the TLS handshake")
