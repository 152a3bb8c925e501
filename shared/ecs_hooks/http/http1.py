"""HTTP/1.1 on one connection. h11 does the framing; this module adds time, size, reuse, and the meaning of errors."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import h11
from urllib3 import HTTPHeaderDict

from ecs_hooks.http.connect import connect
from ecs_hooks.http.content_encoding import decoded
from ecs_hooks.http.deadline_socket import RECV_BYTES
from ecs_hooks.http.errors import (
    HttpError,
    Phase,
    ProtocolError,
    RequestError,
    ResetBeforeResponseError,
    ResponseTimeoutError,
    TlsHandshakeError,
    TooLargeError,
)
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.tls import Tls, TlsOptions, ssl_reason
from ecs_hooks.http.websocket import Handshake, exchange

if TYPE_CHECKING:
    from ecs_hooks.http.deadline_socket import InFlight
    from ecs_hooks.http.limits import Budget, Limits
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.resolver import Resolver

Head: TypeAlias = "h11.Response | h11.InformationalResponse"

MAX_HEAD_BYTES = 262_144
"""Bytes of a response before its body, interim responses included."""
MAX_LINE_BYTES = 65_536

_SEND_BYTES = 262_144
"""Bytes to send before the next look for an early response."""
_REDIRECTS = {301, 302, 303, 307, 308}
_WITHOUT_BODY = {101, 204, 205, 304}
"""Statuses of responses that end with their empty line, whatever their header says; 205 as in browsers."""
_FRAMING = ("content-length", "transfer-encoding")
_EXPECT_A_BODY = {"POST", "PUT", "PATCH"}
_SERVER_ERROR = 500
_SWITCHING_PROTOCOLS = 101
"""The only final status below 200; the others are followed by another response."""
_ZONE = re.compile(r"%[^\]]*")
_VERSION = b"HTTP/1."
_LF_CHUNK = re.compile(rb"[0-9A-Fa-f]+[ \t]*(;[^\r\n]*)?\n")
_NOT_HTTP = "response is not HTTP/1.1"
_CUT_BODY = "response body is truncated"
_BAD_CHUNKS = "response body has malformed chunks"
_MEANINGS = {
    "illegal header line": "response header is malformed",
    "continuation line": "response header is malformed",
    "conflicting Content-Length": "invalid or conflicting Content-Length",
    "bad Content-Length": "invalid or conflicting Content-Length",
    "multiple Transfer-Encoding": "unsupported Transfer-Encoding; only `chunked`, once, is supported",
    "Only Transfer-Encoding": "unsupported Transfer-Encoding; only `chunked`, once, is supported",
    "Received server ": "status 101 (Switching Protocols) without an Upgrade header in the request",
    "illegal chunk header": _BAD_CHUNKS,
    "malformed chunk footer": _BAD_CHUNKS,
    "Receive buffer too long": f"{_BAD_CHUNKS}: a chunk header or the trailer has more than {MAX_HEAD_BYTES} bytes",
    "peer ": _CUT_BODY,
}
"""Meanings of h11's errors, by the start of their text; all others are about the status line."""


def is_redirect(status: int, headers: HTTPHeaderDict) -> bool:
    """Return whether a response is a redirect."""
    return status in _REDIRECTS and bool(headers.get("location"))


