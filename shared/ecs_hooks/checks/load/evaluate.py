"""Evaluates a load: failures and latencies of green, without what the function itself adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.load.open_loop import Load
from ecs_hooks.checks.load.sender import NOT_SENT, Result
from ecs_hooks.checks.statistics.descriptive import nearest_rank
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome

if TYPE_CHECKING:
    from ecs_hooks.checks.load.load_check import LoadCheck

_MAX_OWN_DELAY_MS = 250.0
"""Maximum p95 of the function's own delay. A function that is too slow for the rate adds more and more."""

_SAFETY_FACTOR = 1.25
"""The function's own delay is an estimate: so much of it is subtracted that the rest is surely green's latency."""

_FIX = "lower requests_per_second, or give the function more memory, with which it gets more CPU"


class Statistics(NamedTuple):
    """The numbers of a load. Latencies and delays are in milliseconds, in ascending order."""

    requests: int
    failed: int
    failed_by_green: int
    """Number of failures without requests that timed out because of the function's own delay."""
    latencies: list[float]
    """Since each request was due, of those that succeeded or timed out. Other failures are left out, because an error
    that is returned at once would make green look fast."""
    latencies_of_green: list[float]
    """The same without the function's own delay."""
    own_delays: list[float]
    """The function's own delay of each request."""
    queued: int
    """Number of requests that waited because `max_in_flight` was reached."""
    unreached: bool
    """Whether no request reached green."""
    problems: Counter[str]
    """The failures, with the number of each."""
    redirects: Counter[str]
    """The responses that are redirects and were not followed."""
    followed: int
    """Number of redirects that were followed."""
    warnings: Counter[str]
    """What only warns."""

    @classmethod
    def of(cls, load: Load[Result]) -> Statistics:
        """Return the numbers of a load."""
        results = [NOT_SENT if each.result is None else each.result for each in load.samples]
        problems = Counter(result.problem for result in results if result.problem)
        own_delays = load.own_delays()
        rows = list(zip(load.samples, results, own_delays, strict=True))
        timed = [(each.latency, own) for each, result, own in rows if result.timed_out or not result.problem]
        failed_by_function = sum(result.timed_out and own > each.latency / 2 for each, result, own in rows)
        return cls(
            requests=len(results),
            failed=problems.total(),
            failed_by_green=problems.total() - failed_by_function,
            latencies=sorted(1000 * latency for latency, _ in timed),
            latencies_of_green=sorted(1000 * (latency - _SAFETY_FACTOR * own) for latency, own in timed),
            own_delays=sorted(1000 * own for own in own_delays),
            queued=sum(sample.queued for sample in load.samples),
            unreached=not any(result.reached for result in results),
            problems=problems,
            redirects=Counter(result.redirect for result in results if result.redirect),
            followed=sum(result.followed for result in results),
            warnings=Counter(result.warning for result in results if result.warning),
        )


def evaluate(load: Load[Result], check: LoadCheck) -> Outcome:
    """Return the outcome of a load.

    It is `ERROR` if no request reached green, if the function could not keep the rate, or if its own delay may be why a
    limit is exceeded; else `FAIL` or `PASS`.
    """
    numbers = Statistics.of(load)
    evidence = _evidence(numbers, check)
    rate, failed = check.requests_per_second, 100 * numbers.failed / numbers.requests
    summary = f"{counted(numbers.requests, 'request')} at {rate:g}/s: {failed:.3g} % failed"
    summary += check.summary(numbers.latencies)
    causes = "".join(f"; {each}" for each in _causes(numbers, check))
    if numbers.unreached:
        return Outcome.error(f"{summary}, no request reached green{causes}", evidence)
    certain = _unmet(numbers.requests, numbers.failed_by_green, numbers.latencies_of_green, check)
    if certain:
        return Outcome.failed(f"{summary}; expected {certain}{causes}", evidence)
    own = nearest_rank(numbers.own_delays, 95)
    if own > _MAX_OWN_DELAY_MS:
        sent = sum(sample.begun <= check.duration_seconds for sample in load.samples) / check.duration_seconds
        reason = (
            f"the function sent {sent:.3g} of {rate:g} requests per second, and delayed them by p95 {_ms(own)} itself"
        )
        return Outcome.error(f"{reason}, so the load says nothing about green; {_FIX}", evidence)
    unmet = _unmet(numbers.requests, numbers.failed, numbers.latencies, check)
    if unmet:
        own_p99 = _ms(nearest_rank(numbers.own_delays, 99))
        reason = f"{summary}; expected {unmet}, but p99 {own_p99} are the function's own delay"
        return Outcome.error(f"{reason}, so green may be within the limits; {_FIX}", evidence)
    return Outcome.passed(f"{summary}{causes}", evidence)


def _unmet(requests: int, failed: int, latencies: Sequence[float], check: LoadCheck) -> str:
    """Return the limits that are exceeded; empty if none is."""
    unmet = check.unmet(latencies)
    if 100 * failed / requests > check.max_error_percent:
        unmet.insert(0, f"at most {check.max_error_percent:g} % to fail")
    return " and ".join(unmet)


def _causes(numbers: Statistics, check: LoadCheck) -> Iterator[str]:
    if numbers.problems:
        yield f"most common failure: {_most_common(numbers.problems)}"
    if numbers.redirects:
        found = counted(numbers.redirects.total(), "redirect")
        yield f"{found} not followed (follow_redirects), most common: {_most_common(numbers.redirects)}"
    if numbers.warnings:
        yield f"warning: {_most_common(numbers.warnings)}"
    if numbers.queued:
        yield f"{numbers.queued} had to wait, because max_in_flight is {check.max_in_flight}"
    own = nearest_rank(numbers.own_delays, 95)
    if own > _MAX_OWN_DELAY_MS:
        yield f"p95 {_ms(own)} of it are the function's own delay"


def _most_common(counts: Counter[str]) -> str:
    text, times = counts.most_common(1)[0]
    return f"{text} ({times} of {counts.total()})"


def _evidence(numbers: Statistics, check: LoadCheck) -> Evidence:
    return {
        "requests": numbers.requests,
        "errors_percent": round(100 * numbers.failed / numbers.requests, 3),
        "errors_percent_limit": check.max_error_percent,
        **check.evidence(numbers.latencies),
        "redirects": numbers.redirects.total(),
        "redirects_followed": numbers.followed,
        "held_up": numbers.queued,
        "own_p99_ms": round(nearest_rank(numbers.own_delays, 99), 1),
    }


def _ms(milliseconds: float) -> str:
    return f"{round(milliseconds, 1):g} ms"
