"""The functions of filters: the name of each is that of its filter, its docstring the description in the plan's schema."""

from __future__ import annotations

import base64
import binascii
import html
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from ecs_hooks.assertions.filters.registry import (
    ARRAY,
    BYTES,
    FilterError,
    NothingFoundError,
    register_filter,
    string,
    wrong_type,
)
from ecs_hooks.assertions.jsonpath import JsonPath, find, is_singular
from ecs_hooks.assertions.patterns import Pattern, check_replacement, first_group, replaced
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.http.response import text_encoding

MAX_SIZE = 10_485_760
"""Characters or bytes that a filter may return: the limit of a body."""
MAX_PARTS = 10_000


# Arguments


def _check_charset(name: str) -> str:
    if text_encoding(name) is None:
        raise ValueError("is not a known charset, such as latin-1")
    return name


_Charset = Annotated[str, Field(max_length=40), AfterValidator(_check_charset)]
_String = Annotated[str, Field(min_length=1, max_length=1000)]
_NewString = Annotated[str, Field(max_length=1000)]


class Replacement(PlanModel):
    """A string and its replacement."""

    old: _String
    """The string to replace, at every place."""
    new: _NewString
    """The replacement."""


class RegexReplacement(PlanModel):
    """A regular expression and the replacement of its matches."""

    pattern: Pattern
    """The regular expression (RE2, as in `matches`)."""
    new: _NewString
    r"""The replacement; `\1` is the first group, `\g<name>` the group of that name."""

    @model_validator(mode="after")
    def _has_its_groups(self) -> Self:
        check_replacement(self.pattern, self.new)
        return self


# Arrays, objects and JSON


@register_filter(public=True, takes=ARRAY | BYTES)
def count(value: Any) -> int:
    """Return the number of items, keys or bytes."""
    if not isinstance(value, list | tuple | Mapping | bytes):
        raise wrong_type("an array, an object or bytes", value)
    return len(value)


@register_filter(takes=ARRAY)
def first(value: Any) -> Any:
    """Return the first item of an array."""
    return nth(value, 0)


@register_filter(takes=ARRAY)
def last(value: Any) -> Any:
    """Return the last item of an array."""
    return nth(value, -1)


@register_filter(Annotated[int, Field(strict=True)], takes=ARRAY)
def nth(value: Any, index: int) -> Any:
    """Return an item of an array: 0 is the first, -1 the last."""
    if not isinstance(value, list | tuple):
        raise wrong_type("an array", value)
    if not -len(value) <= index < len(value):
        raise NothingFoundError
    return value[index]


@register_filter(JsonPath)
def jsonpath(value: Any, path: str) -> Any:
    """Return the value at a JSONPath in JSON; an array if the path can find several values."""
    if isinstance(value, str):
        try:
            value = read_json(value)
        except JsonError:
            raise FilterError("the string is not valid JSON") from None
    if isinstance(value, bytes):
        raise wrong_type("JSON, or a string that contains JSON", value)
    try:
        found = find(path, value)
    except ValueError as error:
        raise FilterError(str(error)) from None
    return found if not is_singular(path) else nth(found, 0)


# Types


