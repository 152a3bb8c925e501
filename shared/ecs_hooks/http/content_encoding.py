"""Decodes a body from its `Content-Encoding`: gzip, deflate, and where their libraries are installed br and zstd."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from ecs_hooks.http.errors import ProtocolError

MAX_ENCODINGS = 5
"""Most encodings of one body, as in curl and urllib3."""

_PIECE = 65_536
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""`wbits` of zlib for the formats around deflate data: gzip, zlib, none."""
_ZSTD_WINDOW = 23
"""Largest window of zstd, as a power of two: 8 MiB (RFC 9659)."""
_LONGEST_NAME = 40


class _Stream(Protocol):
    """A decoder of one compressed stream, as in `compression.zstd`."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Format(NamedTuple):
    """A compressed format."""

    start: Callable[[bytes], _Stream]
    """Returns the decoder of a stream with these first bytes."""
    error: type[Exception]
    """Raised by the decoder for data that is not valid."""
    first_bytes: int = 1
    """Number of bytes from which the format is detected."""
    magic: tuple[bytes, ...] = ()
    """The first bytes of each further stream; empty if there is only one. Other data after the end is ignored, as browsers
    do."""


def decoded(pieces: Iterable[bytes], encodings: str, check: Callable[[], object]) -> Iterable[bytes]:
    """Return a body without its compression, in pieces of at most 64 KiB if it was compressed.

    Parameters
    ----------
    pieces
        The body as received.
    encodings
        The `Content-Encoding`.
    check
        Called before each step of the decoding. An exception ends it.

    Raises
    ------
    ProtocolError
        If the body is not valid, ends too early, or has an encoding that can't be decoded; raised while the pieces are
        read. An empty body is valid in each encoding.
    """
    names = [name for each in encodings.lower().split(",") if (name := each.strip()) not in {"", "identity"}]
    if len(names) > MAX_ENCODINGS:
        return _undecodable(pieces, f"{len(names)} content encodings; at most {MAX_ENCODINGS} are decoded")
    for name in reversed(names):
        known = _FORMATS.get(name)
        if known is None:
            shown = re.sub(r"[^!-~]", "?", name[:_LONGEST_NAME])
            supported = ", ".join(each for each in _FORMATS if not each.startswith("x-"))
            return _undecodable(pieces, f"the Content-Encoding {shown}, which is not one of {supported}")
        compressed = known()
        if compressed is None:
            return _undecodable(
                pieces, f"the Content-Encoding {name}, whose library is not installed; install ecs-hooks[encodings]"
            )
        pieces = _decompressed(pieces, compressed, check)
    return pieces


def _undecodable(pieces: Iterable[bytes], problem: str) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            raise ProtocolError(f"response body has {problem}")
        yield piece


def _decompressed(pieces: Iterable[bytes], compressed: _Format, check: Callable[[], object]) -> Iterator[bytes]:
    layer = _Layer(compressed, check)
    for piece in pieces:
        yield from layer.take(piece)
    layer.end()


class _Layer:
    """One compression: a stream, or several in a row."""

    def __init__(self, compressed: _Format, check: Callable[[], object]) -> None:
        self._format = compressed
        self._check = check
        self._stream: _Stream | None = None
        self._held = b""
        """The first bytes of a stream, as long as they are too few to detect its format."""
        self._has_ended = False
        self._is_over = False

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Yield the decompressed data of a piece."""
        while piece and not self._is_over:
            if self._stream is None:
                piece, self._held = self._held + piece, b""
                if len(piece) < self._format.first_bytes:
                    self._held = piece
                    return
                if self._has_ended and not piece.startswith(self._format.magic):
                    self._is_over = True
                    return
                self._stream = self._format.start(piece)
            piece = yield from self._decompress(self._stream, piece)

    def end(self) -> None:
        """Check that the last stream is complete.

        Raises
        ------
        ProtocolError
            If it is not.
        """
        begun = self._held and (not self._has_ended or any(each.startswith(self._held) for each in self._format.magic))
        if begun or self._stream is not None:
            raise ProtocolError("response body is truncated")

    def _decompress(self, stream: _Stream, piece: bytes) -> Generator[bytes, None, bytes]:
        """Yield the data of a stream in a piece, and return the bytes after its end."""
        while True:
            self._check()
            try:
                data = stream.decompress(piece, _PIECE)
            except self._format.error:
                raise ProtocolError("response body does not match its Content-Encoding") from None
            if data:
                yield data
            if stream.eof:
                self._stream, self._has_ended = None, True
                return stream.unused_data
            if stream.needs_input:
                return b""
            piece = b""


class _Inflate:
    """Decodes deflate data, by zlib."""

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # If the output is limited, zlib may hold back some of it.
        self.needs_input = len(found) < max_length and not self._zlib.unconsumed_tail
        return found


class _Brotli:
    """Decodes br."""

    unused_data = b""
    """Data after the end is an error."""

    def __init__(self, decompressor: Any) -> None:
        self._brotli = decompressor
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        limit = max_length // 4  # the library fills its last block, of 32 KiB and more
        found: bytes = self._brotli.process(data, output_buffer_limit=limit)
        self.needs_input = len(found) < limit and self._brotli.can_accept_more_data()
        return found


def _gzip() -> _Format:
    return _Format(lambda _: _Inflate(_GZIP), zlib.error, 2, (b"\x1f\x8b",))


def _deflate() -> _Format:
    return _Format(_inflate, zlib.error, 2)


def _inflate(begin: bytes) -> _Inflate:
    # Some servers omit the zlib header of deflate (RFC 9110).
    is_zlib = begin[0] & 0x0F == zlib.DEFLATED and int.from_bytes(begin[:2]) % 31 == 0
    return _Inflate(_ZLIB if is_zlib else _RAW)


def _br() -> _Format | None:
    brotli = _module("brotli")
    if not hasattr(brotli, "Decompressor") or not hasattr(brotli.Decompressor, "can_accept_more_data"):
        return None  # the output of brotli before 1.2 has no limit
    return _Format(lambda _: _Brotli(brotli.Decompressor()), brotli.error)


def _zstd() -> _Format | None:
    zstd = _module("compression.zstd") or _module("backports.zstd")
    if zstd is None:
        return None
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    magic = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16)))
    return _Format(lambda _: zstd.ZstdDecompressor(options=options), zstd.ZstdError, 4, magic)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


_FORMATS: dict[str, Callable[[], _Format | None]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
