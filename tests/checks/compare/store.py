"""A web application whose responses all differ, as those of real ones do: times, ids, orders, random headers."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

WORDS = ("brass", "copper", "iron", "lead", "nickel", "silver", "tin", "zinc")


class Page:
    """A response before it is sent."""

    def __init__(self, status: int, document: Any, headers: dict[str, str]) -> None:
        self.status = status
        self.document = document
        self.headers = headers
        self.seconds = 0.0

    @property
    def body(self) -> bytes:
        return self.document.encode() if isinstance(self.document, str) else json.dumps(self.document).encode()


Change = Callable[[Page], None]
"""Makes another response of it: a regression."""


class Store(ThreadingHTTPServer):
    """The application.

    Attributes
    ----------
    changes
        What is made of each response.
    requests
        How many requests there were: a counter of its own in each process.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, seed: int, *changes: Change) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changes = list(changes)
        self.requests = 0
        self.lines: list[str] = []
        self.authorizations: set[str | None] = set()
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, path: str) -> Page:
        with self._lock:
            self.requests += 1
            page = self._pages[path]() if path in self._pages else Page(404, {"error": "not found"}, {})
            headers = self._headers(self._random)
        page.headers = {**headers, **page.headers}
        for change in self.changes:
            change(page)
        return page

    @property
    def _pages(self) -> dict[str, Callable[[], Page]]:
        return {"/items": self._items, "/": self._home, "/old": self._old}

    def _items(self) -> Page:
        draw = self._random
        items: list[dict[str, Any]] = []
        for number, word in enumerate(WORDS):
            item: dict[str, Any] = {
                "id": number,
                "name": word,
                "price": 12.5 + number,
                "state": "sold" if number % 3 == 0 else "new",
                "tags": draw.sample(["a", "b", "c"], number % 3),
                "viewed_by": draw.randrange(1000),
                "seller": {"name": f"{word} & sons", "rating": 4.5},
            }
            if draw.random() < 0.3:
                item["discount"] = draw.choice([5, 10])
            items.append(item)
        draw.shuffle(items)
        now = datetime.now(UTC)
        document = {
            "at": now.isoformat(),
            "second": now.strftime("%H:%M:%S"),
            "epoch": time.time(),
            "request": str(uuid.UUID(int=draw.getrandbits(128))),
            "token": f"{draw.getrandbits(64):016x}",
            "served": self.requests,
            "load": round(40 + draw.gauss(0, 4), 2),
            "coin": draw.random() < 0.5,
            "mood": draw.choice(["calm", "busy", "wild"]),
            "lucky": draw.randrange(30),
            "now_and_then": "odd" if draw.random() < 0.04 else "usual",
            "sorted": [1, 2, 3, 5, 8],
            "items": items,
            "total": len(items),
            "owner": {"name": "Ada", "email": "ada@example.com", "since": "2019-03-01"},
            "sessions": {f"s{draw.getrandbits(40):x}": {"idle": draw.randrange(60)} for _ in range(draw.randint(1, 4))},
            "recent": [draw.choice(WORDS) for _ in range(draw.randint(0, 4))],
        }
        if draw.random() < 0.25:
            document["notice"] = {"text": draw.choice(["sale", "holiday"]), "code": 7}
        return Page(200, document, {"Content-Type": "application/json; charset=utf-8"})

    def _home(self) -> Page:
        lines = ["<!doctype html>", "<h1>Store</h1>", f"<input name=csrf value={self._random.getrandbits(64):x}>"]
        lines += self._random.sample([f"<li>{word}" for word in WORDS], len(WORDS))
        return Page(200, "\n".join([*lines, "<footer>"]), {"Content-Type": "text/html"})

    def _old(self) -> Page:
        return Page(302, "", {"Location": f"{self.url}/items?ticket={self._random.getrandbits(32)}"})

    def _headers(self, draw: random.Random) -> dict[str, str]:
        headers = {
            "Cache-Control": "no-store",
            "ETag": f'"{draw.getrandbits(32):x}"',
            "Set-Cookie": f"visit={draw.getrandbits(64):x}; Path=/; HttpOnly; Max-Age={draw.randrange(900)}",
            "X-Backend": draw.choice(["one", "two"]),
            "X-Frame-Options": "DENY",
            "X-Request-Id": f"{draw.getrandbits(64):x}",
            "X-Served-In": f"{draw.randrange(90)}",
            f"X-Random-{draw.getrandbits(32):x}": "yes",
        }
        if draw.random() < 0.2:
            headers["X-Cache-Hits"] = str(draw.randrange(5))
        return headers


class _Handler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.lines.append(f"{self.command} {self.path} {self.headers['Host']}")
        self.server.authorizations.add(self.headers["Authorization"])
        page = self.server.page(self.path.partition("?")[0])
        if page.seconds:
            time.sleep(page.seconds)
        body = page.body
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Both(NamedTuple):
    blue: Store
    green: Store


@contextmanager
def both(*changes: Change, seed: int = 1) -> Iterator[Both]:
    """Serve it twice, with changes in green."""
    stores = Both(Store(seed), Store(seed + 1, *changes))
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}) for each in stores]
    for thread in threads:
        thread.start()
    try:
        yield stores
    finally:
        for store, thread in zip(stores, threads, strict=True):
            store.shutdown()
            thread.join()
            store.server_close()
