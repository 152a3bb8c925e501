"""Texts that commands and the report share: shortened lists, counts, numbers, ids and times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")

_MAX_CHARACTERS = 600
"""Characters of a shown text: the reason of a custom hook can be as long as a Lambda response."""
_NUMBER = re.compile(r"\d+([.,]\d+)*")


def runs(items: Iterable[T], key: Callable[[T], object]) -> list[list[T]]:
    """Return the items in runs of neighbours with the same key."""
    return [list(run) for _, run in groupby(items, key)]


def without_numbers(text: str) -> str:
    """Return a text with each number replaced by 0; two texts of the same kind then are equal."""
    return _NUMBER.sub("0", text)


def shortened(items: Sequence[T], most: int, left_out: Callable[[Sequence[T]], T]) -> list[T]:
    """Return at most so many items: the first two thirds, one for those left out, and the last."""
    if len(items) <= most:
        return list(items)
    first = most * 2 // 3
    last = most - first - 1
    return [*items[:first], left_out(items[first : len(items) - last]), *items[len(items) - last :]]


def cut(text: str) -> str:
    """Return a text without the end of a very long one."""
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."


def tally(words: Iterable[str]) -> str:
    """Return the count of each word, such as `118 WAIT, 1 PASS`, in order of first appearance."""
    return ", ".join(f"{count:,} {word}" for word, count in Counter(words).items())


def number(value: float) -> str:
    """Return a number for people: three significant digits, or all digits before the point."""
    if value == round(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"


def short_id(arn: str) -> str:
    """Return the last four characters of the id of a service revision, task set or function version."""
    return arn.rpartition("/")[2].rpartition(":")[2][-4:]


def function_name(arn: str) -> str:
    """Return the name of a function from its ARN."""
    return arn.rpartition(":")[2]


def clock_text(seconds: float) -> str:
    """Return a duration as `h:mm:ss`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}"
