"""Sockets that never block, over plain TCP and over TLS."""

from __future__ import annotations

import errno
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import Limits
from ecs_hooks.http.connect import connect
from ecs_hooks.http.deadline_socket import DeadlineSocket, InFlight
from ecs_hooks.http.limits import Budget, Trust
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.resolver import resolve
from ecs_hooks.http.tls import TlsOptions
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script

LARGE = bytes(range(256)) * 40_000
"""More than the buffers of a connection hold."""

Connect = Callable[[Script], DeadlineSocket]


@pytest.fixture(params=["tcp", "tls"])
def open_to(request: pytest.FixtureRequest, serve: Serve, trusted: trustme.CA) -> Connect:
    secure = request.param == "tls"

    def to(script: Script) -> DeadlineSocket:
        server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if secure else None)
        options = TlsOptions("127.0.0.1", Trust()) if secure else None
        return connect("127.0.0.1", server.port, options, Budget.start(10, Deadline.after(10)), resolve).socket

    return to


def received(opened: DeadlineSocket) -> bytes:
    """Read to the end of the connection. The servers here end TLS without close_notify."""
    whole = b""
    with suppress(ssl.SSLEOFError):
        while data := opened.recv():
            whole += data
    return whole


def test_what_is_sent_arrives_however_slowly_it_is_taken(open_to: Connect) -> None:
    taken, go = bytearray(), threading.Event()

    def script(peer: Peer) -> None:
        go.wait(10)
        while len(taken) < len(LARGE):
            taken.extend(peer.connection.recv(65_536))
        peer.send(b"thanks")

    with closing(open_to(script)) as opened:
        threading.Timer(0.2, go.set).start()
        opened.send_all(LARGE)
        assert received(opened) == b"thanks"

    assert bytes(taken) == LARGE


def test_what_comes_in_many_pieces_is_received_whole(open_to: Connect) -> None:
    pieces = [LARGE[at : at + 9_999] for at in range(0, len(LARGE), 9_999)]
    with closing(open_to(lambda peer: peer.send(*pieces))) as opened:
        assert received(opened) == LARGE


@pytest.mark.parametrize("act", [lambda opened: opened.send_all(LARGE), received], ids=["send", "receive"])
def test_nothing_is_waited_for_longer_than_there_is_time(
    open_to: Connect, act: Callable[[DeadlineSocket], object]
) -> None:
    with closing(open_to(lambda peer: peer.hang())) as opened:
        opened.deadline = Deadline.after(0.3)
        with pytest.raises(TimeoutError):
            act(opened)
        assert opened.deadline.expired


def test_a_side_that_never_stops_talking_is_given_up_in_time(open_to: Connect) -> None:
    def script(peer: Peer) -> None:
        while not peer.stop.is_set():
            peer.send(bytes(65_536))

    with closing(open_to(script)) as opened:
        opened.deadline = Deadline.after(0.3)
        with pytest.raises(TimeoutError):
            received(opened)


def test_a_socket_that_is_not_ready_after_all_is_tried_again(open_to: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    wait, early = DeadlineSocket._wait, iter([True])

    def too_soon(opened: DeadlineSocket, events: int, seconds: float | None = None) -> int:
        return events if next(early, False) else wait(opened, events, seconds)

    go = threading.Event()

    def script(peer: Peer) -> None:
        go.wait(10)
        peer.send(b"now")

    with closing(open_to(script)) as opened:
        monkeypatch.setattr(DeadlineSocket, "_wait", too_soon)
        threading.Timer(0.1, go.set).start()
        assert received(opened) == b"now"


class FarAway(socket.socket):
    """A socket to a distant server: a second attempt to connect finds no connection yet."""

    begun = False

    def connect_ex(self, target: Any) -> int:
        if self.begun:
            return errno.EALREADY
        self.begun = True
        return super().connect_ex(target)


class Unreachable(socket.socket):
    """A socket without a route."""

    def connect_ex(self, _: Any) -> int:
        return errno.ENETUNREACH


def test_a_distant_server_is_waited_for(open_to: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", FarAway)
    with closing(open_to(lambda peer: peer.send(b"hello"))) as opened:
        assert received(opened) == b"hello"


def test_a_distant_server_may_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setattr(socket, "socket", FarAway)
        with (
            closing(DeadlineSocket(socket.AF_INET, Deadline.after(10))) as opened,
            pytest.raises(ConnectionRefusedError),
        ):
            opened.connect(closed.getsockname(), 10)


def test_an_address_without_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Unreachable)
    with (
        closing(DeadlineSocket(socket.AF_INET, Deadline.after(10))) as opened,
        pytest.raises(OSError, match="unreachable"),
    ):
        opened.connect(("127.0.0.1", 1), 10)


def test_sending_ends_early_when_the_server_sends_something(open_to: Connect) -> None:
    def script(peer: Peer) -> None:
        peer.send(b"stop")
        peer.hang()

    with closing(open_to(script)) as opened:
        sent = 0
        while count := opened.send(memoryview(LARGE)[:65_536]):
            sent += count
            assert sent < len(LARGE)
        data = None
        while data is None:
            data = opened.recv_now()
        assert data == b"stop"
        assert opened.recv_now() is None


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_request_with_nothing_to_read_is_counted(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    in_flight = InFlight()
    assert in_flight.count() == 0
    in_flight.block("a", ours.fileno(), select.POLLIN)
    assert in_flight.count() == 1
    theirs.send(b"x")
    assert in_flight.count() == 0
    ours.recv(1)
    assert in_flight.count() == 1
    theirs.close()
    assert in_flight.count() == 0
    in_flight.unblock("a")
    assert in_flight.count() == 0


def test_a_request_that_can_be_sent_is_not_counted(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    in_flight = InFlight()
    in_flight.block("a", ours.fileno(), select.POLLOUT)
    in_flight.block("b", theirs.fileno(), select.POLLIN)
    assert in_flight.count() == 1
    ours.setblocking(False)
    with suppress(BlockingIOError):
        while ours.send(b"x" * 65_536):
            pass
    # Now "a" can not send, and "b" can read.
    assert in_flight.count() == 1


@pytest.mark.parametrize("acting", ["recv", "send"])
def test_a_wait_that_times_out_is_no_longer_counted(serve: Serve, acting: str) -> None:
    server = serve(lambda peer: peer.hang())
    in_flight = InFlight()
    budget = Budget.start(10, Deadline.after(20))
    opened, _, _ = connect("127.0.0.1", server.port, None, budget, resolve, in_flight)
    with closing(opened):
        opened.deadline = Deadline.after(0.1)
        with pytest.raises(TimeoutError):
            opened.recv() if acting == "recv" else opened.send_all(b"x" * 50_000_000)
    assert in_flight.count() == 0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True])
def test_a_request_waits_for_the_server_until_that_answers(serve: Serve, trusted: trustme.CA, *, tls: bool) -> None:
    answer, received = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        while peer.request():
            received.set()
            answer.wait(10)
            peer.answer(b"x" * 100_000)

    server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if tls else None)
    in_flight = InFlight()
    pool = Pool(in_flight=in_flight)
    statuses: list[int] = []

    def send_two() -> None:
        request, budget = Request.build("GET", Url.parse(server.url)), Budget.start(10, Deadline.after(20))
        statuses.extend(pool.exchange(request, Limits(), budget).status for _ in range(2))

    thread = threading.Thread(target=send_two)
    thread.start()
    assert received.wait(10)
    until(lambda: in_flight.count() == 1)
    answer.set()
    thread.join()
    assert statuses == [200, 200]
    assert in_flight.count() == 0
    pool.close()
