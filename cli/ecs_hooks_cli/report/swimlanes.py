"""Lanes on the time axis: stages with their hooks' answers, and the traffic of blue and green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from ecs_hooks_cli.common.text import clock_text, runs, tally
from ecs_hooks_cli.report.recording import Moment, Play, Weights
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.svg import NARROW_ONLY, WIDE_ONLY, chart, element, line, percent, point, rectangle, text
from ecs_hooks_simulator.core.timeline import (
    HookAnswered,
    HookInvoked,
    HookStateChanged,
    Record,
    StageEntered,
    TrafficShifted,
)

NO_ANSWER = "NO VALID ANSWER"
"""In place of a status where a hook raised, or answered with something that ECS does not accept."""

_SHAPES = {
    "SUCCEEDED": ("M0,-6a6,6 0 1 0 0.01,0z", "M-2.8,0.2L-0.8,2.4L3,-2.2"),
    "AWAITING_ACTION": ("M-4,-5h3v10h-3zM1,-5h3v10h-3z", ""),
    "IN_PROGRESS": ("M0,-4a4,4 0 1 0 0.01,0z", ""),
    "TIMED_OUT": ("M-6,-6h12v12h-12z", "M0,-4V0.5L3,2"),
    "FAILED": ("M0,-8L8,0L0,8L-8,0z", "M-2.6,-2.6L2.6,2.6M2.6,-2.6L-2.6,2.6"),
    NO_ANSWER: ("M0,-8L8,6H-8z", "M0,-3V1.4M0,3.4V4.4"),
}
"""Outline and inner line of each status, the worst status last."""
_OTHER_SHAPE = ("M0,-6L6,0L0,6L-6,0z", "")
STATUSES = tuple(_SHAPES)

# Pixels.
_LANE, _MIDDLE, _BAR = 26, 13, 14
_TRAFFIC = 60

# Percentages of the axis.
_MARK_DISTANCE = 1.0
"""Marks that are closer are merged."""
_SPAN_DISTANCE = 0.2
"""Spans that are closer are merged."""
_FULL, _FULL_NARROW, _SHORT, _SHORT_NARROW = 9.5, 24, 4.5, 12
"""Widths of full and short labels of traffic, on wide and on narrow pages."""
_LABEL_HEIGHT = 25
"""Minimum height of an area with a label, in percent."""

_NAMED_MARKS = 12
"""Number of marks in the text for screen readers."""


class Span(NamedTuple):
    """A stretch of the axis, in percent."""

    left: float
    right: float
    text: str


class Mark(NamedTuple):
    """A point of the axis, in percent; the worst status where several answers are merged."""

    at: float
    status: str
    text: str


@dataclass(slots=True)
class Lane:
    """A stage, forward or in a rollback.

    It has a bar for each step of a linear or canary deployment, spans for running functions (`busy`) and between an
    IN_PROGRESS answer and the next invocation (`waits`), a mark for each answer, its first start and its duration in all.
    """

    stage: str
    rollback: bool
    bars: list[Span] = field(default_factory=list)
    busy: list[Span] = field(default_factory=list)
    waits: list[Span] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    first: float = 0.0
    seconds: float = 0.0

    @property
    def summary(self) -> str:
        """The lane in words."""
        often = f"{len(self.bars)} times, first " if len(self.bars) > 1 else ""
        long = f"{clock_text(self.seconds)} {'in all' if often else 'long'}" if self.seconds else "no time"
        answers = tally(mark.status for mark in self.marks)
        return f"{often}at {clock_text(self.first)}, {long}" + (f"; {answers}" if answers else "")


def lanes_of(play: Play, scale: Scale) -> list[Lane]:
    """Return a lane for each stage, in order of their first start."""
    builder = _Builder(scale)
    for moment, record in play.records:
        builder.add(moment, record)
    return list(builder.lanes.values())


def merged_marks(marks: Sequence[Mark]) -> list[Mark]:
    """Return marks that do not overlap: one for close ones, with their worst status."""
    close = runs(sorted(marks, key=lambda mark: mark.at), lambda mark: mark.at // _MARK_DISTANCE)
    return [_worst(run) if len(run) > 1 else run[0] for run in close]


def merged_spans(spans: Sequence[Span]) -> list[Span]:
    """Return spans that do not touch: one for close ones."""
    apart: list[Span] = []
    for span in sorted(spans):
        if apart and span.left - apart[-1].right <= _SPAN_DISTANCE:
            apart[-1] = apart[-1]._replace(right=max(apart[-1].right, span.right))
        else:
            apart.append(span)
    return apart


def lane_chart(lane: Lane) -> Markup:
    """Return the chart of a stage."""
    top = _MIDDLE - _BAR / 2
    kind = "bar back" if lane.rollback else "bar"
    return chart(
        _LANE,
        f"{lane.stage}{' in the rollback' if lane.rollback else ''}: {lane.summary}",
        *(rectangle(bar.left, bar.right, top, _BAR, kind, bar.text) for bar in lane.bars),
        *(rectangle(busy.left, busy.right, top + 3, _BAR - 6, "busy", busy.text) for busy in merged_spans(lane.busy)),
        *(line(wait.left, _MIDDLE, wait.right, _MIDDLE, "wait") for wait in merged_spans(lane.waits)),
        *(_shape(mark) for mark in merged_marks(lane.marks)),
    )


def marks_chart(kind: str, marks: Sequence[Mark]) -> Markup:
    """Return the chart of records that are marks only, such as faults."""
    named = [mark.text for mark in marks[:_NAMED_MARKS]] + (["and more"] if len(marks) > _NAMED_MARKS else [])
    return chart(_LANE, f"{kind}: {'; '.join(named)}", *(_shape(mark) for mark in merged_marks(marks)))


def legend_shape(status: str) -> Markup:
    """Return the shape of a status for the legend."""
    shape = _shape(Mark(50, status, status))
    return element("svg", shape, width=20, height=_LANE, class_="sample", aria_hidden="true")


def _shape(mark: Mark) -> Markup:
    outline, inner = _SHAPES.get(mark.status, _OTHER_SHAPE)
    inside = [element("path", d=inner, class_="inner")] if inner else []
    name = mark.status.lower().replace(" ", "-").replace("_", "-") or "other"
    shape = element("g", element("title", mark.text), element("path", d=outline), *inside, class_=f"mark {name}")
    return point(mark.at, _MIDDLE, shape)


class _Builder:
    """Builds the lanes from the records, in order."""

    def __init__(self, scale: Scale) -> None:
        self.lanes: dict[tuple[str, bool], Lane] = {}
        self._scale = scale
        self._rollback = False
        self._invoked: dict[str, Moment] = {}
        self._waiting: dict[str, tuple[Lane, Moment, str]] = {}

    def add(self, moment: Moment, record: Record) -> None:
        match record:
            case StageEntered():
                self._rollback = record.rollback
                lane = self._lane(record.stage)
                lane.first = lane.first if lane.bars else moment.time
                seconds = self._scale.duration(moment.stage)
                label = f"{record.stage} at {clock_text(moment.time)}, {clock_text(seconds)} long"
                lane.bars.append(Span(*self._scale.stage(moment.stage), label))
                lane.seconds += seconds
            case HookInvoked():
                self._end_wait(record.hook_id, moment)
                self._invoked[record.hook_id] = moment
            case HookAnswered():
                self._answered(moment, record)
            case HookStateChanged():
                self._changed(moment, record)
            case _:
                pass

    def _answered(self, moment: Moment, record: HookAnswered) -> None:
        lane = self._lane(record.stage)
        invoked = self._invoked.pop(record.hook_id, moment)
        if moment.time > invoked.time:
            label = f"busy for {clock_text(moment.time - invoked.time)}"
            lane.busy.append(Span(self._scale.at(invoked), self._scale.at(moment), label))
        status = record.status or NO_ANSWER
        self._mark(lane, moment, status)
        if record.status == "IN_PROGRESS":
            self._waiting[record.hook_id] = (lane, moment, status)

    def _changed(self, moment: Moment, record: HookStateChanged) -> None:
        # A pause has no answers. The states of a function follow from its answers, except a timeout.
        lane = self._lane(record.stage)
        if record.state == "AWAITING_ACTION":
            self._waiting[record.hook_id] = (lane, moment, record.state)
        elif record.state != "IN_PROGRESS":
            self._end_wait(record.hook_id, moment)
        if record.target is None or record.state == "TIMED_OUT":
            self._mark(lane, moment, record.state)

    def _mark(self, lane: Lane, moment: Moment, status: str) -> None:
        lane.marks.append(Mark(self._scale.at(moment), status, f"{status} at {clock_text(moment.time)}"))

    def _end_wait(self, hook: str, moment: Moment) -> None:
        if hook in self._waiting:
            lane, since, status = self._waiting.pop(hook)
            label = f"{status} for {clock_text(moment.time - since.time)}"
            lane.waits.append(Span(self._scale.at(since), self._scale.at(moment), label))

    def _lane(self, stage: str) -> Lane:
        return self.lanes.setdefault((stage, self._rollback), Lane(stage, self._rollback))


def _worst(marks: Sequence[Mark]) -> Mark:
    worst = max(marks, key=lambda mark: STATUSES.index(mark.status) if mark.status in STATUSES else -1)
    return worst._replace(text=f"{tally(mark.status or 'records' for mark in marks)}; the first {marks[0].text}")


class Share(NamedTuple):
    """The weights of a listener in percent, from a time in seconds on; all 0 without any traffic."""

    left: float
    right: float
    since: float
    blue: float
    green: float
    other: float

    @property
    def text(self) -> str:
        """The weights in words."""
        shares = {"blue": self.blue, "green": self.green, "other": self.other}
        return ", ".join(f"{name} {share:g} %" for name, share in shares.items() if share) or "no target"


class Traffic(NamedTuple):
    """A listener, and its weights over time."""

    listener: str
    shares: Sequence[Share]

    @property
    def summary(self) -> str:
        """The weights in words."""
        return ", then ".join(share.text for share in self.shares)


def traffic_of(play: Play, scale: Scale) -> list[Traffic]:
    """Return the weights of both listeners over time."""
    return [_listener(play, scale, listener) for listener in ("production", "test")]


def traffic_chart(traffic: Traffic) -> Markup:
    """Return the chart of a listener's weights, blue above green."""
    areas: list[Markup] = []
    for share in traffic.shares:
        top = 0.0
        for colour, height in (("blue", share.blue), ("other", share.other), ("green", share.green)):
            if height:
                areas.append(
                    rectangle(share.left, share.right, percent(top), percent(height), f"area {colour}", share.text)
                )
                areas += _labels(share, top, height, f"{height:g} %", f"{colour} ")
            top += height
        if not top:
            areas += _labels(share, 0, 100, share.text)
    return chart(_TRAFFIC, f"{traffic.listener} listener: {traffic.summary}", *areas)