@register_filter()
def to_int(value: Any) -> int:
    """Return an integer: that in a string, or a number without its fraction."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,400}\s*", value):
            raise FilterError("the string is not an integer")
        return int(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise wrong_type("a finite number, or a string that contains an integer", value)
    return int(value)


@register_filter()
def to_float(value: Any) -> float:
    """Return the number in a string, or an integer as a number with a fraction."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?\s*", value):
            raise FilterError("the string is not a number")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("a number, or a string that contains one", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FilterError("the number is too large")
    return number


@register_filter()
def to_string(value: Any) -> str:
    """Return a string: of a number or a boolean as in JSON, of a date as in ISO 8601."""
    match value:
        case str():
            return value
        case datetime():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise wrong_type("a string, a number, a boolean or a date", value)


# Encodings

_RETURNS_BYTES = "returns bytes; add utf8_decode or to_hex"


@register_filter(not_last=_RETURNS_BYTES)
def base64_decode(value: Any) -> bytes:
    """Return the bytes that are encoded in Base64."""
    return _decoded(string(value), "Base64", "+/")


@register_filter(not_last=_RETURNS_BYTES)
def base64_url_safe_decode(value: Any) -> bytes:
    """Return the bytes that are encoded in URL-safe Base64, with or without padding."""
    whole = string(value).rstrip("=")
    return _decoded(whole + "=" * (-len(whole) % 4), "URL-safe Base64", "-_")


@register_filter(takes=BYTES)
def base64_encode(value: Any) -> str:
    """Return bytes, or a string in UTF-8, in Base64."""
    return base64.b64encode(_bytes(value)).decode()


@register_filter(takes=BYTES)
def base64_url_safe_encode(value: Any) -> str:
    """Return bytes, or a string in UTF-8, in URL-safe Base64 without padding."""
    return base64.urlsafe_b64encode(_bytes(value)).decode().rstrip("=")


@register_filter(takes=BYTES)
def utf8_decode(value: Any) -> str:
    """Return the string that bytes encode in UTF-8."""
    return charset_decode(value, "utf-8")


@register_filter(not_last=_RETURNS_BYTES)
def utf8_encode(value: Any) -> bytes:
    """Return a string as bytes in UTF-8."""
    return string(value).encode(errors="replace")


@register_filter(_Charset, takes=BYTES)
def charset_decode(value: Any, charset: str) -> str:
    """Return the string that bytes encode in this charset, such as `latin-1`."""
    if not isinstance(value, bytes):
        raise wrong_type("bytes, such as those of base64_decode", value)
    try:
        return value.decode(text_encoding(charset) or "utf-8")
    except UnicodeDecodeError:
        raise FilterError(f"the bytes are not {charset}") from None


@register_filter(takes=BYTES)
def to_hex(value: Any) -> str:
    """Return bytes, or a string in UTF-8, in hexadecimal digits."""
    return _bytes(value).hex()


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return utf8_encode(value)
    if not isinstance(value, bytes):
        raise wrong_type("a string or bytes", value)
    return value


def _decoded(whole: str, name: str, special: str) -> bytes:
    try:
        # b64decode accepts the letters of the other alphabet as well.
        if re.fullmatch(rf"[A-Za-z0-9{re.escape(special)}]*={{0,2}}", whole):
            return base64.b64decode(whole, altchars=special.encode(), validate=True)
    except binascii.Error:
        pass
    raise FilterError(f"the string is not {name}")


# Strings


@register_filter(Pattern)
def regex(value: Any, pattern: str) -> str:
    """Return the first group of a regular expression in a string, or the whole match if it has no groups."""
    return str(nth(first_group(pattern, string(value)), 0))


@register_filter(Replacement)
def replace(value: Any, replacement: Replacement) -> str:
    """Return a string with `new` in place of `old`."""
    whole, old, new = string(value), replacement.old, replacement.new
    check_size(len(whole) + whole.count(old) * (len(new) - len(old)))
    return whole.replace(old, new)


@register_filter(RegexReplacement)
def replace_regex(value: Any, replacement: RegexReplacement) -> str:
    """Return a string with `new` in place of every match of `pattern`."""
    size = len(whole := string(value))
    parts = []
    for part in replaced(replacement.pattern, replacement.new, whole):
        size += len(part)
        check_size(size)
        parts.append(part)
    return "".join(parts)


@register_filter(_String)
def split(value: Any, separator: str) -> list[str]:
    """Return the parts of a string between these separators, as an array."""
    parts = string(value).split(separator, MAX_PARTS)
    if len(parts) > MAX_PARTS:
        raise FilterError(f"finds more than {MAX_PARTS} parts")
    return parts


@register_filter()
def html_escape(value: Any) -> str:
    """Return a string escaped for HTML."""
    return html.escape(string(value))


@register_filter()
def html_unescape(value: Any) -> str:
    """Return a string without HTML's escapes."""
    return html.unescape(string(value))


@register_filter()
def url_encode(value: Any) -> str:
    """Return a string percent-encoded, as one segment or parameter of a URL."""
    return quote(string(value), safe="", errors="replace")


@register_filter()
def url_decode(value: Any) -> str:
    """Return a percent-encoded string decoded; bytes that are not UTF-8 are replaced."""
    return unquote(string(value))


@register_filter(_String)
def url_query_param(value: Any, name: str) -> str:
    """Return the first parameter of this name in a URL."""
    url = string(value)
    try:
        parameters = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=MAX_PARTS)
    except ValueError:
        raise FilterError("the string is not a URL") from None
    return str(nth([each for key, each in parameters if key == name], 0))


def check_size(size: int) -> None:
    """Raise FilterError for a result that is larger than `MAX_SIZE`."""
    if size > MAX_SIZE:
        raise FilterError(f"would return more than {MAX_SIZE} characters")
