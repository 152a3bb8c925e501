"""What a load says about green, and whether it says anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.checks.load.open_loop import Load
from ecs_hooks.checks.load.results import Answer, Results, sent_within
from ecs_hooks.checks.statistics.percentiles import nearest_rank
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome

_TOO_LATE_MS = 250.0
"""Milliseconds that the generator may add to the slowest twentieth of the requests: whoever can't keep a rate adds more and
more."""

_FIX = "lower requests_per_second, or give the function more memory, with which it gets more CPU"

_PERCENTILES = (50, 95, 99)


class Criteria(NamedTuple):
    """How a load was meant, and what must hold of it.

    Parameters
    ----------
    rate, seconds
        Requests a second, and for how long.
    timeout_seconds
        After which a request was given up.
    max_in_flight
        How many could be under way at the same time.
    max_error_percent
        Share of the requests that may fail.
    max_ms
        By percentile, the milliseconds within which so many of the requests have to be over; None for any time.
    """

    rate: float
    seconds: float
    timeout_seconds: float
    max_in_flight: int
    max_error_percent: float
    max_ms: Mapping[int, float | None]


def judge(load: Load[Answer], criteria: Criteria) -> Outcome:
    """Return what a load comes to.

    Parameters
    ----------
    load
        What became of its requests.
    criteria
        What must hold.

    Returns
    -------
    An `ERROR` where the generator could not keep the rate, where what it added itself may be what is too slow, or where
    nothing has reached green; else a `FAIL` or a `PASS`.
    """
    results = Results.of(load)
    evidence = _evidence(results, criteria)
    told = f"{counted(results.requests, 'request')} at {criteria.rate:g}/s: {', '.join(_told(results))}"
    why = "".join(f"; {each}" for each in _why(results, criteria))
    if results.unreached:
        return Outcome.error(f"{told}, none has reached green{why}", evidence)
    certain = list(_unmet(results.requests, results.failed_by_green, results.latencies_of_green, criteria))
    if certain:
        return Outcome.failed(f"{told}; expected {' and '.join(certain)}{why}", evidence)
    own = nearest_rank(results.own, 95)
    if own > _TOO_LATE_MS:
        sent = sent_within(load, criteria.seconds) / criteria.seconds
        reason = f"the function sent {sent:.3g} of {criteria.rate:g} requests a second, and took p95 {_ms(own)} itself"
        return Outcome.error(f"{reason}: nothing is known of green; {_FIX}", evidence)
    unmet = list(_unmet(results.requests, results.failed, results.latencies, criteria))
    if unmet:
        itself = f"but p99 {_ms(nearest_rank(results.own, 99))} are the function's own"
        reason = f"{told}; expected {' and '.join(unmet)}, {itself}: whose fault that is is not known; {_FIX}"
        return Outcome.error(reason, evidence)
    return Outcome.passed(f"{told}{why}", evidence)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole


def _told(results: Results) -> Iterator[str]:
    yield f"{_percent(results.failed, results.requests):.3g} % failed"
    if results.latencies:
        for percent in _PERCENTILES:
            yield f"p{percent} {_ms(nearest_rank(results.latencies, percent))}"


def _unmet(requests: int, failed: int, latencies: Sequence[float], criteria: Criteria) -> Iterator[str]:
    if _percent(failed, requests) > criteria.max_error_percent:
        yield f"at most {criteria.max_error_percent:g} % to fail"
    for percent, limit in criteria.max_ms.items():
        # Without a latency nothing is known of it, which is no pass.
        if limit is not None and (not latencies or nearest_rank(latencies, percent) > limit):
            yield f"p{percent} within {limit:g} ms"


def _why(results: Results, criteria: Criteria) -> Iterator[str]:
    if results.failed:
        yield f"most common failure: {results.problem} ({results.times} of {results.failed})"
    if results.held_up:
        yield f"{results.held_up} had to wait, since no more than {criteria.max_in_flight} may be under way (max_in_flight)"
    own = nearest_rank(results.own, 95)
    if own > _TOO_LATE_MS:
        yield f"p95 {_ms(own)} of that are the function's own"


def _evidence(results: Results, criteria: Criteria) -> Evidence:
    evidence: dict[str, Any] = {
        "requests": results.requests,
        "errors_percent": round(_percent(results.failed, results.requests), 3),
        "errors_percent_limit": criteria.max_error_percent,
    }
    for percent in _PERCENTILES:
        limit = criteria.max_ms[percent]
        evidence[f"p{percent}_ms"] = round(nearest_rank(results.latencies, percent), 1) if results.latencies else None
        if limit is not None:
            evidence[f"p{percent}_ms_limit"] = limit
    return {**evidence, "held_up": results.held_up, "own_p99_ms": round(nearest_rank(results.own, 99), 1)}


def _ms(milliseconds: float) -> str:
    return f"{round(milliseconds, 1):g} ms"
