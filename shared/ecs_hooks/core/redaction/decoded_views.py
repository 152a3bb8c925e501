"""The texts that a text contains in an encoded form, each byte with its place in the text.

A server can send a secret back in more forms than a list can hold: any subset of its characters percent-encoded, escapes of
JSON, HTML and Python, Base64 at any offset, and two of these nested. So the text is decoded, not the secret encoded.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

_DEPTH = 2
"""Encodings that are nested at most. UTF-8 that was read as Latin-1 inside of them does not count."""

_TEXT_BITS, _BASE64_BITS, _HEX_BITS, _ESCAPE = 8, 6, 4, 0

_SEPARATOR = b"\xff"
"""Between the runs of a view: a byte that UTF-8 does not have, so that nothing is found across it."""

_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_BACKSLASH = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}"
    rb"|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-3][0-7]{2}|.)",
    re.DOTALL,
)
_BYTE = re.compile(rb"\\(?:x[89a-fA-F][0-9a-fA-F]|[23][0-7]{2})")
"""An escape that is a byte of UTF-8 in some languages, and a character in others."""
_CONTROLS = dict(zip(b"abefnrtv0", b"\x07\x08\x1b\x0c\n\r\t\x0b\x00", strict=True))
_HTML = re.compile(rb"&(?:#[xX][0-9a-fA-F]{1,40}|#[0-9]{1,40}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_CP1252 = {bytes([code]).decode("cp1252", "ignore").encode(): bytes([code]) for code in range(0x80, 0xA0)}
_LATIN1 = re.compile(rb"[\xc2\xc3][\x80-\xbf]|" + b"|".join(re.escape(each) for each in _CP1252 if each))
_BLANK = re.compile(rb"[\x00-\x20\x7f]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_BASE64_IN_FORM = re.compile(rb"[A-Za-z0-9+/_ -]{6,}")
_PADDING = (b"", b"=", b"==")
_BASE64_ALPHABET = bytes.maketrans(b"-_ ", b"+/+")
_HEX = re.compile(rb"[0-9a-fA-F]{8,}")
SPACE = re.compile(
    rb"[\x00-\x20\x7f+]+|\xc2[\x80-\xa0]|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xed[\xa0-\xbf][\x80-\xbf]",
)
"""What formatting and URL encoding add to a text or replace in it: spaces, `+`, control characters, halves of pairs."""


class _Piece(NamedTuple):
    """A part of a view, and the part of its source that it was decoded from."""

    begin: int
    source_begin: int
    source_end: int
    bits: int
    """Bits of a byte of the source that are in the view; 0 if the whole part of the source is one escape."""


class View:
    """A text that another text contains in an encoded form.

    Parameters
    ----------
    data
        The decoded text.
    source
        The text with the encoded form; None for the text that was encoded first.
    pieces
        Yields the parts of the view. They are determined only for a view in which something is found.
    """

    def __init__(
        self, data: bytes, source: View | None = None, pieces: Callable[[], Iterator[_Piece]] = lambda: iter(())
    ) -> None:
        self.data = data
        self._source = source
        self._make_pieces = pieces

    @cached_property
    def _pieces(self) -> list[_Piece]:
        return list(self._make_pieces())

    def locate(self, begin: int, end: int) -> tuple[int, int]:
        """Return the place of some of its bytes in the text that was encoded first."""
        if self._source is None:
            return begin, end
        first, last = self._place(begin)[0], self._place(end - 1)[1]
        return self._source.locate(first, last)

    def _place(self, offset: int) -> tuple[int, int]:
        piece = self._pieces[bisect_right(self._pieces, offset, key=lambda each: each.begin) - 1]
        if piece.bits == _ESCAPE:
            return piece.source_begin, piece.source_end
        bit = 8 * (offset - piece.begin)
        return piece.source_begin + bit // piece.bits, piece.source_begin + (bit + 7) // piece.bits + 1


def decoded_views(data: bytes) -> Iterator[View]:
    """Return the text itself, and each text that it contains in up to two nested encodings."""
    seen = {data}
    root = View(data)
    # An escape may be wrapped over two lines.
    level = [root, *_decoded(root, seen, (_joined,))]
    is_wrapped = len(level) > 1
    for depth in range(_DEPTH + 1):
        found: list[View] = []
        for view in level:
            yield view
            decoders = (_latin1,) if depth == _DEPTH else _DECODERS
            # The Base64 in it is that of the text with its lines joined.
            found += _decoded(view, seen, decoders[:-1] if view is root and is_wrapped else decoders)
        level = found
    yield from level


def without_space(view: View) -> View:
    """Return a view without what formatting adds to a text or replaces in it."""
    return _without(view, SPACE)


def _decoded(view: View, seen: set[bytes], decoders: tuple[Callable[[View], View | None], ...]) -> Iterator[View]:
    for decode in decoders:
        found = decode(view)
        if found is not None and found.data not in seen:
            seen.add(found.data)
            yield found


def _replaced(view: View, pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes] | None) -> View | None:
    """Return a view with each escape decoded, or without them; None if it has none."""

    def pieces() -> Iterator[_Piece]:
        size = end = 0
        for found in pattern.finditer(view.data):
            begin = found.start()
            if begin > end:
                yield _Piece(size, end, begin, _TEXT_BITS)
                size += begin - end
            end = found.end()
            decoded = decode(found[0]) if decode else b""
            if decoded:
                yield _Piece(size, begin, end, _ESCAPE)
                size += len(decoded)
        yield _Piece(size, end, len(view.data), _TEXT_BITS)

    data, number = pattern.subn((lambda found: decode(found[0])) if decode else b"", view.data)
    return View(data, view, pieces) if number else None


def _without(view: View, pattern: re.Pattern[bytes]) -> View:
    return _replaced(view, pattern, None) or view


def _percent(view: View) -> View | None:
    return _replaced(view, _PERCENT, lambda escape: bytes([int(escape[1:], 16)])) if b"%" in view.data else None


def _backslash(view: View) -> View | None:
    return _replaced(view, _BACKSLASH, _unescaped) if b"\\" in view.data else None


def _backslash_bytes(view: View) -> View | None:
    return _replaced(view, _BACKSLASH, _unescaped_byte) if _BYTE.search(view.data) else None


def _unescaped_byte(escape: bytes) -> bytes:
    if _BYTE.fullmatch(escape):
        return bytes.fromhex(escape[2:].decode()) if escape[1:2] == b"x" else bytes([int(escape[1:], 8)])
    return _unescaped(escape)


def _unescaped(escape: bytes) -> bytes:
    kind, code = escape[1:2], escape[2:]
    if code and kind in b"uUx":
        if len(code) > len("00000000"):  # a surrogate pair
            return bytes.fromhex(f"{int(code[:4], 16):04x}{int(code[6:], 16):04x}").decode("utf-16-be").encode()
        number = int(code.strip(b"{}"), 16)
        return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b""  # noqa: PLR2004
    if code:
        return chr(int(escape[1:], 8)).encode()
    return bytes([_CONTROLS.get(kind[0], kind[0])])


def _html(view: View) -> View | None:
    if b"&" not in view.data:
        return None
    from html import unescape  # noqa: PLC0415 - only for texts with HTML

    return _replaced(view, _HTML, lambda escape: unescape(escape.decode()).encode("utf-8", "surrogatepass"))


def _latin1(view: View) -> View | None:
    return None if view.data.isascii() else _replaced(view, _LATIN1, _latin1_byte)


def _latin1_byte(encoded: bytes) -> bytes:
    return _CP1252.get(encoded) or encoded.decode().encode("latin-1")


def _joined(view: View) -> View | None:
    return _replaced(view, _BLANK, None)


def _base64(view: View) -> View | None:
    """Return the decoded Base64. Lines may be wrapped."""
    return _runs(_without(view, _BLANK), _BASE64, _BASE64_BITS, _from_base64)


def _base64_in_form(view: View) -> View | None:
    """Return the decoded Base64 of which a form's decoder read each `+` as a space."""
    return _runs(view, _BASE64_IN_FORM, _BASE64_BITS, _from_base64) if b" " in view.data else None