class Http1Connection:
    """A connection for a request, and for further ones to the same server.

    Parameters
    ----------
    request
        Determines host, port, and the options of TLS.
    limits
        Requirements for the server's certificate.
    budget
        The time for connecting.
    resolver
        Looks up names.
    in_flight
        Records waits for the server, during the connect and in each exchange.

    Attributes
    ----------
    exchanges
        Number of requests that were sent.
    may_have_surplus
        Whether the last response has no body, but a server with an error may send one. Its bytes would be the beginning
        of the next response.

    Raises
    ------
    HttpError
        One that says which step failed.
    """

    def __init__(
        self, request: Request, limits: Limits, budget: Budget, resolver: Resolver, in_flight: InFlight | None = None
    ) -> None:
        url, tls = request.url, None
        if url.scheme == "https":
            tls = TlsOptions(request.server_name, limits.trust, request.certificate, ("http/1.1",))
        self._socket, self._began_at, self._timings = connect(url.host, url.port, tls, budget, resolver, in_flight)
        self._tls = Tls.of(self._socket.tls) if self._socket.tls else None
        # A longer head is refused here before h11 refuses it: h11 checks only heads that arrive in pieces.
        self._h11 = h11.Connection(h11.CLIENT, MAX_HEAD_BYTES + RECV_BYTES)
        self._received = 0
        self.exchanges = 0
        self.may_have_surplus = False

    def exchange(self, request: Request, limits: Limits, budget: Budget) -> Response:
        """Send a request and return its response. The body of a redirect that will be followed is not read.

        Raises
        ------
        HttpError
            If there is no response.
        """
        status = 0
        try:
            response = self._exchange(request, limits, budget)
            status = response.status
            return response
        finally:
            if request.sent is not None:
                request.sent.add(failed=status >= _SERVER_ERROR)

    def _exchange(self, request: Request, limits: Limits, budget: Budget) -> Response:
        self._received = 0
        self.exchanges += 1
        began = time.perf_counter()
        handshake = None if request.websocket is None else Handshake(request.websocket)
        head = self._head(request, budget, [] if handshake is None else handshake.headers)
        answered = time.perf_counter()
        headers = HTTPHeaderDict(
            (name.decode("latin-1"), _header_text(name, value)) for name, value in head.headers.raw_items()
        )
        content = b""
        has_body = _has_body(request.method, head.status_code)
        self.may_have_surplus = not has_body and (request.method == "HEAD" or any(name in headers for name in _FRAMING))
        is_followed = limits.follow_redirects and request.websocket is None
        if request.websocket is not None and handshake is not None and head.status_code == _SWITCHING_PROTOCOLS:
            handshake.check(headers)
            content = exchange(self._socket, self._h11.trailing_data[0], request.websocket, limits, budget)
        elif not has_body or (is_followed and is_redirect(head.status_code, headers)):
            with suppress(h11.RemoteProtocolError):
                self._h11.next_event()  # where there is no body, the connection can be used again
        else:
            encodings = headers.get("content-encoding", "")
            if limits.first_bytes is not None:
                content = self._first_bytes(limits.first_bytes, encodings, limits, budget)
            else:
                if int(headers.get("content-length", 0)) > limits.max_body_bytes:
                    raise TooLargeError(limits.max_body_bytes)
                content = self._body(encodings, limits, budget)
        ended = time.perf_counter()
        timings = self._timings._replace(first_byte=answered - began, transfer=ended - answered)
        latency = ended - self._began_at
        response = Response(
            head.status_code,
            headers,
            content,
            latency,
            request.shown,
            request.url,
            timings=timings,
            tls=self._tls,
            http_version=head.http_version.decode(),
            location=next((value.decode("latin-1") for name, value in head.headers if name == b"location"), ""),
        )
        return response if handshake is None else response._replace(usual_status=_SWITCHING_PROTOCOLS)

    @property
    def is_complete(self) -> bool:
        """Whether no exchange has begun, or both sides have finished one and there are no surplus bytes."""
        states = {self._h11.our_state, self._h11.their_state}
        return states <= {h11.IDLE, h11.DONE} and not self._h11.trailing_data[0]

    def reuse(self, budget: Budget, wait: float = 0) -> bool:
        """Begin another exchange, and return whether that is possible: the server has neither closed nor sent anything.

        Parameters
        ----------
        budget
            The time for the exchange.
        wait
            Seconds in which the server may close the connection.
        """
        try:
            if wait:
                self._socket.wait_for_data(wait)
            # After a response, a part of a TLS record is surplus, too, though it can't be read yet.
            if self._socket.pending or (self.exchanges and self._socket.has_arrived()):
                return False
            if self._socket.recv_now() is not None:
                return False
        except OSError:
            return False
        if self._h11.our_state is h11.DONE:
            self._h11.start_next_cycle()
        self._socket.deadline = budget.deadline
        self._began_at, self._timings = time.perf_counter(), Timings()
        return True

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _head(self, request: Request, budget: Budget, headers: Sequence[tuple[str, str]]) -> Head:
        """Send a request, and return the head of its final response."""
        phase = Phase.SEND
        try:
            head = self._send(self._encoded(request, headers))
            phase = Phase.HEAD
            while head is None:
                head = self._parsed(self._socket.recv())
        except h11.RemoteProtocolError as error:
            raise _malformed(error) from None
        except OSError as error:
            raise _head_error(error, budget, phase, self._received) from error
        return head

    def _encoded(self, request: Request, added: Sequence[tuple[str, str]]) -> bytes:
        headers = []
        if not request.host:
            # The zone of an IPv6 address is local to this side.
            headers.append(("Host", _ZONE.sub("", request.url.authority)))
        if request.body is not None or request.method in _EXPECT_A_BODY:
            headers.append(("Content-Length", str(len(request.body or b""))))
        headers += [*request.headers.items(), *added]
        try:
            encoded = [(name.encode("ascii"), value.strip(" \t").encode("latin-1")) for name, value in headers]
            head = self._h11.send(h11.Request(method=request.method, target=request.url.target, headers=encoded))
        except (h11.LocalProtocolError, UnicodeError):
            raise RequestError("request has a character that is not allowed in its URL or headers") from None
        body = self._h11.send(h11.Data(data=request.body)) if request.body else b""
        self._h11.send(h11.EndOfMessage())
        return head + body

    def _send(self, data: bytes) -> Head | None:
        """Send a request, and return the head of a final response that arrives before all is sent."""
        left = memoryview(data)
        try:
            while left := left[self._socket.send(left[:_SEND_BYTES]) :]:
                early = self._socket.recv_now()
                head = None if early is None else self._parsed(early)
                if head is not None:
                    self._h11.send_failed()
                    return head
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # The server may have refused an upload and closed. Its response can still be read.
            self._h11.send_failed()
        return None

    def _parsed(self, data: bytes) -> Head | None:
        """Return the head of the final response; None if more bytes are needed."""
        if not data:
            raise ConnectionResetError
        is_first = self._received < len(_VERSION)
        self._received += len(data)
        self._h11.receive_data(data)
        event = self._h11.next_event()
        while type(event) is h11.InformationalResponse and event.status_code != _SWITCHING_PROTOCOLS:
            event = self._h11.next_event()
        if type(event) is h11.Response or type(event) is h11.InformationalResponse:
            return self._checked(event)
        if is_first and not _VERSION.startswith(self._h11.trailing_data[0][: len(_VERSION)]):
            raise ProtocolError(_NOT_HTTP)
        self._check_head_size(self._received)
        return None

    def _checked(self, head: Head) -> Head:
        if not head.http_version.startswith(b"1."):
            raise ProtocolError(_NOT_HTTP)
        if self._received > MAX_HEAD_BYTES:
            self._check_head_size(self._received - len(self._h11.trailing_data[0]))
        lines = [len(head.reason), *(len(name) + len(value) for name, value in head.headers.raw_items())]
        if max(lines) > MAX_LINE_BYTES:
            raise ProtocolError(f"response header has a line of more than {MAX_LINE_BYTES} bytes")
        return head

    def _check_head_size(self, size: int) -> None:
        if size > MAX_HEAD_BYTES:
            raise ProtocolError(f"response header is larger than {MAX_HEAD_BYTES} bytes")

    def _body(self, encodings: str, limits: Limits, budget: Budget) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in self._decoded(encodings, limits, budget):
            size += len(piece)
            if size > limits.max_body_bytes:
                raise TooLargeError(limits.max_body_bytes)
            if limits.keep_body:
                pieces.append(piece)
        return b"".join(pieces)

    def _first_bytes(self, count: int, encodings: str, limits: Limits, budget: Budget) -> bytes:
        """Return the first bytes of a body; fewer if it ends, or if no more come in time."""
        content = b""
        pieces = self._decoded(encodings, limits, budget)
        try:
            while len(content) < count and (piece := next(pieces, None)) is not None:
                content += piece
        except ResponseTimeoutError:
            if not content:
                raise
        return content[:count]

    def _decoded(self, encodings: str, limits: Limits, budget: Budget) -> Iterator[bytes]:
        """Yield the body as it arrives, decompressed."""

        def check() -> None:
            # A few kilobytes may take any time to decode.
            if budget.deadline.expired:
                raise budget.timeout(Phase.DECODE)

        try:
            yield from decoded(self._pieces(limits.max_body_bytes), encodings, check)
        except h11.RemoteProtocolError as error:
            raise _malformed(error) from None
        except TimeoutError:
            raise budget.timeout(Phase.BODY) from None
        except ssl.SSLEOFError:
            raise ProtocolError(f"{_CUT_BODY}: the TLS connection ended without close_notify") from None
        except OSError as error:
            raise ProtocolError("connection ended within the response body") from error

    def _pieces(self, max_body_bytes: int) -> Iterator[bytes]:
        """Yield the body as it arrives, still compressed."""
        # On the wire a body is larger: up to six bytes for one, if the chunks are that small.
        allowed = self._received + 8 * max_body_bytes + RECV_BYTES
        while True:
            event = self._h11.next_event()
            if type(event) is h11.Data:
                yield event.data
            elif event is not h11.NEED_DATA:
                return
            elif _LF_CHUNK.match(self._h11.trailing_data[0]):
                raise ProtocolError(f"{_BAD_CHUNKS}: a line ends in LF in place of CRLF")
            else:
                data = self._socket.recv()
                self._received += len(data)
                if self._received > allowed:
                    raise TooLargeError(max_body_bytes)
                self._h11.receive_data(data)


