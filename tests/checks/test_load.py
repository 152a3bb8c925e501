from __future__ import annotations

import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from ecs_hooks import Stage, clock, stage_hook
from ecs_hooks.checks import CheckContext, LoadCheck
from ecs_hooks.deadline import Deadline
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, Listener
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.load import judging, results
from ecs_hooks.outcome import Outcome, Status
from ecs_hooks.plan import Plan, PlanError
from ecs_hooks.simulator.targets import LambdaContext
from tests.checks.asking import context
from tests.conftest import load_event
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script

pytestmark = pytest.mark.usefixtures("_only_green")

SECOND: dict[str, Any] = {"requests_per_second": 40, "duration_seconds": 1, "timeout_seconds": 5}
"""A load of 40 requests."""


@pytest.fixture
def _only_green(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about green: what a machine that others use takes itself is left to `test_load_generator.py`."""
    monkeypatch.setattr(judging, "_TOO_LATE_MS", math.inf)
    monkeypatch.setattr(results, "_MARGIN", 0)


def put(green: str | Endpoint | None, *, seconds: float = 20, **fields: Any) -> Outcome:
    return LoadCheck.model_validate({**SECOND, **fields}).run(context(green, seconds=seconds))


def answering(answer: Callable[[Peer, bytes], object] | None = None, seen: Counter[bytes] | None = None) -> Script:
    """A server that answers all requests of a connection, as a function does, and counts their first two words."""
    lock = threading.Lock()

    def script(peer: Peer) -> None:
        while request := peer.request():
            if seen is not None:
                with lock:
                    seen[b" ".join(request.split()[:2])] += 1
            if answer is None:
                peer.answer(b"ok")
            else:
                answer(peer, request)

    return script


def test_a_steady_server_passes_and_the_evidence_has_the_numbers(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()
    server = serve(answering(seen=seen))
    outcome = put(server.url, max_p99_ms=4000)

    assert outcome.status is Status.PASS, outcome
    assert outcome.reason.startswith("40 requests at 40/s: 0 % failed, p50 ")
    assert seen == {b"GET /": 40}
    numbers = dict(outcome.evidence)
    assert list(numbers) == [
        "requests",
        "errors_percent",
        "errors_percent_limit",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "p99_ms_limit",
        "held_up",
        "own_p99_ms",
        "connections",
    ]
    assert (numbers["requests"], numbers["errors_percent"], numbers["errors_percent_limit"]) == (40, 0, 1)
    assert numbers["p99_ms_limit"] == 4000
    assert numbers["connections"] == server.connections < 40


def test_the_mix_is_that_of_the_weights(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()
    orders: list[bytes] = []

    def answer(peer: Peer, request: bytes) -> None:
        if request.startswith(b"POST"):
            orders.append(request)
        peer.answer(b"ok")

    requests = [
        {"path": "/", "weight": 3},
        {"method": "POST", "path": "/orders", "json": {"item": 1}, "headers": {"X-Load": "yes"}, "query": {"a": 1}},
    ]
    assert put(serve(answering(answer, seen)).url, requests=requests).status is Status.PASS
    assert seen == {b"GET /": 30, b"POST /orders?a=1": 10}
    assert all(b"X-Load: yes\r\n" in each and each.endswith(b'{"item":1}') for each in orders)


class Stalling:
    """A server that answers nothing for a second, from its 20th request on."""

    seconds = 1.0

    def __init__(self) -> None:
        self.met = 0
        self._lock = threading.Lock()
        self._number = 0
        self._until = 0.0

    def script(self, peer: Peer) -> None:
        while peer.request():
            now = time.monotonic()
            with self._lock:
                self._number += 1
                if self._number == 20:
                    self._until = now + self.seconds
                wait = self._until - now
                self.met += wait > 0
            time.sleep(max(0.0, wait))
            peer.answer(b"ok")


def test_a_stall_counts_for_every_request_that_was_due_in_it(serve: Serve) -> None:
    """Coordinated omission: whoever waits for each answer asks once in the stall, and finds 98 of 99 answers quick."""
    closed = Stalling()
    client = HttpClient(serve(closed.script).url, Deadline.after(20), Limits())
    for _ in range(99):
        client.get("/")
    assert closed.met == 1

    stalling = Stalling()
    url = serve(stalling.script).url
    outcome = put(url, requests_per_second=50, duration_seconds=2, max_p95_ms=300, max_p99_ms=300)
    # 50 requests are due in that second, one each 20 ms: what is left of it then, they wait at least. Of 100 latencies
    # p99 is the second greatest and p95 the sixth.
    assert stalling.met > 20
    p95, p99 = outcome.evidence["p95_ms"], outcome.evidence["p99_ms"]
    assert isinstance(p95, float)
    assert isinstance(p99, float)
    assert p99 >= 1000 - 2 * 20
    assert p95 >= 1000 - 6 * 20
    assert outcome.status is Status.FAIL, outcome
    assert outcome.reason.endswith("expected p95 within 300 ms and p99 within 300 ms")


def test_a_stall_counts_all_the_same_where_requests_have_to_wait_for_their_turn(serve: Serve) -> None:
    stalling = Stalling()
    outcome = put(serve(stalling.script).url, requests_per_second=50, duration_seconds=2, max_in_flight=3)

    p95 = outcome.evidence["p95_ms"]
    assert stalling.met <= 3
    assert isinstance(p95, float)
    assert p95 >= 1000 - 6 * 20
    assert outcome.evidence["held_up"] not in {0, None}
    assert outcome.reason.endswith("had to wait, since no more than 3 may be under way (max_in_flight)")


@pytest.mark.parametrize(
    ("status", "expect", "failed"),
    [("503 No", {}, True), ("404 No", {}, True), ("302 Found", {}, False), ("404 No", {"status": ["2xx", 404]}, False)],
)
def test_what_counts_as_an_error(serve: Serve, status: str, expect: dict[str, Any], failed: bool) -> None:
    def answer(peer: Peer, request: bytes) -> None:
        peer.answer(b"", status=status if b"/odd" in request else "200 OK")

    url = serve(answering(answer)).url
    requests = [{"path": "/even", "weight": 3}, {"path": "/odd", **({"expect": expect} if expect else {})}]
    outcome = put(url, requests=requests, max_error_percent=24)
    assert outcome.status is (Status.FAIL if failed else Status.PASS), outcome
    assert outcome.evidence["errors_percent"] == (25 if failed else 0)
    if failed:
        assert outcome.reason.endswith(
            f"expected at most 24 % to fail; most common failure: GET {url}/odd status {status[:3]}, "
            "expected 2xx or 3xx (10 of 10)"
        )


def reset(peer: Peer) -> None:
    peer.reset()


def cut(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    peer.connection.close()


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (reset, "connection ended before a response"),
        (cut, "response body is truncated"),
        (Peer.hang, "no complete response header within 0.5 s (timeout_seconds)"),
        (lambda peer: peer.answer(b"x" * 2000), "response body is larger than max_body_bytes (1000)"),
    ],
)
def test_broken_answers_are_errors_among_others(serve: Serve, how: Callable[[Peer], object], problem: str) -> None:
    def answer(peer: Peer, request: bytes) -> None:
        if b"/odd" in request:
            how(peer)
        else:
            peer.answer(b"ok")

    url = serve(answering(answer)).url
    requests = [{"path": "/even", "weight": 3}, {"path": "/odd"}]
    outcome = put(url, requests=requests, timeout_seconds=0.5, max_body_bytes=1000)
    assert outcome.status is Status.FAIL, outcome
    assert outcome.evidence["errors_percent"] == 25
    assert f"most common failure: GET {url}/odd {problem} (10 of 10)" in outcome.reason
    if how is Peer.hang:
        p99 = outcome.evidence["p99_ms"]
        assert isinstance(p99, float)
        assert p99 >= 500


def test_no_more_are_under_way_than_may_be(serve: Serve) -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    def answer(peer: Peer, _: bytes) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.1)
        with lock:
            under_way -= 1
        peer.answer(b"ok")

    outcome = put(serve(answering(answer)).url, max_in_flight=2, max_p99_ms=900)
    # Two at a time and 0.1 s each, 40 requests take two seconds; the last one was due after 0.975 s.
    assert most == 2
    p99 = outcome.evidence["p99_ms"]
    assert isinstance(p99, float)
    assert p99 >= 2000 - 975
    assert outcome.status is Status.FAIL, outcome
    assert "expected p99 within 900 ms; " in outcome.reason
    assert outcome.reason.endswith("had to wait, since no more than 2 may be under way (max_in_flight)")


# Redirects


def test_redirects_are_followed_where_the_plan_says_so(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()

    def answer(peer: Peer, request: bytes) -> None:
        if request.startswith(b"GET /a"):
            peer.answer(b"", "Location: /b", status="302 Found")
        else:
            peer.answer(b"ok")

    server = serve(answering(answer, seen))
    requests = [{"path": "/a", "expect": {"status": 200}}]
    assert put(server.url, requests=requests, follow_redirects=True).status is Status.PASS
    assert seen == {b"GET /a": 40, b"GET /b": 40}
    assert server.connections < 40


def test_a_redirect_that_the_guard_refuses_ends_the_load_at_once(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()

    def answer(peer: Peer, _: bytes) -> None:
        peer.answer(b"", "Location: http://169.254.169.254/latest/meta-data", status="302 Found")

    outcome = put(serve(answering(answer, seen)).url, requests_per_second=2, duration_seconds=10, follow_redirects=True)
    assert outcome.status is Status.FAIL
    assert "169.254.169.254 is a metadata address" in outcome.reason
    assert seen == {b"GET /": 1}


# Connections


def test_each_request_has_a_connection_of_its_own_where_none_is_kept(serve: Serve) -> None:
    server = serve(answering())

    assert put(server.url, keep_alive=False).evidence["connections"] == 41
    assert server.connections == 41


def closed_port(serve: Serve) -> str:
    server = serve(answering())
    server.close()
    return server.url


def test_without_a_connection_green_could_not_be_asked(serve: Serve) -> None:
    url = closed_port(serve)
    outcome = put(Endpoint(url, advice="mend it so"), requests_per_second=1, duration_seconds=15, seconds=30)

    assert outcome.status is Status.ERROR
    assert outcome.reason.startswith(f"GET {url}/ connection refused")
    assert outcome.reason.endswith("; mend it so")


def test_one_of_two_places_without_a_connection_counts_in_the_share(serve: Serve) -> None:
    url = closed_port(serve)
    outcome = put(serve(answering()).url, requests=[{"path": "/"}, {"url": f"{url}/other"}])

    assert outcome.status is Status.FAIL, outcome
    assert outcome.evidence["errors_percent"] == 50
    assert f"most common failure: GET {url}/other connection refused" in outcome.reason


def test_where_every_request_is_reset_green_could_not_be_asked(serve: Serve) -> None:
    outcome = put(serve(answering(lambda peer, _: peer.reset())).url)

    assert outcome.status is Status.ERROR, outcome
    assert "40 requests at 40/s: 100 % failed, none has reached green; most common failure: GET " in outcome.reason


def test_a_wrong_certificate_is_a_failure_before_anything_is_sent(serve: Serve, trusted: trustme.CA) -> None:
    seen: Counter[bytes] = Counter()
    server = serve(answering(seen=seen), server_context(trusted.issue_cert("other.example.com")))
    outcome = put(server.url)

    assert outcome.status is Status.FAIL
    assert "certificate is not valid for 127.0.0.1" in outcome.reason
    assert not seen
    assert put(server.url, verify_tls=False).status is Status.PASS


def test_the_guard_refuses_before_anything_is_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering())
    monkeypatch.delenv(VARIABLE)
    outcome = put(server.url)

    assert outcome.status is Status.FAIL
    assert "is a loopback address; if that is meant, add 127.0.0.1 to ECS_HOOKS_ALLOWED_HOSTS" in outcome.reason
    assert server.connections == 0


def test_what_the_listener_rule_needs_is_sent_and_what_would_miss_it_is_not(serve: Serve) -> None:
    headers: list[bytes] = []

    def answer(peer: Peer, request: bytes) -> None:
        headers.append(request)
        peer.answer(b"ok")

    green = Endpoint(serve(answering(answer)).url, {"X-Environment": "test"}, {"version": "2"}, methods=("GET",))
    assert put(green).status is Status.PASS
    assert all(each.startswith(b"GET /?version=2 ") and b"X-Environment: test\r\n" in each for each in headers)
    headers.clear()
    assert put(green, requests=[{}, {"method": "POST"}]) == Outcome.failed("the listener rule takes GET only, not POST")
    assert not headers


def test_without_an_address_of_green_the_reason_says_so(serve: Serve) -> None:
    with pytest.raises(EndpointError, match="nobody knows where green is"):
        put(None)
    assert put(None, requests=[{"url": serve(answering()).url}]).status is Status.PASS


def test_no_secret_gets_into_the_outcome(serve: Serve) -> None:
    url = serve(answering(lambda peer, _: peer.answer(b"", status="500 No"))).url.replace("//", "//user:passw0rd@")
    secrets = ["passw0rd", "hunter2hunter2", "t0ken-t0ken", "s3cret-s3cret", "sesame-sesame"]
    requests = [
        {"path": "/x/hunter2hunter2?token=t0ken-t0ken", "headers": {"X-Api-Key": "hunter2hunter2"}},
        {"method": "POST", "path": "/sesame-sesame", "json": {"password": "sesame-sesame"}, "query": {"a": secrets[3]}},
    ]
    outcome = put(url, requests=requests)
    assert outcome.status is Status.FAIL
    assert "/x/***?token=***" in outcome.reason
    assert not [secret for secret in secrets if secret in f"{outcome}"]


# Time


def test_a_load_that_does_not_fit_into_the_invocation_fails_at_once(serve: Serve) -> None:
    server = serve(answering())
    outcome = put(server.url, duration_seconds=100, timeout_seconds=10, seconds=100)

    assert outcome == Outcome.failed(
        "duration_seconds 100 and timeout_seconds 10 do not fit into the 100 s that are left of this invocation: shorten "
        "duration_seconds to 86, or raise the function's Timeout; to go on for longer, repeat the load: "
        '"watch": {"count": 10, "interval_seconds": 1}'
    )
    assert server.connections == 0
    hopeless = put(server.url, timeout_seconds=10, seconds=5)
    assert hopeless.status is Status.FAIL
    assert "shorten duration_seconds, or raise the function's Timeout" in hopeless.reason


def test_where_finding_green_takes_the_time_it_is_asked_again(serve: Serve) -> None:
    server = serve(answering())

    def find_green(_: Listener) -> Endpoint:
        time.sleep(1.5)
        return Endpoint(server.url)

    asked = context(None)
    slow = CheckContext("POST_TEST_TRAFFIC_SHIFT", lambda: asked.deployment, find_green, Deadline.after(9.4), 0)
    outcome = LoadCheck.model_validate(SECOND).run(slow)
    assert outcome.status is Status.ERROR
    assert "do not fit into the 8 s that are left of this invocation" in outcome.reason


# Through the handler


def asked(checks: list[dict[str, Any]], url: str, details: Any = None, seconds: float = 30) -> dict[str, Any]:
    configured = {"base_url": url, "error_limit": 2, "checks": checks} if details is None else details
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
    return handler(load_event(hookDetails=configured), LambdaContext("hook", "", "1024", seconds))


def test_a_hook_answers_by_its_load(serve: Serve) -> None:
    server = serve(answering())
    assert asked([{"type": "load", **SECOND}], server.url) == {
        "hookStatus": "SUCCEEDED",
        "reason": "SUCCEEDED post_test_traffic_shift my-service: 1 passed",
    }
    failing = asked([{"type": "load", "name": "warm-up", **SECOND, "max_p50_ms": 0.001}], server.url)
    assert failing["hookStatus"] == "FAILED"
    assert re.search(
        r'my-service: load "warm-up" 40 requests at 40/s: 0 % failed, p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ ms; '
        r"expected p50 within 0.001 ms \(1 failed\)$",
        failing["reason"],
    )


def test_a_load_is_repeated_by_a_watch_one_in_each_invocation(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()
    url = serve(answering(seen=seen)).url
    watched = [{"type": "load", **SECOND, "watch": {"count": 2, "interval_seconds": 20}}]
    with clock.use(lambda: now):
        now = 1_800_000_000.0
        first = asked(watched, url)
        assert (first["hookStatus"], first["callBackDelay"]) == ("IN_PROGRESS", 20)
        assert "load 1 of 1 measurements passed, the last: 40 requests at 40/s: " in first["reason"]
        assert seen == {b"GET /": 40}
        now += 20
        assert asked(watched, url, first["hookDetails"])["hookStatus"] == "SUCCEEDED"
    assert seen == {b"GET /": 80}


def test_a_load_that_reaches_nobody_is_asked_again_up_to_the_error_limit(serve: Serve) -> None:
    url = closed_port(serve)
    checks = [{"type": "load", **SECOND}]
    first = asked(checks, url)
    assert first["hookStatus"] == "IN_PROGRESS"
    assert "(error 1 of 2)" in first["reason"]
    second = asked(checks, url, first["hookDetails"])
    assert second["hookStatus"] == "FAILED"
    assert "connection refused" in second["reason"]
    assert "2 times in a row, which is the error_limit" in second["reason"]


def test_a_load_that_is_too_long_for_the_function_is_a_failure_at_once(serve: Serve) -> None:
    answer = asked([{"type": "load", "duration_seconds": 30}], serve(answering()).url, seconds=30)

    assert answer["hookStatus"] == "FAILED"
    assert "shorten duration_seconds to 12, or raise the function's Timeout" in answer["reason"]


# Plan


@pytest.mark.parametrize(
    ("fields", "where", "problem"),
    [
        ({"requests_per_second": 0}, "requests_per_second", "greater than 0"),
        ({"requests_per_second": 501}, "requests_per_second", "less than or equal to 500"),
        ({"duration_seconds": 0.5}, "duration_seconds", "greater than or equal to 1"),
        ({"duration_seconds": 900}, "duration_seconds", "less than or equal to 880"),
        ({"requests_per_second": 500, "duration_seconds": 201}, "", "is 100500 requests; at most 100000 fit in"),
        ({"requests": []}, "requests", "must be 1 to 20 requests"),
        ({"requests": [{}] * 21}, "requests", "must be 1 to 20 requests"),
        ({"requests": [{"pth": "/"}]}, "requests.0.pth", "not permitted"),
        ({"requests": [{"path": "x"}]}, "requests.0.path", "must begin with /"),
        ({"requests": [{"path": "/", "url": "http://a"}]}, "requests.0", "one of path and url"),
        ({"requests": [{"weight": 0}]}, "requests.0.weight", "greater than or equal to 1"),
        ({"requests": [{"weight": 101}]}, "requests.0.weight", "less than or equal to 100"),
        ({"requests": [{"expect": {"status": "6xx"}}]}, "requests.0.expect.status", "must be a status code"),
        ({"requests": [{"expect": {"json": {}}}]}, "requests.0.expect.json", "not permitted"),
        ({"max_in_flight": 0}, "max_in_flight", "greater than or equal to 1"),
        ({"max_in_flight": 501}, "max_in_flight", "less than or equal to 500"),
        ({"max_error_percent": 101}, "max_error_percent", "less than or equal to 100"),
        ({"max_p50_ms": 0}, "max_p50_ms", "greater than 0"),
        ({"max_p95_ms": 5000}, "", "max_p95_ms must be less than timeout_seconds"),
        ({"timeout_seconds": 61}, "timeout_seconds", "less than or equal to 60"),
        ({"listener": "production", "requests": [{"url": "http://a"}]}, "", "that all have a url need no listener"),
        ({"path": "/"}, "path", "not permitted"),
    ],
)
def test_a_mistake_is_refused_at_its_field(fields: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LoadCheck.model_validate({**SECOND, **fields})
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert problem in error["msg"]


def test_a_plan_names_the_nearest_field() -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "load", "max_p99": 1, "requests": [{"wieght": 2}]}]})
    assert set(caught.value.problems) == {
        "hookDetails.checks[0].max_p99: is no known field; did you mean 'max_p99_ms'?",
        "hookDetails.checks[0].requests[0].wieght: is no known field; did you mean 'weight'?",
    }


@pytest.mark.parametrize(
    ("rate", "seconds", "requests"), [(0.1, 30, 3), (0.01, 1, 1), (0.7, 10, 7), (2.5, 1, 3), (500, 200, 100_000)]
)
def test_how_many_requests_that_are(rate: float, seconds: float, requests: int) -> None:
    assert LoadCheck(requests_per_second=rate, duration_seconds=seconds)._count == requests


def test_through_which_listener_it_asks() -> None:
    own = {"url": "http://a/x"}
    mixed = LoadCheck.model_validate({"listener": "production", "requests": [{}, {"method": "POST"}, own]})
    assert mixed.asked_listener == "production"
    assert list(mixed.asked_urls) == ["http://a/x"]
    assert list(mixed.asked_methods) == ["GET", "POST"]
    assert LoadCheck.model_validate({"requests": [own]}).asked_listener is None


def test_a_plan_must_not_end_before_a_load_that_is_repeated() -> None:
    load = {"type": "load", "duration_seconds": 60}
    for watch, minutes in [({"count": 10, "interval_seconds": 20}, 13), ({"for_minutes": 12}, 13)]:
        with pytest.raises(PlanError, match=f"timeout_minutes: 13 is not more than the {minutes} minutes"):
            Plan.parse({"timeout_minutes": 13, "checks": [{**load, "watch": watch}]})
        Plan.parse({"timeout_minutes": 13.1, "checks": [{**load, "watch": watch}]})
    assert LoadCheck().watches_seconds == 0
