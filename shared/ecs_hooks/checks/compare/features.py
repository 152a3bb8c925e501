"""Features in which a response may differ from the usual responses of blue, at one path.

Each feature marks the responses that are unusual in it; a response of blue is judged by blue's other responses. Blue
may be unusual, too: what counts is how often each side is. The features, from the finest to the coarsest:

- the value, or all values in order; the values in any order; their formats (a whole number, a UUID, a date); their
  types, null and absent among them;
- of several values, whether one is missing that blue has, or one is added that blue has not;
- how large a number is, or how long a text or an array;
- whether it is the same as in the response before: a value that blue varies, and green has frozen.

A value that blue changes once and keeps, such as that of a clock or of a refilled cache, says nothing about green,
which has its own clock and cache. So only values that blue returns to, or never changes, are usual. For the same reason, numbers
that change slowly, such as the depth of a queue, are compared only by their types and formats.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise, repeat
from typing import NamedTuple, TypeVar

from ecs_hooks.checks.compare.json_diff import PathValues, Value, format_of, size_of
from ecs_hooks.checks.compare.time_series import is_slow, repeats

_NEARLY_ALL = 0.9
"""Share of the responses that counts as all of them: a cache may have been empty at first."""
_SHAPES = {"address", "date-time", "e-mail", "empty", "uuid"}
"""The formats of strings that belong to their shape."""
_CLOCK_VALUES = 3
"""Number of different values from which on numbers that only grow are those of a clock or a counter."""


T = TypeVar("T")
_Range = tuple[float, float]


class Feature(NamedTuple):
    """By response, whether it is unusual in one feature."""

    blue: tuple[bool, ...]
    green: tuple[bool, ...]
    is_frozen: bool = False
    """Whether the feature is that a value does not change: by round of blue, and by response of green after the first."""


def features(values: PathValues, rounds: Sequence[int]) -> Iterator[Feature]:
    """Yield each feature in which the responses differ, the finest first.

    Parameters
    ----------
    values
        The values at one path.
    rounds
        By response of blue, the number of its round.
    """
    if not values.blue or not values.green or not values.varies:
        return
    seen: set[Feature] = set()
    for feature in _all_features(values, rounds):
        if feature not in seen and (any(feature.blue) or any(feature.green)):
            seen.add(feature)
            yield feature


def _all_features(path: PathValues, rounds: Sequence[int]) -> Iterator[Feature]:
    blue, green = path.blue, path.green
    responses = [*blue, *green]

    def sides(found: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
        return found[: len(blue)], found[len(blue) :]

    if path.only_shape:
        yield from _by_label(*sides([frozenset(map(_shape_of, each)) for each in responses]))
        return
    is_process_local = is_slow(blue) or is_slow(green)
    if not is_process_local:
        yield from _by_label(blue, green)
    if any(len(each) > 1 for each in responses) and not is_process_local:
        # Equal values of a response are numbered, so that two of them are more than one.
        contents = [frozenset(_numbered(each)) for each in responses]
        yield from _by_label(*sides(contents))
        yield _missing(*sides(contents))
        yield _added(*sides(contents))
    frozen = repeats(blue, rounds, green)
    if frozen is not None:
        yield Feature(*frozen, is_frozen=True)
    values = {value for each in responses for value in each}
    formats = {value: format_of(value) for value in values}
    yield from _by_label(*sides([frozenset(map(formats.__getitem__, each)) for each in responses]))
    yield from _by_label(*sides([frozenset(value.kind for value in each) for each in responses]))
    if is_process_local:
        return
    sizes = {value: size for value in values if (size := size_of(value))}
    for dimension in sorted({name for name, _ in sizes.values()}):
        own = {value: size for value, (name, size) in sizes.items() if name == dimension}
        found = [[own[value] for value in each if value in own] for each in responses]
        feature = _out_of_range(*sides([(min(each), max(each)) if each else None for each in found]))
        if feature is not None:
            yield feature


def _shape_of(value: Value) -> str:
    """Return the type of a value, or its format where that does not depend on the value."""
    found = format_of(value) if value.kind == "string" else ""
    return found if found in _SHAPES else value.kind


def _by_label(blue: Sequence[Hashable], green: Sequence[Hashable]) -> Iterator[Feature]:
    """Yield which responses have a label that is not usual, and which have another than the most common one."""
    yield _added([frozenset([each]) for each in blue], [frozenset([each]) for each in green])
    (first, times), *others = Counter(blue).most_common(2)
    if others and _is_usual([index for index, label in enumerate(blue) if label == first], len(blue)):
        # Without itself, a response with the most common label may find another one the most common.
        (second, second_times), *_ = others
        yield Feature(
            tuple(label != (second if label == first and times - 1 < second_times else first) for label in blue),
            tuple(label != first for label in green),
        )


def _is_usual(indexes: Sequence[int], size: int) -> bool:
    """Return whether a property of some of the responses is usual: nearly all have it, or blue returns to it."""
    return len(indexes) >= _NEARLY_ALL * size or len(_runs(indexes)) > 1


def _decisive(indexes: Sequence[int], size: int) -> Iterator[int]:
    """Yield the responses without which the property would not be usual."""
    if len(indexes) - 1 >= _NEARLY_ALL * (size - 1):
        return
    runs = _runs(indexes)
    if len(runs) == 1:
        yield from indexes
    elif len(runs) == 2:  # noqa: PLR2004 - without the only response of one run, there is one run
        yield from (run[0] for run in runs if len(run) == 1)


def _runs(indexes: Sequence[int]) -> list[list[int]]:
    """Return indexes, grouped into consecutive ones."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _numbered(values: Sequence[Value]) -> Iterator[tuple[Value, int]]:
    """Yield values, each with the number of equal ones before it."""
    if len(set(values)) == len(values):
        yield from zip(values, repeat(0))
        return
    before: Counter[Value] = Counter()
    for value in values:
        yield value, before[value]
        before[value] += 1


