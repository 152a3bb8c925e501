"""Limits of the function itself, reached for real: never a finding about green, in any check."""

from __future__ import annotations

import errno
import threading
from typing import Any

import pytest
import trustme

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.call import call_aws
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.state import State
from ecs_hooks.engine.runner import Runner
from ecs_hooks.http.deadline_socket import DeadlineSocket
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from tests.checks.asking import context
from tests.conftest import load_event
from tests.engine.test_runner import EVENT
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer
from tests.support.aws import AwsApi
from tests.support.limits import few_descriptors, no_descriptors, no_threads

TOKEN = {"token_url": "http://127.0.0.1:1/token", "client_id": {"env": "ID"}, "client_secret": {"env": "SECRET"}}
CHECKS: dict[str, dict[str, Any]] = {
    "http": {"type": "http"},
    "http that polls": {"type": "http", "until": {"timeout_seconds": 1}},
    "http with samples": {"type": "http", "samples": {"count": 30, "concurrency": 10}},
    "tcp": {"type": "tcp", "address": "{address}"},
    "scenario": {"type": "scenario", "requests": [{"path": "/"}], "budget_seconds": 5},
    "load": {"type": "load", "requests_per_second": 50, "duration_seconds": 1, "timeout_seconds": 2},
    "compare": {"type": "compare", "blue_url": "{url}/blue", "samples": 15, "budget_seconds": 5},
}


class Checked:
    """The checks of a plan, read before a limit is reached, so that their modules are loaded."""

    def __init__(self, url: str, *checks: dict[str, Any]) -> None:
        address = Url.parse(url).authority
        filled = [
            {
                name: value.format(url=url, address=address) if isinstance(value, str) else value
                for name, value in each.items()
            }
            for each in checks
        ]
        self.checks = Plan.parse({"checks": filled}).checks
        self.url = url

    def run(self) -> list[Outcome]:
        return Runner(context(self.url), State.load(None, EVENT, 0), lambda _: None).run(self.checks)


def outcomes(url: str, *checks: dict[str, Any]) -> list[Outcome]:
    return Checked(url, *checks).run()


def answering(peer: Peer) -> None:
    while peer.request():
        peer.answer(b"ok")


@pytest.mark.parametrize("name", CHECKS)
def test_no_connection_can_be_opened(serve: Serve, name: str) -> None:
    server = serve(answering)
    checked = Checked(server.url, CHECKS[name])
    with few_descriptors(0):
        (outcome,) = checked.run()
    assert outcome.status is Status.ERROR
    assert "the function ran out of file descriptors; at most " in outcome.reason
    assert server.connections == 0


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_at_all_can_be_opened(serve: Serve, name: str) -> None:
    server = serve(answering)
    checked = Checked(server.url, CHECKS[name])
    with no_descriptors():
        (outcome,) = checked.run()
    assert outcome.status is Status.ERROR
    assert "the function ran out of file descriptors; at most " in outcome.reason


