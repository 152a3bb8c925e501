"""What the order of responses says about a value: whether it changes slowly, and whether it does not change any more."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from itertools import pairwise

from ecs_hooks.checks.compare.json_diff import Value

_SLOW = 1.0
"""Von Neumann's ratio below which numbers follow each other. It is 2 for independent ones, with a standard deviation of 0.35
at 30 of them, and near 0 for a queue's depth."""
_MIN_NUMBERS = 10
_MAX_NUMBER = 1e100
"""Largest number whose square is known, with some distance."""
_UNIQUE = 0.9
"""Share of different values from which on numbers are ids, times or random, and not those of a gauge."""
_NUMBER = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)")


def is_slow(responses: Sequence[tuple[Value, ...]]) -> bool:
    """Return whether numbers change slowly, such as the depth of a queue or a number of connections.

    By von Neumann's ratio: the mean square of successive differences, in terms of the variance (J. von Neumann, Distribution of
    the ratio of the mean square successive difference to the variance, 1941).
    """
    numbers = [_number(each) for each in responses]
    known = [each for each in numbers if each is not None]
    if len(known) < max(_MIN_NUMBERS, len(numbers)) or len(set(known)) == 1:
        return False
    if max(map(abs, known)) > _MAX_NUMBER:
        return False
    mean = math.fsum(known) / len(known)
    spread = math.fsum((each - mean) ** 2 for each in known)
    return spread > 0 and math.fsum((one - other) ** 2 for one, other in pairwise(known)) / spread < _SLOW


def _number(values: tuple[Value, ...]) -> float | None:
    """Return the sum of the numbers of a response, such as the depths of all queues; None if other values are among them."""
    numbers: list[float] = []
    for kind, content in values:
        if kind == "number" and isinstance(content, int | float):
            numbers.append(_MAX_NUMBER * 2 if abs(content) > _MAX_NUMBER else float(content))
        elif kind in {"string", "text", "line"} and (found := _NUMBER.match(str(content))):
            numbers.append(float(found[1]))
        else:
            return None
    return math.fsum(numbers) if numbers else None


def repeats(
    blue: Sequence[tuple[Value, ...]], rounds: Sequence[int], green: Sequence[tuple[Value, ...]]
) -> tuple[tuple[bool, ...], tuple[bool, ...]] | None:
    """Return how often a value is the same as in the response before: in the rounds of blue, and from round to round of green.

    A value that varies from request to request in blue, and never in green, is frozen there. The two responses of blue within
    a round are at most as far apart in time as two of green, so a value that changes with time repeats more often in blue.
    None where green may be constant by chance or by lack of traffic: where numbers of blue are those of a gauge.
    """
    if len(set(green)) > 1 or _is_gauge(blue):
        return None
    in_blue = [
        one == other
        for (one, other), (number, next_number) in zip(pairwise(blue), pairwise(rounds), strict=True)
        if number == next_number
    ]
    in_green = [one == other for one, other in pairwise(green)]
    return tuple(in_blue), tuple(in_green)


def _is_gauge(responses: Sequence[Hashable]) -> bool:
    are_numbers = all(
        isinstance(each, tuple) and all(value.kind in {"number", "array", "elements", "absent"} for value in each)
        for each in responses
    )
    return are_numbers and len(set(responses)) < _UNIQUE * len(responses)
