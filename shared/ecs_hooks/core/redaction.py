"""Masks secrets in texts.

A reason goes to CloudWatch, to the deployment's events and to the person on call; the credentials of a smoke test must not
go with it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from ecs_hooks.core.formatting import counted
from ecs_hooks.core.json_text import HugeNumber

MASK = "***"

MIN_LENGTH = 4
"""Characters of the shortest secret that is masked. Masking every `a` would hide the reason, not the secret."""

_KEPT = ("", "/", "!'()*~")
"""Characters that URL encoders leave as they are: none, those of Python, those of JavaScript."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)|^(pass|pwd|pin|otp|sid|key|sig)$|secret|token|api[-_]?key|access[-_]?key|private[-_]?key"
    r"|auth(?!or(?!i[sz]))|credential|session|cookie|signature|bearer|jwt|csrf|xsrf",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Return whether a header, field or parameter probably contains a secret, by its name."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Masks secrets in texts.

    Parameters
    ----------
    secrets
        The secrets. Those shorter than `MIN_LENGTH` are not masked.
    """

    def __init__(self, *secrets: str) -> None:
        self._forms: set[str] = set()
        self._compiled: tuple[int, re.Pattern[str]] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Add a secret, in each form that a text may contain: plain, URL encoded, in JSON, in Base64."""
        if not secret:
            return
        raw = secret.strip()
        encoded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode()
        forms = {secret, raw, encoded, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {quote(raw, safe=kept, errors="replace") for kept in _KEPT} | {quote_plus(raw, errors="replace")}
        # Control characters are removed from a text before it is shown.
        forms.add(one_line(secret))
        self._forms |= {form for form in forms if len(form) >= MIN_LENGTH}

    def add_header(self, name: str, value: str) -> None:
        """Add a header with a secret name: its whole value, its cookies, and the credentials after the scheme."""
        if not is_secret_name(name):
            return
        self.add(value)
        for part in re.split(r"[;,]\s*", value) if "cookie" in name.lower() else ():
            self.add(part.partition("=")[2])
        scheme, _, credentials = value.strip().partition(" ")
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
        """Return whether a value contains a secret, at any depth."""
        return any(self.mask(text) != text for text in _texts_in(value))

    def mask(self, text: str) -> str:
        """Return a text without the secrets."""
        if not self._forms:
            return text
        compiled = self._compiled
        # A thread may add a secret while another masks: forms are only added, so their number identifies a pattern.
        if compiled is None or compiled[0] != len(self._forms):
            longest_first = sorted(self._forms, key=len, reverse=True)
            pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
            self._compiled = compiled = (len(longest_first), pattern)
        return compiled[1].sub(MASK, text)

    def show(self, value: object, limit: int = 80) -> str:
        """Return a value for a reason: masked, then cut, on one line; objects and arrays only by type and size."""
        match value:
            case str():
                text = self.mask(one_line(self.mask(value)))
                shown = json.dumps(text if len(text) <= limit else f"{text[:limit]}...", ensure_ascii=False)
                return one_line(shown)
            case Mapping():
                return f"an object with {counted(len(value), 'key')}"
            case list() | tuple():
                return f"an array with {counted(len(value), 'item')}"
            case _:
                text = str(value) if isinstance(value, HugeNumber) else json.dumps(value, default=str)
                text = self.mask(text)
                return text if len(text) <= limit else f"{text[:limit]}..."


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
