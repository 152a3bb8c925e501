"""The time axis: where on it a moment stands.

In virtual time most stages take none, and would all be one line at the left. So each stage has a small share of the width
for itself, and the rest goes by how long the stages last; within a stage the axis is in proportion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ecs_hooks_cli.common.text import clock_text
from ecs_hooks_cli.report.play import Moment, Play
from ecs_hooks_simulator.core.timeline import StageEntered

_SMALLEST = 3.0
"""Per cent of the axis that a stage has at least, unless there are very many."""
_FOR_ALL = 45.0
"""Per cent of the axis that all of them have at least, together."""
_WIDE = 18.0
"""Per cent of the axis from which on a stage gets ticks of its own."""
_APART = 8.5
"""Per cent between two labels where the page is wide."""
_EVERY = 11.0
"""Per cent between two round times in a long stage, or more."""
_APART_ON_PHONES = 24.0
"""Per cent between two labels where it is narrow."""
_STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    14400,
    21600,
    43200,
    86400,
    172800,
    604800,
)


class Tick(NamedTuple):
    """A label of the axis.

    Parameters
    ----------
    at
        Per cent of the axis.
    text
        The time, such as `0:05:00`.
    narrow
        Whether there is room for it on a phone, too.
    """

    at: float
    text: str
    narrow: bool


class Scale:
    """Where moments stand on the axis, from 0 to 100 per cent.

    Parameters
    ----------
    begins
        When each stage began, in seconds, in order; the first counts from 0.
    end
        When the deployment was over.
    """

    def __init__(self, begins: Sequence[float], end: float) -> None:
        self._times = [0.0, *begins[1:], max([end, *begins])]
        parts = len(self._times) - 1
        lasting = self._times[-1]
        smallest = min(_SMALLEST, _FOR_ALL / parts) if lasting else 100.0 / parts
        rest = 100.0 - smallest * parts
        self._edges = [0.0]
        for begin, finish in zip(self._times, self._times[1:], strict=False):
            share = rest * (finish - begin) / lasting if lasting else 0.0
            self._edges.append(self._edges[-1] + smallest + share)
        self._edges[-1] = 100.0

    @classmethod
    def of(cls, play: Play) -> Scale:
        """Return the scale of a play."""
        return cls([moment.time for moment, record in play.happened if isinstance(record, StageEntered)], play.seconds)

    def at(self, moment: Moment) -> float:
        """Return where a moment stands; in the middle of its stage where that takes no time."""
        part = self._part(moment.part)
        begin, end = self._times[part : part + 2]
        left, right = self._edges[part : part + 2]
        share = min(max((moment.time - begin) / (end - begin), 0.0), 1.0) if end > begin else 0.5
        return left + share * (right - left)

    def stage(self, part: int) -> tuple[float, float]:
        """Return where a stage begins and ends; `part` counts from 1."""
        index = self._part(part)
        return self._edges[index], self._edges[index + 1]

    def lasts(self, part: int) -> float:
        """Return how many seconds a stage lasts; `part` counts from 1."""
        index = self._part(part)
        return self._times[index + 1] - self._times[index]

    @property
    def ticks(self) -> list[Tick]:
        """The labels of the axis, as many as there is room for."""
        candidates = [(0.0, 0.0), (100.0, self._times[-1]), *self._candidates()]
        narrow = _apart(candidates, _APART_ON_PHONES)
        chosen = _apart([*narrow, *candidates], _APART)
        return [Tick(at, clock_text(time), (at, time) in narrow) for at, time in sorted(chosen)]

    def _candidates(self) -> Iterator[tuple[float, float]]:
        """Return where labels make sense, the best first: in long stages round times, then where others begin."""
        for part in range(len(self._times) - 1):
            begin, end = self._times[part : part + 2]
            left, right = self._edges[part : part + 2]
            if right - left >= _WIDE and end > begin:
                yield left, begin
                step = _step((end - begin) * _EVERY / (right - left))
                inner = int(begin // step) + 1
                while inner * step < end:
                    yield self.at(Moment(inner * step, part + 1)), inner * step
                    inner += 1
        for at, (before, time) in zip(self._edges[1:-1], zip(self._times, self._times[1:], strict=False), strict=False):
            if time > before:
                yield at, time

    def _part(self, part: int) -> int:
        return min(max(part - 1, 0), len(self._times) - 2)


def _step(seconds: float) -> float:
    """Return the smallest round number of seconds that is at least so many."""
    return next((step for step in _STEPS if step >= seconds), _STEPS[-1])


def _apart(candidates: Sequence[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """Return those that are so far from all before them."""
    chosen: list[tuple[float, float]] = []
    for at, time in candidates:
        if all(abs(at - other) >= distance for other, _ in chosen):
            chosen.append((at, time))
    return chosen
