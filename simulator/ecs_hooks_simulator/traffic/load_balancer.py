"""A load balancer on loopback: two listeners that forward HTTP by weight to the tasks of service revisions.

Example
-------
>>> with LoadBalancer() as balancer:
...     balancer.register("blue", "127.0.0.1:9")
...     balancer.shift("production", {"blue": 100})
...     balancer.url("production").startswith("http://127.0.0.1:")
True
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.protocols import ListenerKind
from ecs_hooks_simulator.traffic.fault_injection import (
    ClientGoneError,
    FaultEffect,
    FaultInjector,
    ResponseTime,
    Unhealthy,
)

LISTENERS: tuple[ListenerKind, ListenerKind] = ("production", "test")
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
_HOP_BY_HOP |= {"transfer-encoding", "upgrade"}
VIRTUAL = "x-ecs-hooks-virtual"
"""Header of users in virtual time: the delay by a fault is counted, without a wait."""
_CHUNK = 65_536
_TIMEOUT = 60.0
"""Seconds without a byte from the task; an Application Load Balancer's default, too."""

CLIENT_GONE = 460
"""Status that an Application Load Balancer logs for a client that closed the connection."""
_REASONS = {
    500: "the simulator injects errors into this revision",
    502: "the target closed the connection",
    504: "the target did not respond",
}


Origin = Literal["target", "balancer", "connection"]


class WeightedTargets:
    """Chooses among revisions so that their shares are exact, not only probable.

    Smooth weighted round robin: each choice adds every weight to its revision's credit, takes the one with the most, and
    subtracts the sum of the weights from it. Of 100 requests at 10 to 90, exactly 10 go to the first.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = {revision: weight for revision, weight in weights.items() if weight > 0}
        self._credit = dict.fromkeys(self._weights, 0.0)

    def choose(self) -> str | None:
        """Return the revision for the next request, None if no revision has any weight."""
        if not self._weights:
            return None
        for revision, weight in self._weights.items():
            self._credit[revision] += weight
        chosen = max(self._credit, key=lambda revision: self._credit[revision])
        self._credit[chosen] -= sum(self._weights.values())
        return chosen


class Forwarded(NamedTuple):
    """A request to a revision, forwarded or failed.

    Parameters
    ----------
    time
        Its end, in seconds since the epoch, on the simulation's clock.
    listener, revision
        The listener that received it, and the ARN of the revision.
    status
        Status of the response.
    seconds
        Time until the head of the response, as in `TargetResponseTime`.
    origin
        The origin of the status: the `target`; the `balancer` after a closed connection, a timeout or a client that went
        away; `connection` if the balancer could not connect to the target.
    """

    time: float
    listener: str
    revision: str
    status: int
    seconds: float
    origin: Origin = "target"


class LoadBalancer:
    """Two listeners on loopback; the `Traffic` of a deployment controller.

    Parameters
    ----------
    host
        The address to listen at; not loopback only for hooks that run in containers of this machine.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.closing = threading.Event()
        self._forwarded: list[Forwarded] = []
        self._faults: dict[str, FaultInjector] = {}
        self._lock = threading.Lock()
        self._targets: dict[str, str] = {}
        self._weights: dict[str, Mapping[str, float]] = {kind: {} for kind in LISTENERS}
        self._choices = {kind: WeightedTargets({}) for kind in LISTENERS}
        self._servers: dict[str, _Listener] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Open both listeners."""
        for kind in LISTENERS:
            server = _Listener((self.host, 0), self, kind)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self._servers[kind] = server
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both listeners, and every connection."""
        self.closing.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def url(self, kind: ListenerKind) -> str:
        """Return the address of a listener."""
        return f"http://{self.host}:{self._servers[kind].server_port}"

    def port(self, kind: ListenerKind) -> int:
        """Return the port of a listener."""
        return self._servers[kind].server_port

    def register(self, revision: str, target: str) -> None:
        """Set the address of a revision, as `host:port`."""
        with self._lock:
            self._targets[revision] = target

    def deregister(self, revision: str) -> None:
        """Remove a revision and its faults; its requests get status 503 from now on."""
        with self._lock:
            self._targets.pop(revision, None)
            self._faults.pop(revision, None)

    def inject(self, revision: str, fault: Fault) -> None:
        """Inject a fault into the requests to a revision, until it is deregistered."""
        with self._lock:
            self._faults.setdefault(revision, FaultInjector()).add(fault)

    def fault_effect(self, revision: str, listener: str) -> FaultEffect:
        """Return the effect of faults on the next request of a listener to a revision."""
        with self._lock:
            return self._faults.get(revision, FaultInjector()).next(listener)

    def unhealthy(self, revision: str) -> Unhealthy | None:
        """Return why the target of a revision is unhealthy; None if it is healthy."""
        with self._lock:
            return self._faults.get(revision, FaultInjector()).unhealthy

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Forward the traffic of a listener by weight."""
        with self._lock:
            self._weights[kind] = dict(weights)
            self._choices[kind] = WeightedTargets(weights)

    def weights(self, kind: ListenerKind) -> Mapping[str, float]:
        """Return the share of each revision in a listener's traffic, in per cent."""
        return self._weights[kind]

    @property
    def targets(self) -> Mapping[str, str]:
        """The address of each revision, as `host:port`."""
        with self._lock:
            return dict(self._targets)

    @property
    def forwarded(self) -> Sequence[Forwarded]:
        """All requests so far, oldest first."""
        return self.forwarded_after(0)

    def forwarded_after(self, count: int) -> Sequence[Forwarded]:
        """Return the requests after the first `count`: the new ones for a caller that has read those."""
        with self._lock:
            return tuple(self._forwarded[count:])

    def choose(self, kind: str) -> tuple[str, str] | None:
        """Return the revision for the next request of a listener, and its address; None if there is none."""
        with self._lock:
            revision = self._choices["test" if kind == "test" else "production"].choose()
            target = None if revision is None else self._targets.get(revision)
            return None if revision is None or target is None else (revision, target)

    def note(self, *requests: Forwarded) -> None:
        """Add finished requests to `forwarded`."""
        with self._lock:
            self._forwarded += requests


