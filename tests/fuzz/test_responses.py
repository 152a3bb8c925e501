"""20,000 responses by a grammar of HTTP/1.1, over real sockets: every check has an outcome in time, and keeps secrets."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ecs_hooks.checks import check_class
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.engine.runner import outcome_of_exception
from tests.checks.asking import context
from tests.fuzz.mutation import seeded
from tests.fuzz.responses import Made, response
from tests.http.fixtures import Serve, _loopback_allowed, serve
from tests.http.servers import Peer

__all__ = ["_loopback_allowed", "serve"]

RESPONSES = 20_000
PARTS = 8
TIMEOUT = 1.0
ENOUGH = 20.0
"""Seconds of one check, on the slowest of machines: its requests take at most `TIMEOUT` each."""
SECRET = "k3y/+=Ld92 kfQx<>"

HTTP: dict[str, Any] = {
    "type": "http", "connect_retries": 0, "timeout_seconds": TIMEOUT, "max_body_bytes": 1_000_000,
    "headers": {"X-Api-Key": SECRET},
}  # fmt: skip
CHECKS: list[dict[str, Any]] = [
    HTTP,
    {**HTTP, "expect": {"status": "100-599", "json": {"$.a": {"equals": 1}, "$.id": {"type": "number"}}}},
    {**HTTP, "expect": {"status": "100-599", "body": [{"contains": "id"}, {"not": {"matches": "(?i)error"}}]}},
    {
        **HTTP,
        "expect": {"status": "100-599", "headers": {"content-type": {"contains": "json"}, "x-id": {"exists": False}}},
    },
    {**HTTP, "expect": {"status": "100-599", "json": {"$": {"json_schema": {"properties": {"a": {"multipleOf": 3}}}}}}},
    {**HTTP, "expect": {"status": "100-599", "json": {"$..id": {"not": {"equals": 5123}}, "$.b": {"length": 0}}}},
    {**HTTP, "follow_redirects": True, "max_redirects": 3},
    {**HTTP, "method": "POST", "json": {"key": SECRET}, "follow_redirects": True},
    {**HTTP, "method": "HEAD"},
    {**HTTP, "samples": {"count": 3, "min_success_percent": 50}},
]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_response_has_an_outcome(part: int, serve: Serve) -> None:
    def answer(number: int) -> Made:
        chance = seeded("responses", part, number)
        return response(chance, SECRET, lambda: chance.choice(links))

    links = [
        "/1",
        "/2?a=b",
        "3",
        "//localhost/",
        "http://127.0.0.1:9/",
        "/\xff",
        "http://[",
        "javascript:1",
        "",
        "/" + "x" * 3000,
    ]

    def play(peer: Peer) -> None:
        while asked := re.match(rb"[A-Z]+ /(\d+)", request := peer.request()):
            found = answer(int(asked[1]))
            data = found.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.startswith(b"HEAD") else found.data
            peer.send(data)
            if found.closes:
                return

    server = serve(play)

    def run(number: int) -> tuple[int, dict[str, Any], Outcome, float]:
        fields = {**CHECKS[number % len(CHECKS)], "path": f"/{number}"}
        began = time.monotonic()
        try:
            outcome = check_class("http").model_validate(fields).run(context(server.url))
        except Exception as error:  # noqa: BLE001 - as the runner does
            outcome, _ = outcome_of_exception(error)
        return number, fields, outcome, time.monotonic() - began

    counts = dict.fromkeys(Status, 0)
    with ThreadPoolExecutor(4) as pool:
        for number, fields, outcome, seconds in pool.map(run, range(RESPONSES // PARTS)):
            sent = answer(number)
            seen = (
                f"part {part}, number {number}, {fields}: {outcome.status} {outcome.reason[:300]}; {sent.data[:300]!r}"
            )
            assert seconds < ENOUGH, seen
            assert "raised" not in outcome.reason, seen
            assert outcome.reason, seen
            assert SECRET not in outcome.reason, seen
            assert SECRET not in str(outcome.evidence), seen
            if sent.broken and fields.get("method") != "HEAD" and "samples" not in fields:
                assert outcome.status is not Status.PASS, seen
            counts[outcome.status] += 1
    assert min(counts[Status.PASS], counts[Status.FAIL]) > RESPONSES // PARTS // 20, counts
