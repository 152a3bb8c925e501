"""A version of a Lambda function in a process: `python -m ecs_hooks_simulator.codedeploy.lambda_functions.server MODULE:FUNCTION`.

It listens on `PORT` of `HOST`. A `POST` to `INVOCATIONS` invokes the handler with the body as its event, as Lambda's runtime
interface emulator does. Any other request invokes it with the event of a function URL (payload format 2.0).
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ecs_hooks.core.deadline import MAX_LAMBDA_SECONDS
from ecs_hooks_simulator.core.hook_targets import LambdaContext

INVOCATIONS = "/2015-03-31/functions/function/invocations"
CLIENT_CONTEXT = "X-Amz-Client-Context"
FUNCTION_ERROR = "X-Amz-Function-Error"
_TIMEOUT = float(MAX_LAMBDA_SECONDS)

Handler = Callable[[Any, Any], Any]


def load(place: str) -> Handler:
    """Return a handler.

    Parameters
    ----------
    place
        `MODULE:FUNCTION` or `FILE.py:FUNCTION`; the function is `lambda_handler` by default.
    """
    name, _, function = place.partition(":")
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        assert spec is not None, "a file that ends with .py"
        assert spec.loader is not None, "a file that ends with .py"
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    handler: Handler = getattr(module, function or "lambda_handler")
    return handler


class FunctionServer(ThreadingHTTPServer):
    """Serves one handler at an address."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        super().__init__(address, _Requests)
        self._handler = handler

    def invoke(self, event: Any, client_context: str = "") -> tuple[Any, bool]:
        """Invoke the function; return its response and False, or Lambda's shape of its error and True.

        Parameters
        ----------
        event
            The event.
        client_context
            The JSON of `ClientContext`, in Base64; empty without one.
        """
        arn = "arn:aws:lambda:us-west-2:123456789012:function:function"
        try:
            context = LambdaContext("function", arn, "128", _TIMEOUT)
            if client_context:
                fields = json.loads(base64.b64decode(client_context))
                context.client_context = SimpleNamespace(
                    client=None, custom=fields.get("custom"), env=fields.get("env")
                )
            answer = self._handler(event, context)
            return json.loads(json.dumps(answer)), False
        except Exception as error:  # noqa: BLE001 - any exception is a function error
            frames = traceback.format_tb(error.__traceback__)
            return {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": frames}, True


class _Requests(BaseHTTPRequestHandler):
    server: FunctionServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST" and self.path == INVOCATIONS:
            answer, failed = self.server.invoke(json.loads(body or b"{}"), self.headers.get(CLIENT_CONTEXT, ""))
            headers = {FUNCTION_ERROR: "Unhandled"} if failed else {}
            self._answer(200, {"content-type": "application/json", **headers}, json.dumps(answer).encode())
            return
        answer, failed = self.server.invoke(self._event(body))
        if failed:
            headers = {"content-type": "application/json", FUNCTION_ERROR: "Unhandled"}
            self._answer(502, headers, b'{"message":"Internal Server Error"}')
        elif isinstance(answer, dict) and "statusCode" in answer:
            content = str(answer.get("body") or "")
            decoded = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
            self._answer(int(answer["statusCode"]), answer.get("headers") or {}, decoded)
        else:
            # "Lambda infers the response format": without a status, the response is the body.
            self._answer(200, {"content-type": "application/json"}, json.dumps(answer).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _event(self, body: bytes) -> dict[str, Any]:
        """Return the event of a function URL."""
        parts = urlsplit(self.path)
        http = {"method": self.command, "path": parts.path, "protocol": "HTTP/1.1", "sourceIp": self.client_address[0]}
        http["userAgent"] = self.headers.get("User-Agent", "")
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"http": http, "stage": "$default", "timeEpoch": round(time.time() * 1000)},
            "isBase64Encoded": bool(body),
        }
        if parts.query:
            event["queryStringParameters"] = dict(parse_qsl(parts.query, keep_blank_values=True))
        if body:
            event["body"] = base64.b64encode(body).decode()
        return event

    def _answer(self, status: int, headers: dict[str, Any], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main(arguments: list[str]) -> None:
    """Serve until the process ends."""
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    with FunctionServer(address, load(arguments[1])) as server:
        server.serve_forever()


if __name__ == "__main__":  # pragma: no cover - another process, which a test starts
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the user's modules
    main(sys.argv)
