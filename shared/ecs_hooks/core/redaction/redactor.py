"""Masks secrets in texts.

A reason goes to CloudWatch, to the deployment's events and to the person on call; the credentials of a smoke test must not
go with it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ecs_hooks.core.formatting import counted
from ecs_hooks.core.json_text import HugeNumber
from ecs_hooks.core.redaction.decoded_views import SPACE, View, decoded_views, without_space

MASK = "***"

_SEPARATOR = "\uffff".encode()
"""Between texts that are searched at once: no secret has it."""

MIN_LENGTH = 4
"""Characters of the shortest secret that is masked. Masking every `a` would hide the reason, not the secret."""

_FRAGMENT = 8
"""Bytes of the shortest part of a longer secret that is masked: a server or a log may have cut the rest."""

_LONG = 4_096
"""Bytes from which on a secret is indexed by every eighth fragment, so that its shortest part that is masked has 15."""

_MOST_RECEIVED = 100_000
"""Fragments of received secrets, such as cookies that rotate, after which the oldest half is forgotten."""

_MOST = 131_072
"""Characters of a text that are masked; the rest is left out."""

_LOOKAHEAD = 4_096
"""Characters behind a cut that are masked too, so that a secret is found of which the cut shows a part."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)|^(pass|pin|otp)$|secret|token|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|auth(?!or(?!i[sz]))|credential|session|cookie|signature|bearer|jwt|csrf|xsrf"
    r"|(?<![^\W_])(key|sig|sid|pwd)(?![^\W\d_])",
    re.IGNORECASE,
)
_PEM_LINE = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """Return whether a header, field or parameter probably contains a secret, by its name."""
    return _SECRET_NAME.search(_CAMEL_CASE.sub("-", name)) is not None


