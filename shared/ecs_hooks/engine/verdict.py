"""From outcomes to the answer: fail closed, and say why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.core.formatting import listed
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.response import MAX_CALL_BACK_DELAY, HookStatus

if TYPE_CHECKING:
    from ecs_hooks.core.state import State
    from ecs_hooks.engine.runner import Result
    from ecs_hooks.plan.model import Plan

DEFAULT_DELAY = 30
"""Seconds. ECS's own default where a hook returns no delay."""

_NAMED = 3
"""Number of outcomes that the reason describes; the log has all of them."""


class Verdict(NamedTuple):
    """The answer and its reason.

    Parameters
    ----------
    status
        The answer.
    why
        The reason, without the status, stage and service in front of it.
    delay
        Seconds until the next invocation, with IN_PROGRESS.
    """

    status: HookStatus
    why: str
    delay: int | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the hook must be invoked again."""
        return self.status is HookStatus.IN_PROGRESS


def decide(results: Sequence[Result], state: State, plan: Plan, now: float) -> Verdict:
    """Return the verdict on the outcomes of one invocation.

    Parameters
    ----------
    results
        The results of the checks.
    state
        The state after these results: errors in a row, first invocation.
    plan
        Its `error_limit` and `timeout_minutes`.
    now
        Seconds since the epoch.

    Notes
    -----
    One `FAIL` is FAILED, and so are checks of which none applies to the deployment. An `ERROR` is IN_PROGRESS until
    `error_limit` of them come in a row. Undecided checks are FAILED when the plan's time is over, always before ECS's own
    timeout, whose action can be CONTINUE.
    """
    counts = Counter(result.outcome.status for result in results)
    tally = ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status])
    failed = [result for result in results if result.outcome.status is Status.FAIL]
    if failed:
        return Verdict(HookStatus.FAILED, f"{_describe(failed)} ({tally})")
    exhausted = [result for result in results if _errors(result, state) >= _error_limit(result, plan)]
    if exhausted:
        limit = _error_limit(exhausted[0], plan)
        why = f"{_describe(exhausted)}, {limit} times in a row, which is the error_limit"
        return Verdict(HookStatus.FAILED, f"{why} ({tally})")
    undecided = [result for result in results if not result.outcome.decided]
    if any(not result.outcome.applicable for result in results) and not counts[Status.PASS] and not undecided:
        # A gate without a check that applies would let anything pass.
        return Verdict(HookStatus.FAILED, f"no check applies to this deployment: {_describe(results)} ({tally})")
    if not undecided:
        warnings = [result for result in results if result.outcome.warns]
        tally += f"; {_describe(warnings)}" if warnings else ""
        return Verdict(HookStatus.SUCCEEDED, tally or "there is nothing to check at this stage")
    left = ends_at(state, plan) - now
    what = _describe(undecided, state, plan)
    if left <= 0:
        return Verdict(HookStatus.FAILED, f"undecided after {_minutes(now - state.started_at)}: {what} ({tally})")
    delay = _delay([result.outcome for result in undecided], left)
    return Verdict(HookStatus.IN_PROGRESS, f"{what}; checks again in {delay} s ({tally})", delay)


def ends_at(state: State, plan: Plan) -> float:
    """Return when an undecided hook must fail, in seconds since the epoch.

    That is the plan's `timeout_minutes` after its first invocation, or a margin before ECS's timeout of the hook where
    that is known: a fifth of that timeout, at most a minute.
    """
    own = state.started_at + plan.policies.timeout_minutes * 60
    if state.expires_at <= 0:
        return own
    margin = min(60.0, max(0.0, state.expires_at - state.started_at) / 5)
    return min(own, state.expires_at - margin)


_WORDS = {
    Status.PASS: "passed",
    Status.FAIL: "failed",
    Status.ERROR: "error",
    Status.WAIT: "waiting",
    Status.SKIP: "skipped",
}


def _errors(result: Result, state: State) -> int:
    if result.outcome.status is not Status.ERROR:
        return 0
    return state.progress[result.key].errors


def _error_limit(result: Result, plan: Plan) -> int:
    return plan.policies.error_limit if result.error_limit is None else result.error_limit


def _describe(results: Sequence[Result], state: State | None = None, plan: Plan | None = None) -> str:
    lines = []
    for result in results:
        line = f"{result.label} {result.outcome.reason}".strip()
        if state is not None and plan is not None and result.outcome.status is Status.ERROR:
            line += f" (error {_errors(result, state)} of {_error_limit(result, plan)})"
        lines.append(line)
    return listed(lines, _NAMED)


def _delay(undecided: Sequence[Outcome], left: float) -> int:
    """Return the seconds until the first undecided check is due, but never past the end."""
    wishes = [DEFAULT_DELAY if each.retry_after is None else each.retry_after for each in undecided]
    wish = min((each for each in wishes if math.isfinite(each)), default=DEFAULT_DELAY)
    return max(1, min(math.ceil(wish), math.floor(left), MAX_CALL_BACK_DELAY))


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes"
