from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ecs_hooks_simulator import CallableTarget, HookInvocationError, LambdaTarget, LifecycleHook, TasksFailedError
from ecs_hooks_simulator.core.hook_targets import LARGEST_PAYLOAD
from tests.simulator.plays import SUCCEEDED, Gate, play


def test_a_callable_gets_the_context_object_of_lambda() -> None:
    gate = Gate(name="smoke")
    gate.target.timeout_seconds = 60
    gate.target.invoke({"a": 1})
    gate.target.invoke({"a": 1})
    first, second = gate.contexts
    assert first.function_name == "smoke"
    assert first.function_version == "$LATEST"
    assert first.invoked_function_arn == "arn:aws:lambda:us-west-2:123456789012:function:smoke"
    assert first.memory_limit_in_mb == "128"
    assert 50_000 < first.get_remaining_time_in_millis() <= 60_000
    assert len(first.aws_request_id) == 36
    assert first.aws_request_id != second.aws_request_id
    assert first.log_group_name == "/aws/lambda/smoke"


def test_event_and_response_pass_through_json() -> None:
    event: dict[str, Any] = {"list": [1], "tuple": (1, 2)}

    def handler(received: dict[str, Any], context: object) -> Any:
        received["list"].append(2)
        return {"tuple": received["tuple"], 1: Decimal("1.5")}

    assert CallableTarget(handler).invoke(event) == {"tuple": [1, 2], "1": "1.5"}
    assert event["list"] == [1]


def test_a_function_is_named_after_its_handler() -> None:
    def lambda_handler(event: object, context: object) -> None: ...

    assert CallableTarget(lambda_handler).name == "lambda_handler"
    assert CallableTarget(lambda event, context: None).name == "lambda"
    assert CallableTarget(lambda_handler, arn="arn:mine").arn == "arn:mine"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (SystemExit(1), "SystemExit: 1"),
        (RecursionError(), "RecursionError"),
        ({"x": object()}, "Object of type object is not JSON serializable"),
        ({"x": float("inf")}, "ValueError"),
        ("x" * LARGEST_PAYLOAD, "Response payload size exceeded maximum allowed payload size"),
    ],
)
def test_errors_of_a_handler_are_function_errors(answer: Any, text: str) -> None:
    with pytest.raises(HookInvocationError, match=text) as caught:
        Gate(answer).target.invoke({})
    assert caught.value.invoked


def test_an_event_that_is_too_large_is_not_delivered() -> None:
    gate = Gate()
    with pytest.raises(HookInvocationError, match="too large") as caught:
        gate.target.invoke({"x": "y" * LARGEST_PAYLOAD})
    assert not caught.value.invoked
    assert gate.events == []


def test_a_handler_that_hangs_times_out() -> None:
    release = threading.Event()
    gate = Gate(lambda event: release.wait(20))
    gate.target.timeout_seconds = 0.05
    with pytest.raises(HookInvocationError, match=r"Task timed out after 0\.05 seconds") as caught:
        gate.target.invoke({})
    release.set()
    assert caught.value.invoked


class _Lambda(BaseHTTPRequestHandler):
    """Lambda's Invoke as an endpoint: answers with what the server was given."""

    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.paths.append(self.path)
        self.server.events.append(json.loads(self.rfile.read(length)))
        self.server.overlap = max(self.server.overlap, self.server.inside.count_up())
        status, headers, body = self.server.answer
        if status == 0:
            self.server.release.wait(20)
            status = 200
        else:
            self.server.pause.wait(0.05)
        self.server.inside.count_down()
        with suppress(OSError):  # a client that has given up
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


