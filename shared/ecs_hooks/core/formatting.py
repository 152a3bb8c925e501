"""Words that many reasons and messages contain."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from ecs_hooks.core.json_types import json_type


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


def nearest(name: object, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the end of a sentence: the nearest name, or all of them."""
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
