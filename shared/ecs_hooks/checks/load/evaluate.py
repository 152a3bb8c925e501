"""Evaluates a load: failures and latencies of green, without what the function itself adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.checks.load.open_loop import Load
from ecs_hooks.checks.load.sender import NOT_SENT, Result
from ecs_hooks.checks.statistics.percentiles import nearest_rank
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Evidence, Outcome

_MAX_OWN_DELAY_MS = 250.0
"""Maximum p95 of the function's own delay. A function that is too slow for the rate adds more and more."""

_SAFETY_FACTOR = 1.25
"""The function's own delay is an estimate: this much of it is subtracted to be sure that the rest is green's latency."""

_FIX = "lower requests_per_second, or give the function more memory, with which it gets more CPU"

_PERCENTILES = (50, 95, 99)


class Criteria(NamedTuple):
    """The settings of a load, and its limits.

    Parameters
    ----------
    rate, seconds
        Requests per second, and the duration.
    max_in_flight
        Maximum number of concurrent requests.
    max_error_percent
        Maximum percentage of requests that may fail.
    max_ms
        Maximum latency in milliseconds, by percentile; None without a limit.
    """

    rate: float
    seconds: float
    max_in_flight: int
    max_error_percent: float
    max_ms: Mapping[int, float | None]


class Statistics(NamedTuple):
    """The numbers of a load.

    Parameters
    ----------
    requests
        Number of requests.
    failed
        Number of failed requests.
    failed_by_green
        The same without requests that timed out because of the function's own delay.
    latencies
        Milliseconds since each request was due, in ascending order: of requests that succeeded or timed out. Other failures
        are left out, because an error that is returned at once would make green look fast.
    latencies_of_green
        The same without the function's own delay.
    own_delays
        The function's own delay of each request in milliseconds, in ascending order.
    queued
        Number of requests that waited because `max_in_flight` was reached.
    unreached
        Whether no request reached green.
    problem, times
        The most common failure, and its number; empty and 0 without failures.
    """

    requests: int
    failed: int
    failed_by_green: int
    latencies: list[float]
    latencies_of_green: list[float]
    own_delays: list[float]
    queued: int
    unreached: bool
    problem: str
    times: int

    @classmethod
    def of(cls, load: Load[Result]) -> Statistics:
        """Return the numbers of a load."""
        results = [NOT_SENT if each.result is None else each.result for each in load.samples]
        problems = Counter(result.problem for result in results if result.problem)
        problem, times = problems.most_common(1)[0] if problems else ("", 0)
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
            problem=problem,
            times=times,
        )


def evaluate(load: Load[Result], criteria: Criteria) -> Outcome:
    """Return the outcome of a load.

    It is `ERROR` if no request reached green, if the function could not keep the rate, or if its own delay may be why a limit
    is exceeded; else `FAIL` or `PASS`.
    """
    statistics = Statistics.of(load)
    evidence = _evidence(statistics, criteria)
    summary = f"{counted(statistics.requests, 'request')} at {criteria.rate:g}/s: {', '.join(_summary(statistics))}"
    causes = "".join(f"; {each}" for each in _causes(statistics, criteria))
    if statistics.unreached:
        return Outcome.error(f"{summary}, no request reached green{causes}", evidence)
    certain = _unmet(statistics.requests, statistics.failed_by_green, statistics.latencies_of_green, criteria)
    if certain:
        return Outcome.failed(f"{summary}; expected {certain}{causes}", evidence)
    own = nearest_rank(statistics.own_delays, 95)
    if own > _MAX_OWN_DELAY_MS:
        sent = sum(sample.begun <= criteria.seconds for sample in load.samples) / criteria.seconds
        return Outcome.error(
            f"the function sent {sent:.3g} of {criteria.rate:g} requests per second, and delayed them by p95 {_ms(own)} "
            f"itself, so the load says nothing about green; {_FIX}",
            evidence,
        )
    unmet = _unmet(statistics.requests, statistics.failed, statistics.latencies, criteria)
    if unmet:
        return Outcome.error(
            f"{summary}; expected {unmet}, but p99 {_ms(nearest_rank(statistics.own_delays, 99))} are the function's own "
            f"delay, so green may be within the limits; {_FIX}",
            evidence,
        )
    return Outcome.passed(f"{summary}{causes}", evidence)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole


def _summary(statistics: Statistics) -> Iterator[str]:
    yield f"{_percent(statistics.failed, statistics.requests):.3g} % failed"
    if statistics.latencies:
        for percent in _PERCENTILES:
            yield f"p{percent} {_ms(nearest_rank(statistics.latencies, percent))}"


def _unmet(requests: int, failed: int, latencies: Sequence[float], criteria: Criteria) -> str:
    """Return the limits that are exceeded; empty if none is."""
    unmet = []
    if _percent(failed, requests) > criteria.max_error_percent:
        unmet.append(f"at most {criteria.max_error_percent:g} % to fail")
    for percent, limit in criteria.max_ms.items():
        # A latency limit without any latency is not met.
        if limit is not None and (not latencies or nearest_rank(latencies, percent) > limit):
            unmet.append(f"p{percent} within {limit:g} ms")
    return " and ".join(unmet)


def _causes(statistics: Statistics, criteria: Criteria) -> Iterator[str]:
    if statistics.failed:
        yield f"most common failure: {statistics.problem} ({statistics.times} of {statistics.failed})"
    if statistics.queued:
        yield f"{statistics.queued} had to wait, because max_in_flight is {criteria.max_in_flight}"
    own = nearest_rank(statistics.own_delays, 95)
    if own > _MAX_OWN_DELAY_MS:
        yield f"p95 {_ms(own)} of it are the function's own delay"


def _evidence(statistics: Statistics, criteria: Criteria) -> Evidence:
    evidence: dict[str, Any] = {
        "requests": statistics.requests,
        "errors_percent": round(_percent(statistics.failed, statistics.requests), 3),
        "errors_percent_limit": criteria.max_error_percent,
    }
    for percent in _PERCENTILES:
        limit, latencies = criteria.max_ms[percent], statistics.latencies
        evidence[f"p{percent}_ms"] = round(nearest_rank(latencies, percent), 1) if latencies else None
        if limit is not None:
            evidence[f"p{percent}_ms_limit"] = limit
    own = round(nearest_rank(statistics.own_delays, 99), 1)
    return {**evidence, "held_up": statistics.queued, "own_p99_ms": own}


def _ms(milliseconds: float) -> str:
    return f"{round(milliseconds, 1):g} ms"