def _from_base64(run: bytes) -> bytes:
    if len(run) % 4 == 1:
        run = run[:-1]
    return a2b_base64(run + _PADDING[-len(run) % 4])


def _hex(view: View) -> View | None:
    return _runs(view, _HEX, _HEX_BITS, lambda digits: bytes.fromhex(digits[: len(digits) & ~1].decode()))


def _runs(view: View, pattern: re.Pattern[bytes], bits: int, decode: Callable[[bytes], bytes]) -> View | None:
    """Return what runs of digits encode, from each offset within a group: text can precede it without a separator."""
    data = view.data.translate(_BASE64_ALPHABET) if bits == _BASE64_BITS else view.data
    runs = [
        (begin, found.end())
        for found in pattern.finditer(view.data)
        for begin in range(found.start(), found.start() + (4 if bits == _BASE64_BITS else 2))
    ]
    parts = [decode(data[begin:end]) for begin, end in runs]

    def pieces() -> Iterator[_Piece]:
        size = 0
        for (begin, end), part in zip(runs, parts, strict=True):
            yield _Piece(size, begin, end, bits)
            size += len(part) + len(_SEPARATOR)

    return View(_SEPARATOR.join(parts), view, pieces) if parts else None


_DECODERS = (_percent, _backslash, _backslash_bytes, _html, _latin1, _base64_in_form, _hex, _base64)
