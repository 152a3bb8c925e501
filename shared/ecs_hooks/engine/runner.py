"""Runs the checks of one invocation side by side, within its deadline."""

from __future__ import annotations

import queue
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.core.deadline import Call, DeadlinePassedError, limited_by
from ecs_hooks.core.measurement import Measured, judge, waiting
from ecs_hooks.core.outcome import AS_BEFORE, CheckCodeError, ExplainedError, Outcome, Status, check_code, raised
from ecs_hooks.core.own_limits import OwnLimitError, own_limit
from ecs_hooks.core.redaction import mask_every_secret
from ecs_hooks.core.state import Progress, State, key_of

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.checks.context import CheckContext


_PAUSE = 0.005
"""Seconds without an outcome after which the runner does other work while it waits."""


class Result(NamedTuple):
    """The outcome of one check, with the data for the log and the state.

    Parameters
    ----------
    key
        Key of the check in the state.
    label
        Name of the check in the reason, such as `http "upload"`.
    outcome
        The outcome.
    seconds
        Duration of the check; None where it did not run, or has not finished.
    traceback
        The stack of an unexpected exception, for the log.
    measured
        The measurements so far of a check with a watch.
    error_limit
        Errors in a row that this check may have; None for the limit of the plan.
    due
        Whether the check was due. Otherwise its progress stays as it is.
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
    """Runs checks, and collects their results.

    Parameters
    ----------
    context
        The context of the checks.
    state
        The state of earlier invocations at this step; checks that are settled in it do not run again.
    on_result
        Called with each result while other checks still run, so that it is in the log should Lambda end the function.

    Attributes
    ----------
    results
        Every result of this invocation, in the order of the plan.
    """

    def __init__(self, context: CheckContext, state: State, on_result: Callable[[Result], object]) -> None:
        self.context = context
        self.state = state
        self.on_result = on_result
        self.results: list[Result] = []
        self._seen: Counter[str] = Counter()

    def run(self, checks: Sequence[Check], *, note: str = "") -> list[Outcome]:
        """Run checks side by side and return their outcomes in the same order.

        A note becomes part of the reasons of failures. A check that has not finished at the deadline is a `WAIT`; the others keep their results. A check that raises is a
        `FAIL`, since an unknown result is not a pass.
        """
        try:
            return self._run(self.context.at_step(checks), note)
        except ExplainedError as error:
            label = "check" if isinstance(error, CheckCodeError) else "steps"
            outcome, trace = outcome_of_exception(error)
            self.add(label, outcome, trace)
            return [outcome for _ in checks]

    def _run(self, checks: Sequence[Check], note: str) -> list[Outcome]:
        keys = cache(lambda: [self._key(check) for check in checks])
        due: dict[int, Check] = {}
        results: dict[int, Result] = {}
        finished: list[_Finished] = []

        def take(number: int, result: Result) -> None:
            if note and result.outcome.status in {Status.FAIL, Status.ERROR}:
                outcome = result.outcome
                result = result._replace(outcome=outcome._replace(reason=f"{outcome.reason} ({note})"))
            results[number] = result
            self.on_result(result)

        def settle() -> None:
            for each in finished:
                take(each.number, self._result(checks[each.number], keys()[each.number], each))
            finished.clear()

        for number, check in enumerate(checks):
            progress = self._progress(keys()[number]) if self.state.progress else Progress()
            known = self._known(check, progress)
            if known is None:
                due[number] = check
            else:
                take(number, Result(keys()[number], _label(check), known, due=progress.settled))
        for each in _run_all(due, self.context):
            if each is not None:
                finished.append(each)
            else:
                # Keys and log lines take CPU time from the checks, so they are made while all checks wait.
                keys()
                settle()
        settle()
        ordered = [results[number] for number in range(len(checks))]
        self.results += ordered
        return [result.outcome for result in ordered]

    def add(self, label: str, outcome: Outcome, trace: str | None = None) -> None:
        """Record an outcome of the hook's own code, or of a fact about the deployment."""
        result = Result(key_of(label), label, outcome, traceback=trace)
        self.results.append(result)
        self.on_result(result)

    def _progress(self, key: str) -> Progress:
        return self.state.progress.get(key, Progress())

    def _result(self, check: Check, key: str, finished: _Finished) -> Result:
        """Return the result of a check; with a watch, it is judged with the measurements of earlier invocations."""
        _, outcome, seconds, trace = finished
        if check.watch is None or outcome.status is Status.SKIP or seconds is None:
            return Result(key, _label(check), outcome, seconds, trace)
        before = self._progress(key).measured or Measured()
        measured = before.after(outcome, check.watch, self.context.elapsed)
        judged = judge(
            check.watch,
            measured,
            outcome,
            self.context.elapsed,
            ends=self.context.ends,
            seconds=max((each.requirements().seconds for each in self.context.checks), default=0),
        )
        return Result(key, _label(check), judged, seconds, trace, measured, check.watch.error_limit)

    def _known(self, check: Check, progress: Progress) -> Outcome | None:
        """Return the outcome of a check that need not run now; None where it must."""
        if progress.settled:
            return Outcome.passed(AS_BEFORE)
        if check.watch is not None:
            return waiting(check.watch, progress.measured or Measured(), self.context.elapsed)
        return None

    def _key(self, check: Check) -> str:
        # Its type and fields, not its class: renaming a class must not reset deployments under way.
        with check_code(f"{type(check).__name__}.model_dump_json()"):
            description = check.model_dump_json()
        occurrence = self._seen[description]
        self._seen[description] += 1
        return key_of(description, occurrence)


