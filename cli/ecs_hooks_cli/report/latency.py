"""Requests, errors and latency of blue and green for the users of a listener, and their histograms."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from ecs_hooks.checks.statistics.descriptive import nearest_rank
from ecs_hooks_cli.common.text import number
from ecs_hooks_cli.report.recording import Play
from ecs_hooks_cli.report.scale import Tick
from ecs_hooks_cli.report.svg import axis_label, chart, element, line, percent, rectangle, text
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

PERCENTILES = (50, 95, 99)
_CLASSES = ("2xx", "3xx", "4xx", "5xx")
_BINS_PER_DECADE = (20, 10, 5)
_MAX_BINS = 40
_STEPS = (1, 2, 5)
_MAX_TICKS, _MAX_TICKS_NARROW = 12, 5
_LABEL, _BARS = 13, 64
"""Heights of a label above a histogram, and of its bars, in pixels."""
_RIGHT = 70
"""Percentage of the width from which on a label is left of its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Responses of a revision: its own ones by class, `2xx` to `5xx`, and the time until the header of each, ascending.

    The load balancer answered the others: the revision closed the connection or did not respond (`broken`), or it refused
    the connection (`refused`).
    """

    colour: str
    statuses: dict[str, int]
    broken: int
    refused: int
    seconds: Sequence[float]

    @property
    def requests(self) -> int:
        """Number of requests."""
        return sum(self.statuses.values()) + self.broken + self.refused

    @property
    def errors(self) -> int:
        """Number of failed requests: 5xx, or no own response."""
        return self.statuses.get("5xx", 0) + self.broken + self.refused

    def percentile(self, rank: int) -> float | None:
        """Return a percentile of the seconds by nearest rank; None without responses."""
        return nearest_rank(self.seconds, rank) if self.seconds else None


class Bin(NamedTuple):
    """A bar of a histogram: its stretch of the axis in percent, and its share of the responses, from 0 to 1."""

    left: float
    right: float
    share: float


@dataclass(frozen=True, slots=True)
class Axis:
    """A logarithmic axis of seconds: `bins` bars between 10 ** `low` and 10 ** `high`."""

    low: float
    high: float
    bins: int

    def at(self, seconds: float) -> float:
        """Return the position of a duration, in percent."""
        return 100 * (math.log10(seconds) - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[Tick]:
        """Its round numbers, as many as fit; powers of ten where more do not fit."""
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [(self.at(step * 10.0**decade), step, decade) for decade in decades for step in _STEPS]
        seen = [each for each in found if 0 <= round(each[0], 6) <= 100]  # noqa: PLR2004 - percent
        if len(seen) > _MAX_TICKS:
            seen = [each for each in seen if each[1] == 1]
        few = len(seen) <= _MAX_TICKS_NARROW
        return [Tick(at, duration(step * 10.0**decade), few or step == 1) for at, step, decade in seen]

    def histogram(self, seconds: Sequence[float]) -> list[Bin]:
        """Return the bars that are not empty, of seconds in ascending order."""
        edges = [self.low + (self.high - self.low) * each / self.bins for each in range(1, self.bins)]
        counts = [0] * self.bins
        for value in seconds:
            counts[bisect_right(edges, math.log10(max(value, 10**self.low)))] += 1
        width = 100 / self.bins
        return [
            Bin(place * width, (place + 1) * width, count / len(seconds)) for place, count in enumerate(counts) if count
        ]


def latencies_of(play: Play, listener: str = "production") -> list[Latency]:
    """Return the responses of blue and green through a listener; a revision without requests is left out."""
    found = [_latency(play, colour, listener) for colour in ("blue", "green")]
    return [each for each in found if each.requests]


def axis_of(latencies: Sequence[Latency]) -> Axis | None:
    """Return the axis for all responses; None without responses."""
    all_seconds = [value for each in latencies for value in each.seconds if value > 0]
    if not all_seconds:
        return None
    least, most = math.log10(min(all_seconds)), math.log10(max(all_seconds))
    per_decade = next((each for each in _BINS_PER_DECADE if (most - least) * each <= _MAX_BINS - 2), 5)
    low, high = math.floor(least * per_decade), math.floor(most * per_decade) + 1
    # At least one decade: it contains round numbers, and noise does not fill the chart.
    missing = max(per_decade - (high - low), 0)
    low, high = low - missing // 2, high + missing - missing // 2
    return Axis(low / per_decade, high / per_decade, high - low)


def compared(latencies: Sequence[Latency]) -> list[tuple[str, list[str]]]:
    """Return the rows of the table: each revision's numbers, and green's latency as a multiple of blue's."""
    rows: list[tuple[str, list[str]]] = [
        ("requests", [number(each.requests) for each in latencies]),
        ("errors", [f"{number(each.errors)} ({number(100 * each.errors / each.requests)} %)" for each in latencies]),
        *((kind, [number(each.statuses[kind]) for each in latencies]) for kind in _CLASSES),
        ("closed or no response", [number(each.broken) for each in latencies]),
        ("connection refused", [number(each.refused) for each in latencies]),
    ]
    for rank, name in (*((each, f"p{each}") for each in PERCENTILES), (100, "maximum")):
        values = [each.percentile(rank) for each in latencies]
        cells = ["" if value is None else duration(value) for value in values]
        match values:
            case [float(blue), float(green)] if blue:
                cells.append(f"{green / blue:.3g} times")
        rows.append((name, cells))
    return rows


