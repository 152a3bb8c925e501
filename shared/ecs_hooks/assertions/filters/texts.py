"""Filters that make a text, or several, of a text."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ecs_hooks.assertions.filters.errors import NothingFoundError, UnfitError, bounded, text
from ecs_hooks.assertions.patterns import first_group, replaced

MOST_PARTS = 10_000


def regex(value: Any, pattern: str) -> str:
    """Return the first group of what a regular expression finds, or all of it where it has none."""
    found = first_group(pattern, text(value))
    if not found:
        raise NothingFoundError
    return found[0]


def replace(value: Any, old: str, new: str) -> str:
    """Return a text with another in the place of one of its parts, wherever that stands."""
    whole = text(value)
    bounded(len(whole) + whole.count(old) * (len(new) - len(old)))
    return whole.replace(old, new)


def replace_regex(value: Any, pattern: str, new: str) -> str:
    r"""Return a text with another in the place of all that a regular expression finds; `\1` in it is the first group."""
    size = len(whole := text(value))
    parts = []
    for part in replaced(pattern, new, whole):
        size += len(part)
        bounded(size)
        parts.append(part)
    return "".join(parts)


def split(value: Any, separator: str) -> list[str]:
    """Return what stands between the separators."""
    parts = text(value).split(separator, MOST_PARTS)
    if len(parts) > MOST_PARTS:
        message = f"finds more than {MOST_PARTS} parts"
        raise UnfitError(message)
    return parts


def html_escape(value: Any) -> str:
    """Return a text as HTML has to write it."""
    return html.escape(text(value))


def html_unescape(value: Any) -> str:
    """Return the text that HTML means."""
    return html.unescape(text(value))


def url_encode(value: Any) -> str:
    """Return a text percent-encoded, as one segment or parameter of an address."""
    return quote(text(value), safe="", errors="replace")


def url_decode(value: Any) -> str:
    """Return the text that is percent-encoded; what is no UTF-8 is replaced."""
    return unquote(text(value))


def url_query_param(value: Any, name: str) -> str:
    """Return a parameter of an address: the first of that name."""
    try:
        parameters = parse_qsl(urlsplit(text(value)).query, keep_blank_values=True, max_num_fields=MOST_PARTS)
    except ValueError:
        message = "takes an address, and gets another text"
        raise UnfitError(message) from None
    found = next((each for key, each in parameters if key == name), None)
    if found is None:
        raise NothingFoundError
    return found