def _listener(play: Play, scale: Scale, listener: str) -> Traffic:
    shifts: list[tuple[Moment, Weights]] = [(Moment(0.0, 0), play.weights.get(listener, {}))]
    shifts += [
        (moment, record.weights)
        for moment, record in play.records
        if isinstance(record, TrafficShifted) and record.listener == listener
    ]
    edges = [0.0, *(scale.at(moment) for moment, _ in shifts[1:]), 100.0]
    shares = [
        Share(left, right, moment.time, **_by_colour(play, weights))
        for left, right, (moment, weights) in zip(edges, edges[1:], shifts, strict=False)
    ]
    return Traffic(listener, shares)


def _by_colour(play: Play, weights: Mapping[str, float]) -> dict[str, float]:
    by_colour = {"blue": 0.0, "green": 0.0, "other": 0.0}
    for revision, weight in weights.items():
        by_colour[play.colour(revision)] += weight
    return by_colour


def _labels(share: Share, top: float, height: float, words: str, colour: str = "") -> list[Markup]:
    """Return the label of an area, as long as it fits, on wide and on narrow pages."""
    width, middle = share.right - share.left, (share.left + share.right) / 2
    if height < _LABEL_HEIGHT or width < _SHORT:
        return []
    y = percent(top + height / 2)
    if width >= _FULL_NARROW:
        return [text(middle, y, colour + words, "inside", "middle")]
    wide = [text(middle, y, colour + words if width >= _FULL else words, f"inside {WIDE_ONLY}", "middle")]
    return wide + ([text(middle, y, words, f"inside {NARROW_ONLY}", "middle")] if width >= _SHORT_NARROW else [])
