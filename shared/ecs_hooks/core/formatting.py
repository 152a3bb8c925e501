"""Words that many reasons are made of."""

from __future__ import annotations

import difflib
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


def nearest(name: object, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the end of a sentence: the nearest name, or all of them."""
    close = difflib.get_close_matches(str(name), list(known), n=1) if isinstance(name, str) else []
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
