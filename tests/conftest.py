from __future__ import annotations

import copy
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import hypothesis
import pytest

from ecs_hooks.auth import oauth2, secret_store, sigv4
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.redaction import redactor
from ecs_hooks.engine.telemetry import logger
from tests.support.answers import EVENTS
from tests.support.aws import AwsApi, serving

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the secrets of earlier tests, which tracebacks are masked by."""
    monkeypatch.setattr(redactor, "_EVERY", redactor._Recent())


GREEN = "arn:aws:ecs:us-west-2:123456789012:service-revision/my-cluster/my-service/9313423515462893900"
BLUE = "arn:aws:ecs:us-west-2:123456789012:service-revision/my-cluster/my-service/1920498462936580504"


def load_event(name: str = "post_test_traffic_shift", **changes: Any) -> dict[str, Any]:
    """Return a sample event with other top-level fields."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return {**event, **changes}


def shifted(stage: str, *, test: Any = None, production: Any = None, **changes: Any) -> dict[str, Any]:
    """Return an event of a stage with these weights."""
    event = copy.deepcopy(load_event(lifecycleStage=stage, **changes))
    event["executionDetails"] |= {"testTrafficWeights": test or {}, "productionTrafficWeights": production or {}}
    return event


@pytest.fixture
def event() -> LifecycleEvent:
    return LifecycleEvent.parse(load_event())


class EcsApi(ThreadingHTTPServer):
    """ECS's JSON protocol on loopback: answers DescribeServiceDeployments as it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = 0
        self.status = 200
        self.delay = 0.0
        self.body: bytes = b""
        self.deployment(status="IN_PROGRESS")

    def deployment(self, **fields: Any) -> None:
        """Answer with one deployment that has these fields."""
        shape = {
            "status": "IN_PROGRESS",
            "sourceServiceRevisions": [{"arn": BLUE}],
            "deploymentConfiguration": {"strategy": "BLUE_GREEN"},
            **fields,
        }
        self.answer({"serviceDeployments": [shape], "failures": []})

    def answer(self, value: Any, status: int = 200) -> None:
        """Answer with this JSON."""
        self.status, self.body = status, json.dumps(value).encode()

    def error(self, code: str, status: int = 400) -> None:
        """Answer with an error of the API."""
        self.answer({"__type": code, "message": "no"}, status)

    def handle_error(self, *_: object) -> None:
        """Stay silent: clients give up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: EcsApi

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["X-Amz-Target"].endswith(".DescribeServiceDeployments")
        self.server.calls += 1
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[EcsApi]:
    """ECS, where boto3 finds it."""
    server = EcsApi()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsApi]:
    """All of AWS, where boto3 finds it."""
    with serving() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No AWS but a closed port, no configuration of the machine's own, and no secret or token of another test."""
    secret_store.cached_secrets.clear()
    oauth2.tokens.clear()
    sigv4.cached_roles.clear()
    for name in ("APP_URL", "ECS_HOOKS_ALLOWED_HOSTS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class _Stdout:
    """The current stdout: the logger keeps the one of its import, and pytest replaces it in each phase of a test."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Return the JSON lines that were printed since the last call."""
    monkeypatch.setattr(logger.registered_handler, "stream", _Stdout())

    def read() -> list[dict[str, Any]]:
        printed = capfd.readouterr().out.splitlines()
        return [json.loads(line) for line in printed if line.startswith("{")]

    return read


class _Orders(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"[]"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def httpd() -> Iterator[str]:
    """A web application that lists no orders, and nothing else either."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Orders)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _nothing_is_left_in_moto() -> Iterator[None]:
    """Forget what a test has put into moto, which is the same for all tests of a process."""
    yield
    if moto := sys.modules.get("moto.core.base_backend"):
        moto.BackendDict.reset()
