from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ecs_hooks_simulator.codedeploy.lambda_functions.demo_function import lambda_handler
from ecs_hooks_simulator.codedeploy.lambda_functions.server import INVOCATIONS, FunctionServer, load, main

Serve = Callable[[Any], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a handler, and return its address."""
    servers: list[FunctionServer] = []
    threads: list[threading.Thread] = []

    def start(handler: Any) -> str:
        server = FunctionServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append(server)
        threads.append(thread)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_function_is_invoked_like_the_runtime_interface_emulator(serve: Serve) -> None:
    address = serve(lambda event, context: {"event": event, "name": context.function_name})

    response = urllib3.request("POST", address + INVOCATIONS, body=b'{"a": 1}')

    assert response.json() == {"event": {"a": 1}, "name": "function"}
    assert "X-Amz-Function-Error" not in response.headers
    assert urllib3.request("POST", address + INVOCATIONS).json()["event"] == {}


@pytest.mark.parametrize("handler", [lambda *_: 1 / 0, lambda *_: object()])
def test_an_exception_is_a_function_error(serve: Serve, handler: Any) -> None:
    address = serve(handler)

    invoked = urllib3.request("POST", address + INVOCATIONS, body=b"{}")
    requested = urllib3.request("GET", address)

    assert invoked.status == 200
    assert invoked.headers["X-Amz-Function-Error"] == "Unhandled"
    assert set(invoked.json()) == {"errorMessage", "errorType", "stackTrace"}
    assert (requested.status, requested.json()) == (502, {"message": "Internal Server Error"})


def test_a_request_becomes_the_event_of_a_function_url(serve: Serve) -> None:
    events: list[Any] = []

    def handler(event: Any, _: object) -> dict[str, Any]:
        events.append(event)
        return {"statusCode": 201, "body": "made", "headers": {"X-A": "b"}}

    address = serve(handler)

    response = urllib3.request("POST", f"{address}/orders?a=1&b=", body=b"\xff", headers={"X-Who": "me"})

    assert (response.status, response.data, response.headers["X-A"]) == (201, b"made", "b")
    (event,) = events
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/orders", "a=1&b=")
    assert event["queryStringParameters"] == {"a": "1", "b": ""}
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["headers"]["x-who"] == "me"
    assert base64.b64decode(event["body"]) == b"\xff"


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 204}, 204, b""),
        ({"statusCode": 200, "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}, 200, b"\xff"),
        ({"orders": []}, 200, b'{"orders": []}'),
        ("text", 200, b'"text"'),
    ],
)
def test_the_response_of_a_function(serve: Serve, answer: Any, status: int, body: bytes) -> None:
    response = urllib3.request("GET", serve(lambda *_: answer))

    assert (response.status, response.data) == (status, body)


def test_the_response_to_head_has_no_body(serve: Serve) -> None:
    assert urllib3.request("HEAD", serve(lambda *_: {"statusCode": 200, "body": "x"})).data == b""


def test_the_demo_function_answers_like_the_demo_application(serve: Serve) -> None:
    address = serve(lambda_handler)

    assert urllib3.request("GET", f"{address}/health").json() == {"status": "ok", "version": "1"}
    uploaded = urllib3.request("POST", f"{address}/process", fields={"file": ("a.txt", "hello")}).json()
    assert uploaded["size"] == 5
    assert urllib3.request("POST", address + INVOCATIONS, body=b'{"file": "hello"}').json() == uploaded
    assert urllib3.request("POST", address + INVOCATIONS, body=b"[]").json()["status"] == "ok"


def test_a_demo_function_without_a_store_fails_uploads(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "/nonexistent/uploads")
    address = serve(lambda_handler)

    assert urllib3.request("POST", f"{address}/process", fields={"file": ("a.txt", "hello")}).status == 500
    invoked = urllib3.request("POST", address + INVOCATIONS, body=b'{"file": "hello"}')
    assert invoked.json()["errorType"] == "FileNotFoundError"


def test_a_text_body_reaches_the_demo_function() -> None:
    event = {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/process", "headers": {}, "body": "text"}

    assert json.loads(lambda_handler(event, None)["body"]) == {"error": "a file is missing"}


def test_handlers_are_loaded_from_modules_and_files(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def lambda_handler(event, context):\n    return event\n\nanswer = lambda event, context: 42\n")

    assert load("ecs_hooks_simulator.codedeploy.lambda_functions.demo_function:lambda_handler") is lambda_handler
    assert load(str(file))("a", None) == "a"
    assert load(f"{file}:answer")("a", None) == 42


def test_the_server_listens_at_the_port_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setattr(FunctionServer, "serve_forever", lambda self: served.append(self.server_port))
    served: list[int] = []

    main(["function_server", "ecs_hooks_simulator.codedeploy.lambda_functions.demo_function"])

    assert len(served) == 1


def test_an_unknown_function_ends_the_process() -> None:
    command = [sys.executable, "-m", "ecs_hooks_simulator.codedeploy.lambda_functions.server", "nowhere:nothing"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "No module named 'nowhere'" in ended.stderr
