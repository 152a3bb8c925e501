"""The stages on the time axis: how long each was, what its hooks answered when, and where they waited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ecs_hooks_cli.common.text import clock_text, counted, runs
from ecs_hooks_cli.report.play import Moment, Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, HookStateChanged, Record, StageEntered

NO_ANSWER = "NO VALID ANSWER"
"""In place of a status where a hook raised, or answered what ECS can't use."""
STATUSES = ("SUCCEEDED", "AWAITING_ACTION", "IN_PROGRESS", "TIMED_OUT", "FAILED", NO_ANSWER)
"""What hooks come to, the worst last."""
_TOGETHER = 1.0
"""Per cent of the axis within which marks are one."""
_GAP = 0.2
"""Per cent of the axis that two spans may be apart and still be drawn as one."""


class Span(NamedTuple):
    """A stretch of the axis, in per cent."""

    left: float
    right: float
    text: str


class Mark(NamedTuple):
    """A point of the axis, in per cent: answers of hooks, with the worst status among them."""

    at: float
    status: str
    text: str


@dataclass(slots=True)
class Lane:
    """A stage, on its way forward or in a rollback.

    Parameters
    ----------
    stage, rollback
        Which one.
    bars
        When it was; each step of a linear or canary deployment has one.
    busy, waits
        While functions ran, where that took any time, and while ECS waited to ask them again.
    marks
        What they answered.
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
        answers = counted(mark.status for mark in self.marks)
        return f"{often}at {clock_text(self.first)}, {long}" + (f"; {answers}" if answers else "")


def lanes_of(play: Play, scale: Scale) -> list[Lane]:
    """Return a lane for each stage that was entered, in the order in which they first were."""
    drawn = _Drawing(scale)
    for moment, record in play.happened:
        drawn.add(moment, record)
    return list(drawn.lanes.values())


def together(marks: list[Mark]) -> list[Mark]:
    """Return marks of which no two are in each other's way: one for those that are, with the worst status."""
    return [_one(run) for run in runs(sorted(marks, key=lambda mark: mark.at), lambda mark: mark.at // _TOGETHER)]


def joined(spans: list[Span]) -> list[Span]:
    """Return spans that are apart: one for those that all but touch."""
    apart: list[Span] = []
    for span in sorted(spans):
        if apart and span.left - apart[-1].right <= _GAP:
            apart[-1] = apart[-1]._replace(right=max(apart[-1].right, span.right))
        else:
            apart.append(span)
    return apart


class _Drawing:
    """Goes through the records once, in order."""

    def __init__(self, scale: Scale) -> None:
        self.lanes: dict[tuple[str, bool], Lane] = {}
        self._scale = scale
        self._rollback = False
        self._asked: dict[str, Moment] = {}
        self._waiting: dict[str, tuple[Lane, Moment, str]] = {}

    def add(self, moment: Moment, record: Record) -> None:
        match record:
            case StageEntered():
                self._rollback = record.rollback
                lane = self._lane(record.stage)
                lane.first = lane.first if lane.bars else moment.time
                lasts = self._scale.lasts(moment.part)
                text = f"{record.stage} at {clock_text(moment.time)}, {clock_text(lasts)} long"
                lane.bars.append(Span(*self._scale.stage(moment.part), text))
                lane.seconds += lasts
            case HookInvoked():
                self._wait_over(record.hook_id, moment)
                self._asked[record.hook_id] = moment
            case HookAnswered():
                self._answered(moment, record)
            case HookStateChanged():
                self._changed(moment, record)
            case _:
                pass

    def _answered(self, moment: Moment, record: HookAnswered) -> None:
        lane = self._lane(record.stage)
        asked = self._asked.pop(record.hook_id, moment)
        if moment.time > asked.time:
            text = f"busy for {clock_text(moment.time - asked.time)}"
            lane.busy.append(Span(self._scale.at(asked), self._scale.at(moment), text))
        status = record.status or NO_ANSWER
        self._mark(lane, moment, status)
        if record.status == "IN_PROGRESS":
            self._waiting[record.hook_id] = (lane, moment, status)

    def _changed(self, moment: Moment, record: HookStateChanged) -> None:
        # A pause waits and ends without answers; a function shows here only where it got no chance to answer.
        lane = self._lane(record.stage)
        if record.state == "AWAITING_ACTION":
            self._waiting[record.hook_id] = (lane, moment, record.state)
        elif record.state != "IN_PROGRESS":
            self._wait_over(record.hook_id, moment)
        if record.target is None or record.state == "TIMED_OUT":
            self._mark(lane, moment, record.state)

    def _mark(self, lane: Lane, moment: Moment, status: str) -> None:
        lane.marks.append(Mark(self._scale.at(moment), status, f"{status} at {clock_text(moment.time)}"))

    def _wait_over(self, hook: str, moment: Moment) -> None:
        if hook in self._waiting:
            lane, since, status = self._waiting.pop(hook)
            text = f"{status} for {clock_text(moment.time - since.time)}"
            lane.waits.append(Span(self._scale.at(since), self._scale.at(moment), text))

    def _lane(self, stage: str) -> Lane:
        return self.lanes.setdefault((stage, self._rollback), Lane(stage, self._rollback))


def _one(marks: list[Mark]) -> Mark:
    if len(marks) == 1:
        return marks[0]
    worst = max(marks, key=lambda mark: STATUSES.index(mark.status) if mark.status in STATUSES else -1)
    return worst._replace(text=f"{counted(mark.status or 'records' for mark in marks)}; the first {marks[0].text}")