def _label(check: Check) -> str:
    with check_code(f"{type(check).__name__}.label"):
        return str(check.label)


def may_go_on(outcomes: Sequence[Outcome]) -> bool:
    """Return whether all outcomes so far allow the deployment to continue."""
    return all(outcome.status in {Status.PASS, Status.SKIP} for outcome in outcomes)


def outcome_of_exception(error: BaseException) -> tuple[Outcome, str | None]:
    """Return the outcome of an exception in a check or a hook, and its traceback where it is unexpected.

    It is an `ERROR` where the function has reached a limit of its own, else that of the exception.
    """
    if isinstance(error, ExplainedError) and not isinstance(error, CheckCodeError):
        return error.outcome, None
    cause = error.__cause__ if isinstance(error, CheckCodeError) else error
    trace, limit = _stack(cause), own_limit(error)
    if limit:
        return Outcome.error(limit), trace
    return error.outcome if isinstance(error, CheckCodeError) else Outcome.failed(raised(error)), trace


def _stack(error: BaseException | None) -> str:
    # The message of an exception of Python or of a library can contain a value of the plan.
    return mask_every_secret("".join(traceback.format_exception(error)))


class _Finished(NamedTuple):
    """A check that has finished, by its number in the plan."""

    number: int
    outcome: Outcome
    seconds: float | None = None
    traceback: str | None = None


def _run_all(checks: Mapping[int, Check], context: CheckContext) -> Iterator[_Finished | None]:
    """Run checks side by side, and yield each when it has finished, or at the deadline.

    None is yielded when no check finishes for a moment, so that the caller can do other work.
    """
    done: queue.SimpleQueue[Call[_Finished] | _Finished] = queue.SimpleQueue()
    for number, check in checks.items():
        if context.deadline.expired:
            break
        try:
            Call(partial(_run, number, check, context), done.put)
        except OwnLimitError as error:
            done.put(_Finished(number, error.outcome))
    running = dict.fromkeys(checks)
    paused = False
    while running:
        left = context.deadline.remaining()
        try:
            found = done.get(timeout=left if paused else min(left, _PAUSE))
        except queue.Empty:
            if not left:
                break
            paused = True
            yield None
        else:
            finished = found if isinstance(found, _Finished) else found.result()
            del running[finished.number]
            paused = False
            yield finished
    late = DeadlinePassedError().outcome
    yield from (_Finished(number, late) for number in running)


def _run(number: int, check: Check, context: CheckContext) -> _Finished:
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
    return _Finished(number, outcome, time.perf_counter() - began, trace)
