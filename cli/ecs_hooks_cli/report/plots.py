"""Pictures of numbers: a check's measurements with their limits, and how long responses took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from ecs_hooks_cli.common.text import clock_text, number
from ecs_hooks_cli.report.latency import PERCENTILES, Axis, Latency, duration
from ecs_hooks_cli.report.measurements import Measurement, Point, thinned
from ecs_hooks_cli.report.svg import WIDE_ONLY, anchor_at, element, line, percent, picture, rectangle, text

_POINTS = 240
"""Points of a curve that are drawn."""
_DOTS = 60
"""Points up to which each is a dot."""
_PLOT, _BELOW = 76, 16
_BULLET = 40
_LEVEL = 13
"""Pixels of a label above a histogram."""
_BARS = 64
_RIGHT = 70
"""Per cent from which on a label is left of what it names."""
_BESIDE = 22
"""Per cent of the width that the labels of limits have, right of a plot."""
_CLOSE = 16
"""Per cent of the height within which two of them would lie on each other."""


class Range(NamedTuple):
    """What an axis of values goes from and to."""

    low: float
    high: float

    @classmethod
    def of(cls, measurement: Measurement) -> Range:
        """Return the range of a measurement: nought, its values and its limits are in it."""
        shown = [0.0, *measurement.values, *(limit for _, limit in measurement.limits)]
        low, high = min(shown), max(shown)
        room = 0.12 * (high - low) or 1.0
        return cls(low - room if low < 0 else 0.0, high + room)

    def at(self, value: float) -> float:
        """Return where a value is, in per cent from below."""
        return 100 * (value - self.low) / (self.high - self.low)


def measurement_chart(measurement: Measurement, *, connected: bool) -> Markup:
    """Return the picture of a measurement: a curve over time, or a bar where there is one value only.

    Parameters
    ----------
    measurement
        What to draw.
    connected
        Whether its points are those of one check, so that a curve through them makes sense.
    """
    if len(measurement.points) == 1:
        return _bullet(measurement)
    scale = Range.of(measurement)
    points = thinned(measurement.points, _POINTS)
    placed = list(zip(_across(points), points, strict=True))
    limits = [(name, limit, 100 - scale.at(limit)) for name, limit in measurement.limits]
    plot = [
        line(0, "100%", 100, "100%", "grid"),
        *(line(0, percent(y), 100, percent(y), "limit") for _, _, y in limits),
    ]
    if connected:
        plot.append(_curve([(x, 100 - scale.at(point.value)) for x, point in placed]))
    plot += [
        _dot(x, 100 - scale.at(point.value), point)
        for x, point in placed
        if len(points) <= _DOTS or point.status == "FAIL"
    ]
    width = 100 - _BESIDE if limits else 100
    first, last = (clock_text(each.moment.time) for each in (measurement.points[0], measurement.points[-1]))
    return picture(
        _PLOT + _BELOW,
        in_words(measurement),
        element("svg", *plot, width=percent(width), height=_PLOT, overflow="visible"),
        *_limit_labels(limits),
        text(0, _PLOT + 13, first, "axis"),
        text(width, _PLOT + 13, last if last != first else "one after the other", "axis", "end"),
    )


def in_words(measurement: Measurement) -> str:
    """Return a measurement in words."""
    values = measurement.values
    if len(set(values)) == 1:
        told = number(values[0]) + (" throughout" if len(values) > 1 else "")
    else:
        least, most = number(min(values)), number(max(values))
        told = f"{least} to {most}, median {number(measurement.median)}, last {number(values[-1])}"
    return f"{measurement.title}: {told}" + "".join(f"; {name} {number(limit)}" for name, limit in measurement.limits)


def histogram(latency: Latency, axis: Axis, highest: float) -> Markup:
    """Return the picture of how long a revision's responses took.

    Parameters
    ----------
    latency
        The responses.
    axis
        The axis of seconds, for both revisions.
    highest
        The share of the highest bar of both, so that they can be compared.
    """
    top = _LEVEL * len(PERCENTILES) + 4
    bars = [
        rectangle(each.left, each.right, percent(100 - 100 * each.share / highest), percent(100 * each.share / highest),
                  f"area {latency.colour}", f"{100 * each.share:.3g} % of the responses")
        for each in axis.histogram(latency.seconds)
    ]  # fmt: skip
    marks: list[Markup] = []
    told = []
    for level, percentile in enumerate(PERCENTILES):
        seconds = latency.percentile(percentile) or 0.0
        at, words = axis.at(seconds) if seconds else 0.0, f"p{percentile} {duration(seconds)}"
        y = _LEVEL * (level + 1)
        left = at > _RIGHT
        marks.append(line(at, y - 9, at, top + _BARS, "percentile"))
        marks.append(element("svg", text(0, y, words, f"ink {latency.colour}", "end" if left else "start"),
                             x=percent(at), overflow="visible", class_="left" if left else "right"))  # fmt: skip
        told.append(words)
    return picture(
        top + _BARS + 1,
        f"{latency.colour}: {', '.join(told)}, of {len(latency.seconds):,} responses",
        *(line(tick.at, top, tick.at, top + _BARS, "grid") for tick in axis.ticks),
        element("svg", *bars, y=top, width="100%", height=_BARS),
        line(0, top + _BARS, 100, top + _BARS, "base"),
        *marks,
    )


def seconds_axis(axis: Axis) -> Markup:
    """Return the labels of an axis of seconds; the table has the numbers."""
    labels = [
        text(tick.at, 13, tick.text, "axis" if tick.narrow else f"axis {WIDE_ONLY}", anchor_at(tick.at))
        for tick in axis.ticks
    ]
    return element("svg", *labels, width="100%", height=18, aria_hidden="true")


def highest_share(latencies: Sequence[Latency], axis: Axis) -> float:
    """Return the share of the highest bar of all."""
    return max((each.share for latency in latencies for each in axis.histogram(latency.seconds)), default=1.0)


def _across(points: Sequence[Point]) -> list[float]:
    """Return where points are on the axis: by their time, or one after the other where all have the same."""
    first, last = points[0].moment.time, points[-1].moment.time
    if last > first:
        return [1 + 98 * (point.moment.time - first) / (last - first) for point in points]
    return [1 + 98 * place / (len(points) - 1) for place in range(len(points))]


def _curve(places: Sequence[tuple[float, float]]) -> Markup:
    drawn = element("polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in places), class_="curve")
    return element("svg", drawn, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")


def _dot(x: float, y: float, point: Point) -> Markup:
    hint = element("title", f"{number(point.value)} at {clock_text(point.moment.time)}, {point.status}")
    failed = point.status == "FAIL"
    shape = "M-4,-4L4,4M4,-4L-4,4" if failed else "M0,-2.5a2.5,2.5 0 1 0 0.01,0z"
    drawn = element("g", hint, element("path", d=shape), class_="dot fail" if failed else "dot")
    return element("svg", drawn, x=percent(x), y=percent(y), width=1, height=1, overflow="visible")


def _limit_labels(limits: Sequence[tuple[str, float, float]]) -> list[Markup]:
    """Return the labels of limits, right of the plot; of two that are close, one above its line and one below."""
    heights = sorted(y for _, _, y in limits)
    close = heights[-1] - heights[0] < _CLOSE if len(heights) > 1 else False
    shifts = {y: (-1, 10)[place] if close else 4 for place, y in enumerate(heights)}
    return [
        text(100, _PLOT * y / 100 + shifts[y], f"{name.removesuffix(' limit') or name} {number(limit)}", "limit", "end")
        for name, limit, y in limits
    ]


def _bullet(measurement: Measurement) -> Markup:
    """Return a bar as long as the only value, in a track with the limits."""
    scale = Range.of(measurement)
    nought, value = scale.at(0.0), scale.at(measurement.values[0])
    failed = measurement.points[0].status == "FAIL"
    limits: list[Markup] = []
    for name, limit in measurement.limits:
        at = scale.at(limit)
        limits.append(line(at, 1, at, 25, "limit"))
        limits.append(text(at, 37, f"{name} {number(limit)}", "limit", "end" if at > _RIGHT else "start"))
    return picture(
        _BULLET,
        in_words(measurement),
        rectangle(0, 100, 8, 10, "track"),
        rectangle(min(nought, value), max(nought, value), 8, 10, "value fail" if failed else "value"),
        *limits,
    )
