from __future__ import annotations

import re
import threading
import time
from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import CheckContext, LoadCheck
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks_simulator.core.hook_targets import LambdaContext
from tests.checks.load.loads import SECOND, answering, closed_port, put, starve
from tests.conftest import load_event
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script
from tests.support.targets import FixedTarget

FIX = "lower requests_per_second, or give the function more memory, with which it gets more CPU"


@pytest.mark.parametrize(
    ("fields", "where", "problem"),
    [
        ({"requests_per_second": 0}, "requests_per_second", "greater than 0"),
        ({"requests_per_second": 501}, "requests_per_second", "less than or equal to 500"),
        ({"duration_seconds": 0.5}, "duration_seconds", "greater than or equal to 1"),
        ({"duration_seconds": 1800}, "duration_seconds", "less than or equal to 1780"),
        ({"requests_per_second": 500, "duration_seconds": 201}, "", "is 100500 requests; lower them to at most 100000"),
        ({"requests": []}, "requests", "must have 1 to 20 requests"),
        ({"requests": [{}] * 21}, "requests", "must have 1 to 20 requests"),
        ({"requests": [{"pth": "/"}]}, "requests.0.pth", "not permitted"),
        ({"requests": [{"path": "x"}]}, "requests.0.path", "must begin with /"),
        ({"requests": [{"path": "/", "url": "http://a"}]}, "requests.0", "has both path and url"),
        ({"requests": [{"weight": 0}]}, "requests.0.weight", "greater than or equal to 1"),
        ({"requests": [{"weight": 101}]}, "requests.0.weight", "less than or equal to 100"),
        ({"requests": [{"expect": {"status": "6xx"}}]}, "requests.0.expect.status", "must be a status code"),
        ({"requests": [{"expect": {"jsn": {}}}]}, "requests.0.expect.jsn", "not permitted"),
        ({"requests": [{"path": "/{{a}}"}], "variables": {"b": 1}}, "", "requests[0]: {{a}} has no value"),
        ({"max_in_flight": 0}, "max_in_flight", "greater than or equal to 1"),
        ({"max_in_flight": 501}, "max_in_flight", "less than or equal to 500"),
        ({"max_error_percent": 101}, "max_error_percent", "less than or equal to 100"),
        ({"max_p50_ms": 0}, "max_p50_ms", "greater than 0"),
        ({"max_p95_ms": 5000}, "", "max_p95_ms must be less than timeout_seconds"),
        ({"timeout_seconds": 61}, "timeout_seconds", "less than or equal to 60"),
        ({"listener": "production", "requests": [{"url": "http://a"}]}, "", "all requests have a url; remove it"),
        ({"path": "/"}, "path", "not permitted"),
    ],
)
def test_an_invalid_value_is_refused_at_its_field(fields: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LoadCheck.model_validate({**SECOND, **fields})
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert problem in error["msg"]


def test_a_plan_names_the_nearest_field() -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "load", "max_p99": 1, "requests": [{"wieght": 2}]}]})
    assert set(caught.value.problems) == {
        "hookDetails.checks[0].max_p99: unknown field; did you mean 'max_p99_ms'?",
        "hookDetails.checks[0].requests[0].wieght: unknown field; did you mean 'weight'?",
    }


@pytest.mark.parametrize(
    ("rate", "seconds", "requests"), [(0.1, 30, 3), (0.01, 1, 1), (0.7, 10, 7), (2.5, 1, 3), (500, 200, 100_000)]
)
def test_the_number_of_requests_is_rounded_up(rate: float, seconds: float, requests: int) -> None:
    assert LoadCheck(requests_per_second=rate, duration_seconds=seconds)._count == requests


def test_the_listener_is_required_for_requests_to_green() -> None:
    own = {"url": "http://a/x"}
    mixed = LoadCheck.model_validate({"listener": "production", "requests": [{}, {"method": "POST"}, own]})
    assert mixed.requirements().listener == "production"
    assert list(mixed.requirements().urls) == ["http://a/x"]
    assert list(mixed.requirements().methods) == ["GET", "POST"]
    assert LoadCheck.model_validate({"requests": [own]}).requirements().listener is None


