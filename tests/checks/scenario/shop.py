"""A shop on loopback that requires requests in order: log in, order, look, cancel."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ken-of-the-shop"
SESSION = "s3ssion-of-the-shop"


class Shop(ThreadingHTTPServer):
    """Records requests and orders."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.orders: dict[str, str] = {}
        self.polls = 0
        self.pause = 0.0
        self.broken: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"

    def _route(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        time.sleep(self.server.pause)
        self.server.requests.append(f"{self.command} {self.path}")
        if f"{self.command} {path}" in self.server.broken:
            self._answer(500, {"error": "broken"})
        elif path == "/login":
            cookies = [f"session={SESSION}; Path=/; HttpOnly", "theme=dark; Path=/other"]
            self._answer(
                200, {"token": TOKEN, "user": json.loads(body)["user"]}, *(("Set-Cookie", each) for each in cookies)
            )
        elif path == "/enter":
            self._answer(302, {}, ("Set-Cookie", f"session={SESSION}; Path=/"), ("Location", "/home"))
        elif path in {"/home", "/cookies"}:
            self._answer(200, {"cookies": self.headers.get("Cookie", "")})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "who are you?"})
        elif self.command == "POST":
            number = f"a/b {len(self.server.orders) + 1}"
            self.server.orders[number] = "open"
            self._answer(201, {"id": number, "amount": json.loads(body)["amount"]}, ("Location", f"/orders/{number}"))
        elif self.command == "DELETE":
            self.server.orders.clear()
            self._answer(204, None)
        else:
            self.server.polls += 1
            self._answer(200, {"state": "done" if self.server.polls >= 3 else "open", "path": self.path})

    do_GET = do_POST = do_DELETE = _route  # noqa: N815 - http.server's names

    def _answer(self, status: int, value: Any, *headers: tuple[str, str]) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def open_shop() -> Iterator[Shop]:
    """Open a shop for as long as the block lasts."""
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield shop
        shop.shutdown()
