"""False alarms of the `compare` check: forty endpoints of different kinds, the same application on both sides.

    python -m benchmarks.compare_noise [--runs 20] [--seed 1] [--endpoints queue_depth,html_nonce]

Blue and green are two processes of one application, each with its own clock, caches, ids and queues. Every alarm is false.
"""

# ruff: noqa: ARG005, PLR2004, S311 - an application whose responses are random

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from ecs_hooks.checks import CheckContext, CompareCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.http.guard import VARIABLE
from tests.support.targets import FixedTarget

NAMES = ("ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hal", "ivy", "jo")


class Process:
    """One process of the application.

    Parameters
    ----------
    seed
        Makes the process differ from others.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.started = time.time() - self.random.uniform(0, 500_000)
        self.id = f"{self.random.getrandbits(64):016x}"
        self.served = self.random.randrange(10_000)
        self.level = self.random.randrange(3, 40)
        self.workers = [f"worker-{self.random.getrandbits(24):06x}" for _ in range(4)]
        self.cached_at = 0.0
        self.cached = 0

    def walk(self, chance: float) -> int:
        """Return a gauge that moves by one now and then."""
        if self.random.random() < chance:
            self.level = max(0, self.level + self.random.choice((-1, 1)))
        return self.level

    @property
    def uptime(self) -> float:
        return time.time() - self.started


class Answer(NamedTuple):
    """A response."""

    body: str | bytes
    media_type: str = "application/json"
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()


Endpoint = Callable[[Process, random.Random], Any]
"""Returns an answer, or the JSON of one."""


def _html(body: str, head: str = "") -> Answer:
    return Answer(f"<!doctype html><html><head><title>Shop</title>{head}</head><body>{body}</body></html>", "text/html")


def _metrics(process: Process, chance: random.Random) -> Answer:
    lines = ["# HELP http_requests_total Requests.", "# TYPE http_requests_total counter"]
    lines += [f'http_requests_total{{path="/{name}"}} {process.served}' for name in chance.sample(NAMES, 3)]
    lines += ["# TYPE process_start_time_seconds gauge", f"process_start_time_seconds {process.started}"]
    return Answer("\n".join(lines), "text/plain; version=0.0.4")


def _cached(process: Process, _: random.Random) -> Any:
    if time.time() - process.cached_at > 0.02:
        process.cached_at, process.cached = time.time(), process.random.randrange(100)
    return {"rate": process.cached, "currency": "EUR"}


def _orders(_: Process, chance: random.Random) -> Any:
    order = chance.sample(NAMES, 5)
    return {"orders": [{"id": NAMES.index(name), "by": name, "total": 9.5 * NAMES.index(name)} for name in order]}


def _ndjson(_: Process, chance: random.Random) -> Answer:
    rows = [{"id": str(uuid.UUID(int=chance.getrandbits(128))), "name": name, "at": time.time()} for name in NAMES]
    return Answer("\n".join(map(json.dumps, rows)), "application/x-ndjson")


def _users(_: Process, chance: random.Random) -> Any:
    ids = chance.sample(range(100_000, 100_400), 25)
    return {"users": {str(each): {"age": each % 70 + 18, "name": NAMES[each % 10]} for each in ids}}


ENDPOINTS: dict[str, Endpoint] = {
    # JSON
    "constant": lambda p, c: {"name": "tea", "price": 12.5, "tags": ["a", "b"]},
    "request_id": lambda p, c: {"id": str(uuid.UUID(int=c.getrandbits(128))), "ok": True},
    "clock": lambda p, c: {"now": datetime.now(UTC).isoformat(), "epoch": time.time()},
    "second": lambda p, c: {"time": datetime.now(UTC).strftime("%H:%M:%S")},
    "shuffled": _orders,
    "optional": lambda p, c: {"a": 1} | ({"discount": c.choice([5, 10])} if c.random() < 0.3 else {}),
    "coin": lambda p, c: {"coin": c.random() < 0.5, "mood": c.choice(NAMES)},
    "rare": lambda p, c: {"state": "degraded" if c.random() < 0.03 else "ok"},
    "gauss": lambda p, c: {"temperature": round(c.gauss(20, 3), 2)},
    "pareto": lambda p, c: {"took": round(c.paretovariate(1.2), 3)},
    "cached": _cached,
    "random_map": lambda p, c: {"sessions": {f"s{c.getrandbits(40):x}": {"idle": c.randrange(60)} for _ in range(3)}},
    "sampled_map": _users,
    "nullable": lambda p, c: {"value": None if c.random() < 0.2 else 3, "error": None},
    "mixed_types": lambda p, c: {"value": c.choice([1, "1", None, [1]])},
    "empty_or_not": lambda p, c: {"items": c.sample(NAMES, c.randrange(4))},
    "token": lambda p, c: {"access_token": base64.b64encode(c.randbytes(24)).decode(), "expires_in": 3600},
    "page_of_random": lambda p, c: {"items": [{"id": c.randrange(10**6), "n": c.randrange(9)} for _ in range(20)]},
    # Values of one process
    "uptime": lambda p, c: {"status": "up", "uptime_seconds": p.uptime},
    "uptime_text": lambda p, c: {"status": "up", "uptime": f"{int(p.uptime // 86400)} days, {int(p.uptime % 24)}:00"},
    "queue_depth": lambda p, c: {"queue_depth": p.walk(0.02), "ok": True},
    "queue_busy": lambda p, c: {"backlog": {"mail": p.walk(0.5), "print": p.walk(0.5) + 3}},
    "connections": lambda p, c: {"db": {"pool": {"open_connections": p.walk(0.05), "max": 50}}},
    "walking_level": lambda p, c: {"level": p.walk(0.3)},
    "counter": lambda p, c: {"served": p.served, "unit": "requests"},
    "worker_map": lambda p, c: {"workers": {name: {"busy": True, "job": "mail"} for name in p.workers}},
    "pid": lambda p, c: {"pid": int(p.id[:4], 16), "goroutines": p.level, "ok": True},
    "memory": lambda p, c: {"rss_bytes": p.level * 2**20 + c.randrange(9), "heap_used": p.level * 1000},
    "started_at": lambda p, c: {"started_at": datetime.fromtimestamp(p.started, UTC).isoformat(), "ok": True},
    "metrics": _metrics,
    # HTML and other texts
    "html_constant": lambda p, c: _html("<h1>Tea</h1><p class=price>12.50</p>"),
    "html_nonce": lambda p, c: _html("<p>12.50</p>", f"<script nonce={c.getrandbits(64):x}>a=1;b=2</script>"),
    "html_csrf": lambda p, c: _html(f"<form><input name=csrf value={c.getrandbits(64):x}></form>"),
    "html_shuffled": lambda p, c: _html("".join(f"<li>{name}</li>" for name in c.sample(NAMES, 10))),
    "html_time": lambda p, c: _html(f"<footer>Rendered at {datetime.now(UTC):%H:%M:%S.%f} in {c.randrange(90)} ms</footer>"),
    "html_assets": lambda p, c: _html("<p>Tea</p>", f"<script src=/static/app.{p.id[:8]}.js></script>"),
    "html_state": lambda p, c: _html("<p>Tea</p>", f'<script>window.__S__ = {{"id": {c.getrandbits(30)}, "p": 1}};</script>'),
    "csv": lambda p, c: Answer("\n".join(f"{name},{c.randrange(3)}" for name in NAMES), "text/csv"),
    # Other
    "ndjson": _ndjson,
    "redirect": lambda p, c: Answer("", "text/plain", 302, [("Location", f"/login?state={c.getrandbits(32)}")]),
    "flaky": lambda p, c: Answer("{}", status=503) if c.random() < 0.02 else {"ok": True},
    "image": lambda p, c: Answer(b"\x89PNG\0" + c.randbytes(50), "image/png"),
}  # fmt: skip
"""By name, endpoints of an application that has not changed."""


class Server(ThreadingHTTPServer):
    """The application on one side."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.process = Process(seed)
        self.chance = random.Random(seed)
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> Answer:
        """Return the answer of an endpoint."""
        with self.lock:
            self.process.served += 1
            found = ENDPOINTS[path.strip("/")](self.process, self.chance)
        return found if isinstance(found, Answer) else Answer(json.dumps(found))


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answer = self.server.answer(self.path)
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.media_type), *answer.headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def both(seed: int) -> Iterator[tuple[Server, Server]]:
    """Serve the application twice."""
    servers = (Server(2 * seed), Server(2 * seed + 1))
    threads = [threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}) for each in servers]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def compare(endpoint: str, seed: int, **fields: Any) -> Outcome:
    """Run the check on one endpoint of two processes."""
    with both(seed) as (blue, green):
        check = CompareCheck.model_validate(
            {"requests": [{"path": f"/{endpoint}"}], "blue_url": blue.url, "interval_seconds": 0.002, **fields}
        )
        target = FixedTarget(green.url, stage="POST_TEST_TRAFFIC_SHIFT")
        return check.run(CheckContext(target, Deadline.after(600)))


def main() -> None:
    """Print the false alarms of each endpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--endpoints", default=",".join(ENDPOINTS))
    options = parser.parse_args()
    os.environ.setdefault(VARIABLE, "127.0.0.1")
    alarms = total = 0
    for endpoint in options.endpoints.split(","):
        outcomes = [compare(endpoint, options.seed * 1000 + run) for run in range(options.runs)]
        bad = [outcome for outcome in outcomes if outcome.status is not Status.PASS]
        alarms, total = alarms + len(bad), total + len(outcomes)
        print(f"{endpoint:16} {len(bad):3} of {len(outcomes)} {bad[0].reason[:180] if bad else ''}", flush=True)
    print(f"{'all':16} {alarms:3} of {total}")


if __name__ == "__main__":
    main()
