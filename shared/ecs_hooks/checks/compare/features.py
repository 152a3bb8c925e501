"""In which respects an answer is unlike what blue usually answers, at one place.

Each respect marks the answers that are unusual in it, those of blue by what its other answers are like. What blue itself is
unlike itself in, green may be, too: only how often each has the mark counts. From the finest respect to the coarsest:

- the value, or all values in their order; the values in any order; what they look like (a whole number, a UUID, a date);
  their types, null and absent among them;
- of several values, whether one is missing that blue has, or one is there that blue has not;
- how large a number is, how long a text or an array.

A value that has come in blue for good, such as that of a clock, or of a cache that was filled anew, says nothing of green,
which has a clock and a cache of its own. So only what blue comes back to, or never leaves, is usual.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise, repeat
from typing import NamedTuple, TypeVar

from ecs_hooks.checks.compare.observed import Observed
from ecs_hooks.checks.compare.values import Value, format_of, size_of

_MOST = 0.9
"""Share of the answers that is as good as all: a cache may have been empty at first."""
_STEPS = 3
"""Different values from which on numbers that only grow are those of a clock or a counter."""


T = TypeVar("T")


class Mark(NamedTuple):
    """Which answers are unusual in one respect.

    Parameters
    ----------
    blue, green
        By answer.
    """

    blue: tuple[bool, ...]
    green: tuple[bool, ...]


def marks(observed: Observed) -> Iterator[Mark]:
    """Yield which answers are unusual, in each respect that tells them apart, the finest first."""
    blue, green = observed.blue, observed.green
    if not blue or not green or not observed.varies:
        return
    seen: set[Mark] = set()
    for mark in _all(blue, green):
        if mark not in seen and (any(mark.blue) or any(mark.green)):
            seen.add(mark)
            yield mark


def _all(blue: Sequence[tuple[Value, ...]], green: Sequence[tuple[Value, ...]]) -> Iterator[Mark]:
    answers = [*blue, *green]
    yield from _labelled(blue, green)
    if any(len(each) > 1 for each in answers):
        # Each of several values that are the same stands for itself: two of them are more than one.
        contents = [frozenset(_numbered(each)) for each in answers]
        yield from _labelled(*_sides(contents, blue))
        yield _lacking(*_sides(contents, blue))
        yield _strange(*_sides(contents, blue))
    values = {value for each in answers for value in each}
    formats = {value: format_of(value) for value in values}
    yield from _labelled(*_sides([frozenset(map(formats.__getitem__, each)) for each in answers], blue))
    yield from _labelled(*_sides([frozenset(value.kind for value in each) for each in answers], blue))
    sizes = {value: size for value in values if (size := size_of(value))}
    for name in sorted({name for name, _ in sizes.values()}):
        own = {value: size for value, (of, size) in sizes.items() if of == name}
        ranges = [[own[value] for value in each if value in own] for each in answers]
        mark = _beyond(*_sides([(min(each), max(each)) if each else None for each in ranges], blue))
        if mark is not None:
            yield mark


def _sides(found: Sequence[T], blue: Sequence[object]) -> tuple[Sequence[T], Sequence[T]]:
    """Return what was found in all answers by side."""
    return found[: len(blue)], found[len(blue) :]


def _labelled(blue: Sequence[Hashable], green: Sequence[Hashable]) -> Iterator[Mark]:
    """Yield which answers have a label that is not usual, and which have another than the most common one."""
    yield _strange([frozenset([each]) for each in blue], [frozenset([each]) for each in green])
    (first, times), *others = Counter(blue).most_common(2)
    if others and _is_usual([index for index, label in enumerate(blue) if label == first], len(blue)):
        # Without itself, an answer with the most common label may find another one the most common.
        (second, second_times), *_ = others
        yield Mark(
            tuple(label != (second if label == first and times - 1 < second_times else first) for label in blue),
            tuple(label != first for label in green),
        )


def _is_usual(places: Sequence[int], size: int) -> bool:
    """Return whether so many answers have something that it is usual, or blue comes back to it after something else.

    Parameters
    ----------
    places
        The numbers of the answers that have it, in the order of time.
    size
        How many answers there are.
    """
    return len(places) >= _MOST * size or len(_runs(places)) > 1


def _alone(places: Sequence[int], size: int) -> Iterator[int]:
    """Yield the answers that have something that would not be usual without them."""
    if len(places) - 1 >= _MOST * (size - 1):
        return
    runs = _runs(places)
    if len(runs) == 1:
        yield from places
    elif len(runs) == 2:  # noqa: PLR2004 - without the only answer of one of them, there is but one
        yield from (run[0] for run in runs if len(run) == 1)


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Return places, those that follow each other together."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _numbered(values: Sequence[Value]) -> Iterator[tuple[Value, int]]:
    """Yield values, each with how many of the same there were before."""
    if len(set(values)) == len(values):
        yield from zip(values, repeat(0))
        return
    before: Counter[Value] = Counter()
    for value in values:
        yield value, before[value]
        before[value] += 1


def _lacking(blue: Sequence[frozenset[Hashable]], green: Sequence[frozenset[Hashable]]) -> Mark:
    """Return which answers lack something that nearly all others of blue have."""
    counts = Counter(token for each in blue for token in each)
    # An answer that lacks it has no part in the count, which makes the others one fewer.
    expected = {token for token, times in counts.items() if times >= _MOST * (len(blue) - 1)}
    sure = {token for token in expected if counts[token] >= _MOST * len(blue)}
    return Mark(tuple(not expected <= each for each in blue), tuple(not sure <= each for each in green))


def _strange(blue: Sequence[frozenset[Hashable]], green: Sequence[frozenset[Hashable]]) -> Mark:
    """Return which answers have something that is not usual among the others of blue."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, each in enumerate(blue):
        for token in each:
            places[token].append(index)
    alone = {index for each in places.values() for index in _alone(each, len(blue))}
    usual = {token for token, each in places.items() if _is_usual(each, len(blue))}
    return Mark(tuple(index in alone for index in range(len(blue))), tuple(not each <= usual for each in green))


def _beyond(blue: Sequence[tuple[float, float] | None], green: Sequence[tuple[float, float] | None]) -> Mark | None:
    """Return which answers are smaller or larger than all others of blue, by more than those are apart; None for a clock."""
    known = [each for each in blue if each is not None]
    if len(known) < _STEPS or _only_grows(known):
        return None
    lows, highs = sorted(low for low, _ in known), sorted(high for _, high in known)

    def is_beyond(each: tuple[float, float] | None, *, own: bool) -> bool:
        if each is None:
            return False
        low = lows[1] if own and each[0] == lows[0] else lows[0]
        high = highs[-2] if own and each[1] == highs[-1] else highs[-1]
        apart = high - low
        return each[0] < low - apart or each[1] > high + apart

    return Mark(tuple(is_beyond(each, own=True) for each in blue), tuple(is_beyond(each, own=False) for each in green))


def _only_grows(ranges: Sequence[tuple[float, float]]) -> bool:
    if len(set(ranges)) < _STEPS:
        return False
    pairs = list(pairwise(ranges))
    return all(one <= next_ for one, next_ in pairs) or all(one >= next_ for one, next_ in pairs)
