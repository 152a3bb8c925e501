"""Filters between texts and bytes."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from ecs_hooks.assertions.filters.errors import UnfitError, text, wanted
from ecs_hooks.http.response import text_encoding


def base64_decode(value: Any) -> bytes:
    """Return the bytes that Base64 means."""
    return _decoded(text(value), "Base64", "+/")


def base64_url_safe_decode(value: Any) -> bytes:
    """Return the bytes that the Base64 of addresses and tokens means, with padding or without."""
    whole = text(value).rstrip("=")
    return _decoded(whole + "=" * (-len(whole) % 4), "URL safe Base64", "-_")


def base64_encode(value: Any) -> str:
    """Return bytes, or a text in UTF-8, as Base64."""
    return base64.b64encode(_bytes(value)).decode()


def base64_url_safe_encode(value: Any) -> str:
    """Return bytes, or a text in UTF-8, as the Base64 of addresses and tokens, without padding."""
    return base64.urlsafe_b64encode(_bytes(value)).decode().rstrip("=")


def utf8_decode(value: Any) -> str:
    """Return the text that bytes are in UTF-8."""
    return charset_decode(value, "utf-8")


def utf8_encode(value: Any) -> bytes:
    """Return a text as bytes in UTF-8."""
    return text(value).encode(errors="replace")


def charset_decode(value: Any, charset: str) -> str:
    """Return the text that bytes are in a charset."""
    if not isinstance(value, bytes):
        raise wanted("bytes, such as base64_decode makes", value)
    try:
        return value.decode(text_encoding(charset) or "utf-8")
    except UnicodeDecodeError:
        message = f"takes bytes that are {charset}, and gets others"
        raise UnfitError(message) from None


def to_hex(value: Any) -> str:
    """Return bytes, or a text in UTF-8, in hexadecimal digits."""
    return _bytes(value).hex()


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return utf8_encode(value)
    if not isinstance(value, bytes):
        raise wanted("a text or bytes", value)
    return value


def _decoded(whole: str, name: str, special: str) -> bytes:
    trouble = UnfitError(f"takes {name}, and gets another text")
    # b64decode takes the letters of the other alphabet as well.
    if not re.fullmatch(rf"[A-Za-z0-9{re.escape(special)}]*={{0,2}}", whole):
        raise trouble
    try:
        return base64.b64decode(whole, altchars=special.encode(), validate=True)
    except binascii.Error:
        raise trouble from None