def test_a_plan_must_not_end_before_a_load_that_is_repeated() -> None:
    load = {"type": "load", "duration_seconds": 60}
    for watch, minutes in [({"count": 10, "interval_seconds": 20}, 13), ({"for_minutes": 12}, 13)]:
        with pytest.raises(
            PlanError,
            match=f"timeout_minutes: must be greater than {minutes}, the minutes for which load watches, not 13",
        ):
            Plan.parse({"timeout_minutes": 13, "checks": [{**load, "watch": watch}]})
        Plan.parse({"timeout_minutes": 13.1, "checks": [{**load, "watch": watch}]})
    assert LoadCheck().requirements().watch_seconds == 0


def test_a_login_is_part_of_what_the_load_requires() -> None:
    login = [{"url": "http://auth/token", "method": "POST"}, {"method": "PUT", "path": "/session"}]
    check = LoadCheck.model_validate({**SECOND, "login": login, "login_seconds": 7})

    assert check.requirements().seconds == LoadCheck.model_validate(SECOND).requirements().seconds + 7
    assert list(check.requirements().urls) == ["http://auth/token"]
    assert list(check.requirements().methods) == ["GET", "PUT"]
    assert (
        "duration_seconds 1, login_seconds 7 and timeout_seconds 5 require 16 s"
        in put("http://127.0.0.1:9", login=login, login_seconds=7, seconds=10).reason
    )


# The time of an invocation


@pytest.mark.usefixtures("fast_function")
def test_a_load_that_does_not_fit_into_the_invocation_fails_at_once(serve: Serve) -> None:
    server = serve(answering())
    outcome = put(server.url, duration_seconds=100, timeout_seconds=10, seconds=100)

    assert outcome == Outcome.failed(
        "duration_seconds 100 and timeout_seconds 10 require 113 s, but this invocation has 100 s left; lower "
        "duration_seconds to 86, or raise the function's Timeout; for a longer load, repeat it: "
        '"watch": {"count": 10, "interval_seconds": 1}'
    )
    assert server.connections == 0
    hopeless = put(server.url, timeout_seconds=10, seconds=5)
    assert hopeless.status is Status.FAIL
    assert "lower duration_seconds, or raise the function's Timeout" in hopeless.reason


@pytest.mark.usefixtures("fast_function")
def test_if_finding_green_takes_the_time_it_is_an_error(serve: Serve) -> None:
    server = serve(answering())

    def find_green() -> Endpoint:
        time.sleep(1.5)
        return Endpoint(server.url)

    slow = CheckContext(FixedTarget(find_green), Deadline.after(9.4))
    outcome = LoadCheck.model_validate(SECOND).run(slow)
    assert outcome.status is Status.ERROR
    assert "this invocation has 8 s left" in outcome.reason


# Through the handler


def run_hook(checks: list[dict[str, Any]], url: str, details: Any = None, seconds: float = 30) -> dict[str, Any]:
    configured = {"base_url": url, "error_limit": 2, "checks": checks} if details is None else details
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    return handler(load_event(hookDetails=configured), LambdaContext("hook", "", "1024", seconds))


@pytest.mark.usefixtures("fast_function")
def test_a_hook_passes_and_fails_with_its_load(serve: Serve) -> None:
    server = serve(answering())
    assert run_hook([{"type": "load", **SECOND}], server.url) == {
        "hookStatus": "SUCCEEDED",
        "reason": "SUCCEEDED post_test_traffic_shift my-service: 1 passed",
    }
    failing = run_hook([{"type": "load", "name": "warm-up", **SECOND, "max_p50_ms": 0.001}], server.url)
    assert failing["hookStatus"] == "FAILED"
    assert re.search(
        r'my-service: load "warm-up" 40 requests at 40/s: 0 % failed, p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms; '
        r"expected p50 within 0.001 ms \(1 failed\)$",
        failing["reason"],
    )