def _missing(blue: Sequence[frozenset[Hashable]], green: Sequence[frozenset[Hashable]]) -> Feature:
    """Return which responses lack an element that nearly all others of blue have."""
    counts = Counter(element for each in blue for element in each)
    # A response of blue without the element is not one of the others.
    expected = {element for element, times in counts.items() if times >= _NEARLY_ALL * (len(blue) - 1)}
    expected_of_green = {element for element in expected if counts[element] >= _NEARLY_ALL * len(blue)}
    return Feature(tuple(not expected <= each for each in blue), tuple(not expected_of_green <= each for each in green))


def _added(blue: Sequence[frozenset[Hashable]], green: Sequence[frozenset[Hashable]]) -> Feature:
    """Return which responses have an element that is not usual among the others of blue."""
    indexes: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, each in enumerate(blue):
        for element in each:
            indexes[element].append(index)
    unusual = {index for each in indexes.values() for index in _decisive(each, len(blue))}
    usual = {element for element, each in indexes.items() if _is_usual(each, len(blue))}
    return Feature(tuple(index in unusual for index in range(len(blue))), tuple(not each <= usual for each in green))


def _out_of_range(blue: Sequence[_Range | None], green: Sequence[_Range | None]) -> Feature | None:
    """Return which responses are outside the range of blue's others by more than its width; None for a clock."""
    known = [each for each in blue if each is not None]
    if len(known) < _CLOCK_VALUES or _is_clock(known):
        return None
    lows, highs = sorted(low for low, _ in known), sorted(high for _, high in known)

    def is_outside(each: _Range | None, *, own: bool) -> bool:
        if each is None:
            return False
        low = lows[1] if own and each[0] == lows[0] else lows[0]
        high = highs[-2] if own and each[1] == highs[-1] else highs[-1]
        width = high - low
        return each[0] < low - width or each[1] > high + width

    return Feature(
        tuple(is_outside(each, own=True) for each in blue), tuple(is_outside(each, own=False) for each in green)
    )


def _is_clock(ranges: Sequence[_Range]) -> bool:
    if len(set(ranges)) < _CLOCK_VALUES:
        return False
    pairs = list(pairwise(ranges))
    return all(one <= next_ for one, next_ in pairs) or all(one >= next_ for one, next_ in pairs)
