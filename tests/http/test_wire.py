"""Sockets that never block, over plain TCP and over TLS."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from ecs_hooks.checks import HttpCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.state import State
from ecs_hooks.engine.runner import Runner
from ecs_hooks.http.budget import Budget
from ecs_hooks.http.dialling import dialled
from ecs_hooks.http.handshake import secured
from ecs_hooks.http.resolver import resolve
from ecs_hooks.http.tls import Trust, tls_context
from ecs_hooks.http.wire import Wire, WireSocket, WireSSLSocket
from ecs_hooks.relay import Relay
from tests.checks.asking import context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script

LARGE = bytes(range(256)) * 40_000
"""More than the buffers of a connection hold."""

Connect = Callable[[Script], WireSocket | WireSSLSocket]


@pytest.fixture(params=["tcp", "tls"])
def connect(request: pytest.FixtureRequest, serve: Serve, trusted: trustme.CA) -> Connect:
    secure = request.param == "tls"

    def to(script: Script) -> WireSocket | WireSSLSocket:
        server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if secure else None)
        budget = Budget.start(10, Deadline.after(10))
        raw = dialled(resolve("127.0.0.1", server.port, budget.deadline), server.port, budget)
        opened = secured(raw, tls_context(Trust(True, "", "1.2")), "127.0.0.1", budget) if secure else raw
        opened.wire.allow(2 * len(LARGE), OverflowError)
        return opened

    return to


def received(opened: WireSocket | WireSSLSocket) -> bytes:
    buffer, whole = bytearray(65_536), b""
    while count := opened.recv_into(buffer):
        whole += buffer[:count]
    return whole


def test_what_is_sent_arrives_however_slowly_it_is_taken(connect: Connect) -> None:
    taken, go = bytearray(), threading.Event()

    def script(peer: Peer) -> None:
        go.wait(10)
        while len(taken) < len(LARGE):
            taken.extend(peer.connection.recv(65_536))
        peer.send(b"thanks")

    with connect(script) as opened:
        threading.Timer(0.2, go.set).start()
        opened.sendall(LARGE)
        assert received(opened) == b"thanks"

    assert bytes(taken) == LARGE


def test_what_comes_in_many_pieces_is_received_whole(connect: Connect) -> None:
    with connect(lambda peer: peer.send(*(LARGE[at : at + 9_999] for at in range(0, len(LARGE), 9_999)))) as opened:
        assert received(opened) == LARGE
        assert opened.wire.received == len(LARGE)
        assert opened.wire.ended


@pytest.mark.parametrize("act", [lambda opened: opened.sendall(LARGE), received], ids=["send", "receive"])
def test_nothing_is_waited_for_longer_than_there_is_time(
    connect: Connect, act: Callable[[WireSocket | WireSSLSocket], object]
) -> None:
    with connect(lambda peer: peer.hang()) as opened:
        opened.wire.deadline = Deadline.after(0.3)
        with pytest.raises(TimeoutError):
            act(opened)
        assert opened.wire.deadline.expired


def test_a_side_that_never_stops_talking_is_given_up_in_time(connect: Connect) -> None:
    def script(peer: Peer) -> None:
        while not peer.stop.is_set():
            peer.send(bytes(65_536))

    with connect(script) as opened:
        opened.wire.deadline = Deadline.after(0.3)
        opened.wire.allow(2**40, OverflowError)
        with pytest.raises(TimeoutError):
            received(opened)


def test_a_socket_that_only_seemed_to_have_something_is_asked_again(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, waits = Wire.wait_to_read, iter([True])

    def too_soon(wire: Wire, opened: WireSocket) -> None:
        if not next(waits, False):
            waiting(wire, opened)

    go = threading.Event()

    def script(peer: Peer) -> None:
        go.wait(10)
        peer.send(b"now")

    with connect(script) as opened:
        monkeypatch.setattr(Wire, "wait_to_read", too_soon)
        threading.Timer(0.1, go.set).start()
        assert received(opened) == b"now"


@pytest.mark.parametrize("where", ["at the connection", "at the response"])
def test_whoever_waits_lets_the_next_check_begin(serve: Serve, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(Relay, "hurry", lambda _: None)
    if where == "at the connection":
        monkeypatch.setattr(WireSocket, "connect_ex", far_away(WireSocket.connect_ex))
    meeting = threading.Barrier(30, timeout=10)

    def script(peer: Peer) -> None:
        peer.request()
        meeting.wait()  # nobody is answered before all have asked
        peer.answer()

    address = serve(script).url
    checks = [HttpCheck.model_validate({"type": "http", "path": f"/{number}"}) for number in range(30)]

    outcomes = Runner(context(address), State("0", 0), lambda _: None).run(checks)

    assert [outcome.status for outcome in outcomes] == [Status.PASS] * 30


def far_away(connect: Callable[[WireSocket, Any], int]) -> Callable[[WireSocket, Any], int]:
    """Return what connects to a server that is not near: when it is asked again, the connection is not there yet."""
    begun: set[WireSocket] = set()

    def connect_ex(opened: WireSocket, target: Any) -> int:
        if opened in begun:
            return errno.EALREADY
        begun.add(opened)
        return connect(opened, target)

    return connect_ex


def test_who_refuses_is_heard_however_far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WireSocket, "connect_ex", far_away(WireSocket.connect_ex))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        with (
            WireSocket(socket.AF_INET, Wire(Deadline.after(10))) as opened,
            pytest.raises(ConnectionRefusedError),
        ):
            opened.connect_within(nobody.getsockname(), 10)


def test_what_can_not_even_be_tried_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WireSocket, "connect_ex", lambda *_: errno.ENETUNREACH)
    with (
        WireSocket(socket.AF_INET, Wire(Deadline.after(10))) as opened,
        pytest.raises(OSError, match="unreachable"),
    ):
        opened.connect_within(("127.0.0.1", 1), 10)
