"""A load and the invocation that it has to fit into."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import CheckContext, LoadCheck
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks_simulator.core.hook_targets import LambdaContext
from tests.checks.load.loads import SECOND, _only_green, answering, closed_port, put
from tests.conftest import load_event
from tests.http.fixtures import Serve
from tests.support.targets import FixedTarget

__all__ = ["_only_green"]

pytestmark = pytest.mark.usefixtures("_only_green")


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

    def find_green() -> Endpoint:
        time.sleep(1.5)
        return Endpoint(server.url)

    slow = CheckContext(FixedTarget(find_green), Deadline.after(9.4))
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
