"""The response of a server."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.http.errors import ContentError, ProtocolError

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict

    from ecs_hooks.http.tls import Tls
    from ecs_hooks.http.url import Url


_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"}
"""Codecs of Python that are not charsets; some take quadratic time."""


class Timings(NamedTuple):
    """Seconds of each phase of a request; 0 for a phase that it did not have.

    Parameters
    ----------
    resolve
        DNS lookup.
    connect
        TCP connection, including addresses that failed.
    tls
        TLS handshake.
    first_byte
        From the request's first byte to the end of the response header.
    transfer
        The body.
    """

    resolve: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all phases."""
        return sum(self)

    def plus(self, other: Timings) -> Timings:
        """Return the sums of each phase, as for a request with a redirect."""
        return Timings(*(mine + its for mine, its in zip(self, other, strict=True)))


class Response(NamedTuple):
    """A complete response.

    Parameters
    ----------
    status
        Status code.
    headers
        Headers, case-insensitive; a repeated one is joined with commas.
    content
        The body, decoded from gzip or deflate.
    latency
        Seconds from the start of the connection to the last byte of the body, redirects included; without DNS lookup,
        pauses between attempts, and attempts without a connection.
    where
        Method and URL of the response, for messages.
    url
        The URL of the response, after redirects.
    redirects
        Number of redirects that were followed.
    attempts
        Number of attempts.
    timings
        Duration of each phase, redirects included.
    tls
        TLS details of the connection; None for plain HTTP.
    usual_status
        The status that is expected if no other is: that of the handshake of a WebSocket, or a class.
    """

    status: int
    headers: HTTPHeaderDict
    content: bytes
    latency: float
    where: str
    url: Url
    redirects: int = 0
    attempts: int = 1
    timings: Timings = Timings()
    tls: Tls | None = None
    usual_status: int | str = "2xx"

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299  # noqa: PLR2004

    @property
    def text(self) -> str:
        """The body as text, in the charset of `Content-Type` or else UTF-8; invalid bytes are replaced."""
        found = _CHARSET.search(self.headers.get("content-type") or "")
        return self.content.decode((found and text_encoding(found.group(1))) or "utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON.

        Raises
        ------
        ContentError
            If it is not valid JSON.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            problem = "nested too deeply" if isinstance(error, RecursionError) else "not valid JSON"
            raised = ContentError(f"response body ({len(self.content)} bytes) is {problem}")
            raised.where = self.where
            raise raised from None


def text_encoding(name: str) -> str | None:
    """Return Python's name of a charset, None if it is unknown."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # bytes.decode refuses codecs that are not text encodings (hex, zip).
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NO_CHARSETS else None


_PIECE = 65_536
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""`wbits` of zlib for the formats around deflate data: gzip, zlib, none."""
_FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


def decoded(pieces: Iterable[bytes], encodings: str) -> Iterable[bytes]:
    """Return a body without its compression, in pieces of at most 64 KiB if it was compressed.

    Parameters
    ----------
    pieces
        The body as received.
    encodings
        The `Content-Encoding`. Encodings other than gzip and deflate are left as they are.

    Raises
    ------
    ProtocolError
        If the body is not valid, or ends too early; raised while the pieces are read.
    """
    for encoding in reversed(encodings.lower().split(",")):
        kind = _FORMATS.get(encoding.strip())
        if kind is None:
            break
        pieces = _inflated(pieces, kind)
    return pieces


def _inflated(pieces: Iterable[bytes], kind: int) -> Iterator[bytes]:
    layer = _Layer(kind)
    for piece in _with_header(pieces):
        yield from layer.take(piece)
    yield from layer.end()


class _Layer:
    """One compression."""

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Yield the decompressed data of a piece."""
        while piece:
            if self._stream is None:
                if self._ended and self._kind != _GZIP:
                    return
                self._stream = zlib.decompressobj(self._kind_of(piece))
            try:
                data = self._stream.decompress(piece, _PIECE)
            except zlib.error:
                if not self._ended:
                    raise ProtocolError("response body does not match its Content-Encoding") from None
                # A gzip member may follow another one. Other data after it is ignored, as browsers do.
                self._kind, self._stream = _RAW, None
                return
            if data:
                yield data
            piece = self._stream.unconsumed_tail
            if self._stream.eof:
                piece, self._ended, self._stream = self._stream.unused_data, True, None

    def end(self) -> Iterator[bytes]:
        """Yield the rest once there are no pieces left."""
        if self._stream is None:
            return
        while data := self._stream.decompress(b"", _PIECE):
            yield data
        if not self._stream.eof:
            raise ProtocolError("response body is truncated")

    def _kind_of(self, begin: bytes) -> int:
        # Some servers omit the zlib header of deflate (RFC 9110).
        is_zlib = begin[0] & 0x0F == zlib.DEFLATED and int.from_bytes(begin[:2]) % 31 == 0
        return _RAW if self._kind == _ZLIB and not is_zlib else self._kind


def _with_header(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, with at least two bytes in the first one, from which the format is detected."""
    header, rest = b"", iter(pieces)
    while len(header) < 2 and (piece := next(rest, None)) is not None:  # noqa: PLR2004 - see above
        header += piece
    yield header
    yield from rest
