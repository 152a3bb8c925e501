from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks.checks import LoadCheck
from ecs_hooks.checks.load.evaluate import evaluate
from ecs_hooks.checks.load.open_loop import Load, Sample
from ecs_hooks.checks.load.sender import Result
from ecs_hooks.core.outcome import Status

REFUSED = Result("GET http://a/ connection refused", reached=False)
SLOW = Result("GET http://a/ no complete response header within 2 s", timed_out=True)
WRONG = Result("GET http://a/ status 503, expected 2xx")
CHECK = LoadCheck(requests_per_second=10, duration_seconds=10, timeout_seconds=60, max_in_flight=5, max_error_percent=1)


def sample(
    due: float, seconds: float, answer: Result | None = None, *, late: float = 0, queued: bool = False
) -> Sample[Result]:
    return Sample(due, due + late, due + seconds, queued, answer or Result())


def load(
    milliseconds: Sequence[float], *answers: Result | None, shares: Sequence[float] = (), **fields: Any
) -> Load[Result]:
    """Return a load whose first requests have these results; the others succeed."""
    padded = [*answers, *[None] * (len(milliseconds) - len(answers))]
    samples = [
        sample(number / 10, each / 1000, answer, **fields)
        for number, (each, answer) in enumerate(zip(milliseconds, padded, strict=True))
    ]
    return Load(samples, shares)


def check(**fields: Any) -> LoadCheck:
    return CHECK.model_copy(update=fields)


STEADY = [float(number) for number in range(1, 101)]


def test_a_pass_has_all_numbers() -> None:
    outcome = evaluate(load(STEADY), check(max_p50_ms=50.5, max_p99_ms=99.5))

    assert outcome.status is Status.PASS
    assert outcome.reason == "100 requests at 10/s: 0 % failed, p50 50 ms, p95 95 ms, p99 99 ms"
    assert outcome.evidence == {
        "requests": 100,
        "errors_percent": 0,
        "errors_percent_limit": 1,
        "p50_ms": 50,
        "p50_ms_limit": 50.5,
        "p95_ms": 95,
        "p99_ms": 99,
        "p99_ms_limit": 99.5,
        "redirects": 0,
        "redirects_followed": 0,
        "held_up": 0,
        "own_p99_ms": 0,
    }


def test_redirects_and_warnings_are_in_the_reason() -> None:
    redirect = Result(redirect="GET http://a/ status 307 to /b")
    followed = Result(followed=2, warning="GET http://a/ header x is missing")
    outcome = evaluate(load(STEADY, redirect, redirect, followed), CHECK)

    assert outcome.status is Status.PASS
    assert outcome.reason.endswith(
        "; 2 redirects not followed (follow_redirects), most common: GET http://a/ status 307 to /b (2 of 2); "
        "warning: GET http://a/ header x is missing (1 of 1)"
    )
    assert (outcome.evidence["redirects"], outcome.evidence["redirects_followed"]) == (2, 2)


def test_one_request_is_singular() -> None:
    assert (
        evaluate(load([3.14159]), CHECK).reason == "1 request at 10/s: 0 % failed, p50 3.1 ms, p95 3.1 ms, p99 3.1 ms"
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"max_p50_ms": 49.9}, "p50 within 49.9 ms"),
        ({"max_p50_ms": 50.5, "max_p95_ms": 94, "max_p99_ms": 98}, "p95 within 94 ms and p99 within 98 ms"),
    ],
)
def test_exceeded_latency_limits_are_named(limits: dict[str, float], expected: str) -> None:
    outcome = evaluate(load(STEADY), check(**limits))

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith(f"p99 99 ms; expected {expected}")


def test_failures_are_a_percentage_and_the_most_common_one_is_named() -> None:
    three = load(STEADY, WRONG, REFUSED, WRONG)

    assert evaluate(three, check(max_error_percent=3)).status is Status.PASS
    outcome = evaluate(three, check(max_error_percent=2))
    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "100 requests at 10/s: 3 % failed, p50 52 ms, p95 96 ms, p99 100 ms; expected at most 2 % to fail; "
        "most common failure: GET http://a/ status 503, expected 2xx (2 of 3)"
    )


def test_fast_failures_do_not_lower_the_latency() -> None:
    """Half of the requests fail at once; half of the others take a second."""
    milliseconds = [1.0] * 50 + [10.0] * 25 + [1000.0] * 25
    outcome = evaluate(load(milliseconds, *[WRONG] * 50), check(max_error_percent=50, max_p50_ms=100, max_p95_ms=100))

    assert outcome.status is Status.FAIL
    assert outcome.reason.split(";")[1] == " expected p95 within 100 ms"
    assert outcome.evidence["p50_ms"] == 10


def test_timeouts_count_in_the_latency() -> None:
    outcome = evaluate(load([2000.0] * 6 + [1.0] * 94, *[SLOW] * 6), check(max_error_percent=10, max_p95_ms=1900))

    assert outcome.status is Status.FAIL
    assert "p95 2000 ms, p99 2000 ms; expected p95 within 1900 ms" in outcome.reason


