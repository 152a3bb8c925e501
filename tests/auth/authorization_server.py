"""A token endpoint on loopback that enforces RFC 6749."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus

CLIENT = "smoke test"
SECRET = "s3cret:ä%+ of the client"


class AuthorizationServer(ThreadingHTTPServer):
    """Issues tokens to one client.

    Attributes
    ----------
    asked
        The form of each request.
    issued
        The tokens that it issued.
    delay
        Seconds before each response.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.issued: list[str] = []
        self.delay = 0.0
        self.fields: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3600}
        self._answer: tuple[int, bytes] | None = None
        self.wait = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"

    def answer(self, status: int, body: Any) -> None:
        """Return this response from now on."""
        self._answer = (status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def reply(self, method: str, headers: Any, body: str) -> tuple[int, bytes]:
        form = {name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()}
        self.asked.append(form)
        self.wait.wait(self.delay)
        if self._answer is not None:
            return self._answer
        if method != "POST" or headers["Content-Type"] != "application/x-www-form-urlencoded":
            return 400, b'{"error": "invalid_request"}'
        if form.get("grant_type") != "client_credentials":
            return 400, b'{"error": "unsupported_grant_type"}'
        if _client(headers, form) != (CLIENT, SECRET):
            return 401, b'{"error": "invalid_client"}'
        self.issued.append(f"t0ken-{len(self.issued) + 1}-of-the-server")
        return 200, json.dumps({"access_token": self.issued[-1], **self.fields}).encode()


def _client(headers: Any, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, credentials = headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        name, _, secret = base64.b64decode(credentials).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


class _Handler(BaseHTTPRequestHandler):
    server: AuthorizationServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, answer = self.server.reply(self.command, self.headers, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving() -> Iterator[AuthorizationServer]:
    """Run an `AuthorizationServer`."""
    server = AuthorizationServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.wait.set()
        server.shutdown()
        thread.join()
        server.server_close()
