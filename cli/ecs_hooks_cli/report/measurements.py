"""The numbers that a check has measured over time, and what they were held against."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecs_hooks_cli.common.recording import CheckAnswered
from ecs_hooks_cli.report.play import Moment

_LIMIT = "_limit"
_LOWER_LIMIT = "_lower_limit"
_UNITS = {"_ms": "ms", "_seconds": "s", "_percent": "%", "_bytes": "bytes"}


class Point(NamedTuple):
    """A measurement: when, how much, and the answer of the check that goes with it."""

    moment: Moment
    value: float
    status: str


class Measurement(NamedTuple):
    """One number of a check's evidence, in all answers that have it.

    Parameters
    ----------
    name
        Its name in the evidence, such as `latency_ms`.
    points
        Its values, in order; at least one.
    limit, lower_limit
        What it is held against, as the last answer has it: `latency_ms_limit` and `latency_ms_lower_limit`.
    """

    name: str
    points: Sequence[Point]
    limit: float | None = None
    lower_limit: float | None = None

    @property
    def unit(self) -> str:
        """Its unit, as the name tells."""
        return next((unit for ending, unit in _UNITS.items() if self.name.endswith(ending)), "")

    @property
    def title(self) -> str:
        """Its name for people, such as `latency (ms)`."""
        ending = next((each for each in _UNITS if self.name.endswith(each)), "")
        words = self.name.removesuffix(ending).replace("_", " ").strip() or self.name
        return f"{words} ({self.unit})" if ending else words

    @property
    def limits(self) -> list[tuple[str, float]]:
        """Its limits, each with what it is called."""
        both = (("limit", self.limit), ("lower limit", self.lower_limit))
        return [(name, value) for name, value in both if value is not None]

    @property
    def values(self) -> list[float]:
        """Its values, in order."""
        return [point.value for point in self.points]

    @property
    def median(self) -> float:
        """The middle one of them."""
        return statistics.median(self.values)

    @property
    def drawn(self) -> bool:
        """Whether a picture says more than the number: there is a limit, or there are several values."""
        return bool(self.limits) or len(set(self.values)) > 1


def measurements_of(answers: Sequence[tuple[Moment, CheckAnswered]]) -> list[Measurement]:
    """Return what a check has measured, first that which has limits.

    Parameters
    ----------
    answers
        The answers of one check, in order.
    """
    points: dict[str, list[Point]] = {}
    limits: dict[str, float] = {}
    for moment, answer in answers:
        for name, value in answer.evidence.items():
            if _is_limit(name, answer.evidence):
                limits[name] = value
            else:
                points.setdefault(name, []).append(Point(moment, value, answer.status))
    found = [
        Measurement(name, values, limits.get(name + _LIMIT), limits.get(name + _LOWER_LIMIT))
        for name, values in points.items()
    ]
    return sorted(found, key=lambda each: not each.limits)


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return about so many points that look the same: of each stretch the lowest and the highest, in order."""
    if len(points) <= most:
        return list(points)
    size = -(-2 * len(points) // most)
    thin: list[Point] = []
    for begin in range(0, len(points), size):
        stretch = list(enumerate(points[begin : begin + size]))
        extremes = {min(stretch, key=_value), max(stretch, key=_value)}
        thin += [point for _, point in sorted(extremes, key=lambda each: each[0])]
    return thin


def _value(numbered: tuple[int, Point]) -> float:
    return numbered[1].value


def _is_limit(name: str, evidence: Mapping[str, float]) -> bool:
    """Return whether a number of the evidence is what another one of it is held against."""
    return any(name.endswith(ending) and name.removesuffix(ending) in evidence for ending in (_LOWER_LIMIT, _LIMIT))
