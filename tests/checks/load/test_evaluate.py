from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks.checks.load.evaluate import Criteria, judge
from ecs_hooks.checks.load.open_loop import Load, Sample
from ecs_hooks.checks.load.results import Answer
from ecs_hooks.core.outcome import Status

REFUSED = Answer("GET http://a/ connection refused", reached=False)
SLOW = Answer("GET http://a/ no complete response header within 2 s", timed_out=True)
WRONG = Answer("GET http://a/ status 503, expected 2xx")
CRITERIA = Criteria(
    rate=10, seconds=10, timeout_seconds=2, max_in_flight=5, max_error_percent=1, max_ms={50: None, 95: None, 99: None}
)


def sample(
    due: float, seconds: float, answer: Answer | None = None, *, late: float = 0, held_up: bool = False
) -> Sample[Answer]:
    return Sample(due, due + late, due + seconds, held_up, answer or Answer())


def load(
    milliseconds: Sequence[float], *answers: Answer | None, shares: Sequence[float] = (), **fields: Any
) -> Load[Answer]:
    """Return a load whose first requests got these answers, and all others are a success."""
    told = [*answers, *[None] * (len(milliseconds) - len(answers))]
    samples = [
        sample(number / 10, each / 1000, answer, **fields)
        for number, (each, answer) in enumerate(zip(milliseconds, told, strict=True))
    ]
    return Load(samples, shares)


def criteria(**fields: Any) -> Criteria:
    limits = {int(name[1:]): fields.pop(name) for name in list(fields) if name in {"p50", "p95", "p99"}}
    return CRITERIA._replace(**fields, max_ms={**CRITERIA.max_ms, **limits})


STEADY = [float(number) for number in range(1, 101)]


def test_a_pass_tells_all_the_numbers() -> None:
    outcome = judge(load(STEADY), criteria(p50=50.5, p99=99.5))

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
        "held_up": 0,
        "own_p99_ms": 0,
    }


def test_one_request_is_one() -> None:
    assert (
        judge(load([3.14159]), CRITERIA).reason == "1 request at 10/s: 0 % failed, p50 3.1 ms, p95 3.1 ms, p99 3.1 ms"
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"p50": 49.9}, "p50 within 49.9 ms"),
        ({"p50": 50.5, "p95": 94, "p99": 98}, "p95 within 94 ms and p99 within 98 ms"),
    ],
)
def test_what_is_too_slow_is_named_with_its_limit(limits: dict[str, float], expected: str) -> None:
    outcome = judge(load(STEADY), criteria(**limits))

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith(f"p99 99 ms; expected {expected}")


def test_errors_are_a_share_and_the_most_common_one_is_told() -> None:
    three = load(STEADY, WRONG, REFUSED, WRONG)

    assert judge(three, criteria(max_error_percent=3)).status is Status.PASS
    outcome = judge(three, criteria(max_error_percent=2))
    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "100 requests at 10/s: 3 % failed, p50 52 ms, p95 96 ms, p99 100 ms; expected at most 2 % to fail; "
        "most common failure: GET http://a/ status 503, expected 2xx (2 of 3)"
    )


def test_a_quick_error_makes_green_no_quicker() -> None:
    """Half of the requests fail at once; half of the others take a second."""
    milliseconds = [1.0] * 50 + [10.0] * 25 + [1000.0] * 25
    outcome = judge(load(milliseconds, *[WRONG] * 50), criteria(max_error_percent=50, p50=100, p95=100))

    assert outcome.status is Status.FAIL
    assert outcome.reason.split(";")[1] == " expected p95 within 100 ms"
    assert outcome.evidence["p50_ms"] == 10


def test_what_was_given_up_counts_with_the_time_it_took() -> None:
    outcome = judge(load([2000.0] * 6 + [1.0] * 94, *[SLOW] * 6), criteria(max_error_percent=10, p95=1900))

    assert outcome.status is Status.FAIL
    assert "p95 2000 ms, p99 2000 ms; expected p95 within 1900 ms" in outcome.reason