def duration(seconds: float) -> str:
    """Return a duration for people: `3.1 ms`, `1.2 s`."""
    return f"{number(seconds)} s" if seconds >= 1 else f"{number(seconds * 1000)} ms"


def histograms_of(latencies: Sequence[Latency], axis: Axis) -> list[tuple[Latency, Markup]]:
    """Return the histogram of each revision with responses, all with the same scales."""
    answered = [(each, axis.histogram(each.seconds)) for each in latencies if each.seconds]
    highest = max(bar.share for _, bars in answered for bar in bars)
    return [(latency, _histogram(latency, axis, bars, highest)) for latency, bars in answered]


def seconds_axis(axis: Axis) -> Markup:
    """Return the labels of an axis of seconds; the table has the numbers, so screen readers skip it."""
    labels = [axis_label(tick.at, 13, tick.text, narrow=tick.narrow) for tick in axis.ticks]
    return element("svg", *labels, width="100%", height=18, aria_hidden="true")


def _histogram(latency: Latency, axis: Axis, bins: Sequence[Bin], highest: float) -> Markup:
    top = _LABEL * len(PERCENTILES) + 4
    bars = []
    for each in bins:
        height = 100 * each.share / highest
        tooltip = f"{100 * each.share:.3g} % of the responses"
        area = f"area {latency.colour}"
        bars.append(rectangle(each.left, each.right, percent(100 - height), percent(height), area, tooltip))
    marks: list[Markup] = []
    words = []
    for level, rank in enumerate(PERCENTILES, 1):
        seconds = latency.percentile(rank) or 0.0
        at = axis.at(seconds) if seconds else 0.0
        side, anchor = ("left", "end") if at > _RIGHT else ("right", "start")
        y = _LABEL * level
        words.append(f"p{rank} {duration(seconds)}")
        label = text(0, y, words[-1], f"ink {latency.colour}", anchor)
        marks.append(line(at, y - 9, at, top + _BARS, "percentile"))
        marks.append(element("svg", label, x=percent(at), overflow="visible", class_=side))
    return chart(
        top + _BARS + 1,
        f"{latency.colour}: {', '.join(words)}, of {len(latency.seconds):,} responses",
        *(line(tick.at, top, tick.at, top + _BARS, "grid") for tick in axis.ticks),
        element("svg", *bars, y=top, width="100%", height=_BARS),
        line(0, top + _BARS, 100, top + _BARS, "base"),
        *marks,
    )


def _latency(play: Play, colour: str, listener: str) -> Latency:
    own = [each for each in play.requests if each.listener == listener and play.colour(each.revision) == colour]
    answered = [each for each in own if each.origin == "target"]
    return Latency(
        colour=colour,
        statuses={kind: sum(_class(each) == kind for each in answered) for kind in _CLASSES},
        broken=sum(each.origin == "balancer" for each in own),
        refused=sum(each.origin == "connection" for each in own),
        seconds=sorted(each.seconds for each in answered),
    )


def _class(request: Forwarded) -> str:
    return f"{min(max(request.status // 100, 2), 5)}xx"