def test_requests_that_were_not_sent_count_as_failed_and_slow() -> None:
    samples = [sample(0, 0.01), *(Sample(each / 10, 2.1 + each / 10, 2.1 + each / 10, True, None) for each in range(9))]
    outcome = evaluate(Load(samples, []), check(max_p50_ms=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "10 requests at 10/s: 90 % failed, p50 2100 ms, p95 2100 ms, p99 2100 ms; expected at most 1 % to fail and "
        "p50 within 1000 ms; most common failure: not sent in time (9 of 9); "
        "9 had to wait, because max_in_flight is 5"
    )


def test_without_any_latency_no_limit_is_met() -> None:
    outcome = evaluate(load([1.0] * 3, WRONG, WRONG, WRONG), check(max_error_percent=100, max_p99_ms=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("3 requests at 10/s: 100 % failed; expected p99 within 1000 ms; most common")
    assert outcome.evidence["p99_ms"] is None


def test_if_no_request_reaches_green_it_is_an_error() -> None:
    outcome = evaluate(load([1.0] * 3, REFUSED, REFUSED, REFUSED), CHECK)

    assert outcome.status is Status.ERROR
    assert outcome.reason == (
        "3 requests at 10/s: 100 % failed, no request reached green; "
        "most common failure: GET http://a/ connection refused (3 of 3)"
    )
    assert evaluate(load([1.0] * 3, REFUSED, REFUSED, SLOW), CHECK).status is Status.FAIL


# The delay of the function itself


def test_a_function_that_cannot_keep_the_rate_is_an_error() -> None:
    outcome = evaluate(load([500.0] * 100, late=0.4), CHECK)

    assert outcome.status is Status.ERROR
    assert outcome.reason == (
        "the function sent 9.7 of 10 requests per second, and delayed them by p95 400 ms itself, so the load says "
        "nothing about green; "
        "lower requests_per_second, or give the function more memory, with which it gets more CPU"
    )
    assert outcome.evidence["own_p99_ms"] == 400


def test_the_reason_has_the_rate_that_was_reached() -> None:
    late = Load([Sample(each / 10, each / 5, each / 5, False, Result()) for each in range(100)], [])

    assert evaluate(late, CHECK).reason.startswith(
        "the function sent 5.1 of 10 requests per second, and delayed them by p95 9400 ms"
    )


def test_queued_requests_count_for_green_if_workers_wait_for_it() -> None:
    """Each request waits half a second for a worker, because of green if the workers wait for green."""
    held_up = load([500.0] * 100, late=0.4, queued=True)

    assert evaluate(held_up, CHECK).status is Status.PASS
    assert evaluate(held_up, check(max_p50_ms=400)).status is Status.FAIL
    assert evaluate(held_up._replace(own_shares=[1.0] * 1100), check(max_p50_ms=400)).status is Status.ERROR
    assert evaluate(held_up._replace(own_shares=[0.1] * 1100), check(max_p50_ms=400)).status is Status.FAIL


@pytest.mark.parametrize(("p99", "status"), [(99.5, Status.PASS), (75, Status.ERROR), (73, Status.FAIL)])
def test_a_limit_that_the_function_may_have_exceeded_is_an_error(p99: float, status: Status) -> None:
    """20 ms late, or a quarter more: of the 99 ms, 74 at least are green's."""
    outcome = evaluate(load(STEADY, late=0.02), check(max_p99_ms=p99))

    assert outcome.status is status
    if status is Status.ERROR:
        assert outcome.reason.endswith(
            "p99 99 ms; expected p99 within 75 ms, but p99 20 ms are the function's own delay, so green may be "
            "within the limits; "
            "lower requests_per_second, or give the function more memory, with which it gets more CPU"
        )


def test_failures_of_green_come_before_uncertain_limits() -> None:
    outcome = evaluate(load(STEADY, WRONG, WRONG, late=0.02), check(max_p99_ms=98))

    assert outcome.status is Status.FAIL
    assert "expected at most 1 % to fail; most" in outcome.reason


def test_a_failure_of_green_names_the_delay_of_the_function() -> None:
    outcome = evaluate(load([2000.0] * 100, late=0.3), check(max_p99_ms=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("expected p99 within 1000 ms; p95 300 ms of it are the function's own delay")


@pytest.mark.parametrize(("late", "status"), [(1.1, Status.ERROR), (0.1, Status.FAIL)])
def test_timeouts_because_of_the_function_are_no_failures_of_green(late: float, status: Status) -> None:
    samples = load([2000.0] * 2, SLOW, SLOW, late=late).samples
    outcome = evaluate(Load([*samples, *load([1.0] * 98).samples], []), CHECK)

    assert outcome.status is status
    if status is Status.ERROR:
        assert "expected at most 1 % to fail, but p99 1100 ms are the function's own delay" in outcome.reason