class _Index:
    """Secrets, indexed by their beginning or by their fragments: the cost of a search does not grow with their number."""

    def __init__(self) -> None:
        self.fragments: set[int] = set()
        self._short: dict[int, set[bytes]] = {}
        self._added: set[str] = set()

    def __contains__(self, secret: str) -> bool:
        return secret in self._added

    @property
    def size(self) -> int:
        return len(self.fragments) + len(self._added)

    def add(self, secret: str) -> None:
        self._added.add(secret)
        data = secret.strip().encode("utf-8", "surrogatepass").lower()
        bare = SPACE.sub(b"", data)
        if len(bare) >= _FRAGMENT:
            for offset in range(1 if len(bare) >= _LONG else _FRAGMENT):
                self.fragments.update(_numbers(bare, offset, _FRAGMENT))
            self.fragments.update(_numbers(bare, len(bare) - _FRAGMENT, _FRAGMENT))
            return
        for form in {
            data,
            one_line(secret).strip().encode().lower(),
            data.replace(b"+", b" "),
            data.replace(b" ", b"+"),
        }:
            if len(form) >= MIN_LENGTH:
                self._short.setdefault(_numbers(form, 0, MIN_LENGTH)[0], set()).add(form)

    def find(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield where a view has a secret or a fragment of one, as a place in the text that was encoded."""
        data = view.data.lower()
        if self._short:
            for begin in _positions(data, self._short, MIN_LENGTH):
                for form in self._short[_numbers(data[begin : begin + MIN_LENGTH], 0, MIN_LENGTH)[0]]:
                    if data.startswith(form, begin):
                        yield view.locate(begin, begin + len(form))
        if self.fragments:
            bare = without_space(view)
            for begin in _positions(bare.data.lower(), self.fragments, _FRAGMENT):
                yield bare.locate(begin, begin + _FRAGMENT)


class _Recent:
    """Secrets of which the oldest are forgotten when they are very many, so that memory is bounded."""

    def __init__(self) -> None:
        self.indexes = (_Index(), _Index())

    def add(self, secret: str) -> None:
        newest, older = self.indexes
        if secret in newest:
            return
        if newest.size > _MOST_RECEIVED // 2:
            newest, older = _Index(), newest
        newest.add(secret)
        self.indexes = (newest, older)


def _numbers(data: bytes, offset: int, width: int) -> memoryview[int]:
    """Return the bytes from an offset on as numbers of some bytes each."""
    return memoryview(data[offset : len(data) - (len(data) - offset) % width]).cast("Q" if width == _FRAGMENT else "I")


def _positions(data: bytes, known: set[int] | dict[int, set[bytes]], width: int) -> Iterator[int]:
    for offset in range(min(width, len(data) - width + 1)):
        numbers = _numbers(data, offset, width)
        if not known.keys().isdisjoint(numbers) if isinstance(known, dict) else not known.isdisjoint(numbers):
            yield from (offset + width * place for place, number in enumerate(numbers) if number in known)


_EVERY = _Recent()
"""The secrets of all redactors, for texts that belong to none of them."""


class Redactor:
    """Masks secrets in texts, in every form in which a server can return them; see `decoded_views`.

    A secret of 8 characters or more is also masked in part: each fragment of 8, and of 15 where the secret has 4,096
    bytes or more. Case, spaces, line breaks and `+` make no difference. A shorter secret is masked as a whole.

    Parameters
    ----------
    secrets
        The secrets. Those shorter than `MIN_LENGTH` are not masked.
    """

    def __init__(self, *secrets: str) -> None:
        self._given = _Index()
        self._received = _Recent()
        self._bound = _Recent()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Add a secret. The lines around a PEM block, such as `-----BEGIN CERTIFICATE-----`, are not secret."""
        for part in _PEM_LINE.split(secret) if "-----BEGIN" in secret else (secret,):
            self._add(part)

    def _add(self, secret: str) -> None:
        if secret not in self._given:
            self._given.add(secret)
            _EVERY.add(secret)
            if secret.lstrip().startswith("{"):
                with suppress(ValueError, RecursionError):
                    self.add_fields(json.loads(secret))

    def add_received(self, secret: str) -> None:
        """Add a secret that a server sent, such as a cookie. The oldest of very many are forgotten."""
        if secret not in self._given:
            self._received.add(secret)

    def bind(self, value: object) -> None:
        """Add the texts in a captured value: they are shown, but not sent to another origin on a redirect."""
        for text in _secrets_in(value, secret=True):
            self._bound.add(text)

    def binds(self, value: object) -> bool:
        """Return whether a value contains a secret or a captured value."""
        return _contains(value, [*self._indexes, *self._bound.indexes])

    def was_given(self, value: object) -> bool:
        """Return whether a value contains a secret that was not received, at any depth."""
        return _contains(value, [self._given])

    def add_secrets(self, values: Sequence[object]) -> None:
        """Add each text and number in some values, at any depth."""
        for secret in _secrets_in(values, secret=True):
            self.add(secret)

    def add_header(self, name: str, value: str) -> None:
        """Add a header with a secret name: its whole value, or its cookies, and the credentials after a scheme."""
        if not is_secret_name(name):
            return
        if "cookie" in name.lower():
            for part in re.split(r"[;,]\s*", value):
                self.add(part.partition("=")[2] or part)
            return
        scheme, _, credentials = value.strip().partition(" ")
        if "authorization" not in name.lower() or len(credentials) < MIN_LENGTH:
            self.add(value)
        self.add(credentials)
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return
            self.add_userinfo(pair)

    def add_userinfo(self, userinfo: str) -> None:
        """Add `user:password`, and the password alone."""
        self.add(userinfo)
        self.add(userinfo.partition(":")[2])

    def add_fields(self, value: object) -> None:
        """Add the values of secret names in an object, at any depth."""
        for secret in _secrets_in(value, secret=False):
            self.add(secret)

    def knows(self, value: object) -> bool:
        """Return whether a value contains a secret, at any depth; also if it is too long to know."""
        return _contains(value, self._indexes)

    def mask(self, text: str) -> str:
        """Return a text without the secrets. What is too long for a reason is left out."""
        return self.cut(text, _MOST) if len(text) > _MOST else self._mask(text, len(text))

    def cut(self, text: str, limit: int) -> str:
        """Return a text without the secrets, then cut."""
        if len(text) <= limit + _LOOKAHEAD:
            masked = self._mask(text, len(text))
            return masked if len(masked) <= limit else f"{masked[:limit]}..."
        # A part of a secret at the end of the searched text is not recognised as one.
        return f"{self._mask(text[: limit + _LOOKAHEAD], limit + _LOOKAHEAD // 2)[:limit]}..."

    def show(self, value: object, limit: int = 80) -> str:
        """Return a value for a reason: masked, then cut, on one line; objects and arrays only by type and size."""
        match value:
            case str():
                masked = self.mask(value[: limit + 2 * _LOOKAHEAD])
                line = one_line(masked)
                text = masked if line == masked else self.mask(line)
                shown = text if len(text) <= limit and len(value) <= limit + 2 * _LOOKAHEAD else f"{text[:limit]}..."
                return one_line(json.dumps(shown, ensure_ascii=False))
            case Mapping():
                return f"an object with {counted(len(value), 'key')}"
            case list() | tuple():
                return f"an array with {counted(len(value), 'item')}"
            case _:
                text = str(value) if isinstance(value, HugeNumber) else json.dumps(value, default=str)
                return self.cut(text, limit)

    @property
    def _indexes(self) -> list[_Index]:
        return [index for index in (self._given, *self._received.indexes) if index.size]

    def _mask(self, text: str, end: int) -> str:
        return _without_secrets(text, end, self._indexes)


def mask_every_secret(text: str) -> str:
    """Return a text, such as a traceback, without the secrets of every redactor of the process."""
    return _without_secrets(text[-_MOST:], _MOST, _EVERY.indexes)


def _without_secrets(text: str, end: int, indexes: Sequence[_Index]) -> str:
    """Return the first characters of a text without the secrets in all of it."""
    data = _encoded(text)
    places = sorted(_find(data, indexes)) if any(index.size for index in indexes) else []
    if not places:
        return text[:end]
    stop = len(_encoded(text[:end]))
    shown: list[bytes] = []
    last = 0
    for begin, after in places:
        if begin >= stop:
            break
        if begin > last or not shown:
            shown += [data[last : _character(data, begin)], MASK.encode()]
        last = max(last, _character(data, after, 1))
    return b"".join([*shown, data[last:stop]]).decode("utf-8", "surrogatepass")


def _contains(value: object, indexes: Sequence[_Index]) -> bool:
    if not any(index.size for index in indexes):
        return False
    data = value if isinstance(value, bytes) else _SEPARATOR.join(map(_encoded, _texts_in(value)))
    return len(data) > _MOST or any(True for _ in _find(data, indexes))


def _find(data: bytes, indexes: Sequence[_Index]) -> Iterator[tuple[int, int]]:
    return (place for view in decoded_views(data) for index in indexes for place in index.find(view))


def _character(data: bytes, offset: int, step: int = -1) -> int:
    """Return the offset, or the one before or after it at which no character is cut."""
    while 0 < offset < len(data) and data[offset] & 0xC0 == 0x80:  # noqa: PLR2004 - a byte within a character
        offset += step
    return offset


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)


def _texts_in(value: object) -> Iterator[str]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield str(name)
                yield from _texts_in(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts_in(inner)
        case _:
            yield str(value)


def _secrets_in(value: Any, *, secret: bool) -> Iterator[str]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from _secrets_in(inner, secret=secret or is_secret_name(str(name)))
        case list() | tuple():
            for inner in value:
                yield from _secrets_in(inner, secret=secret)
        case bool() | None:
            return
        case _ if secret:
            yield str(value)