def test_what_was_never_sent_failed_and_was_slow() -> None:
    samples = [sample(0, 0.01), *(Sample(each / 10, 2.1 + each / 10, 2.1 + each / 10, True, None) for each in range(9))]
    outcome = judge(Load(samples, []), criteria(p50=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason == (
        "10 requests at 10/s: 90 % failed, p50 2100 ms, p95 2100 ms, p99 2100 ms; expected at most 1 % to fail and "
        "p50 within 1000 ms; most common failure: not sent in time (9 of 9); "
        "9 had to wait, since no more than 5 may be under way (max_in_flight)"
    )


def test_without_anything_to_measure_no_limit_holds() -> None:
    outcome = judge(load([1.0] * 3, WRONG, WRONG, WRONG), criteria(max_error_percent=100, p99=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("3 requests at 10/s: 100 % failed; expected p99 within 1000 ms; most common")
    assert outcome.evidence["p99_ms"] is None


def test_where_nothing_reaches_green_it_could_not_be_asked() -> None:
    outcome = judge(load([1.0] * 3, REFUSED, REFUSED, REFUSED), CRITERIA)

    assert outcome.status is Status.ERROR
    assert outcome.reason == (
        "3 requests at 10/s: 100 % failed, none has reached green; "
        "most common failure: GET http://a/ connection refused (3 of 3)"
    )
    assert judge(load([1.0] * 3, REFUSED, REFUSED, SLOW), CRITERIA).status is Status.FAIL


# What the generator itself takes


def test_a_generator_that_can_not_keep_the_rate_says_so_whatever_it_has_measured() -> None:
    outcome = judge(load([500.0] * 100, late=0.4), CRITERIA)

    assert outcome.status is Status.ERROR
    assert outcome.reason == (
        "the function sent 9.7 of 10 requests a second, and took p95 400 ms itself: nothing is known of green; "
        "lower requests_per_second, or give the function more memory, with which it gets more CPU"
    )
    assert outcome.evidence["own_p99_ms"] == 400


def test_the_rate_that_it_has_reached_is_told() -> None:
    late = Load([Sample(each / 10, each / 5, each / 5, False, Answer()) for each in range(100)], [])

    assert judge(late, CRITERIA).reason.startswith(
        "the function sent 5.1 of 10 requests a second, and took p95 9400 ms"
    )


def test_who_keeps_the_workers_busy_is_told_by_whom_they_wait_for() -> None:
    """Each request waits half a second for a worker: it is green's where the others wait for green."""
    held_up = load([500.0] * 100, late=0.4, held_up=True)

    assert judge(held_up, CRITERIA).status is Status.PASS
    assert judge(held_up, criteria(p50=400)).status is Status.FAIL
    assert judge(held_up._replace(shares=[1.0] * 1100), criteria(p50=400)).status is Status.ERROR
    assert judge(held_up._replace(shares=[0.1] * 1100), criteria(p50=400)).status is Status.FAIL


@pytest.mark.parametrize(("p99", "status"), [(99.5, Status.PASS), (75, Status.ERROR), (73, Status.FAIL)])
def test_a_limit_that_only_the_generator_may_have_exceeded_is_not_known(p99: float, status: Status) -> None:
    """20 ms late, or a quarter more: of the 99 ms, 74 at least are green's."""
    outcome = judge(load(STEADY, late=0.02), criteria(p99=p99))

    assert outcome.status is status
    if status is Status.ERROR:
        assert outcome.reason.endswith(
            "p99 99 ms; expected p99 within 75 ms, but p99 20 ms are the function's own: whose fault that is is not known; "
            "lower requests_per_second, or give the function more memory, with which it gets more CPU"
        )


def test_what_is_certain_comes_before_what_is_not() -> None:
    outcome = judge(load(STEADY, WRONG, WRONG, late=0.02), criteria(p99=98))

    assert outcome.status is Status.FAIL
    assert "expected at most 1 % to fail; most" in outcome.reason


def test_what_is_certain_in_spite_of_the_generator_says_what_is_its_own() -> None:
    outcome = judge(load([2000.0] * 100, late=0.3), criteria(p99=1000))

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("expected p99 within 1000 ms; p95 300 ms of that are the function's own")


@pytest.mark.parametrize(("late", "status"), [(1.1, Status.ERROR), (0.1, Status.FAIL)])
def test_what_ran_out_of_time_since_it_waited_for_the_generator_is_no_failure_of_green(
    late: float, status: Status
) -> None:
    samples = load([2000.0] * 2, SLOW, SLOW, late=late).samples
    outcome = judge(Load([*samples, *load([1.0] * 98).samples], []), CRITERIA)

    assert outcome.status is status
    if status is Status.ERROR:
        assert "expected at most 1 % to fail, but p99 1100 ms are the function's own" in outcome.reason
