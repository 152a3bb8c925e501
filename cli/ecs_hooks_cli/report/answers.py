"""What checks and hooks have answered, equal answers in a row told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from ecs_hooks.core.outcome import AS_BEFORE
from ecs_hooks_cli.common.recording import CheckAnswered
from ecs_hooks_cli.common.text import clock_text, counted, cut, number, runs, shape, shortened
from ecs_hooks_cli.report.measurements import Measurement, measurements_of
from ecs_hooks_cli.report.play import Moment, Play
from ecs_hooks_cli.report.swimlanes import NO_ANSWER
from ecs_hooks_simulator.core.timeline import HookAnswered, StageEntered

_ROWS = 40
"""Rows of a table; further answers are only counted."""
_DRAWN = 6
"""Measurements of a check that are drawn."""

Answered = tuple[Moment, CheckAnswered]
A = TypeVar("A", CheckAnswered, HookAnswered)


class Row(NamedTuple):
    """Answers in a row that are alike but for their numbers.

    Parameters
    ----------
    when
        The time of the first, and of the last.
    times
        How many there are.
    status, reason
        Of the last; no status where the row stands for several kinds of answers.
    took
        How long they took.
    values
        The measurements, each as `4`, or as `3 to 5`; empty where there is none.
    """

    when: str
    times: int
    status: str
    reason: str
    took: str = ""
    values: Sequence[str] = ()


class History(NamedTuple):
    """What one check has answered at one stage.

    Parameters
    ----------
    stage, hook, check
        Which one.
    statuses
        How many answers there are of each status.
    last
        The last answer.
    rows
        All of them.
    measurements
        What they measured.
    twice
        Whether several checks bear this name: their answers can't be told apart.
    """

    stage: str
    hook: str
    check: str
    statuses: str
    last: CheckAnswered
    rows: Sequence[Row]
    measurements: Sequence[Measurement]
    twice: bool

    @property
    def drawn(self) -> Sequence[Measurement]:
        """The measurements that are drawn."""
        return [each for each in self.measurements if each.drawn][:_DRAWN]


class HookHistory(NamedTuple):
    """What one function has answered at one stage, on its way forward or in a rollback."""

    stage: str
    rollback: bool
    target: str
    statuses: str
    rows: Sequence[Row]


def histories_of(play: Play) -> list[History]:
    """Return what each check has answered at each stage, in the order in which they were first asked.

    That a check has passed in an earlier invocation is no answer of it: it was not asked.
    """
    asked: dict[tuple[str, str], list[Answered]] = {}
    for moment, record in play.happened:
        if isinstance(record, CheckAnswered) and record.reason != AS_BEFORE:
            asked.setdefault((record.stage, record.check), []).append((moment, record))
    return [_history(answers) for answers in asked.values()]


def hooks_of(play: Play) -> list[HookHistory]:
    """Return what each function has answered at each stage, in the order in which they were first asked."""
    rollback = False
    asked: dict[tuple[str, bool, str], list[tuple[Moment, HookAnswered]]] = {}
    for moment, record in play.happened:
        if isinstance(record, StageEntered):
            rollback = record.rollback
        elif isinstance(record, HookAnswered):
            asked.setdefault((record.stage, rollback, record.target), []).append((moment, record))
    return [
        HookHistory(
            stage,
            back,
            function_name(target),
            counted(answer.status or NO_ANSWER for _, answer in answers),
            _table(answers, _hook_row, lambda answer: (answer.status, shape(answer.reason or answer.error))),
        )
        for (stage, back, target), answers in asked.items()
    ]


def function_name(target: str) -> str:
    """Return the name of a function from its ARN."""
    return target.rpartition(":")[2]


def _history(answers: Sequence[Answered]) -> History:
    measurements = measurements_of(answers)
    _, last = answers[-1]
    moments = Counter((moment, answer.hook) for moment, answer in answers)
    made = History(
        stage=last.stage,
        hook=function_name(last.hook),
        check=last.check,
        statuses=counted(answer.status for _, answer in answers),
        last=last,
        rows=(),
        measurements=measurements,
        twice=max(moments.values()) > 1,
    )
    names = [each.name for each in made.drawn]
    rows = _table(answers, lambda run: _check_row(run, names), lambda answer: (answer.status, shape(answer.reason)))
    return made._replace(rows=rows)


def _table(
    answers: Sequence[tuple[Moment, A]], row: Callable[[Sequence[tuple[Moment, A]]], Row], alike: Callable[[A], object]
) -> list[Row]:
    """Return a row for each run of answers that are alike."""
    rows = [row(run) for run in runs(answers, lambda each: alike(each[1]))]
    return shortened(rows, _ROWS, _left_out)


def _check_row(run: Sequence[Answered], names: Sequence[str]) -> Row:
    _, last = run[-1]
    seconds = [answer.seconds for _, answer in run if answer.seconds is not None]
    return Row(
        _when(run[0][0], run[-1][0]),
        len(run),
        last.status,
        last.reason,
        f"{_range([1000 * each for each in seconds])} ms" if seconds else "",
        [_range([answer.evidence[name] for _, answer in run if name in answer.evidence]) for name in names],
    )


def _hook_row(run: Sequence[tuple[Moment, HookAnswered]]) -> Row:
    _, last = run[-1]
    status = last.status or NO_ANSWER
    reason = cut(last.reason.removeprefix(f"{status} ") or last.error)
    return Row(_when(run[0][0], run[-1][0]), len(run), status, reason)


def _left_out(rows: Sequence[Row]) -> Row:
    statuses = counted(row.status for row in rows for _ in range(row.times))
    first, last = rows[0].when.partition(" to ")[0], rows[-1].when.rpartition(" to ")[2]
    return Row(f"{first} to {last}", sum(row.times for row in rows), "", f"left out here: {statuses}")


def _when(first: Moment, last: Moment) -> str:
    begin, end = clock_text(first.time), clock_text(last.time)
    return begin if begin == end else f"{begin} to {end}"


def _range(values: Sequence[float]) -> str:
    if not values:
        return ""
    least, most = number(min(values)), number(max(values))
    return least if least == most else f"{least} to {most}"
