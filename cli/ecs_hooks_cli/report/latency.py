"""How quickly blue and green answered the users of the production listener, and how often they did not."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ecs_hooks.checks.statistics.percentiles import nearest_rank
from ecs_hooks_cli.common.text import number
from ecs_hooks_cli.report.play import Play
from ecs_hooks_cli.report.scale import Tick
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

PERCENTILES = (50, 95, 99)
_CLASSES = ("2xx", "3xx", "4xx", "5xx")
_BINS_PER_DECADE = (20, 10, 5)
_MOST_BINS = 40
_STEPS = (1, 2, 5)
_MOST_TICKS, _MOST_TICKS_ON_PHONES = 12, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What one revision answered.

    Parameters
    ----------
    colour
        Which revision: `blue` or `green`.
    statuses
        How many responses there were of each class, `2xx` to `5xx`, given by the revision itself.
    broken, refused
        Requests that the load balancer answered in its place: it hung up or was silent, or took no connection.
    seconds
        Until the header of each response of its own, in ascending order.
    """

    colour: str
    statuses: dict[str, int]
    broken: int
    refused: int
    seconds: Sequence[float]

    @property
    def requests(self) -> int:
        """How many requests there were."""
        return sum(self.statuses.values()) + self.broken + self.refused

    @property
    def errors(self) -> int:
        """How many of them failed: 5xx, or no response of its own."""
        return self.statuses.get("5xx", 0) + self.broken + self.refused

    def percentile(self, percent: int) -> float | None:
        """Return the seconds within which so many per cent of the responses began, one of them; None without any."""
        return nearest_rank(self.seconds, percent) if self.seconds else None


class Bin(NamedTuple):
    """A bar of a histogram: where it is on the axis, in per cent, and its share of the responses, from 0 to 1."""

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
        """Return where so many seconds are, in per cent."""
        return 100 * (math.log10(seconds) - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[Tick]:
        """Round numbers on it, as many as there is room for; where that is scarce, whole decades."""
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        found = [(self.at(step * 10.0**decade), step, decade) for decade in decades for step in _STEPS]
        seen = [each for each in found if 0 <= round(each[0], 6) <= 100]  # noqa: PLR2004 - per cent
        if len(seen) > _MOST_TICKS:
            seen = [each for each in seen if each[1] == 1]
        few = len(seen) <= _MOST_TICKS_ON_PHONES
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
    """Return what blue and green answered through a listener, where they were asked anything."""
    found = [_latency(play, colour, listener) for colour in ("blue", "green")]
    return [each for each in found if each.requests]


def axis_of(latencies: Sequence[Latency]) -> Axis | None:
    """Return the axis on which all responses are; None where there are none."""
    all_seconds = [value for each in latencies for value in each.seconds if value > 0]
    if not all_seconds:
        return None
    least, most = math.log10(min(all_seconds)), math.log10(max(all_seconds))
    per_decade = next((each for each in _BINS_PER_DECADE if (most - least) * each <= _MOST_BINS - 2), 5)
    low, high = math.floor(least * per_decade), math.floor(most * per_decade) + 1
    # A whole decade at least: it has round numbers in it, and differences within noise do not fill the picture.
    missing = max(per_decade - (high - low), 0)
    low, high = low - missing // 2, high + missing - missing // 2
    return Axis(low / per_decade, high / per_decade, high - low)


def compared(latencies: Sequence[Latency]) -> list[tuple[str, list[str]]]:
    """Return the numbers of each revision by name; of blue and green also how many times blue's seconds green's are."""
    rows: list[tuple[str, list[str]]] = [
        ("requests", [number(each.requests) for each in latencies]),
        ("errors", [f"{number(each.errors)} ({number(100 * each.errors / each.requests)} %)" for each in latencies]),
        *((kind, [number(each.statuses[kind]) for each in latencies]) for kind in _CLASSES),
        ("hung up, or silent", [number(each.broken) for each in latencies]),
        ("took no connection", [number(each.refused) for each in latencies]),
    ]
    for percentile, name in (*((each, f"p{each}") for each in PERCENTILES), (100, "longest")):
        values = [each.percentile(percentile) for each in latencies]
        told = ["" if value is None else duration(value) for value in values]
        match values:
            case [float(blue), float(green)] if blue:
                told.append(f"{green / blue:.3g} times")
        rows.append((name, told))
    return rows


def duration(seconds: float) -> str:
    """Return seconds for people: `3.1 ms`, `1.2 s`."""
    return f"{number(seconds)} s" if seconds >= 1 else f"{number(seconds * 1000)} ms"


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
