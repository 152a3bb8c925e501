"""Runs the checks of one invocation side by side, inside its deadline."""

from __future__ import annotations

import queue
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.bounded import Call
from ecs_hooks.outcome import AS_BEFORE, ExplainedError, Outcome, Status
from ecs_hooks.state import Progress, State, key_of
from ecs_hooks.watch import Measured, judge, waiting

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check, CheckContext


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
        Called with each result as soon as it is there, while others are still waited for: what is in the log already
        is not lost should Lambda end the function.

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
        keys = [self._key(check) for check in checks]
        finished: queue.SimpleQueue[Call[Result]] = queue.SimpleQueue()
        results: dict[str, Result] = {}

        def take(result: Result) -> None:
            results[result.key] = result
            self.tell(result)

        for key, check in zip(keys, checks, strict=True):
            progress = self.state.progress.get(key, Progress())
            known = self._known(check, progress)
            if known is not None:
                take(Result(key, check.label, known, due=progress.settled))
                continue
            try:
                Call(_asking(check, key, self.context, progress.measured), finished)
            except RuntimeError as error:  # the process can have no more threads
                take(Result(key, check.label, Outcome.error(f"could not be started: {error}")))
        while len(results) < len(keys):
            try:
                take(finished.get(timeout=self.context.deadline.remaining()).result())
            except queue.Empty:
                break
        late = Outcome.wait("not finished when the time of this invocation was over")
        for key, check in zip(keys, checks, strict=True):
            if key not in results:
                take(Result(key, check.label, late))
        ordered = [results[key] for key in keys]
        self.results += ordered
        return [result.outcome for result in ordered]

    def add(self, label: str, outcome: Outcome, trace: str | None = None) -> None:
        """Record an outcome that no check brought: of the hook's own code, or of a question about the deployment."""
        result = Result(key_of(label), label, outcome, traceback=trace)
        self.results.append(result)
        self.tell(result)

    def _known(self, check: Check, progress: Progress) -> Outcome | None:
        """Return the outcome of a check that need not be asked (again) now; None where it has to be."""
        if progress.settled:
            return Outcome.passed(AS_BEFORE)
        if check.watch is not None:
            return waiting(check.watch, progress.measured or Measured(), self.context.elapsed)
        return None

    def _key(self, check: Check) -> str:
        description = f"{type(check).__qualname__} {check.model_dump_json()}"
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


def _asking(check: Check, key: str, context: CheckContext, before: Measured | None) -> Callable[[], Result]:
    def ask() -> Result:
        began = time.perf_counter()
        trace = None
        try:
            outcome = check.run(context)
            if not isinstance(outcome, Outcome):
                message = f"run() of a check must return an Outcome, not {type(outcome).__name__}"
                raise TypeError(message)  # noqa: TRY301 - an answer that is none is handled like a crash
        except BaseException as error:  # noqa: BLE001 - also SystemExit: a check must not end the function
            outcome, trace = outcome_of_exception(error)
        seconds = time.perf_counter() - began
        if check.watch is None or outcome.status is Status.SKIP:
            return Result(key, check.label, outcome, seconds, trace)
        measured = (before or Measured()).after(outcome, check.watch, context.elapsed)
        judged = judge(check.watch, measured, outcome, context.elapsed)
        return Result(key, check.label, judged, seconds, trace, measured, check.watch.error_limit)

    return ask
