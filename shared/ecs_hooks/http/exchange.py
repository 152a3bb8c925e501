"""One request and its response, on a connection that is open."""

from __future__ import annotations

import http.client
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError, IncompleteRead, InvalidChunkLength, ReadTimeoutError
from urllib3.exceptions import ProtocolError as BrokenError

from ecs_hooks.http.decoding import decoded
from ecs_hooks.http.errors import (
    HttpError,
    Phase,
    ProtocolError,
    ResetBeforeResponseError,
    TlsHandshakeError,
    TooLargeError,
)
from ecs_hooks.http.head import RawResponse, encoded
from ecs_hooks.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ecs_hooks.http.budget import Budget
    from ecs_hooks.http.connection import Connection
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.sending import Limits

_PIECE = 65_536
_LONGEST_HEAD = 262_144
"""Bytes of a response before its body."""
_CUT_HEAD = "connection ended within the response header"
_CUT_BODY = "response body is truncated"
_BAD_CHUNKS = "response body has malformed chunks"
_EXPECTED = (HttpError, OSError, http.client.HTTPException, HTTPError, ValueError)
"""What http.client and urllib3 raise over a broken body. Anything else is a bug, and stays one."""
_REDIRECTS = {301, 302, 303, 307, 308}


def exchange(connection: Connection, request: Request, limits: Limits, budget: Budget) -> Response:
    """Send a request and read its response.

    Parameters
    ----------
    connection
        An open connection.
    request
        The request.
    limits
        How much of the response is read. The body of a redirect that the caller follows is not.
    budget
        The time for it.

    Raises
    ------
    HttpError
        One that says what went wrong.
    """
    connection.reusable = False
    wire = connection.wire
    wire.received = 0
    wire.allow(_LONGEST_HEAD, lambda: ProtocolError(f"response header is larger than {_LONGEST_HEAD} bytes"))
    began = time.perf_counter()
    raw = _ask(connection, request, budget)
    answered = time.perf_counter()
    # The wire carries more than the body: up to six bytes for one where the chunks are that small.
    wire.allow(8 * limits.max_body_bytes + _PIECE, lambda: TooLargeError(limits.max_body_bytes))
    unread = limits.follow_redirects and leads_elsewhere(raw.status, raw.headers) and raw.length != 0
    try:
        content = b"" if unread else _read(raw, limits)
    except _EXPECTED as error:
        raise _body_error(error, budget, ended=wire.ended) from error
    finally:
        # Where it was not read to its end, it would hold the socket.
        raw.close()
    connection.reusable = not (unread or raw.will_close)
    ended = time.perf_counter()
    timings = connection.timings._replace(first_byte=answered - began, transfer=ended - answered)
    latency = ended - connection.opened_at
    return Response(
        raw.status, raw.headers, content, latency, request.shown, request.url, timings=timings, tls=connection.tls
    )


def leads_elsewhere(status: int, headers: HTTPHeaderDict) -> bool:
    """Return whether a response is a redirect."""
    return status in _REDIRECTS and bool(headers.get("location"))


def _ask(connection: Connection, request: Request, budget: Budget) -> RawResponse:
    sent = encoded(request)
    phase = Phase.SEND
    try:
        # A server may refuse an upload, say why and close, all before it has read it to the end.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.opened.sendall(sent)
        phase = Phase.HEAD
        connection.opened.await_answer()
        return RawResponse(connection.opened, request.method)
    except OSError as error:
        raise _head_error(error, budget, phase, connection.wire.received) from error


def _read(raw: RawResponse, limits: Limits) -> bytes:
    limit, encodings = limits.max_body_bytes, raw.headers.get("content-encoding", "")
    if raw.length is not None and raw.length > limit and not encodings:
        raise TooLargeError(limit)
    pieces: list[bytes] = []
    size = 0
    for piece in decoded(_pieces(raw), encodings):
        size += len(piece)
        if size > limit:
            raise TooLargeError(limit)
        if limits.keep_body:
            pieces.append(piece)
    return b"".join(pieces)


def _pieces(raw: RawResponse) -> Iterator[bytes]:
    """Yield the body as it comes."""
    if raw.chunked:
        # http.client takes a chunk of a negative size for the rest of the connection, and tells no chunk that is none.
        body = HTTPResponse(raw, raw.headers, preload_content=False, original_response=raw)
        yield from body.read_chunked(_PIECE, decode_content=False)
        return
    while piece := raw.read(_PIECE):
        yield piece
    if raw.length:
        raise ProtocolError(_CUT_BODY)


def _head_error(error: OSError, budget: Budget, phase: Phase, received: int) -> HttpError:
    """Return what an exception means that came before the end of the header."""
    match error:
        case TimeoutError():
            return budget.timeout(phase)
        case ssl.SSLEOFError() | ConnectionError() if not received:
            return ResetBeforeResponseError("connection ended before a response")
        case ssl.SSLError() if not received:
            return TlsHandshakeError(f"TLS refused: {(error.reason or 'unknown').lower().replace('_', ' ')}")
        case _:
            return ProtocolError(_CUT_HEAD)


def _body_error(error: Exception, budget: Budget, *, ended: bool) -> HttpError:  # noqa: PLR0911 - one case for each kind
    """Return what an exception means that came while the body was read."""
    match error:
        case HttpError():
            return error
        case ReadTimeoutError() | TimeoutError():
            return budget.timeout(Phase.BODY)
        case ValueError():
            return ProtocolError(_BAD_CHUNKS)
        case BrokenError() if isinstance(error.__cause__, InvalidChunkLength):
            return ProtocolError(_BAD_CHUNKS)
        case BrokenError() if error.__cause__ is None and not ended:
            # The line with the length of a chunk is too long.
            return ProtocolError(_BAD_CHUNKS)
        case BrokenError() if isinstance(error.__cause__, IncompleteRead | http.client.IncompleteRead):
            return ProtocolError(_CUT_BODY)
        case _:
            return ProtocolError("connection ended within the response body")
