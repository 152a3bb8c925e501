"""Applies filters to a value, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.assertions.filters import collections, conversions, dates, encodings, texts
from ecs_hooks.assertions.filters.errors import UnfitError, bounded

if TYPE_CHECKING:
    from ecs_hooks.assertions.filters.fields import Filter

ALONE: dict[str, Callable[[Any], Any]] = {
    "base64_decode": encodings.base64_decode,
    "base64_encode": encodings.base64_encode,
    "base64_url_safe_decode": encodings.base64_url_safe_decode,
    "base64_url_safe_encode": encodings.base64_url_safe_encode,
    "count": collections.count,
    "days_after_now": dates.days_after_now,
    "days_before_now": dates.days_before_now,
    "first": collections.first,
    "html_escape": texts.html_escape,
    "html_unescape": texts.html_unescape,
    "last": collections.last,
    "to_date": dates.to_date,
    "to_float": conversions.to_float,
    "to_hex": encodings.to_hex,
    "to_int": conversions.to_int,
    "to_string": conversions.to_string,
    "url_decode": texts.url_decode,
    "url_encode": texts.url_encode,
    "utf8_decode": encodings.utf8_decode,
    "utf8_encode": encodings.utf8_encode,
}
"""The filters that need not be told anything."""

TOLD: dict[str, Callable[[Any, Any], Any]] = {
    "charset_decode": encodings.charset_decode,
    "date_format": dates.date_format,
    "jsonpath": collections.jsonpath,
    "nth": collections.nth,
    "regex": texts.regex,
    "replace": lambda value, told: texts.replace(value, told.old, told.new),
    "replace_regex": lambda value, told: texts.replace_regex(value, told.pattern, told.new),
    "split": texts.split,
    "to_date": dates.to_date,
    "url_query_param": texts.url_query_param,
}
"""The filters that need to be told something."""


def filtered(filters: Sequence[str | Filter], value: Any) -> Any:
    """Return what filters make of a value.

    Raises
    ------
    UnfitError
        If one of them does not fit; the message names it, and no value.
    NothingFoundError
        If one of them finds nothing.
    """
    for each in filters:
        try:
            value = ALONE[each](value) if isinstance(each, str) else TOLD[each.name](value, each.argument)
            if isinstance(value, str | bytes):
                bounded(len(value))
        except UnfitError as error:
            message = f"filter {each if isinstance(each, str) else each.name} {error}"
            raise UnfitError(message) from None
    return value
