"""Lambda's runtime API on loopback, so that a function can be started cold in Lambda's own runtime client.

awslambdaric runs Python functions inside Lambda. It gets an event from this server and posts the answer, as in
Lambda. The time from the start of its process to the answer is a cold start without Lambda's sandbox.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

_TIMEOUT = 60.0


class _RuntimeApi(ThreadingHTTPServer):
    """Serves one event, and records the time of its answer."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Log nothing: a function that is terminated leaves its connections open."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = json.dumps(event).encode()
        self.handed_out = False
        self.answered = Event()
        self.answered_at = 0.0
        self.answer: Any = None


class _Handler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.server.handed_out:
            self.server.answered.wait()
            time.sleep(_TIMEOUT)  # there is no second event; the process is terminated meanwhile
        self.server.handed_out = True
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + _TIMEOUT) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:123456789012:function:hook")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        self.server.answered_at = time.perf_counter()
        self.server.answer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.answered.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def cold_start(
    python: Sequence[str], handler: str, directory: Path, event: dict[str, Any], **environment: str
) -> tuple[float, Any]:
    """Start a function in a new process, and terminate it after the answer to one event.

    Parameters
    ----------
    python
        The interpreter, and its options.
    handler
        The handler in Lambda's form, `module.function`.
    directory
        The folder of the module.
    event
        The event.
    **environment
        More environment variables.

    Returns
    -------
    The seconds from the start of the process to its answer, and the answer.
    """
    server = _RuntimeApi(event)
    Thread(target=server.serve_forever, daemon=True).start()
    environ = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "hook",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        **environment,
    }
    # Lambda's runtime has compiled modules; without them this would measure the compiler.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - an interpreter that the caller chose
        [*python, "-m", "awslambdaric", handler],
        cwd=directory,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not server.answered.wait(_TIMEOUT):
            raise TimeoutError(f"{handler} did not answer")
        return server.answered_at - began, server.answer
    finally:
        process.kill()
        process.wait()
        server.shutdown()
        server.server_close()