@pytest.mark.parametrize("name", CHECKS)
def test_there_is_no_local_port(serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(DeadlineSocket, "connect", refuse)
    (outcome,) = outcomes(serve(answering).url, CHECKS[name])
    assert outcome.status is Status.ERROR
    assert "the function ran out of local ports for 127.0.0.1 port " in outcome.reason


def test_connections_of_all_checks_together_are_limited(serve: Serve) -> None:
    """Three loads, each of which alone would have enough: of a green that does not answer, they hold ever more."""
    server = serve(Peer.hang)
    load = {**CHECKS["load"], "requests_per_second": 30, "max_in_flight": 500, "timeout_seconds": 10}
    checked = Checked(server.url, *({**load, "name": name} for name in "abc"))
    with few_descriptors(70):
        three = checked.run()
    assert {each.status for each in three} <= {Status.ERROR, Status.FAIL}
    limited = [each for each in three if "the function ran out of file descriptors; at most " in each.reason]
    assert limited
    assert all(each.status is Status.ERROR for each in limited)


@pytest.mark.parametrize("name", ["http with samples", "load"])
def test_no_thread_can_start(serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering)
    check = CHECKS[name]
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if threading.current_thread().name == "ecs-hooks" or thread.name == "ecs-hooks-load":
            started.append(thread)
            if len(started) > 1:
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    (outcome,) = outcomes(server.url, check)
    assert outcome.status is Status.ERROR
    assert "thread" in outcome.reason


def test_no_thread_looks_up_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Plan.parse({"checks": [{"type": "http"}]}).checks[0]
    no_threads(monkeypatch)
    outcome = check.run(context("http://localhost:1"))
    assert outcome.status is Status.ERROR
    assert "the function ran out of threads" in outcome.reason


@pytest.mark.parametrize("name", [each for each in CHECKS if each != "tcp"])
def test_there_is_no_memory(serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ecs_hooks.http.http1.decoded", refuse)
    (outcome,) = outcomes(serve(answering).url, CHECKS[name])
    assert outcome == Outcome.error(
        "the function ran out of memory; give it more, or run fewer checks at the same time"
    )


def test_certificates_that_could_not_be_read(
    serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings of TLS would lack the authorities, and be kept."""
    server = serve(answering, server_context(trusted.issue_cert("127.0.0.1")))
    monkeypatch.setattr("ecs_hooks.http.tls.has_no_descriptor", lambda: True)
    (outcome,) = outcomes(server.url, {"type": "http"})
    assert (outcome.status, "ran out of file descriptors" in outcome.reason) == (Status.ERROR, True)
    monkeypatch.undo()
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    assert outcomes(server.url, {"type": "http", "verify_tls": False})[0].status is Status.PASS

    monkeypatch.setattr("ecs_hooks.http.connect.has_no_descriptor", lambda: True)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    (outcome,) = outcomes(server.url, {"type": "http"})
    assert (outcome.status, "ran out of file descriptors" in outcome.reason) == (Status.ERROR, True)


def test_a_name_that_could_not_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Checked("http://does-not-exist.invalid", {"type": "http"})
    with no_descriptors():
        (outcome,) = checked.run()
    assert (outcome.status, "ran out of file descriptors" in outcome.reason) == (Status.ERROR, True)


def test_a_token_that_could_not_be_requested(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ID", "id")
    monkeypatch.setenv("SECRET", "hunter2")
    checked = Checked(serve(answering).url, {"type": "http", "auth": {"oauth2": TOKEN}})
    with few_descriptors(0):
        (outcome,) = checked.run()
    assert (outcome.status, "ran out of file descriptors" in outcome.reason) == (Status.ERROR, True)


def test_calls_of_aws(aws: AwsApi) -> None:
    action = "elasticloadbalancing:DescribeTargetHealth"
    with (
        no_descriptors(),
        pytest.raises(FactError, match=f"{action}: the function ran out of file descriptors") as caught,
    ):
        call_aws(action, "us-west-2", TargetGroupArn="arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/a/b")
    assert caught.value.outcome.status is Status.ERROR


def test_the_modules_of_a_check_could_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("ecs_hooks.plan.model.check_class", refuse)
    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails={"checks": [{"type": "http"}]}))
    assert answer["hookStatus"] == "IN_PROGRESS"
    assert "plan the function ran out of file descriptors; at most " in answer["reason"]


def test_no_thread_runs_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    no_threads(monkeypatch)
    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails={"checks": [{"type": "http"}]}))
    assert answer["hookStatus"] == "IN_PROGRESS"
    assert "hook the function ran out of threads" in answer["reason"]


def test_no_thread_fetches_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    no_threads(monkeypatch)
    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails={"plan": "ssm:/plan"}))
    assert answer["hookStatus"] == "IN_PROGRESS"
    assert "plan the function ran out of threads" in answer["reason"]


def test_no_memory_for_the_handler_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ecs_hooks.engine.invocation.decide", refuse)
    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails={"checks": []}))
    assert answer["hookStatus"] == "FAILED"
    assert answer["reason"].endswith(
        "the function ran out of memory; give it more, or run fewer checks at the same time"
    )