class _Counter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def count_up(self) -> int:
        with self._lock:
            self._count += 1
            return self._count

    def count_down(self) -> None:
        with self._lock:
            self._count -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Lambda)
        self.answer = (status, headers, body)
        self.paths: list[str] = []
        self.events: list[Any] = []
        self.inside = _Counter()
        self.overlap = 0
        self.release = threading.Event()
        self.pause = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def _endpoint(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[_Server]:
    with _Server(status, body, headers or {}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()


def test_a_function_behind_an_endpoint_plays_a_whole_deployment() -> None:
    with _endpoint(json.dumps(SUCCEEDED).encode()) as server:
        target = LambdaTarget("function", endpoint_url=server.url, timeout_seconds=20)
        hook = LifecycleHook(target=target, lifecycle_stages=["PRE_SCALE_UP", "POST_SCALE_UP"])
        deployment, _ = play(hook, hook)
    assert deployment.status == "SUCCESSFUL"
    assert server.paths == ["/2015-03-31/functions/function/invocations"] * 4
    assert [event["lifecycleStage"] for event in server.events][::2] == ["PRE_SCALE_UP", "POST_SCALE_UP"]
    assert server.overlap == 1, "the emulator does not survive two at a time"


def test_invocations_may_overlap() -> None:
    with _endpoint(json.dumps(SUCCEEDED).encode()) as server:
        target = LambdaTarget("f", endpoint_url=server.url, one_at_a_time=False)
        threads = [threading.Thread(target=target.invoke, args=({},)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.events) == 3


@pytest.mark.parametrize(
    ("body", "headers", "text"),
    [
        (b'{"errorType": "ValueError", "errorMessage": "boom"}', {"X-Amz-Function-Error": "Unhandled"}, "ValueError: boom"),
        (b'{"errorType": "ValueError", "errorMessage": "boom"}', {}, "ValueError: boom"),
        (b'"text"', {"X-Amz-Function-Error": "Unhandled"}, "the function raised"),
        (b"<html>", {}, "is not JSON"),
        (b'{"hookStatus": "SUCCEEDED", "n": NaN}', {}, "is not JSON"),
        (b"[" * 100_000, {}, "is not JSON"),
    ],
)  # fmt: skip
def test_errors_of_the_function_are_found_with_and_without_the_header(
    body: bytes, headers: dict[str, str], text: str
) -> None:
    with _endpoint(body, headers=headers) as server, pytest.raises(HookInvocationError, match=text) as caught:
        LambdaTarget("f", endpoint_url=server.url).invoke({})
    assert caught.value.invoked


def test_an_empty_response_is_null() -> None:
    with _endpoint(b"") as server:
        assert LambdaTarget("f", endpoint_url=server.url).invoke({}) is None


def test_a_response_may_have_a_field_named_error_type() -> None:
    answer = {"hookStatus": "FAILED", "errorType": "mine"}
    with _endpoint(json.dumps(answer).encode()) as server:
        assert LambdaTarget("f", endpoint_url=server.url).invoke({}) == answer


def test_an_error_of_lambda_is_not_an_invocation() -> None:
    body = b'{"Type": "User", "Message": "not authorized to perform: lambda:InvokeFunction"}'
    with (
        _endpoint(body, status=403, headers={"x-amzn-errortype": "AccessDeniedException"}) as server,
        pytest.raises(HookInvocationError, match="not authorized") as caught,
    ):
        LambdaTarget("f", endpoint_url=server.url).invoke({})
    assert not caught.value.invoked


def test_a_refused_connection_is_not_an_invocation() -> None:
    with _endpoint(b"") as server:
        url = server.url
    with pytest.raises(HookInvocationError) as caught:
        LambdaTarget("f", endpoint_url=url).invoke({})
    assert not caught.value.invoked


def test_a_function_behind_an_endpoint_that_hangs_times_out() -> None:
    with _endpoint(b"{}", status=0) as server, pytest.raises(HookInvocationError, match="timed out") as caught:
        LambdaTarget("f", endpoint_url=server.url, timeout_seconds=0.2).invoke({})
    assert caught.value.invoked


def test_the_arn_of_a_function_is_given_or_made_from_its_name() -> None:
    assert LambdaTarget("f", region="eu-west-1").arn == "arn:aws:lambda:eu-west-1:123456789012:function:f"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:g"
    assert LambdaTarget(arn).arn == LambdaTarget("f", arn=arn).arn == arn
    assert isinstance(TasksFailedError("x"), Exception)


def test_without_an_endpoint_it_is_aws_with_the_usual_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    with _endpoint(json.dumps(SUCCEEDED).encode()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        assert LambdaTarget("f").invoke({}) == SUCCEEDED
