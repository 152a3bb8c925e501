"""The time axis.

In virtual time most stages take no time and would coincide at the left. So each stage has a minimum width, and the rest of the
axis is divided in proportion to the stages' durations; within a stage the axis is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ecs_hooks_cli.common.text import clock_text
from ecs_hooks_cli.report.recording import Moment, Play
from ecs_hooks_cli.report.svg import WIDE_ONLY, axis_label, element, line
from ecs_hooks_simulator.core.timeline import StageEntered

# Percentages of the axis.
_MIN_STAGE = 3.0
"""Minimum width of a stage, unless there are very many."""
_MIN_STAGES = 45.0
"""Minimum width of all stages together."""
_OWN_TICKS = 18.0
"""Width from which on a stage has ticks of its own."""
_TICK_STEP = 11.0
"""Minimum distance of round times within a stage."""
_LABEL_DISTANCE, _LABEL_DISTANCE_NARROW = 8.5, 24.0
"""Minimum distance of two labels on wide and on narrow pages."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ROUND_SECONDS = (
    *(1, 2, 5, 10, 15, 30),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 4, 6, 12)),
    *(each * _DAY for each in (1, 2, 7)),
)


class Tick(NamedTuple):
    """A label at a percentage of an axis; `narrow` pages show only some."""

    at: float
    text: str
    narrow: bool


class Scale:
    """Positions of moments on the axis, from 0 to 100 percent, for stages that begin at these seconds; the first begins at 0."""

    def __init__(self, begins: Sequence[float], end: float) -> None:
        self._times = [0.0, *begins[1:], max([end, *begins])]
        stages = len(self._times) - 1
        total = self._times[-1]
        smallest = min(_MIN_STAGE, _MIN_STAGES / stages) if total else 100.0 / stages
        rest = 100.0 - smallest * stages
        self._edges = [0.0]
        for begin, finish in zip(self._times, self._times[1:], strict=False):
            share = rest * (finish - begin) / total if total else 0.0
            self._edges.append(self._edges[-1] + smallest + share)
        self._edges[-1] = 100.0

    @classmethod
    def of(cls, play: Play) -> Scale:
        """Return the scale of a deployment."""
        return cls([moment.time for moment, record in play.records if isinstance(record, StageEntered)], play.seconds)

    def at(self, moment: Moment) -> float:
        """Return the position of a moment; the middle of a stage that takes no time."""
        index = self._index(moment.stage)
        begin, end = self._times[index : index + 2]
        left, right = self._edges[index : index + 2]
        share = min(max((moment.time - begin) / (end - begin), 0.0), 1.0) if end > begin else 0.5
        return left + share * (right - left)

    def stage(self, stage: int) -> tuple[float, float]:
        """Return begin and end of a stage on the axis; `stage` counts from 1."""
        index = self._index(stage)
        return self._edges[index], self._edges[index + 1]

    def duration(self, stage: int) -> float:
        """Return the seconds of a stage; `stage` counts from 1."""
        index = self._index(stage)
        return self._times[index + 1] - self._times[index]

    @property
    def ticks(self) -> list[Tick]:
        """The labels that fit on the axis."""
        candidates = [(0.0, 0.0), (100.0, self._times[-1]), *self._candidates()]
        narrow = _apart(candidates, _LABEL_DISTANCE_NARROW)
        chosen = _apart([*narrow, *candidates], _LABEL_DISTANCE)
        return [Tick(at, clock_text(time), (at, time) in narrow) for at, time in sorted(chosen)]

    def _candidates(self) -> Iterator[tuple[float, float]]:
        """Yield positions and times of labels, the best first: round times in long stages, then the starts of stages."""
        for index in range(len(self._times) - 1):
            begin, end = self._times[index : index + 2]
            left, right = self._edges[index : index + 2]
            if right - left >= _OWN_TICKS and end > begin:
                yield left, begin
                least = (end - begin) * _TICK_STEP / (right - left)
                step = next((each for each in _ROUND_SECONDS if each >= least), _ROUND_SECONDS[-1])
                inner = int(begin // step) + 1
                while inner * step < end:
                    yield self.at(Moment(inner * step, index + 1)), inner * step
                    inner += 1
        for at, (before, time) in zip(self._edges[1:-1], zip(self._times, self._times[1:], strict=False), strict=False):
            if time > before:
                yield at, time

    def _index(self, stage: int) -> int:
        return min(max(stage - 1, 0), len(self._times) - 2)


def axis(scale: Scale) -> Markup:
    """Return the labels of the axis; the tables have its times, so screen readers skip it."""
    labels = [axis_label(tick.at, 14, tick.text, narrow=tick.narrow) for tick in scale.ticks]
    return element("svg", *labels, width="100%", height=20, aria_hidden="true")


def grid(scale: Scale) -> Markup:
    """Return the vertical lines behind all charts of the axis."""
    lines = [line(tick.at, 0, tick.at, "100%", "grid" if tick.narrow else f"grid {WIDE_ONLY}") for tick in scale.ticks]
    return element("svg", *lines, class_="gridlines", aria_hidden="true")


def _apart(candidates: Sequence[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """Return each candidate that keeps the distance to all chosen before it."""
    chosen: list[tuple[float, float]] = []
    for at, time in candidates:
        if all(abs(at - other) >= distance for other, _ in chosen):
            chosen.append((at, time))
    return chosen
