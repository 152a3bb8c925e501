from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import Limits
from ecs_hooks.http.budget import Budget
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from ecs_hooks.http.waits import Waits
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_who_finds_nothing_to_read_waits_for_the_other_side(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    waits = Waits()
    assert waits.count() == 0
    with waits.noted("a", ours.fileno(), select.POLLIN):
        assert waits.count() == 1
        theirs.send(b"x")
        assert waits.count() == 0
        ours.recv(1)
        assert waits.count() == 1
        theirs.close()
        assert waits.count() == 0
    assert waits.count() == 0


def test_who_has_room_to_send_waits_for_nobody(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    waits = Waits()
    with waits.noted("a", ours.fileno(), select.POLLOUT), waits.noted("b", theirs.fileno(), select.POLLIN):
        assert waits.count() == 1
        ours.setblocking(False)
        with suppress(BlockingIOError):
            while ours.send(b"x" * 65_536):
                pass
        # Now the one has no room, and the other has something to read.
        assert waits.count() == 1
        theirs.close()
    assert waits.count() == 0


def test_a_wait_ends_with_what_is_raised(pair: tuple[socket.socket, socket.socket]) -> None:
    waits = Waits()
    with pytest.raises(TimeoutError), waits.noted("a", pair[0].fileno(), select.POLLIN):
        raise TimeoutError
    assert waits.count() == 0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True])
def test_a_request_waits_for_the_server_until_that_answers(serve: Serve, trusted: trustme.CA, *, tls: bool) -> None:
    answer, asked = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        while peer.request():
            asked.set()
            answer.wait(10)
            peer.answer(b"x" * 100_000)

    server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if tls else None)
    waits = Waits()
    pool = Pool(waits=waits)
    statuses: list[int] = []

    def ask() -> None:
        request, budget = Request.build("GET", Url.parse(server.url)), Budget.start(10, Deadline.after(20))
        statuses.extend(pool.ask(request, Limits(), budget).status for _ in range(2))

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(10)
    until(lambda: waits.count() == 1)
    answer.set()
    thread.join()
    assert statuses == [200, 200]
    assert waits.count() == 0
    pool.close()
