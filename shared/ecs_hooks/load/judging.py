"""What a load says about green, and whether it says anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ecs_hooks.load.open_loop import Load
from ecs_hooks.load.results import Answer, Results, sent_within
from ecs_hooks.outcome import Evidence, Outcome
from ecs_hooks.wording import counted

_LATE_MS = 250.0
"""Milliseconds by which a twentieth of the requests may be late without the rate being another one. Whoever can't keep a
rate is later and later."""

_WAKES = 2
"""How many times a request may have had to wait for the generator itself: to be sent, and to be noticed when it was over."""

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
    late = results.own_delay(95)
    if late > _LATE_MS:
        sent = sent_within(load, criteria.seconds) / criteria.seconds
        reason = f"the function sent {sent:.3g} of {criteria.rate:g} requests a second, p95 {_ms(late)} late by itself"
        return Outcome.error(f"{reason}: nothing is known of green; {_FIX}", evidence)
    told = f"{counted(results.requests, 'request')} at {criteria.rate:g}/s: {', '.join(_told(results))}"
    why = "".join(f"; {each}" for each in _why(results, criteria))
    if results.unreached:
        return Outcome.error(f"{told}, none has reached green{why}", evidence)
    unmet = list(_unmet(results, criteria))
    if not unmet:
        return Outcome.passed(f"{told}{why}", evidence)
    certain = list(_unmet(results, criteria, own_delays=_WAKES))
    if certain:
        return Outcome.failed(f"{told}; expected {' and '.join(certain)}{why}", evidence)
    reason = (
        f"{told}; expected {' and '.join(unmet)}, but the function itself was p99 {_ms(results.own_delay(99))} late"
    )
    return Outcome.error(f"{reason}: whether green is too slow is not known; {_FIX}", evidence)


def _told(results: Results) -> Iterator[str]:
    yield f"{results.errors_percent:.3g} % failed"
    for percent in _PERCENTILES:
        latency = results.latency(percent)
        if latency is not None:
            yield f"p{percent} {_ms(latency)}"


def _unmet(results: Results, criteria: Criteria, *, own_delays: int = 0) -> Iterator[str]:
    """Yield what does not hold, and would not either if the generator had not added its own delay, so many times."""
    if results.errors_percent > criteria.max_error_percent:
        yield f"at most {criteria.max_error_percent:g} % to fail"
    for percent, limit in criteria.max_ms.items():
        latency = results.latency(percent)
        # Without a latency nothing is known of it, which is no pass.
        if limit is not None and (latency is None or latency - own_delays * results.own_delay(percent) > limit):
            yield f"p{percent} within {limit:g} ms"


def _why(results: Results, criteria: Criteria) -> Iterator[str]:
    if results.failed:
        yield f"most common failure: {results.problem} ({results.times} of {results.failed})"
    if results.held_up:
        yield f"{results.held_up} had to wait, since no more than {criteria.max_in_flight} may be under way (max_in_flight)"


def _evidence(results: Results, criteria: Criteria) -> Evidence:
    evidence: dict[str, Any] = {
        "requests": results.requests,
        "errors_percent": round(results.errors_percent, 3),
        "errors_percent_limit": criteria.max_error_percent,
    }
    for percent in _PERCENTILES:
        latency, limit = results.latency(percent), criteria.max_ms[percent]
        evidence[f"p{percent}_ms"] = None if latency is None else round(latency, 1)
        if limit is not None:
            evidence[f"p{percent}_ms_limit"] = limit
    return {**evidence, "held_up": results.held_up, "own_delay_p99_ms": round(results.own_delay(99), 1)}


def _ms(milliseconds: float) -> str:
    return f"{round(milliseconds, 1):g} ms"
