from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import Limits
from ecs_hooks.http.connect import connect
from ecs_hooks.http.inflight import InFlight
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.resolver import resolve
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer


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
