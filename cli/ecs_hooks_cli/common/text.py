"""Texts that commands and the report share: shortened lists, counts, numbers, ids and times."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")

_LONGEST = 600
"""Characters of a text that are shown: reasons of hooks of one's own can be as long as an answer may be."""
_NUMBER = re.compile(r"\d+([.,]\d+)*")


def runs(items: Iterable[T], alike: Callable[[T], object]) -> list[list[T]]:
    """Return the items in runs of those that follow each other and are alike."""
    return [list(run) for _, run in groupby(items, alike)]


def shape(text: str) -> str:
    """Return a text without its numbers, for it is the numbers that differ between two answers of the same kind."""
    return _NUMBER.sub("0", text)


def shortened(items: Sequence[T], most: int, left_out: Callable[[Sequence[T]], T]) -> list[T]:
    """Return at most so many items: the first two thirds, one that stands for what is left out, and the last."""
    if len(items) <= most:
        return list(items)
    first = most * 2 // 3
    last = most - first - 1
    return [*items[:first], left_out(items[first : len(items) - last]), *items[len(items) - last :]]


def cut(text: str) -> str:
    """Return a text, the end of a very long one left out."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def counted(words: Iterable[str]) -> str:
    """Return how many there are of each word, such as `118 WAIT, 1 PASS`, in the order in which they first come."""
    return ", ".join(f"{count:,} {word}" for word, count in Counter(words).items())


def number(value: float) -> str:
    """Return a number as people read it: three digits, or all before the point."""
    if value == round(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"


def short_id(arn: str) -> str:
    """Return what tells a service revision, a task set or a version of a function from others of its kind."""
    return arn.rpartition("/")[2].rpartition(":")[2][-4:]


def clock_text(seconds: float) -> str:
    """Return a time since the beginning, as `h:mm:ss`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}"
