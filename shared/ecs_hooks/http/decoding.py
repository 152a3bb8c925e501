"""Decodes compressed bodies piece by piece. urllib3's decoders accept a body that was cut; these do not."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from ecs_hooks.http.errors import ProtocolError

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
