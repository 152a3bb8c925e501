from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.checks.load.sender import weighted_round_robin
from ecs_hooks.checks.scenario.login import LoginError
from ecs_hooks.core.deadline import Deadline, check_deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError
from ecs_hooks.http import HttpClient, Limits, pool
from ecs_hooks.http.guard import VARIABLE
from tests.checks.load.loads import answering, closed_port, put, put_briefly
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer
from tests.support.conditions import header, methods, query
from tests.support.targets import behind

pytestmark = pytest.mark.usefixtures("fast_function")


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
        "redirects",
        "redirects_followed",
        "held_up",
        "own_p99_ms",
        "connections",
        "connections_replaced",
    ]
    assert (numbers["requests"], numbers["errors_percent"], numbers["errors_percent_limit"]) == (40, 0, 1)
    assert numbers["p99_ms_limit"] == 4000
    assert numbers["connections"] == server.connections < 40


def test_requests_are_sent_by_weight(serve: Serve) -> None:
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
    assert put_briefly(serve(answering(answer, seen)).url, requests=requests).status is Status.PASS
    assert seen == {b"GET /": 30, b"POST /orders?a=1": 10}
    assert all(b"X-Load: yes\r\n" in each and each.endswith(b'{"item":1}') for each in orders)


class Stalling:
    """A server that stalls for a second from its 20th request on."""

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
    """Coordinated omission: a closed loop sends one request in the stall, and 98 of 99 responses are fast."""
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


def test_a_stall_counts_for_queued_requests_too(serve: Serve) -> None:
    stalling = Stalling()
    outcome = put(serve(stalling.script).url, requests_per_second=50, duration_seconds=2, max_in_flight=3)

    p95 = outcome.evidence["p95_ms"]
    assert stalling.met <= 3
    assert isinstance(p95, float)
    assert p95 >= 1000 - 6 * 20
    assert outcome.evidence["held_up"] not in {0, None}
    assert outcome.reason.endswith("had to wait, because max_in_flight is 3")


@pytest.mark.parametrize(
    ("status", "expect", "failed"),
    [("503 No", {}, True), ("404 No", {}, True), ("302 Found", {}, True), ("404 No", {"status": ["2xx", 404]}, False)],
)
def test_the_status_decides_about_success(serve: Serve, status: str, expect: dict[str, Any], failed: bool) -> None:
    def answer(peer: Peer, request: bytes) -> None:
        peer.answer(b"", status=status if b"/odd" in request else "200 OK")

    url = serve(answering(answer)).url
    requests = [{"path": "/even", "weight": 3}, {"path": "/odd", **({"expect": expect} if expect else {})}]
    outcome = put_briefly(url, requests=requests, max_error_percent=24)
    assert outcome.status is (Status.FAIL if failed else Status.PASS), outcome
    assert outcome.evidence["errors_percent"] == (25 if failed else 0)
    if failed:
        assert outcome.reason.endswith(
            f"expected at most 24 % to fail; most common failure: GET {url}/odd status {status[:3]}, "
            "expected 2xx (10 of 10)"
        )


def test_an_error_in_the_body_of_a_200_is_a_failure(serve: Serve) -> None:
    def answer(peer: Peer, request: bytes) -> None:
        body = b'{"error": "no stock"}' if b"/odd" in request else b'{"ok": true}'
        peer.answer(body, "Content-Type: application/json")

    url = serve(answering(answer)).url
    expect = {"json": {"$.ok": True}, "headers": {"content-type": "application/json"}}
    requests = [{"path": "/even", "weight": 3, "expect": expect}, {"path": "/odd", "expect": expect}]
    outcome = put(url, requests=requests)

    assert outcome.status is Status.FAIL
    assert outcome.evidence["errors_percent"] == 25
    assert f"most common failure: GET {url}/odd json $.ok " in outcome.reason