class _Listener(ThreadingHTTPServer):
    """One port of the load balancer."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], balancer: LoadBalancer, kind: str) -> None:
        super().__init__(address, _Forwarder)
        self.balancer = balancer
        self.kind = kind

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients may close their connections at any time."""


class _Forwarder(BaseHTTPRequestHandler):
    """Forwards each request to a task, and the response to the client."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def _forward(self) -> None:
        # One request per connection: a listener that closes need not wait for idle connections.
        self.close_connection = True
        chosen = self.server.balancer.choose(self.server.kind)
        body = self._body()
        if chosen is None:
            self._fail(503, "no target has any weight")
            return
        revision, target = chosen
        effect = self.server.balancer.fault_effect(revision, self.server.kind)
        taken = ResponseTime(
            self.connection, self.server.balancer.closing, longest=_TIMEOUT, virtual=VIRTUAL in self.headers
        )
        connection = http.client.HTTPConnection(target, timeout=_TIMEOUT)
        try:
            status, origin, response = self._exchange(connection, body, effect, taken)
            # Noted before the client has the response: TargetResponseTime ends with the head.
            request = Forwarded(taken.now, self.server.kind, revision, status, taken.seconds, origin)
            self.server.balancer.note(request)
            if response is not None:
                with response:
                    self._respond(response)
            elif status != CLIENT_GONE:
                self._fail(status, _REASONS[status])
        finally:
            connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes | None, effect: FaultEffect, taken: ResponseTime
    ) -> tuple[int, Origin, http.client.HTTPResponse | None]:
        """Send the request to the target; return the status, its origin, and the target's response, if there is one."""
        connected = False
        try:
            connection.connect()
            connected = True
            if effect.hangs:
                taken.wait(_TIMEOUT)
            response = None
            if not effect.fails:
                connection.request(self.command, self.path, body, self._headers())
                response = connection.getresponse()
            if extra := effect.extra_seconds(taken.seconds):
                taken.wait(extra)
        except ClientGoneError:
            return CLIENT_GONE, "balancer", None
        except TimeoutError:
            return 504, "balancer", None
        except (OSError, http.client.HTTPException):
            return 502, "balancer" if connected else "connection", None
        return (500 if response is None else response.status), "target", response

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward  # noqa: N815 - http.server's names

    def _body(self) -> bytes | None:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else None

    def _headers(self) -> dict[str, str]:
        dropped = {*_HOP_BY_HOP, VIRTUAL}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        kept.pop("Content-Length", None)
        return {
            **kept,
            "X-Forwarded-For": str(self.client_address[0]),
            "X-Forwarded-Port": str(self.server.server_port),
            "X-Forwarded-Proto": "http",
        }

    def _respond(self, response: http.client.HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if response.status in {204, 304}:  # http.client waits for the chunks that their header may announce
            return
        while chunk := response.read(_CHUNK):
            self.wfile.write(chunk)

    def _fail(self, status: int, reason: str) -> None:
        body = f"{status} {reason}\n".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
