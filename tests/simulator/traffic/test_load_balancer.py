from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.traffic import load_balancer as module
from ecs_hooks_simulator.traffic.load_balancer import CLIENT_GONE, VIRTUAL, LoadBalancer, WeightedTargets


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if self.path == "/unchanged":
            self.send_response(304)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            return
        if self.path == "/hang":
            time.sleep(0.5)
        seen = {"name": self.name, "method": self.command, "headers": dict(self.headers), "body": body.decode()}
        text = json.dumps(seen).encode()
        self.send_response(503 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Name", self.name)
        self.send_header("Keep-Alive", "timeout=60")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Stay silent: some connections are cut on purpose."""


@pytest.fixture
def balancer() -> Iterator[LoadBalancer]:
    """A load balancer with two targets, blue and green; blue has all of the production traffic."""
    servers = []
    with LoadBalancer() as made:
        for name in ("blue", "green"):
            server = _Quiet(("127.0.0.1", 0), type("Echo", (_Echo,), {"name": name}))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            servers.append((server, thread))
            made.register(name, f"127.0.0.1:{server.server_port}")
        made.shift("production", {"blue": 100})
        yield made
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(address: str, method: str = "GET", **more: Any) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False) as http:
        return http.request(method, address, **more)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ({"a": 10, "b": 90}, {"a": 100, "b": 900}),
        ({"a": 0.1, "b": 99.9}, {"a": 1, "b": 999}),
        ({"a": 100, "b": 0}, {"a": 1000}),
    ],
)
def test_shares_are_exact(weights: dict[str, float], shares: dict[str, int]) -> None:
    targets = WeightedTargets(weights)

    assert Counter(targets.choose() for _ in range(1000)) == shares


def test_without_any_weight_no_revision_is_chosen() -> None:
    assert WeightedTargets({"a": 0}).choose() is None


def test_each_listener_has_its_own_weights(balancer: LoadBalancer) -> None:
    balancer.shift("test", {"green": 100.0, "blue": 0})

    assert ask(balancer.url("production")).json()["name"] == "blue"
    assert ask(balancer.url("test")).json()["name"] == "green"
    assert balancer.port("test") != balancer.port("production")


def test_at_10_per_cent_exactly_10_of_100_requests_reach_green(balancer: LoadBalancer) -> None:
    balancer.shift("production", {"green": 10, "blue": 90})

    names = Counter(ask(balancer.url("production")).headers["X-Name"] for _ in range(100))

    assert names == {"green": 10, "blue": 90}
    seen = Counter((each.listener, each.revision, each.status, each.origin) for each in balancer.forwarded)
    assert seen == {("production", "green", 200, "target"): 10, ("production", "blue", 200, "target"): 90}
    assert all(0 < each.seconds < 60 and abs(each.time - time.time()) < 60 for each in balancer.forwarded)
    assert balancer.weights("production") == {"green": 10, "blue": 90}


def test_a_request_is_forwarded_unchanged(balancer: LoadBalancer) -> None:
    seen = ask(
        balancer.url("production") + "/x", "POST", body=b"hello", headers={"Host": "green.example", "X-A": "b"}
    ).json()

    assert seen["method"] == "POST"
    assert seen["body"] == "hello"
    assert seen["headers"]["Host"] == "green.example"
    assert seen["headers"]["X-A"] == "b"
    assert seen["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert seen["headers"]["X-Forwarded-Proto"] == "http"
    assert seen["headers"]["X-Forwarded-Port"] == str(balancer.port("production"))


def test_a_chunked_body_arrives_whole(balancer: LoadBalancer) -> None:
    seen = ask(balancer.url("production"), "POST", body=iter([b"one", b"two"]), chunked=True).json()

    assert seen["body"] == "onetwo"


def test_head_has_no_body_and_hop_by_hop_headers_are_dropped(balancer: LoadBalancer) -> None:
    response = ask(balancer.url("production"), "HEAD")

    assert "Keep-Alive" not in response.headers

    assert response.status == 200
    assert response.data == b""


def test_a_304_ends_at_its_empty_line(balancer: LoadBalancer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if its header announces chunks, which do not come."""
    broken: list[object] = []
    monkeypatch.setattr("socketserver.BaseServer.handle_error", lambda *_: broken.append(1))
    assert ask(balancer.url("production") + "/unchanged").status == 304
    assert not broken


def test_the_status_of_the_target_is_forwarded(balancer: LoadBalancer) -> None:
    assert ask(balancer.url("production") + "/broken").status == 503
    assert [(each.status, each.origin) for each in balancer.forwarded] == [(503, "target")]


def test_without_a_target_the_status_is_503(balancer: LoadBalancer) -> None:
    assert ask(balancer.url("test")).status == 503
    balancer.deregister("blue")
    assert ask(balancer.url("production")).status == 503


@pytest.mark.parametrize("path", ["/", "/reset"])
def test_a_target_that_refuses_or_resets_is_502(balancer: LoadBalancer, path: str) -> None:
    if path == "/":
        balancer.register("blue", "127.0.0.1:9")

    assert ask(balancer.url("production") + path).status == 502
    origin = "connection" if path == "/" else "balancer"
    assert [(each.status, each.origin) for each in balancer.forwarded] == [(502, origin)]


def test_a_target_that_hangs_is_504(balancer: LoadBalancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.1)

    assert ask(balancer.url("production") + "/hang").status == 504
    assert [(each.status, each.origin) for each in balancer.forwarded] == [(504, "balancer")]


def test_at_20_per_cent_exactly_20_of_100_requests_get_500(balancer: LoadBalancer) -> None:
    balancer.inject("blue", Fault.parse("errors=20%"))

    answers = Counter(ask(balancer.url("production")).status for _ in range(100))

    assert answers == {200: 80, 500: 20}
    assert Counter((each.status, each.origin) for each in balancer.forwarded) == {
        (200, "target"): 80,
        (500, "target"): 20,
    }


def test_a_client_waits_for_a_late_response(balancer: LoadBalancer) -> None:
    balancer.inject("blue", Fault.parse("latency=250ms"))
    began = time.monotonic()

    assert ask(balancer.url("production"), "POST", body=b"hello").json()["body"] == "hello"
    assert time.monotonic() - began >= 0.25
    assert balancer.forwarded[0].seconds >= 0.25


def test_relative_latency_is_added(balancer: LoadBalancer) -> None:
    balancer.inject("blue", Fault.parse("latency=+100%"))

    assert ask(balancer.url("production") + "/hang").status == 200  # half a second by itself
    assert balancer.forwarded[0].seconds >= 1


def test_for_users_in_virtual_time_a_delay_is_only_counted(balancer: LoadBalancer) -> None:
    balancer.inject("blue", Fault.parse("latency=30s"))

    seen = ask(balancer.url("production"), headers={VIRTUAL: "1"}).json()
    ask(balancer.url("production"), headers={VIRTUAL.upper(): "1"})
    balancer.inject("blue", Fault.parse("hang"))

    assert VIRTUAL not in {name.lower() for name in seen["headers"]}
    assert ask(balancer.url("production"), headers={VIRTUAL: "1"}).status == 504
    (first, second, hung) = balancer.forwarded
    assert 30 <= first.seconds < 60
    assert 30 <= second.seconds < 60
    assert first.time - time.time() > 20
    assert (hung.status, hung.origin) == (504, "balancer")
    assert hung.seconds >= 60


def test_a_target_that_is_too_late_is_504(balancer: LoadBalancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.2)
    balancer.inject("blue", Fault.parse("latency=200ms"))

    assert ask(balancer.url("production")).status == 504
    assert [(each.status, each.origin) for each in balancer.forwarded] == [(504, "balancer")]


def test_a_client_that_closes_its_connection_is_noted_as_gone(balancer: LoadBalancer) -> None:
    balancer.inject("blue", Fault.parse("hang"))

    with pytest.raises(urllib3.exceptions.HTTPError):
        ask(balancer.url("production"), timeout=0.3)
    while not balancer.forwarded:
        time.sleep(0.01)

    (gone,) = balancer.forwarded
    assert (gone.status, gone.origin) == (CLIENT_GONE, "balancer")
    assert 0.2 < gone.seconds < 60


def test_requests_end_when_the_load_balancer_closes() -> None:
    with LoadBalancer() as balancer, socket.create_server(("127.0.0.1", 0)) as target:
        balancer.register("green", f"127.0.0.1:{target.getsockname()[1]}")
        balancer.shift("test", {"green": 100})
        balancer.inject("green", Fault.parse("hang"))
        with socket.create_connection(("127.0.0.1", balancer.port("test"))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            target.accept()[0].close()
            balancer.closing.set()
            assert client.recv(100).startswith(b"HTTP/1.1 504")


def test_a_fault_ends_with_its_tasks(balancer: LoadBalancer) -> None:
    target = balancer.targets["blue"]
    balancer.inject("blue", Fault.parse("errors=100%"))
    assert ask(balancer.url("production")).status == 500

    balancer.deregister("blue")
    balancer.register("blue", target)

    assert ask(balancer.url("production")).status == 200


def test_an_invalid_request_closes_only_its_connection(balancer: LoadBalancer) -> None:
    with socket.create_connection(("127.0.0.1", balancer.port("production"))) as client:
        client.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n")
        assert client.recv(100) == b""

    assert ask(balancer.url("production")).status == 200
