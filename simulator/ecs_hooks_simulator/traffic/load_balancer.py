"""A load balancer on loopback: two listeners that really forward HTTP, by weight, to the tasks of service revisions.

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
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from ecs_hooks_simulator.traffic.fault_injection import Disturbances
from ecs_hooks_simulator.traffic.response_time import ClientGoneError, ResponseTime

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.protocols import ListenerKind
    from ecs_hooks_simulator.traffic.fault_injection import Disturbance, Unhealthy

LISTENERS: tuple[ListenerKind, ListenerKind] = ("production", "test")
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
_HOP_BY_HOP |= {"transfer-encoding", "upgrade"}
VIRTUAL = "x-ecs-hooks-virtual"
"""Header of users who live in virtual time: how late a fault makes their answer is measured and not waited for."""
_PIECE = 65_536
_TIMEOUT = 60.0
"""Seconds that a task may be silent; an Application Load Balancer's default, too."""

CLIENT_GONE = 460
"""Status that an Application Load Balancer notes for a client that did not wait."""
_WHY = {
    500: "the simulator has put errors into this revision",
    502: "the target closed the connection",
    504: "the target did not answer",
}


Origin = Literal["target", "balancer", "connection"]


class WeightedTargets:
    """Chooses among revisions so that their shares are exact, not only likely.

    Smooth weighted round robin: each choice adds every weight to its revision's credit, takes the one with the most, and
    subtracts the sum of the weights from it. Of 100 requests at 10 to 90, exactly 10 go to the one.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = {revision: weight for revision, weight in weights.items() if weight > 0}
        self._credit = dict.fromkeys(self._weights, 0.0)

    def choose(self) -> str | None:
        """Return the revision for the next request, None where none has any weight."""
        if not self._weights:
            return None
        for revision, weight in self._weights.items():
            self._credit[revision] += weight
        chosen = max(self._credit, key=lambda revision: self._credit[revision])
        self._credit[chosen] -= sum(self._weights.values())
        return chosen


class Forwarded(NamedTuple):
    """A request that was forwarded, or was to be.

    Parameters
    ----------
    time
        When it ended, in seconds since the epoch, on the simulation's clock.
    listener, revision
        From where, and to whom.
    status
        Status of the response.
    seconds
        Until the header of the response, as `TargetResponseTime` counts.
    origin
        Who answered: the `target`; the `balancer` in its place, because the target closed the connection or was silent
        for too long, or the client went away; or again the balancer because there was no `connection` to be had.
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
        The address to listen at; another one than loopback only for hooks that run in containers of this machine.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.closing = threading.Event()
        self._forwarded: list[Forwarded] = []
        self._disturbances: dict[str, Disturbances] = {}
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
        """Say where a revision answers, as `host:port`."""
        with self._lock:
            self._targets[revision] = target

    def deregister(self, revision: str) -> None:
        """Forget a revision and its faults; what is forwarded to it is answered 503 from now on."""
        with self._lock:
            self._targets.pop(revision, None)
            self._disturbances.pop(revision, None)

    def disturb(self, revision: str, fault: Fault) -> None:
        """Forward to a revision with a fault from now on, until it is deregistered."""
        with self._lock:
            self._disturbances.setdefault(revision, Disturbances()).add(fault)

    def disturbance(self, revision: str, listener: str) -> Disturbance:
        """Return what happens to the next request of a listener that goes to a revision."""
        with self._lock:
            return self._disturbances.get(revision, Disturbances()).next(listener)

    def unhealthy(self, revision: str) -> Unhealthy | None:
        """Return why the target of a revision is unhealthy; None where it is not."""
        with self._lock:
            return self._disturbances.get(revision, Disturbances()).unhealthy

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Forward the traffic of a listener by weight from now on."""
        with self._lock:
            self._weights[kind] = dict(weights)
            self._choices[kind] = WeightedTargets(weights)

    def weights(self, kind: ListenerKind) -> Mapping[str, float]:
        """Return the share of each revision in a listener's traffic, in per cent."""
        return self._weights[kind]

    @property
    def targets(self) -> Mapping[str, str]:
        """Where each revision answers, as `host:port`."""
        with self._lock:
            return dict(self._targets)

    @property
    def forwarded(self) -> Sequence[Forwarded]:
        """Every request so far, oldest first."""
        return self.forwarded_after(0)

    def forwarded_after(self, count: int) -> Sequence[Forwarded]:
        """Return the requests after the first so many: what is new to whoever has seen those."""
        with self._lock:
            return tuple(self._forwarded[count:])

    def choose(self, kind: str) -> tuple[str, str] | None:
        """Return the revision for the next request of a listener and where it answers; None where nobody does."""
        with self._lock:
            revision = self._choices["test" if kind == "test" else "production"].choose()
            target = None if revision is None else self._targets.get(revision)
            return None if revision is None or target is None else (revision, target)

    def note(self, *requests: Forwarded) -> None:
        """Note how requests ended."""
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
        """Stay silent: a client that goes away in the middle is none of our business."""


class _Forwarder(BaseHTTPRequestHandler):
    """Forwards each request to a task, and its response to the client."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def _forward(self) -> None:
        # One request a connection: a listener that closes need not wait for clients that keep theirs open.
        self.close_connection = True
        chosen = self.server.balancer.choose(self.server.kind)
        body = self._body()
        if chosen is None:
            self._fail(503, "no target has any weight")
            return
        revision, target = chosen
        disturbance = self.server.balancer.disturbance(revision, self.server.kind)
        taken = ResponseTime(
            self.connection, self.server.balancer.closing, longest=_TIMEOUT, virtual=VIRTUAL in self.headers
        )
        connection = http.client.HTTPConnection(target, timeout=_TIMEOUT)
        try:
            status, origin, response = self._exchange(connection, body, disturbance, taken)
            # Up to the header, as TargetResponseTime; so it is noted before the client knows.
            request = Forwarded(taken.now, self.server.kind, revision, status, taken.seconds, origin)
            self.server.balancer.note(request)
            if response is not None:
                with response:
                    self._answer(response)
            elif status != CLIENT_GONE:
                self._fail(status, _WHY[status])
        finally:
            connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, body: bytes | None, disturbance: Disturbance, taken: ResponseTime
    ) -> tuple[int, Origin, http.client.HTTPResponse | None]:
        """Ask the target and return status, who answered, and the response where the target has given one itself."""
        connected = False
        try:
            connection.connect()
            connected = True
            if disturbance.hangs:
                taken.wait(_TIMEOUT)
            response = None if disturbance.fails else self._asked(connection, body)
            if later := disturbance.later(taken.seconds):
                taken.wait(later)
        except ClientGoneError:
            return CLIENT_GONE, "balancer", None
        except TimeoutError:
            return 504, "balancer", None
        except (OSError, http.client.HTTPException):
            return 502, "balancer" if connected else "connection", None
        return (500 if response is None else response.status), "target", response

    def _asked(self, connection: http.client.HTTPConnection, body: bytes | None) -> http.client.HTTPResponse:
        connection.request(self.command, self.path, body, self._headers())
        return connection.getresponse()

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

    def _answer(self, response: http.client.HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := response.read(_PIECE):
            self.wfile.write(piece)

    def _fail(self, status: int, why: str) -> None:
        body = f"{status} {why}\n".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""
