"""Runs the checks of one invocation side by side, inside its deadline."""

from __future__ import annotations

import queue
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.core.deadline import Call, DeadlinePassedError, limited_by
from ecs_hooks.core.measurement import Measured, judge, waiting
from ecs_hooks.core.outcome import AS_BEFORE, ExplainedError, Outcome, Status
from ecs_hooks.core.state import Progress, State, key_of

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.checks.context import CheckContext


_PAUSE = 0.005
"""Seconds without an outcome after which something else is done than to wait for one."""


class Result(NamedTuple):
    """The outcome of one check, and how it came about.

    Parameters
    ----------
    key
        Key of the check in the state.
    label
        What the check is called in the reason, such as `http "upload"`.
    outcome
        The outcome.
    seconds
        How long the check took; None where it was not asked, or is still busy.
    traceback
        The stack of an exception that nobody expected, for the log.
    measured
        The measurements so far, of a check that is watched.
    error_limit
        How many times in a row this check may be impossible to ask; None as the plan says.
    due
        Whether the check was due: else nothing new is known of it, and its progress stays as it is.
    """

    key: str
    label: str
    outcome: Outcome
    seconds: float | None = None
    traceback: str | None = None
    measured: Measured | None = None
    error_limit: int | None = None
    due: bool = True


class Runner:
    """Asks the checks, and keeps what they answered.

    Parameters
    ----------
    context
        What a check may know.
    state
        The memory of earlier invocations at this step: what is settled there is not asked again.
    tell
        Called with each result in the first pause after it, while others are still waited for: what is in the log
        already is not lost should Lambda end the function.

    Attributes
    ----------
    results
        Every result of this invocation, in the order of the plan.
    """

    def __init__(self, context: CheckContext, state: State, tell: Callable[[Result], object]) -> None:
        self.context = context
        self.state = state
        self.tell = tell
        self.results: list[Result] = []
        self._seen: Counter[str] = Counter()

    def run(self, checks: Sequence[Check]) -> list[Outcome]:
        """Run checks side by side and return their outcomes in the same order.

        A check that is not over at the deadline is a `WAIT`; the others keep their results. A check that raises is a
        `FAIL`: nothing is known then, and what is not known is no pass.
        """
        try:
            checks = self.context.at_step(checks)
        except ExplainedError as error:
            self.add("steps", error.outcome)
            return [error.outcome for _ in checks]
        keys = cache(lambda: [self._key(check) for check in checks])
        due: dict[int, Check] = {}
        results: dict[int, Result] = {}
        new: list[_Answer] = []

        def take(number: int, result: Result) -> None:
            results[number] = result
            self.tell(result)

        def settle() -> None:
            for answer in new:
                take(answer.number, self._result(checks[answer.number], keys()[answer.number], answer))
            new.clear()

        for number, check in enumerate(checks):
            progress = self._progress(keys()[number]) if self.state.progress else Progress()
            known = self._known(check, progress)
            if known is None:
                due[number] = check
            else:
                take(number, Result(keys()[number], check.label, known, due=progress.settled))
        for answer in _asked(due, self.context):
            if answer is not None:
                new.append(answer)
            else:
                # To make keys and to write lines takes time from the checks: it is done while all of them wait.
                keys()
                settle()
        settle()
        ordered = [results[number] for number in range(len(checks))]
        self.results += ordered
        return [result.outcome for result in ordered]

    def add(self, label: str, outcome: Outcome, trace: str | None = None) -> None:
        """Record an outcome that no check brought: of the hook's own code, or of a question about the deployment."""
        result = Result(key_of(label), label, outcome, traceback=trace)
        self.results.append(result)
        self.tell(result)

    def _progress(self, key: str) -> Progress:
        return self.state.progress.get(key, Progress())

    def _result(self, check: Check, key: str, answer: _Answer) -> Result:
        """Return what an answer means, beside those of earlier invocations where the check is watched."""
        _, outcome, seconds, trace = answer
        if check.watch is None or outcome.status is Status.SKIP or seconds is None:
            return Result(key, check.label, outcome, seconds, trace)
        before = self._progress(key).measured or Measured()
        measured = before.after(outcome, check.watch, self.context.elapsed)
        judged = judge(check.watch, measured, outcome, self.context.elapsed)
        return Result(key, check.label, judged, seconds, trace, measured, check.watch.error_limit)

    def _known(self, check: Check, progress: Progress) -> Outcome | None:
        """Return the outcome of a check that need not be asked (again) now; None where it has to be."""
        if progress.settled:
            return Outcome.passed(AS_BEFORE)
        if check.watch is not None:
            return waiting(check.watch, progress.measured or Measured(), self.context.elapsed)
        return None

    def _key(self, check: Check) -> str:
        # Of its type and fields, not of its class: to rename a class must not reset deployments under way.
        description = check.model_dump_json()
        occurrence = self._seen[description]
        self._seen[description] += 1
        return key_of(description, occurrence)


def may_go_on(outcomes: Sequence[Outcome]) -> bool:
    """Return whether nothing among the outcomes stands against the deployment so far."""
    return all(outcome.status in {Status.PASS, Status.SKIP} for outcome in outcomes)


def outcome_of_exception(error: BaseException) -> tuple[Outcome, str | None]:
    """Return what an exception out of a check or a hook means, and its traceback where it is a bug.

    The message of an unexpected exception stays in the log: it could hold anything.
    """
    if isinstance(error, ExplainedError):
        return error.outcome, None
    trace = "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Outcome.failed(f"raised {type(error).__name__}{place}; the traceback is in the log"), trace


class _Answer(NamedTuple):
    """What came of asking a check, by its number in the plan."""

    number: int
    outcome: Outcome
    seconds: float | None = None
    traceback: str | None = None


def _asked(checks: Mapping[int, Check], context: CheckContext) -> Iterator[_Answer | None]:
    """Ask checks side by side, and yield an answer of each: their own, or that they were not over in time.

    None is yielded where no answer comes for a moment, so that something else can be done.
    """
    answers: queue.SimpleQueue[Call[_Answer] | _Answer] = queue.SimpleQueue()
    for number, check in checks.items():
        if context.deadline.expired:
            break
        try:
            Call(partial(_run, number, check, context), answers.put)
        except RuntimeError as error:  # the process can have no more threads
            answers.put(_Answer(number, Outcome.error(f"could not be started: {error}")))
    missing = dict.fromkeys(checks)
    paused = False
    while missing:
        left = context.deadline.remaining()
        try:
            found = answers.get(timeout=left if paused else min(left, _PAUSE))
        except queue.Empty:
            if not left:
                break
            paused = True
            yield None
        else:
            answer = found if isinstance(found, _Answer) else found.result()
            del missing[answer.number]
            paused = False
            yield answer
    late = DeadlinePassedError().outcome
    yield from (_Answer(number, late) for number in missing)


def _run(number: int, check: Check, context: CheckContext) -> _Answer:
    began = time.perf_counter()
    trace = None
    try:
        with limited_by(context.deadline):
            outcome = check.run(context)
        if not isinstance(outcome, Outcome):
            raise TypeError(  # noqa: TRY301 - an invalid result is handled like a crash
                f"run() of a check must return an Outcome, not {type(outcome).__name__}"
            )
    except BaseException as error:  # noqa: BLE001 - also SystemExit: a check must not end the function
        outcome, trace = outcome_of_exception(error)
    return _Answer(number, outcome, time.perf_counter() - began, trace)
