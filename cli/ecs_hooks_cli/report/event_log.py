"""The log of a deployment, in order and in words; and records that have marks only on the time axis, such as faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecs_hooks_cli.common.text import clock_text, cut, function_name, runs, shortened, without_numbers
from ecs_hooks_cli.report.answers import hook_reason
from ecs_hooks_cli.report.recording import CheckAnswered, Play
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

NOT_REPORTED = "no status reported to CodeDeploy within an hour"

_MAX_ROWS = 200
_MAX_SUMMARY = 100
"""Characters of a summary of marks."""
_MAX_KINDS = 6
"""Kinds of marks that have a lane; all records are in the table."""

_REPORTED = {
    "Succeeded": "reported Succeeded to CodeDeploy",
    "Failed": "reported Failed to CodeDeploy",
    "TimedOut": NOT_REPORTED,
}
_SHOWN_ELSEWHERE = (
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


class Entry(NamedTuple):
    """A row of the log, for one event or several consecutive ones; the subject is, for example, `stage`."""

    when: str
    subject: str
    text: str
    times: int = 1


class Marks(NamedTuple):
    """The marks of one kind, in a lane of their own."""

    kind: str
    marks: Sequence[Mark]

    @property
    def summary(self) -> str:
        """The marks in words if these are short, else their number."""
        words = "; ".join(mark.text for mark in self.marks)
        return words if len(words) <= _MAX_SUMMARY else f"{len(self.marks)}, see the table below"


def entries_of(play: Play) -> list[Entry]:
    """Return the log without the answers of checks; consecutive entries that differ in numbers only are one row."""
    entries = [
        Entry(clock_text(moment.time), *words) for moment, record in play.records if (words := _words(play, record))
    ]
    rows = [_joined(run) for run in runs(entries, lambda each: (each.subject, without_numbers(each.text)))]
    return shortened(rows, _MAX_ROWS, lambda left: _joined(left)._replace(subject="", text="left out here"))


def marks_of(play: Play, scale: Scale) -> list[Marks]:
    """Return the marks: faults, alarms, and records of unknown kinds."""
    marks: dict[str, list[Mark]] = {}
    for moment, record in play.records:
        match record:
            case FaultInjected():
                kind, text = "faults", record.fault
            case AlarmStateChanged():
                kind, text = "alarms", f"{record.alarm} {record.state}"
            case _ if isinstance(record, _SHOWN_ELSEWHERE):
                continue
            case _:
                kind, text = _unknown(play, record)
        marks.setdefault(kind, []).append(Mark(scale.at(moment), "", f"{text} at {clock_text(moment.time)}"))
    return [Marks(kind, found) for kind, found in marks.items()][:_MAX_KINDS]


def _words(play: Play, record: Record) -> tuple[str, str] | None:
    """Return subject and text of a record; None where other records say the same."""
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
            words = "traffic", f"{record.listener} listener: {', '.join(shares) or 'no target'}"
        case FaultInjected():
            words = "fault", f"{record.fault} in {play.colour(record.revision)} from now on"
        case AlarmStateChanged():
            words = "alarm", cut(f"{record.alarm} {record.state}, {record.before} before: {record.reason}")
        case _:
            return _unknown(play, record)
    return words


def _words_of_hook(record: HookAnswered | HookStateChanged | HookReported) -> tuple[str, str] | None:
    if isinstance(record, HookReported):
        return "hook", f"{function_name(record.target)} {_REPORTED[record.status]}"
    if isinstance(record, HookAnswered):
        text = f"{function_name(record.target)} {record.status or NO_ANSWER} {hook_reason(record)}"
        return "hook", text.strip()
    if record.target is None:
        return "hook", f"pause {record.state}"
    # The other states of a function follow from its answers.
    return ("hook", f"{function_name(record.target)} TIMED_OUT") if record.state == "TIMED_OUT" else None


def _unknown(play: Play, record: Record) -> tuple[str, str]:
    """Return kind and fields of a record of an unknown kind."""
    fields = {name: value for name, value in record.to_dict().items() if name not in {"kind", "time", "deployment"}}
    text = ", ".join(f"{name.replace('_', ' ')} {_shown(play, value)}" for name, value in fields.items())
    return record.kind.replace("-", " "), text


def _shown(play: Play, value: Any) -> str:
    if value and value in (play.green, play.blue):
        return play.colour(value)
    if isinstance(value, float) and 0 <= value - play.deployment.created_at <= LONGEST_DEPLOYMENT:
        return clock_text(value - play.deployment.created_at)
    return cut(str(value))


def _joined(run: Sequence[Entry]) -> Entry:
    """Return one entry for several, with the text of the last."""
    first, last = run[0].when.partition(" to ")[0], run[-1].when.rpartition(" to ")[2]
    when = first if first == last else f"{first} to {last}"
    return run[-1]._replace(when=when, times=sum(each.times for each in run))
