"""Everything that happened, in order and in words; and what the page knows no picture of, such as faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecs_hooks_cli.common.recording import CheckAnswered
from ecs_hooks_cli.common.text import clock_text, cut, runs, shape, shortened
from ecs_hooks_cli.report.answers import function_name
from ecs_hooks_cli.report.play import Play
from ecs_hooks_cli.report.scale import Scale
from ecs_hooks_cli.report.swimlanes import NO_ANSWER, Mark
from ecs_hooks_simulator.core.timeline import (
    AlarmStateChanged,
    DeploymentCreated,
    FaultInjected,
    HookAnswered,
    HookInvoked,
    HookReported,
    HookStateChanged,
    Record,
    StageEntered,
    StatusChanged,
    TasksChanged,
    TrafficShifted,
)
from ecs_hooks_simulator.ecs.deployment_run import LONGEST_DEPLOYMENT

_ROWS = 200
_SHORT = 100
"""Characters of a summary of such records."""
_KINDS = 6
"""Kinds of records without a picture of their own that get a line on the axis; all are in the table."""


_REPORTED = {
    "Succeeded": "told CodeDeploy Succeeded",
    "Failed": "told CodeDeploy Failed",
    "TimedOut": "told CodeDeploy nothing within an hour",
}


class Happening(NamedTuple):
    """Something that happened.

    Parameters
    ----------
    when
        The time, or from when to when.
    what
        What it is about, such as `stage`.
    text
        What happened.
    times
        How many times in a row.
    """

    when: str
    what: str
    text: str
    times: int = 1


class Others(NamedTuple):
    """Records of one kind that are points on a line of their own."""

    kind: str
    marks: Sequence[Mark]

    @property
    def summary(self) -> str:
        """What they are, where there are few and that is short; else how many."""
        told = "; ".join(mark.text for mark in self.marks)
        return told if len(told) <= _SHORT else f"{len(self.marks)}, see the table below"


def happenings_of(play: Play) -> list[Happening]:
    """Return what happened, but for the answers of checks; equal things in a row are told once."""
    told = [
        Happening(clock_text(moment.time), *words)
        for moment, record in play.happened
        if (words := _words(play, record))
    ]
    rows = [
        run[-1]._replace(when=_joined(run), times=len(run))
        for run in runs(told, lambda each: (each.what, shape(each.text)))
    ]
    return shortened(rows, _ROWS, _left_out)


def others_of(play: Play, scale: Scale) -> list[Others]:
    """Return what nothing else on the page shows: faults, alarms, and records of kinds that it does not know."""
    marks: dict[str, list[Mark]] = {}
    for moment, record in play.happened:
        match record:
            case FaultInjected():
                kind, text = "faults", record.fault
            case AlarmStateChanged():
                kind, text = "alarms", f"{record.alarm} {record.state}"
            case _ if isinstance(record, _KNOWN):
                continue
            case _:
                kind, text = _kind(record), _fields(play, record)
        marks.setdefault(kind, []).append(Mark(scale.at(moment), "", f"{text} at {clock_text(moment.time)}"))
    return [Others(kind, found) for kind, found in marks.items()][:_KINDS]


_KNOWN = (
    StatusChanged,
    StageEntered,
    TasksChanged,
    TrafficShifted,
    HookInvoked,
    HookAnswered,
    HookStateChanged,
    HookReported,
    DeploymentCreated,
    CheckAnswered,
)


def _words(play: Play, record: Record) -> tuple[str, str] | None:
    """Return what a record is about, and what it tells; None where others tell it."""
    match record:
        case HookInvoked() | CheckAnswered():
            return None
        case DeploymentCreated():
            words = "deployment", f"{record.deployment}, rolls back {record.rolls_back}".removesuffix(", rolls back ")
        case HookAnswered() | HookStateChanged() | HookReported():
            return _words_of_hook(record)
        case StatusChanged():
            words = "deployment", f"{record.status}: {record.reason}" if record.reason else record.status
        case StageEntered():
            words = "stage", f"{record.stage}, rolling back" if record.rollback else record.stage
        case TasksChanged():
            words = "tasks", f"{play.colour(record.revision)} {record.state}"
        case TrafficShifted():
            shares = [f"{play.colour(arn)} {percent:g} %" for arn, percent in record.weights.items() if percent]
            words = "traffic", f"{record.listener} listener: {', '.join(shares) or 'nobody'}"
        case FaultInjected():
            words = "fault", f"{record.fault} in {play.colour(record.revision)} from now on"
        case AlarmStateChanged():
            words = "alarm", cut(f"{record.alarm} {record.state}, {record.before} before: {record.reason}")
        case _:
            words = _kind(record), _fields(play, record)
    return words


def _words_of_hook(record: HookAnswered | HookStateChanged | HookReported) -> tuple[str, str] | None:
    if isinstance(record, HookReported):
        return "hook", f"{function_name(record.target)} {_REPORTED[record.status]}"
    if isinstance(record, HookAnswered):
        status = record.status or NO_ANSWER
        reason = cut(record.reason.removeprefix(f"{status} ") or record.error)
        return "hook", f"{function_name(record.target)} {status} {reason}".strip()
    if record.target is None:
        return "hook", f"pause {record.state}"
    # What else a function's state becomes, its answer has told.
    return ("hook", f"{function_name(record.target)} TIMED_OUT") if record.state == "TIMED_OUT" else None


def _kind(record: Record) -> str:
    return record.kind.replace("-", " ")


def _fields(play: Play, record: Record) -> str:
    """Return what a record of an unknown kind tells, in words."""
    shape_of_it = {
        name: value for name, value in record.to_dict().items() if name not in {"kind", "time", "deployment"}
    }
    return ", ".join(f"{name.replace('_', ' ')} {_shown(play, value)}" for name, value in shape_of_it.items())


def _shown(play: Play, value: Any) -> str:
    if value and value in (play.green, play.blue):
        return play.colour(value)
    if isinstance(value, float) and 0 <= value - play.deployment.created_at <= LONGEST_DEPLOYMENT:
        return clock_text(value - play.deployment.created_at)
    return cut(str(value))


def _joined(run: Sequence[Happening]) -> str:
    return run[0].when if run[0].when == run[-1].when else f"{run[0].when} to {run[-1].when}"


def _left_out(rows: Sequence[Happening]) -> Happening:
    times = sum(row.times for row in rows)
    first, last = rows[0].when.partition(" to ")[0], rows[-1].when.rpartition(" to ")[2]
    return Happening(f"{first} to {last}", "", "left out here", times)
