from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import HttpCheck
from ecs_hooks.checks.samples import Sample, Samples
from ecs_hooks.core.deadline import Deadline, DeadlinePassedError, check_deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.http import http1, pool
from ecs_hooks.http.connect import connect as connect_for_real
from ecs_hooks.http.errors import ConnectError
from tests.checks.asking import ask

Answer = Callable[[int], int]


class Counting(ThreadingHTTPServer):
    """Answers by the number of the request."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.lock = threading.Lock()
        self.requests = self.connections = self.busy = self.busiest = 0
        self.closes = False
        """Whether connections are closed after their first response, without an announcement."""


class _Handler(BaseHTTPRequestHandler):
    server: Counting
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.requests += 1
            number = self.server.requests
            self.server.busy += 1
            self.server.busiest = max(self.server.busy, self.server.busiest)
        status = self.server.answer(number)
        with self.server.lock:
            self.server.busy -= 1
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        self.wfile.flush()
        self.close_connection = self.close_connection or self.server.closes

    def log_message(self, *_: object) -> None:
        """Stay silent."""


Start = Callable[[Answer], Counting]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    servers: list[Counting] = []

    def starting(answer: Answer) -> Counting:
        servers.append(Counting(answer))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return servers[-1]

    yield starting
    for server in servers:
        server.shutdown()
        server.server_close()


def sampled(server: Counting, seconds: float = 20, connect_retries: int = 0, **samples: Any) -> Outcome:
    address = f"http://127.0.0.1:{server.server_port}"
    return ask(address, seconds=seconds, connect_retries=connect_retries, samples={"count": 20, **samples})


def test_all_samples_as_expected_are_a_pass(start: Start) -> None:
    server = start(lambda _: 200)
    outcome = sampled(server, max_p99_ms=5000)

    assert outcome.status is Status.PASS
    assert " 20 samples, 100 % as expected, p50 " in outcome.reason
    assert outcome.evidence["samples"] == server.requests == 20
    assert outcome.evidence["p99_ms_limit"] == 5000
    # Connections are used again.
    assert server.connections == 1


def test_min_success_percent_allows_some_failures(start: Start) -> None:
    server = start(lambda number: 500 if number % 10 == 0 else 200)

    assert sampled(server, min_success_percent=90).status is Status.PASS
    outcome = sampled(server, min_success_percent=95)
    assert outcome.status is Status.FAIL
    assert "90 % as expected" in outcome.reason
    assert outcome.reason.endswith(
        "; expected 95 % as expected; most common failure: status 500, expected 2xx (2 of 2)"
    )


def test_percentiles_have_limits(start: Start) -> None:
    def answer(number: int) -> int:
        time.sleep(0.15 if number in {5, 15} else 0)
        return 200

    outcome = sampled(start(answer), max_p50_ms=140, max_p95_ms=140)
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("; expected p95 within 140 ms")


def test_concurrency_is_the_maximum(start: Start) -> None:
    def answer(_: int) -> int:
        time.sleep(0.05)
        return 200

    server = start(answer)
    assert sampled(server, concurrency=4).status is Status.PASS
    assert server.busiest == 4
    assert server.connections == 4


def test_a_broken_connection_is_a_failed_sample_after_the_first_response(start: Start) -> None:
    server = start(lambda number: 0 if number in {4, 5} else 200)

    outcome = sampled(server)
    assert outcome.status is Status.FAIL
    assert "connection ended before a response (2 of 2)" in outcome.reason
    assert server.requests == 20
    assert sampled(start(lambda number: 0 if number in {4, 5} else 200), min_success_percent=90).status is Status.PASS


@pytest.mark.parametrize("retries", [0, 3])
def test_an_aborted_sample_is_not_sent_again(start: Start, retries: int) -> None:
    server = start(lambda number: 0 if number in {1, 11} else 200)

    outcome = sampled(server, connect_retries=retries, min_success_percent=95)
    assert outcome.status is Status.FAIL
    assert outcome.evidence["success_percent"] == 90
    assert server.requests == 20
    assert outcome.evidence["connections"] == server.connections == 3


def test_connections_that_the_server_closed_are_counted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_WAIT_FOR_CLOSE", 10)  # until it has closed
    server = start(lambda _: 200)
    server.closes = True

    outcome = sampled(server)
    assert outcome.status is Status.PASS
    assert outcome.evidence["connections_replaced"] == 19
    assert outcome.reason.endswith("; 19 connections closed by the server and replaced")


def test_attempts_to_connect_are_counted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(lambda _: 200)
    server.closes = True
    connects = count()

    def connect(*arguments: Any) -> Any:
        if next(connects) == 1:
            raise ConnectError("connection refused")
        return connect_for_real(*arguments)

    monkeypatch.setattr(http1, "connect", connect)
    monkeypatch.setattr(pool, "_WAIT_FOR_CLOSE", 10)
    outcome = sampled(server, connect_retries=1, count=3)
    assert outcome.status is Status.PASS
    assert outcome.evidence["connect_retries"] == 1
    assert outcome.reason.endswith("; 1 further attempt to connect")


def test_without_a_response_a_latency_limit_is_not_met(start: Start) -> None:
    def answer(_: int) -> int:
        time.sleep(0.3)
        return 200

    hang = ask(
        f"http://127.0.0.1:{start(answer).server_port}",
        timeout_seconds=0.05,
        samples={"count": 2, "max_p95_ms": 1000, "min_success_percent": 0},
    )

    assert hang.status is Status.FAIL
    assert "expected p95 within 1000 ms" in hang.reason
    assert hang.evidence["p95_ms"] is None


def test_without_any_response_it_is_an_error(start: Start) -> None:
    server = start(lambda _: 0)

    assert sampled(server).status is Status.ERROR
    assert ask("http://127.0.0.1:9", connect_retries=0, samples={"count": 3}).status is Status.ERROR


def test_a_forbidden_address_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "")

    assert ask("http://127.0.0.1:9", samples={"count": 3}).status is Status.FAIL


def test_samples_that_do_not_fit_into_the_time_are_a_failure(start: Start) -> None:
    def answer(_: int) -> int:
        time.sleep(0.1)
        return 200

    outcome = sampled(start(answer), seconds=0.6)
    assert outcome.status is Status.FAIL
    assert "the time was over before all 20 samples were sent; lower samples.count" in outcome.reason


@pytest.mark.parametrize(
    "fields", [{"samples": {"count": 1}}, {"samples": {"count": 3}, "until": {"timeout_seconds": 1}}]
)
def test_invalid_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpCheck.model_validate(fields)


def test_a_sample_that_computes_ends_at_the_deadline() -> None:
    deadline = Deadline.after(0.1)

    def compute() -> Sample:
        while True:
            time.sleep(0.01)
            check_deadline()

    with pytest.raises(DeadlinePassedError):
        Samples(count=3).collect(compute, deadline)
