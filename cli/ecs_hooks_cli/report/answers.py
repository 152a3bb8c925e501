"""Answers of checks and hooks; consecutive answers that differ in numbers only are one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from ecs_hooks.core.outcome import AS_BEFORE
from ecs_hooks_cli.common.text import clock_text, cut, function_name, number, runs, shortened, tally, without_numbers
from ecs_hooks_cli.report.measurements import Measurement, measurements_of
from ecs_hooks_cli.report.recording import CheckAnswered, Moment, Play
from ecs_hooks_cli.report.swimlanes import NO_ANSWER
from ecs_hooks_simulator.core.timeline import HookAnswered, StageEntered

_MAX_ROWS = 40
_MAX_CHARTS = 6

Answered = tuple[Moment, CheckAnswered]
A = TypeVar("A", CheckAnswered, HookAnswered)


class Row(NamedTuple):
    """Consecutive answers that differ in numbers only, with status and reason of the last.

    `took` is the range of durations; `values` has the range of each measurement, such as `3 to 5`, empty without one. There
    is no status in a row for several kinds of answers.
    """

    when: str
    times: int
    status: str
    reason: str
    took: str = ""
    values: Sequence[str] = ()


class History(NamedTuple):
    """Answers of a check at a stage; `statuses` is their number by status.

    It is `ambiguous` if several checks have this name: their answers cannot be told apart.
    """

    stage: str
    hook: str
    check: str
    statuses: str
    last: CheckAnswered
    rows: Sequence[Row]
    measurements: Sequence[Measurement]
    ambiguous: bool

    @property
    def charted(self) -> Sequence[Measurement]:
        """The measurements with a chart."""
        return _charted(self.measurements)


class HookHistory(NamedTuple):
    """Answers of a function at a stage, forward or in a rollback."""

    stage: str
    rollback: bool
    target: str
    statuses: str
    rows: Sequence[Row]


def histories_of(play: Play) -> list[History]:
    """Return the answers of each check at each stage, in order of the first one.

    A pass of an earlier invocation that a hook repeats is not an answer: the check did not run.
    """
    found: dict[tuple[str, str], list[Answered]] = {}
    for moment, record in play.records:
        if isinstance(record, CheckAnswered) and record.reason != AS_BEFORE:
            found.setdefault((record.stage, record.check), []).append((moment, record))
    return [_history(answers) for answers in found.values()]


def hooks_of(play: Play) -> list[HookHistory]:
    """Return the answers of each function at each stage, in order of the first one."""
    rollback = False
    found: dict[tuple[str, bool, str], list[tuple[Moment, HookAnswered]]] = {}
    for moment, record in play.records:
        if isinstance(record, StageEntered):
            rollback = record.rollback
        elif isinstance(record, HookAnswered):
            found.setdefault((record.stage, rollback, record.target), []).append((moment, record))
    return [
        HookHistory(
            stage,
            back,
            function_name(target),
            tally(answer.status or NO_ANSWER for _, answer in answers),
            _table(answers, _hook_row, lambda answer: (answer.status, without_numbers(answer.reason or answer.error))),
        )
        for (stage, back, target), answers in found.items()
    ]


def hook_reason(answer: HookAnswered) -> str:
    """Return the reason of an answer without its status; the error where there is no valid answer."""
    return cut(answer.reason.removeprefix(f"{answer.status} ") or answer.error)


def _history(answers: Sequence[Answered]) -> History:
    measurements = measurements_of(answers)
    _, last = answers[-1]
    names = [each.name for each in _charted(measurements)]
    return History(
        stage=last.stage,
        hook=function_name(last.hook),
        check=last.check,
        statuses=tally(answer.status for _, answer in answers),
        last=last,
        rows=_table(
            answers, lambda run: _check_row(run, names), lambda each: (each.status, without_numbers(each.reason))
        ),
        measurements=measurements,
        ambiguous=max(Counter((moment, answer.hook) for moment, answer in answers).values()) > 1,
    )


def _charted(measurements: Sequence[Measurement]) -> list[Measurement]:
    return [each for each in measurements if each.charted][:_MAX_CHARTS]


def _table(
    answers: Sequence[tuple[Moment, A]], row: Callable[[Sequence[tuple[Moment, A]]], Row], key: Callable[[A], object]
) -> list[Row]:
    rows = [row(run) for run in runs(answers, lambda each: key(each[1]))]
    return shortened(rows, _MAX_ROWS, _left_out)


def _check_row(run: Sequence[Answered], names: Sequence[str]) -> Row:
    _, last = run[-1]
    milliseconds = [1000 * answer.seconds for _, answer in run if answer.seconds is not None]
    return Row(
        _when(run),
        len(run),
        last.status,
        last.reason,
        f"{_range(milliseconds)} ms" if milliseconds else "",
        [_range([answer.evidence[name] for _, answer in run if name in answer.evidence]) for name in names],
    )


def _hook_row(run: Sequence[tuple[Moment, HookAnswered]]) -> Row:
    _, last = run[-1]
    return Row(_when(run), len(run), last.status or NO_ANSWER, hook_reason(last))


def _left_out(rows: Sequence[Row]) -> Row:
    statuses = tally(row.status for row in rows for _ in range(row.times))
    first, last = rows[0].when.partition(" to ")[0], rows[-1].when.rpartition(" to ")[2]
    return Row(f"{first} to {last}", sum(row.times for row in rows), "", f"left out here: {statuses}")


def _when(run: Sequence[tuple[Moment, object]]) -> str:
    begin, end = clock_text(run[0][0].time), clock_text(run[-1][0].time)
    return begin if begin == end else f"{begin} to {end}"


def _range(values: Sequence[float]) -> str:
    if not values:
        return ""
    least, most = number(min(values)), number(max(values))
    return least if least == most else f"{least} to {most}"
