"""Responses that do not end are evaluated by their first bytes."""

from __future__ import annotations

import gzip
from contextlib import suppress
from typing import Any

import pytest

from ecs_hooks.checks import LoadCheck, ScenarioCheck
from ecs_hooks.core.outcome import Status
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import ask, context
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

EVENTS = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{}\r\n"


def stream(*pieces: bytes, headers: str = "", trickle: bytes = b"") -> Script:
    """Return a script for a response without an end."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(EVENTS.format(headers).encode(), *pieces)
        if trickle:
            with suppress(OSError):
                peer.trickle(trickle)
        peer.hang()

    return script


@pytest.mark.parametrize(
    ("script", "expect", "size"),
    [
        (stream(b"data: hello\n\n"), {"first_bytes": 13, "body": {"contains": "hello"}}, 13),
        (stream(b"data: hello\n\n", b"data"), {"first_bytes": 5, "body": {"equals": "data:"}}, 5),
        (stream(trickle=b"data: x\n\n"), {"first_bytes": 20, "body": {"matches": "^data: x\n\ndata: x\n\nda$"}}, 20),
        (stream(), {"first_bytes": 0, "headers": {"Content-Type": "text/event-stream"}}, 0),
        (stream(b"5\r\nhello\r\n", headers="Transfer-Encoding: chunked\r\n"), {"first_bytes": 5, "body": {"equals": "hello"}}, 5),
        (stream(b"hello", headers="Content-Length: 99999999\r\n"), {"first_bytes": 4, "body": {"equals": "hell"}}, 4),
        (stream(b"hello", headers="Content-Length: 5\r\n"), {"first_bytes": 1000, "body": {"equals": "hello"}}, 5),
        (stream(gzip.compress(b"a" * 99)[:-8], headers="Content-Encoding: gzip\r\n"), {"first_bytes": 9, "body": {"equals": "a" * 9}}, 9),
        # Fewer bytes until the timeout.
        (stream(b"data: hello\n\n"), {"first_bytes": 1000, "body": {"contains": "hello"}}, 13),
    ],
)  # fmt: skip
def test_a_response_without_an_end_is_evaluated_by_its_first_bytes(
    serve: Serve, script: Script, expect: dict[str, Any], size: int
) -> None:
    outcome = ask(serve(script).url, expect=expect, timeout_seconds=2)
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.evidence["body_bytes"] == size


@pytest.mark.parametrize(
    ("script", "expect", "reason"),
    [
        (stream(b"data: hello\n\n"), {"first_bytes": 11, "body": {"contains": "bye"}}, "body is 11 bytes, expected to"),
        (stream(), {"first_bytes": 1}, "response body not complete within 0.5 s (timeout_seconds)"),
        (stream(b"data: hello\n\n"), {}, "response body not complete within 0.5 s (timeout_seconds)"),
        (stream(b"x\r\n", headers="Transfer-Encoding: chunked\r\n"), {"first_bytes": 5}, "response body has malformed chunks"),
        (stream(b"x" * 99, headers="Content-Encoding: gzip\r\n"), {"first_bytes": 5}, "does not match its Content-Enc"),
    ],
)  # fmt: skip
def test_first_bytes_must_come_in_time_and_be_as_expected(
    serve: Serve, script: Script, expect: dict[str, Any], reason: str
) -> None:
    outcome = ask(serve(script).url, expect=expect, timeout_seconds=0.5)
    assert outcome.status is Status.FAIL
    assert reason in outcome.reason


def test_samples_and_scenarios_close_streams(serve: Serve) -> None:
    server = serve(stream(b"data: 1\n\n"))
    expect = {"first_bytes": 9, "body": {"equals": "data: 1\n\n"}}
    assert ask(server.url, expect=expect, samples={"count": 5}).status is Status.PASS
    assert server.connections == 5
    scenario = ScenarioCheck.model_validate({"requests": [{"expect": expect}] * 2, "budget_seconds": 5})
    assert scenario.run(context(server.url)).status is Status.PASS
    load = LoadCheck.model_validate({"requests": [{"expect": expect}], "duration_seconds": 1, "requests_per_second": 3})
    assert load.run(context(server.url)).status is not Status.FAIL
    with pytest.raises(PlanError, match=r"expect\.first_bytes: not supported"):
        Plan.parse({"checks": [{"type": "invoke", "expect": {"first_bytes": 1}}]})