def test_an_assertion_that_only_warns_is_no_failure(serve: Serve) -> None:
    expect = {"asserts": [{"query": "header", "name": "x-version", "exists": True, "warn": True}]}
    outcome = put(serve(answering()).url, requests=[{"expect": expect}])

    assert outcome.status is Status.PASS
    assert re.search(r"; warning: GET http://\S+ header x-version .* \(40 of 40\)$", outcome.reason)


def test_an_evaluation_that_takes_too_long_is_a_timeout(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate(*_: object) -> list[Any]:
        time.sleep(0.3)
        check_deadline()
        return []

    monkeypatch.setattr(Expect, "unmet", evaluate)
    outcome = put(serve(answering()).url, requests_per_second=2, timeout_seconds=0.2)

    assert outcome.status is Status.ERROR  # the function is too slow
    assert outcome.evidence["errors_percent"] == 100


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
def test_broken_responses_are_failures(serve: Serve, how: Callable[[Peer], object], problem: str) -> None:
    def answer(peer: Peer, request: bytes) -> None:
        if b"/odd" in request:
            how(peer)
        else:
            peer.answer(b"ok")

    url = serve(answering(answer)).url
    requests = [{"path": "/even", "weight": 3}, {"path": "/odd"}]
    outcome = put_briefly(url, requests=requests, timeout_seconds=0.5, max_body_bytes=1000)
    assert outcome.status is Status.FAIL, outcome
    assert outcome.evidence["errors_percent"] == 25
    assert f"most common failure: GET {url}/odd {problem} (10 of 10)" in outcome.reason
    if how is Peer.hang:
        p99 = outcome.evidence["p99_ms"]
        assert isinstance(p99, float)
        assert p99 >= 500


def test_max_in_flight_holds(serve: Serve) -> None:
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
    assert outcome.reason.endswith("had to wait, because max_in_flight is 2")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_aborts_one_in_twenty_is_reported_so(serve: Serve, method: str) -> None:
    """Also on reused connections: no request is sent twice."""
    seen: Counter[bytes] = Counter()
    numbers = count(1)

    def answer(peer: Peer, _: bytes) -> None:
        if next(numbers) % 20 == 0:
            peer.reset()
        else:
            peer.answer(b"ok")

    requests = [{"method": method, "path": "/orders"}]
    url = serve(answering(answer, seen)).url
    outcome = put(url, requests=requests, requests_per_second=100, duration_seconds=2, max_error_percent=3)

    assert outcome.status is Status.FAIL
    assert outcome.evidence["errors_percent"] == 5
    assert seen == {f"{method} /orders".encode(): 200}
    assert f"most common failure: {method} {url}/orders connection ended before a response (10 of 10)" in outcome.reason


def test_connections_that_the_server_closed_are_counted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has a new connection until the server has had time to close the first one, and later, too."""
    monkeypatch.setattr(pool, "_WAIT_FOR_CLOSE", 0.5)

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"ok")

    server = serve(script)
    outcome = put(server.url, requests=[{"method": "POST"}])

    assert outcome.status is Status.PASS, outcome
    assert outcome.evidence["errors_percent"] == 0
    assert outcome.evidence["connections"] == server.connections == 40
    replaced = outcome.evidence["connections_replaced"]
    assert isinstance(replaced, int)
    assert 1 <= replaced <= 39
    assert outcome.reason.endswith(f"; {replaced} connections closed by the server and replaced")


# Login


def test_a_login_comes_first_and_its_cookies_and_captures_are_sent_with_each_request(serve: Serve) -> None:
    requests: list[bytes] = []

    def answer(peer: Peer, request: bytes) -> None:
        requests.append(request)
        if request.startswith(b"POST /login"):
            peer.answer(b'{"token": "t0ken-t0ken"}', "Set-Cookie: sid=s3cret-s3cret; Path=/")
        else:
            is_known = b"Cookie: sid=s3cret-s3cret" in request and b"Bearer t0ken-t0ken" in request
            peer.answer(b"", status="200 OK" if is_known else "401 No")

    login = {
        "method": "POST",
        "path": "/login",
        "json": {"user": "{{user}}"},
        "captures": {"token": {"query": "jsonpath", "path": "$.token", "secret": True}},
    }
    url = serve(answering(answer)).url
    load: dict[str, Any] = {
        "login": [login],
        "variables": {"user": "ann"},
        "requests": [{"path": "/orders", "headers": {"Authorization": "Bearer {{token}}"}}],
    }
    outcome = put(url, **load)
    assert outcome.status is Status.PASS, outcome
    assert [each.split()[1] for each in requests] == [b"/login", *[b"/orders"] * 40]
    assert requests[0].endswith(b'{"user":"ann"}')

    load["login"] = [{**login, "path": "/orders"}]
    with pytest.raises(LoginError, match=r"^login request 1 POST .*/orders status 401, expected 2xx"):
        put(url, **load)


# Redirects


def test_unexpected_redirects_are_failures_with_their_target(serve: Serve) -> None:
    url = serve(answering(lambda peer, _: peer.answer(b"", "Location: /graphql/", status="307 Moved"))).url
    outcome = put(url, requests=[{"path": "/graphql"}])

    assert outcome.status is Status.FAIL
    assert f"GET {url}/graphql status 307 (redirects to /graphql/), expected 2xx (40 of 40)" in outcome.reason
    expected = put(url, requests=[{"path": "/graphql", "expect": {"status": ["2xx", 307]}}])
    assert expected.status is Status.PASS
    assert expected.evidence["redirects"] == 40
    assert expected.reason.endswith(
        f"; 40 redirects not followed (follow_redirects), most common: GET {url}/graphql status 307 to /graphql/ (40 of 40)"
    )


def test_redirects_are_followed_if_the_plan_allows_it(serve: Serve) -> None:
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
    assert put(server.url, requests=requests, follow_redirects=True).evidence["redirects_followed"] == 40
    assert server.connections < 40


def test_a_redirect_to_a_forbidden_address_ends_the_load(serve: Serve) -> None:
    seen: Counter[bytes] = Counter()

    def answer(peer: Peer, _: bytes) -> None:
        peer.answer(b"", "Location: http://169.254.169.254/latest/meta-data", status="302 Found")

    outcome = put(serve(answering(answer, seen)).url, requests_per_second=2, duration_seconds=10, follow_redirects=True)
    assert outcome.status is Status.FAIL
    assert "169.254.169.254 is a metadata address" in outcome.reason
    assert seen == {b"GET /": 1}


# Connections


def test_without_keep_alive_each_request_opens_a_connection(serve: Serve) -> None:
    server = serve(answering())

    assert put_briefly(server.url, keep_alive=False).evidence["connections"] == 41
    assert server.connections == 41


def test_without_a_connection_it_is_an_error(serve: Serve) -> None:
    url = closed_port(serve)
    outcome = put(Endpoint(url, advice="mend it so"), requests_per_second=1, duration_seconds=15, seconds=30)

    assert outcome.status is Status.ERROR
    assert outcome.reason.startswith(f"GET {url}/ connection refused")
    assert outcome.reason.endswith("; mend it so")


def test_failed_connections_to_one_of_two_servers_are_failures(serve: Serve) -> None:
    url = closed_port(serve)
    outcome = put_briefly(serve(answering()).url, requests=[{"path": "/"}, {"url": f"{url}/other"}])

    assert outcome.status is Status.FAIL, outcome
    assert outcome.evidence["errors_percent"] == 50
    assert f"most common failure: GET {url}/other connection refused" in outcome.reason


def test_if_every_connection_is_reset_it_is_an_error(serve: Serve) -> None:
    outcome = put(serve(answering(lambda peer, _: peer.reset())).url)

    assert outcome.status is Status.ERROR, outcome
    assert "40 requests at 40/s: 100 % failed, no request reached green; most common failure: GET " in outcome.reason


def test_a_wrong_certificate_is_a_failure_before_anything_is_sent(serve: Serve, trusted: trustme.CA) -> None:
    seen: Counter[bytes] = Counter()
    server = serve(answering(seen=seen), server_context(trusted.issue_cert("other.example.com")))
    outcome = put_briefly(server.url)

    assert outcome.status is Status.FAIL
    assert "certificate is not valid for 127.0.0.1" in outcome.reason
    assert not seen
    assert put_briefly(server.url, verify_tls=False).status is Status.PASS


def test_a_forbidden_address_is_refused_before_anything_is_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering())
    monkeypatch.delenv(VARIABLE)
    outcome = put(server.url)

    assert outcome.status is Status.FAIL
    assert "is a loopback address; if that is meant, add 127.0.0.1 to ECS_HOOKS_ALLOWED_HOSTS" in outcome.reason
    assert server.connections == 0


def test_requests_match_the_listener_rule_or_are_refused(serve: Serve) -> None:
    headers: list[bytes] = []

    def answer(peer: Peer, request: bytes) -> None:
        headers.append(request)
        peer.answer(b"ok")

    conditions = header("X-Environment", "test"), query(("version", "2")), methods("GET")
    green = behind(serve(answering(answer)).url, *conditions)
    assert put_briefly(green).status is Status.PASS
    assert all(each.startswith(b"GET /?version=2 ") and b"X-Environment: test\r\n" in each for each in headers)
    headers.clear()
    assert put_briefly(green, requests=[{}, {"method": "POST"}]) == Outcome.failed(
        "the listener rule accepts only GET, not POST; change the method of the check, or the rule"
    )
    assert not headers


def test_without_an_address_of_green_the_reason_says_so(serve: Serve) -> None:
    with pytest.raises(EndpointError, match="nobody knows where green is"):
        put_briefly(None)
    assert put_briefly(None, requests=[{"url": serve(answering()).url}]).status is Status.PASS


def test_secrets_are_masked_in_the_outcome(serve: Serve) -> None:
    url = serve(answering(lambda peer, _: peer.answer(b"", status="500 No"))).url.replace("//", "//user:passw0rd@")
    secrets = ["passw0rd", "hunter2hunter2", "t0ken-t0ken", "s3cret-s3cret", "sesame-sesame"]
    requests = [
        {"path": "/x/hunter2hunter2?token=t0ken-t0ken", "headers": {"X-Api-Key": "hunter2hunter2"}},
        {"method": "POST", "path": "/sesame-sesame", "json": {"password": "sesame-sesame"}, "query": {"a": secrets[3]}},
    ]
    outcome = put_briefly(url, requests=requests)
    assert outcome.status is Status.FAIL
    assert "/x/***?token=***" in outcome.reason
    assert not [secret for secret in secrets if secret in f"{outcome}"]


# Weights


weights = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@given(weights=weights)
def test_a_round_has_each_index_as_often_as_its_weight(weights: list[int]) -> None:
    assert Counter(weighted_round_robin(weights)) == dict(enumerate(weights))


@given(weights=weights)
def test_each_index_has_about_its_share_at_any_time(weights: list[int]) -> None:
    order = weighted_round_robin(weights)
    for number in range(1, len(order) + 1):
        counts = Counter(order[:number])
        for index, weight in enumerate(weights):
            assert abs(counts[index] - number * weight / len(order)) < len(weights)


@pytest.mark.parametrize(
    ("weights", "order"),
    [([1], [0]), ([3, 1], [0, 0, 1, 0]), ([5, 1, 1], [0, 0, 1, 0, 2, 0, 0]), ([1, 1, 1], [0, 1, 2])],
)
def test_rounds_are_evenly_spread(weights: list[int], order: list[int]) -> None:
    assert weighted_round_robin(weights) == order