@pytest.mark.usefixtures("fast_function")
def test_a_load_is_repeated_by_a_watch_one_in_each_invocation(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()
    url = serve(answering(seen=seen)).url
    watched = [{"type": "load", **SECOND, "watch": {"count": 2, "interval_seconds": 20}}]
    with clock.use(lambda: now):
        now = 1_800_000_000.0
        first = run_hook(watched, url)
        assert (first["hookStatus"], first["callBackDelay"]) == ("IN_PROGRESS", 20)
        assert "load 1 of 1 measurements passed, the last: 40 requests at 40/s: " in first["reason"]
        assert seen == {b"GET /": 40}
        now += 20
        assert run_hook(watched, url, first["hookDetails"])["hookStatus"] == "SUCCEEDED"
    assert seen == {b"GET /": 80}


@pytest.mark.usefixtures("fast_function")
def test_a_load_without_connection_is_repeated_up_to_the_error_limit(serve: Serve) -> None:
    url = closed_port(serve)
    checks = [{"type": "load", **SECOND}]
    first = run_hook(checks, url)
    assert first["hookStatus"] == "IN_PROGRESS"
    assert "(error 1 of 2)" in first["reason"]
    second = run_hook(checks, url, first["hookDetails"])
    assert second["hookStatus"] == "FAILED"
    assert "connection refused" in second["reason"]
    assert "2 times in a row, which is the error_limit" in second["reason"]


@pytest.mark.usefixtures("fast_function")
def test_a_load_that_is_too_long_for_the_function_is_a_failure_at_once(serve: Serve) -> None:
    answer = run_hook([{"type": "load", "duration_seconds": 30}], serve(answering()).url, seconds=30)

    assert answer["hookStatus"] == "FAILED"
    assert "lower duration_seconds to 12, or raise the function's Timeout" in answer["reason"]


# The delay of the function itself


def starving_once(seconds: float) -> Script:
    """A server that responds at once, but starves the process that it shares with the load for a while."""
    once = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request():
            if not once.is_set():
                once.set()
                starve(seconds)
            peer.answer(b"ok")

    return script


def test_a_starved_function_is_an_error(serve: Serve) -> None:
    outcome = put(serve(starving_once(0.6)).url)

    assert outcome.status is Status.ERROR, outcome
    assert re.match(
        r"the function sent \d+ of 40 requests per second, and delayed them by p95 \d+(\.\d)? ms itself, ",
        outcome.reason,
    )
    assert outcome.reason.endswith(f" itself, so the load says nothing about green; {FIX}")


def test_a_limit_that_only_a_starved_function_exceeds_is_an_error(serve: Serve) -> None:
    outcome = put(serve(starving_once(0.6)).url, max_p99_ms=400)

    assert outcome.status is Status.ERROR, outcome
    own, p99 = outcome.evidence["own_p99_ms"], outcome.evidence["p99_ms"]
    assert isinstance(own, float)
    assert isinstance(p99, float)
    assert p99 > 400
    assert own > 0.5 * p99


def test_a_server_that_keeps_all_workers_busy_fails(serve: Serve) -> None:
    """Requests wait for their turn for seconds, the function has hardly anything to do: that is green's own slowness.

    A busy machine takes some of it, too, but not so much that nothing would be left of the time that the server sleeps.
    """

    def script(peer: Peer) -> None:
        while peer.request():
            time.sleep(0.25)
            peer.answer(b"ok")

    outcome = put(serve(script).url, max_in_flight=2, timeout_seconds=10, max_p95_ms=1000)
    # 40 requests, two at a time, 0.25 s each: that takes 5 s.
    assert outcome.status is Status.FAIL, outcome
    assert "expected p95 within 1000 ms" in outcome.reason
    p99 = outcome.evidence["p99_ms"]
    assert isinstance(p99, float)
    assert p99 >= 5000 - 975
