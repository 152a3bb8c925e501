"""Measurements of a check over time with their limits, and their charts."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ecs_hooks_cli.common.text import clock_text, number
from ecs_hooks_cli.report.recording import CheckAnswered, Moment
from ecs_hooks_cli.report.svg import chart, element, line, percent, point, rectangle, text

_LIMIT = "_limit"
_LOWER_LIMIT = "_lower_limit"
_UNITS = {"_ms": "ms", "_seconds": "s", "_percent": "%", "_bytes": "bytes"}

_MAX_POINTS = 240
"""Points of a curve."""
_MAX_DOTS = 60
"""Points up to which each has a dot."""
_PLOT, _BELOW, _BULLET = 76, 16, 40
"""Heights in pixels."""
_RIGHT = 70
"""Percentage of the width from which on a label is left of its line."""
_BESIDE = 22
"""Percentage of the width for the labels of limits, right of a plot."""
_CLOSE = 16
"""Percentage of the height within which two such labels overlap."""


class Point(NamedTuple):
    """A measured value, and the status of the answer."""

    moment: Moment
    value: float
    status: str


class Measurement(NamedTuple):
    """One number of a check's evidence, such as `latency_ms`, in all answers that have it (at least one).

    The limits are those of the last answer: `latency_ms_limit` and `latency_ms_lower_limit`.
    """

    name: str
    points: Sequence[Point]
    limit: float | None = None
    lower_limit: float | None = None

    @property
    def title(self) -> str:
        """Its name for people, such as `latency (ms)`."""
        ending, unit = next((each for each in _UNITS.items() if self.name.endswith(each[0])), ("", ""))
        words = self.name.removesuffix(ending).replace("_", " ").strip() or self.name
        return f"{words} ({unit})" if unit else words

    @property
    def limits(self) -> list[tuple[str, float]]:
        """Its limits with their names."""
        both = (("limit", self.limit), ("lower limit", self.lower_limit))
        return [(name, value) for name, value in both if value is not None]

    @property
    def values(self) -> list[float]:
        """Its values, in order."""
        return [each.value for each in self.points]

    @property
    def median(self) -> float:
        """The median of its values."""
        return statistics.median(self.values)

    @property
    def charted(self) -> bool:
        """Whether it has a chart: there is a limit, or there are several values."""
        return bool(self.limits) or len(set(self.values)) > 1

    @property
    def summary(self) -> str:
        """The measurement in words."""
        values = self.values
        if len(set(values)) == 1:
            words = number(values[0]) + (" throughout" if len(values) > 1 else "")
        else:
            least, most = number(min(values)), number(max(values))
            words = f"{least} to {most}, median {number(self.median)}, last {number(values[-1])}"
        return f"{self.title}: {words}" + "".join(f"; {name} {number(limit)}" for name, limit in self.limits)


def measurements_of(answers: Sequence[tuple[Moment, CheckAnswered]]) -> list[Measurement]:
    """Return the measurements in the answers of one check, those with limits first."""
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
    """Return about so many points of the same shape: of each stretch the lowest and the highest, in order."""
    if len(points) <= most:
        return list(points)
    size = -(-2 * len(points) // most)
    thin: list[Point] = []
    for begin in range(0, len(points), size):
        stretch = list(enumerate(points[begin : begin + size]))
        extremes = {min(stretch, key=_value), max(stretch, key=_value)}
        thin += [each for _, each in sorted(extremes)]
    return thin


def measurement_chart(measurement: Measurement, *, connected: bool) -> Markup:
    """Return the chart of a measurement: a plot over time, or a bar for a single value.

    A curve connects the points if they are those of one check (`connected`).
    """
    if len(measurement.points) == 1:
        return _bullet(measurement)
    scale = ValueAxis(measurement)
    points = thinned(measurement.points, _MAX_POINTS)
    placed = [(x, 100 - scale.at(each.value), each) for x, each in zip(_across(points), points, strict=True)]
    limits = [(name, limit, 100 - scale.at(limit)) for name, limit in measurement.limits]
    plot = [
        line(0, "100%", 100, "100%", "grid"),
        *(line(0, percent(y), 100, percent(y), "limit") for _, _, y in limits),
    ]
    if connected:
        curve = element("polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y, _ in placed), class_="curve")
        plot.append(
            element("svg", curve, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")
        )
    plot += [_dot(*each) for each in placed if len(points) <= _MAX_DOTS or each[2].status == "FAIL"]
    width = 100 - _BESIDE if limits else 100
    first, last = (clock_text(each.moment.time) for each in (measurement.points[0], measurement.points[-1]))
    return chart(
        _PLOT + _BELOW,
        measurement.summary,
        element("svg", *plot, width=percent(width), height=_PLOT, overflow="visible"),
        *_limit_labels(limits),
        text(0, _PLOT + 13, first, "axis"),
        text(width, _PLOT + 13, last if last != first else "in order", "axis", "end"),
    )


class ValueAxis:
    """The axis of values, which contains 0, all values and all limits."""

    def __init__(self, measurement: Measurement) -> None:
        shown = [0.0, *measurement.values, *(limit for _, limit in measurement.limits)]
        low, high = min(shown), max(shown)
        margin = 0.12 * (high - low) or 1.0
        self._low = low - margin if low < 0 else 0.0
        self._high = high + margin

    def at(self, value: float) -> float:
        """Return the position of a value, in percent from the lower end."""
        return 100 * (value - self._low) / (self._high - self._low)


def _value(numbered: tuple[int, Point]) -> float:
    return numbered[1].value


def _is_limit(name: str, evidence: Mapping[str, float]) -> bool:
    """Return whether a number of the evidence is the limit of another one."""
    return any(name.endswith(ending) and name.removesuffix(ending) in evidence for ending in (_LOWER_LIMIT, _LIMIT))


def _across(points: Sequence[Point]) -> list[float]:
    """Return the horizontal positions: by time, or evenly spaced where all have the same time."""
    first, last = points[0].moment.time, points[-1].moment.time
    if last > first:
        return [1 + 98 * (each.moment.time - first) / (last - first) for each in points]
    return [1 + 98 * place / (len(points) - 1) for place in range(len(points))]


def _dot(x: float, y: float, measured: Point) -> Markup:
    tooltip = element("title", f"{number(measured.value)} at {clock_text(measured.moment.time)}, {measured.status}")
    failed = measured.status == "FAIL"
    shape = element("path", d="M-4,-4L4,4M4,-4L-4,4" if failed else "M0,-2.5a2.5,2.5 0 1 0 0.01,0z")
    return point(x, percent(y), element("g", tooltip, shape, class_="dot fail" if failed else "dot"))


def _limit_labels(limits: Sequence[tuple[str, float, float]]) -> list[Markup]:
    """Return the labels of limits, right of the plot; of two close ones, one above its line and one below."""
    heights = sorted(y for _, _, y in limits)
    close = heights[-1] - heights[0] < _CLOSE if len(heights) > 1 else False
    shifts = {y: (-1, 10)[place] if close else 4 for place, y in enumerate(heights)}
    return [
        text(100, _PLOT * y / 100 + shifts[y], f"{name.removesuffix(' limit') or name} {number(limit)}", "limit", "end")
        for name, limit, y in limits
    ]


def _bullet(measurement: Measurement) -> Markup:
    """Return a bar as long as the single value, in a track with the limits."""
    scale = ValueAxis(measurement)
    zero, value = scale.at(0.0), scale.at(measurement.values[0])
    failed = measurement.points[0].status == "FAIL"
    limits: list[Markup] = []
    for name, limit in measurement.limits:
        at = scale.at(limit)
        limits.append(line(at, 1, at, 25, "limit"))
        limits.append(text(at, 37, f"{name} {number(limit)}", "limit", "end" if at > _RIGHT else "start"))
    return chart(
        _BULLET,
        measurement.summary,
        rectangle(0, 100, 8, 10, "track"),
        rectangle(min(zero, value), max(zero, value), 8, 10, "value fail" if failed else "value"),
        *limits,
    )
