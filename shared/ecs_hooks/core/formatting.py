"""Words that many reasons and messages contain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def counted(number: float, noun: str) -> str:
    """Return a number with its noun, such as `1 task` or `2 tasks`."""
    return f"{number:g} {noun}" if number == 1 else f"{number:.15g} {noun}s"


def listed(texts: Sequence[str], most: int, separator: str = "; ", last: str = "; and ") -> str:
    """Return the first few of some texts, and how many more there are, such as `a; b; and 3 more`.

    Parameters
    ----------
    texts
        The texts.
    most
        How many of them are shown.
    separator
        What stands between two of them.
    last
        What stands before the number of those that are not shown.
    """
    shown = separator.join(texts[:most])
    return f"{shown}{last}{len(texts) - most} more" if len(texts) > most else shown


def printable(text: str) -> str:
    """Return a text with `?` for each control character, half of a surrogate pair and other unprintable character."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def nearest(name: object, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the end of a sentence: the nearest name, or all of them."""
    import difflib  # noqa: PLC0415 - only for plans with mistakes

    close = difflib.get_close_matches(str(name), list(known), n=1) if isinstance(name, str) else []
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


def not_allowed(value: object, allowed: Sequence[str]) -> str:
    """Return the words for a value that is not one of those that are allowed.

    A text is shown only where it nearly is an allowed value: any other could be a secret.
    """
    close = nearest(value, allowed)
    known = f"one of the allowed values ({', '.join(allowed)})"
    if not isinstance(value, str):
        return f"must be {known}, not {json_type(value)}"
    return f"is not {known}{close if 'did you mean' in close else ''}"


def json_type(value: object) -> str:  # noqa: PLR0911 - a table
    """Return the name of the JSON type of a value, for messages that must not show the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case Mapping():
            return "object"
        case list() | tuple():
            return "array"
        case _:
            return type(value).__name__


def json_equal(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: 1 and 1.0 are; 1 and true, equal in Python, are not."""
    waiting = [(left, right)]
    while waiting:  # no recursion: a document can be nested more deeply than the stack allows
        one, other = waiting.pop()
        if isinstance(one, bool) or isinstance(other, bool):
            is_equal = one is other
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            is_equal = one.keys() == other.keys()
            waiting += ((value, other[key]) for key, value in one.items() if is_equal)
        elif isinstance(one, list) and isinstance(other, list):
            is_equal = len(one) == len(other)
            waiting += zip(one, other, strict=False)
        else:
            is_equal = bool(one == other)
        if not is_equal:
            return False
    return True
