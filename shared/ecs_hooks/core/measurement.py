"""Repeated measurements of a check, and the verdict on them.

One measurement is not an analysis. With `watch`, each run of a check is a measurement; the names are those of Argo Rollouts'
analysis where it has them.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from ecs_hooks.core.outcome import Outcome, Policy, Status
from ecs_hooks.core.plan_model import PlanModel


class Watch(PlanModel):
    """When and how often a check runs, and how many of its measurements may fail."""

    for_minutes: Annotated[float, Field(gt=0, le=1440)] | None = None
    """Minutes of measurements after the initial delay; or"""
    count: Annotated[int, Field(ge=1, le=9999)] | None = None
    """number of measurements."""
    interval_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60
    """Seconds between two measurements."""
    min_measurements: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Measurements that a pass requires, inconclusive ones not counted: with fewer of them the watch goes on, until the
    end of the plan's time. Default: half of those that `for_minutes` and `interval_seconds` allow."""
    initial_delay_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0
    """Seconds from the first invocation at this step to the first measurement."""
    failure_limit: Annotated[int, Field(ge=0, le=9999)] = 0
    """Measurements that may fail."""
    inconclusive_limit: Annotated[int, Field(ge=0, le=9999)] = 0
    """Measurements that may be inconclusive: not decidable yet."""
    inconclusive: Policy = "fail"
    """The policy for more of them, once the watch is over, and for fewer than `min_measurements` at the end of the plan's
    time."""
    error_limit: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Errors in a row (no connection, AWS throttles) that are allowed. Default: the plan's `error_limit`."""
    consecutive_successes: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Successes in a row that end the watch early with a pass. Where `min_measurements` is set, it applies, too."""

    @model_validator(mode="after")
    def _has_one_end(self) -> Watch:
        if (self.for_minutes is None) == (self.count is None):
            raise ValueError("give one of for_minutes and count")
        return self

    @model_validator(mode="after")
    def _can_pass_and_fail(self) -> Watch:
        most = self.most_measurements()
        if self.count is not None:
            if self.min_measurements is not None:
                raise ValueError("min_measurements: has no effect with count; remove it")
            why = f"count is {most}"
        else:
            why = f"for_minutes {self.for_minutes:g} and interval_seconds {self.interval_seconds:g} allow {most}"
        if self.failure_limit >= most:
            raise ValueError(
                f"failure_limit: must be at most {most - 1}, not {self.failure_limit}, because {why}: more can never fail"
            )
        if self.min_measurements is not None and self.min_measurements > most:
            raise ValueError(f"min_measurements: must be at most {most}, not {self.min_measurements}, because {why}")
        return self

    def most_measurements(self, seconds: float = 0) -> int:
        """Return the number of measurements until the end, at least `seconds` apart."""
        if self.count is not None:
            return self.count
        assert self.for_minutes is not None
        # The first is at the beginning, the last is the first one at the end or after it.
        return math.ceil(round(self.for_minutes * 60 / max(self.interval_seconds, seconds), 6)) + 1

    def least_measurements(self, seconds: float = 0) -> int:
        """Return the number of measurements that a pass requires, where they are at least `seconds` apart."""
        if self.min_measurements is not None:
            return self.min_measurements
        return 1 if self.count is not None else math.ceil(self.most_measurements(seconds) / 2)

    @property
    def seconds(self) -> float:
        """Seconds that the watch takes where nothing ends it early."""
        if self.for_minutes is not None:
            return self.initial_delay_seconds + self.for_minutes * 60
        assert self.count is not None
        return self.initial_delay_seconds + (self.count - 1) * self.interval_seconds


class Measured(NamedTuple):
    """The numbers of measurements of a check so far, over all invocations of a step.

    Parameters
    ----------
    passed, failed, inconclusive
        The number of each.
    streak
        The last ones in a row that passed.
    due
        When the next one is due, in seconds since the first invocation at this step.
    """

    passed: int = 0
    failed: int = 0
    inconclusive: int = 0
    streak: int = 0
    due: int = 0

    @property
    def decided(self) -> int:
        """The number of measurements that passed or failed."""
        return self.passed + self.failed

    @property
    def number(self) -> int:
        """The number of measurements."""
        return self.passed + self.failed + self.inconclusive

    def after(self, outcome: Outcome, watch: Watch, elapsed: float) -> Measured:
        """Return the numbers after one more outcome. An `ERROR` is not a measurement, but takes its place in time."""
        next_due = self._replace(due=math.floor(elapsed + watch.interval_seconds))
        match outcome.status:
            case Status.PASS:
                return next_due._replace(passed=self.passed + 1, streak=self.streak + 1)
            case Status.FAIL:
                return next_due._replace(failed=self.failed + 1, streak=0)
            case Status.WAIT:
                return next_due._replace(inconclusive=self.inconclusive + 1, streak=0)
            case _:
                return next_due


def waiting(watch: Watch, measured: Measured, elapsed: float) -> Outcome | None:
    """Return the `WAIT` of a check whose next measurement is not due yet; None where it is."""
    due = max(float(measured.due), watch.initial_delay_seconds)
    if elapsed >= due:
        return None
    return Outcome.wait(f"{_summary(measured)} so far", retry_after=due - elapsed)


def judge(
    watch: Watch,
    measured: Measured,
    last: Outcome,
    elapsed: float,
    *,
    ends: float = math.inf,
    seconds: float = 0,
) -> Outcome:
    """Return the verdict on the measurements.

    Parameters
    ----------
    watch
        The check's.
    measured
        The numbers, including the last measurement.
    last
        The last outcome of the check, for the reason.
    elapsed
        Seconds since the first invocation at this step.
    ends
        When the plan's time is over, in the same seconds.
    seconds
        Seconds that each invocation takes for the checks of the plan: measurements are at least so far apart.

    Returns
    -------
    A `FAIL` as soon as more have failed than `failure_limit`, a `PASS` when enough have passed in a row or the watch is
    over, an `ERROR` where the check could not run now, and otherwise a `WAIT`. A watch that is over goes on where it has
    too few measurements; where the plan has no time for another one, they are inconclusive.
    """
    evidence = {
        **last.evidence,
        "passed": measured.passed,
        "failed": measured.failed,
        "failed_limit": watch.failure_limit,
    }
    summary = f"{_summary(measured)}, the last: {last.reason}"
    if measured.failed > watch.failure_limit:
        return Outcome.failed(f"{summary} (failure_limit {watch.failure_limit})", evidence)
    in_a_row = watch.consecutive_successes is not None and measured.streak >= watch.consecutive_successes
    if in_a_row and measured.decided >= (watch.min_measurements or 0):
        return Outcome.passed(f"{summary} ({measured.streak} in a row)", evidence)
    if last.status is Status.ERROR:
        return last._replace(retry_after=watch.interval_seconds if last.retry_after is None else last.retry_after)
    over = measured.number >= watch.count if watch.count is not None else elapsed >= watch.seconds
    problem = _problem_at_end(watch, measured, seconds) if over else ""
    can_go_on = watch.count is None and measured.inconclusive <= watch.inconclusive_limit and measured.due < ends
    if not over or (problem and can_go_on):
        so_far = f"{summary}; {problem + ' ' if problem else ''}so far"
        return Outcome.wait(so_far, evidence, retry_after=max(1.0, measured.due - elapsed))
    if problem:
        return Outcome.by_policy(watch.inconclusive, f"{summary} ({problem})", evidence)
    return Outcome.passed(summary, evidence)


def _problem_at_end(watch: Watch, measured: Measured, seconds: float) -> str:
    """Return why a watch that is over is inconclusive; empty if it is not."""
    if measured.inconclusive > watch.inconclusive_limit:
        return f"inconclusive_limit {watch.inconclusive_limit}"
    least = watch.least_measurements(seconds)
    if measured.decided < least:
        return f"{measured.decided} of {least} min_measurements"
    return ""


def _summary(measured: Measured) -> str:
    parts = [f"{measured.passed} of {measured.number} measurements passed"]
    if measured.inconclusive:
        parts.append(f"{measured.inconclusive} inconclusive")
    return ", ".join(parts)
