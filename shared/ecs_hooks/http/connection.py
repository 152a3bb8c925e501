"""One connection to an address that the guard has judged."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.response import assert_header_parsing

from ecs_hooks.http.budget import Budget
from ecs_hooks.http.certificate import tls_of
from ecs_hooks.http.dialling import allowed, dialled, looked_up
from ecs_hooks.http.errors import ProtocolError
from ecs_hooks.http.handshake import check_server_name, handshake_error
from ecs_hooks.http.resolver import Resolver
from ecs_hooks.http.timings import Timings
from ecs_hooks.http.tls import Trust, tls_context
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
        trust: Trust,
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
        trust
            What else the other side of a TLS connection must be like.
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
        endpoints = allowed(url.host, looked_up(url.host, url.port, budget, resolver))
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            check_server_name(server_name)
            context = tls_context(trust, certificate)
        opened_at = time.perf_counter()
        raw = dialled(endpoints, url.port, budget, waits)
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
            raise handshake_error(error, budget, server_name) from error
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