def _has_body(method: str, status: int) -> bool:
    """Return whether a response has a body (RFC 9112, section 6.3)."""
    if method == "CONNECT":
        return not 200 <= status <= 299  # noqa: PLR2004
    return method != "HEAD" and status not in _WITHOUT_BODY


def _header_text(name: bytes, value: bytes) -> str:
    """Return the value of a header: UTF-8 if it is valid, else Latin-1."""
    # The bytes of an address and of cookies are part of later requests, so they must not change.
    if value.isascii() or name.lower() in {b"location", b"set-cookie"}:
        return value.decode("latin-1")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _malformed(error: h11.RemoteProtocolError) -> ProtocolError:
    text = str(error)
    return ProtocolError(next((meaning for begin, meaning in _MEANINGS.items() if text.startswith(begin)), _NOT_HTTP))


def _head_error(error: OSError, budget: Budget, phase: Phase, received: int) -> HttpError:
    """Return the error for an exception before the end of the response header."""
    match error:
        case TimeoutError():
            return budget.timeout(phase)
        case ssl.SSLEOFError() | ConnectionError() if not received:
            return ResetBeforeResponseError("connection ended before a response")
        case ssl.SSLError() if not received:
            return TlsHandshakeError(f"TLS refused: {ssl_reason(error)}")
        case _:
            return ProtocolError("connection ended within the response header")
