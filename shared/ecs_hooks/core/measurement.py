"""Asking a check again and again for a while, and what its measurements come to.

One look at one moment is not an analysis. A `watch` in a check makes each answer of it a measurement; the names are those
of Argo Rollouts' analysis where it has one.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.core.outcome import Outcome, Policy, Status


class Watch(BaseModel):
    """When a check is asked, how often, and how many of its measurements may fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    for_minutes: Annotated[float, Field(gt=0, le=1440)] | None = None
    """Minutes, after the initial delay, for which the check is asked; or"""
    count: Annotated[int, Field(ge=1, le=9999)] | None = None
    """how many measurements there have to be."""
    interval_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60
    """Seconds between two measurements."""
    initial_delay_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0
    """Seconds before the first, since the first invocation at this step."""
    failure_limit: Annotated[int, Field(ge=0, le=9999)] = 0
    """Measurements that may fail."""
    inconclusive_limit: Annotated[int, Field(ge=0, le=9999)] = 0
    """Measurements that may be inconclusive: the check could not decide yet."""
    inconclusive: Policy = "fail"
    """What more of them are, once the watch is over."""
    error_limit: Annotated[int, Field(ge=1, le=9999)] | None = None
    """How many times in a row the check may be impossible to ask. Default: the plan's."""
    consecutive_successes: Annotated[int, Field(ge=1, le=9999)] | None = None
    """Successes in a row that are enough for a pass before the watch is over."""

    @model_validator(mode="after")
    def _has_one_end(self) -> Watch:
        if (self.for_minutes is None) == (self.count is None):
            raise ValueError("give one of for_minutes and count")
        return self

    @property
    def seconds(self) -> float:
        """How long it takes at least, in seconds, where nothing ends it early."""
        if self.for_minutes is not None:
            return self.initial_delay_seconds + self.for_minutes * 60
        assert self.count is not None
        return self.initial_delay_seconds + (self.count - 1) * self.interval_seconds


class Measured(NamedTuple):
    """The measurements of a check so far, in numbers: what was measured hours ago still counts.

    Parameters
    ----------
    passed, failed, inconclusive
        How many there are of each.
    streak
        How many of the last ones passed, in a row.
    due
        When the next one is due, in seconds since the first invocation at this step.
    """

    passed: int = 0
    failed: int = 0
    inconclusive: int = 0
    streak: int = 0
    due: int = 0

    @property
    def number(self) -> int:
        """How many measurements there are."""
        return self.passed + self.failed + self.inconclusive

    def after(self, outcome: Outcome, watch: Watch, elapsed: float) -> Measured:
        """Return the numbers after one more answer; an `ERROR` is no measurement, but takes its turn."""
        made = self._replace(due=math.floor(elapsed + watch.interval_seconds))
        match outcome.status:
            case Status.PASS:
                return made._replace(passed=self.passed + 1, streak=self.streak + 1)
            case Status.FAIL:
                return made._replace(failed=self.failed + 1, streak=0)
            case Status.WAIT:
                return made._replace(inconclusive=self.inconclusive + 1, streak=0)
            case _:
                return made


def waiting(watch: Watch, measured: Measured, elapsed: float) -> Outcome | None:
    """Return the `WAIT` of a check whose next measurement is not due yet; None where it is."""
    due = max(float(measured.due), watch.initial_delay_seconds)
    if elapsed >= due:
        return None
    return Outcome.wait(f"{_told(measured)} so far", retry_after=due - elapsed)


def judge(watch: Watch, measured: Measured, last: Outcome, elapsed: float) -> Outcome:
    """Return what the measurements come to.

    Parameters
    ----------
    watch
        The check's.
    measured
        The numbers, the last measurement included.
    last
        The last answer of the check, for the reason.
    elapsed
        Seconds since the first invocation at this step.

    Returns
    -------
    A `FAIL` as soon as more have failed than may, a `PASS` when enough have passed in a row or the watch is over, an
    `ERROR` where the check could not be asked now, and else a `WAIT`.
    """
    evidence = {
        **last.evidence,
        "passed": measured.passed,
        "failed": measured.failed,
        "failed_limit": watch.failure_limit,
    }
    told = f"{_told(measured)}, the last: {last.reason}"
    if measured.failed > watch.failure_limit:
        return Outcome.failed(f"{told} (failure_limit {watch.failure_limit})", evidence)
    if watch.consecutive_successes is not None and measured.streak >= watch.consecutive_successes:
        return Outcome.passed(f"{told} ({measured.streak} in a row)", evidence)
    over = measured.number >= watch.count if watch.count is not None else elapsed >= watch.seconds
    if last.status is Status.ERROR:
        return last._replace(retry_after=watch.interval_seconds if last.retry_after is None else last.retry_after)
    if not over:
        return Outcome.wait(f"{told}; so far", evidence, retry_after=max(1.0, measured.due - elapsed))
    if measured.inconclusive > watch.inconclusive_limit:
        reason = f"{told} (inconclusive_limit {watch.inconclusive_limit})"
        return Outcome.by_policy(watch.inconclusive, reason, evidence)
    return Outcome.passed(told, evidence)


def _told(measured: Measured) -> str:
    parts = [f"{measured.passed} of {measured.number} measurements passed"]
    if measured.inconclusive:
        parts.append(f"{measured.inconclusive} inconclusive")
    return ", ".join(parts)
