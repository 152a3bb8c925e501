"""Compressed bodies, unpacked piece by piece, and to their end: one that was cut is none."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from ecs_hooks.http.errors import ProtocolError

_PIECE = 65_536
_GZIP, _ZLIB, _BARE = 31, 15, -15
"""`wbits` of zlib for what stands around the data: the header of gzip, that of zlib, none."""
_KINDS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


def decoded(pieces: Iterable[bytes], encodings: str) -> Iterable[bytes]:
    """Return a body without its compression, in pieces of at most 64 KiB where it had one.

    Parameters
    ----------
    pieces
        The body as it came.
    encodings
        The `Content-Encoding`. What is neither gzip nor deflate stays as it is.

    Raises
    ------
    ProtocolError
        If it is not what it is said to be, or ends before its end; raised where the pieces are taken.
    """
    for encoding in reversed(encodings.lower().split(",")):
        kind = _KINDS.get(encoding.strip())
        if kind is None:
            break
        pieces = _inflated(pieces, kind)
    return pieces


def _inflated(pieces: Iterable[bytes], kind: int) -> Iterator[bytes]:
    layer = _Layer(kind)
    for piece in _with_head(pieces):
        yield from layer.take(piece)
    yield from layer.end()


class _Layer:
    """One compression."""

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece unpacks to."""
        while piece:
            if self._stream is None:
                if self._ended and self._kind != _GZIP:
                    return
                self._stream = zlib.decompressobj(self._kind_of(piece))
            try:
                unpacked = self._stream.decompress(piece, _PIECE)
            except zlib.error:
                if not self._ended:
                    message = "response body can't be decoded as its content-encoding says"
                    raise ProtocolError(message) from None
                # Behind a gzip there may be another one. What else stands there is nobody's, as browsers have it.
                self._kind, self._stream = _BARE, None
                return
            if unpacked:
                yield unpacked
            piece = self._stream.unconsumed_tail
            if self._stream.eof:
                piece, self._ended, self._stream = self._stream.unused_data, True, None

    def end(self) -> Iterator[bytes]:
        """Yield what is left when there are no pieces any more."""
        if self._stream is None:
            return
        while unpacked := self._stream.decompress(b"", _PIECE):
            yield unpacked
        if not self._stream.eof:
            message = "response body is truncated"
            raise ProtocolError(message)

    def _kind_of(self, begin: bytes) -> int:
        # Some servers leave out the header that deflate has (RFC 9110).
        is_zlib = begin[0] & 0x0F == zlib.DEFLATED and int.from_bytes(begin[:2]) % 31 == 0
        return _BARE if self._kind == _ZLIB and not is_zlib else self._kind


def _with_head(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, two bytes in the first one, which tell the kind of compression."""
    head, rest = b"", iter(pieces)
    while len(head) < 2 and (piece := next(rest, None)) is not None:  # noqa: PLR2004 - see above
        head += piece
    yield head
    yield from rest
