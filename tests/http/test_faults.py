"""Servers that misbehave, each in its own way. The outcome must be the right one, and in time."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import trustme

from ecs_hooks import Hook, Outcome, Stage, Status, lifecycle_hook, stage_hook
from ecs_hooks.handler import LifecycleHandler
from tests.checks.asking import ask
from tests.conftest import load_event
from tests.http.behaviours import ALLOWED_BYTES, BEHAVIOURS, TO_ANSWER, Behaviour
from tests.http.certificates import context_named
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

SECONDS = 30.0
"""Of an invocation."""
HURRY, PATIENCE = 0.5, 10.0
"""Seconds of a request, with a behaviour that would take for ever and with any other."""
WORST_FIRST = (Status.FAIL, Status.ERROR, Status.WAIT, Status.PASS)
ANSWERS = {Status.PASS: "SUCCEEDED", Status.FAIL: "FAILED", Status.ERROR: "IN_PROGRESS", Status.WAIT: "IN_PROGRESS"}

Start = Callable[..., str]


class Context:
    """Lambda's context."""

    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:hook"

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self.end - time.monotonic()) * 1000)


@pytest.fixture
def full() -> Iterator[str]:
    """A port that accepts no connection any more."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for filler in fillers:
            filler.close()


@pytest.fixture
def closed() -> str:
    """A closed port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def start(serve: Serve, trusted: trustme.CA, full: str, closed: str) -> Start:
    """Start a server, and return its address; with `kept`, it answers the first request as it should."""

    def starting(behaviour: Behaviour, *, kept: bool = False) -> str:
        if behaviour.tls == "old" and not ssl.HAS_TLSv1_1:
            pytest.skip("this OpenSSL has no TLS 1.1")
        if behaviour.script is None:
            return full if behaviour.slow else closed
        context = None if behaviour.tls in {"", "expected"} else context_named(behaviour.tls, trusted)
        url = serve(after_an_answer(behaviour.script) if kept else behaviour.script, context).url
        return {"expected": url.replace("http:", "https:"), "unexpected": url.replace("https:", "http:")}.get(
            behaviour.tls, url
        )

    return starting


def after_an_answer(script: Script) -> Script:
    """Play a script from the second request on, on the connection of the first."""
    answered: list[bytes] = []

    def play(peer: Peer) -> None:
        if not answered:
            answered.append(peer.request())
            peer.answer(b"ok")
        script(peer)

    return play


def request(behaviour: Behaviour) -> dict[str, Any]:
    return {
        "path": "/x",
        "timeout_seconds": HURRY if behaviour.slow else PATIENCE,
        "connect_retries": 0,
        "max_body_bytes": ALLOWED_BYTES,
        **behaviour.fields,
    }


Outcomes = dict[str, tuple[Status, str]]
"""Status and reason of each check, by its label."""


def played(
    handler: LifecycleHandler, lines: Callable[[], list[Any]], seconds: float = SECONDS, **details: Any
) -> Outcomes:
    """Invoke a handler, see that its answer is a valid one and in time, and return what came of each check."""
    context = Context(seconds)
    lines()
    answer = handler(load_event(hookDetails=details), context)

    assert time.monotonic() < context.end
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    outcomes = [each for each in lines() if "outcome" in each]
    assert not any("traceback" in each for each in outcomes)
    worst = next(status for status in WORST_FIRST if status.value in {each["outcome"] for each in outcomes})
    assert answer["hookStatus"] == ANSWERS[worst]
    assert answer["reason"].startswith(f"{answer['hookStatus']} post_test_traffic_shift my-service: ")
    assert answer["reason"].isprintable()  # a line break is not
    if worst is not Status.PASS:
        seen = [each["message"].partition(" ")[2] for each in outcomes if each["outcome"] == worst.value]
        assert any(each in answer["reason"] for each in seen), (answer["reason"], seen)
    assert ("callBackDelay" in answer) is (answer["hookStatus"] == "IN_PROGRESS")
    return {each["check"]: (Status(each["outcome"]), each["message"]) for each in outcomes}


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_checks(name: str, start: Start, lines: Callable[[], list[Any]]) -> None:
    """Play it on a connection of its own, and on one that another request has left open."""
    behaviour = BEHAVIOURS[name]
    fields = request(behaviour)
    del fields["path"]
    # Before there is a connection, no other request can have left one.
    kept = name in TO_ANSWER
    fresh, second, many = (start(behaviour, kept=each) for each in (False, kept, kept))
    requests = [*([{"url": f"{second}/before"}] if kept else []), {**fields, "url": f"{second}/x"}]
    checks = [
        {"type": "http", "name": "once", **fields, "url": f"{fresh}/x"},
        {"type": "scenario", "requests": requests, "budget_seconds": 20},
        {"type": "http", "name": "many", **fields, "url": f"{many}/x", "samples": {"count": 2}},
    ]
    outcomes = played(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT), lines, checks=checks)

    # Once green has answered many times, no answer is a finding about it.
    sampled = Status.FAIL if kept and behaviour.status is Status.ERROR else behaviour.status
    statuses = {'http "once"': behaviour.status, "scenario": behaviour.status, 'http "many"': sampled}
    assert {label: status for label, (status, _) in outcomes.items()} == statuses, outcomes
    assert all(behaviour.reason in reason for _, reason in outcomes.values()), outcomes
    assert behaviour.status is Status.PASS or f"scenario request {len(requests)} " in outcomes["scenario"][1]


@pytest.mark.parametrize("name", [name for name, each in BEHAVIOURS.items() if ", expected 2xx" not in each.reason])
def test_a_request_in_the_code_of_a_hook(name: str, start: Start, lines: Callable[[], list[Any]]) -> None:
    behaviour = BEHAVIOURS[name]

    def code(hook: Hook) -> Outcome:
        response = hook.green.request(**{"method": "GET", **request(behaviour)})
        return hook.passed(f"status {response.status}")

    (outcome, reason) = played(lifecycle_hook(code), lines, base_url=start(behaviour))["hook"]

    assert (outcome, behaviour.reason in reason) == (behaviour.status, True), reason


SLOW = [name for name, each in BEHAVIOURS.items() if each.slow]


def test_the_time_of_the_invocation_is_no_finding(start: Start) -> None:
    def asked(name: str) -> Outcome:
        behaviour = BEHAVIOURS[name]
        return ask(urls[name], seconds=4 * HURRY, **{**request(behaviour), "timeout_seconds": PATIENCE})

    urls = {name: start(BEHAVIOURS[name]) for name in SLOW}
    with ThreadPoolExecutor(len(SLOW)) as pool:
        outcomes = dict(zip(SLOW, pool.map(asked, SLOW), strict=True))

    for name, outcome in outcomes.items():
        phase, _, _ = BEHAVIOURS[name].reason.partition(" within ")
        assert outcome.status is Status.WAIT, name
        assert f"{phase} when the time of this invocation was over" in outcome.reason, name


def test_the_answer_comes_before_the_invocation_is_over(start: Start, lines: Callable[[], list[Any]]) -> None:
    slow = {name: BEHAVIOURS[name] for name in ("no connection is accepted", "never answers", "trickles the body")}
    checks = []
    for name, behaviour in slow.items():
        fields = {**request(behaviour), "timeout_seconds": 600}
        url = start(behaviour) + fields.pop("path")
        checks.append({"type": "http", "name": name, "url": url, **fields})
    outcomes = played(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT), lines, seconds=8, checks=checks)

    assert {label: status for label, (status, _) in outcomes.items()} == {
        f'http "{name}"': Status.WAIT for name in slow
    }
