from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
import trustme

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import Limits
from ecs_hooks.http import pool as pool_module
from ecs_hooks.http.errors import (
    ConnectError,
    ForbiddenAddressError,
    ResetBeforeResponseError,
    ResponseTimeoutError,
    TooLargeError,
)
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.response import Response
from ecs_hooks.http.retry import attempt, send
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script

LIMITS = Limits()


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def get(pool: Pool, url: str, limits: Limits = LIMITS, *, seconds: float = 20, **headers: str) -> Response:
    request = Request.build("GET", Url.parse(url), headers)
    return attempt(request, limits, Budget.start(seconds, Deadline.after(20)), pool.exchange)


def answering(*headers: str, status: str = "200 OK", body: bytes = b"") -> Script:
    """A server that answers one request after the other on a connection, with the request where there is no body."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.answer(body or request, *headers, status=status)

    return script


def test_one_connection_for_one_request_after_the_other(serve: Serve, pool: Pool) -> None:
    server = serve(answering())

    assert [get(pool, f"{server.url}/{number}").content.split()[1] for number in range(3)] == [b"/0", b"/1", b"/2"]
    assert server.connections == pool.opened == 1


def test_each_request_has_its_own_where_none_is_kept(serve: Serve) -> None:
    server = serve(answering())
    pool = Pool(keep=False)

    assert [get(pool, server.url).status for _ in range(3)] == [200] * 3
    assert server.connections == pool.opened == 3


def test_requests_at_the_same_time_have_one_each_and_leave_them_to_the_next(serve: Serve, pool: Pool) -> None:
    both = threading.Barrier(2)

    def script(peer: Peer) -> None:
        while peer.request():
            both.wait(10)
            peer.answer()

    server = serve(script)
    for _ in range(3):
        threads = [threading.Thread(target=get, args=(pool, server.url)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.connections == 2


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_a_connection_that_the_server_does_not_keep(serve: Serve, pool: Pool, head: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head + b"ok")

    server = serve(script)
    assert [get(pool, server.url).content for _ in range(3)] == [b"ok"] * 3
    assert pool.opened == 3


@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("resend", [False, True], ids=["sent once", "sent again"])
@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"200 OK\r\nContent-Length: %d\r\n"),
        ("HEAD", b"200 OK\r\n"),
        ("HEAD", b"200 OK\r\nTransfer-Encoding: chunked\r\n"),
        ("GET", b"304 Not Modified\r\nContent-Length: %d\r\n"),
        ("GET", b"304 Not Modified\r\nTransfer-Encoding: chunked\r\n"),
        ("GET", b"204 No Content\r\nContent-Length: %d\r\n"),
        ("GET", b"205 Reset Content\r\nContent-Length: %d\r\n"),
    ],
)
def test_a_body_that_must_not_be_there_is_no_response(
    serve: Serve, trusted: trustme.CA, method: str, head: bytes, *, secure: bool, late: bool, resend: bool
) -> None:
    """The surplus looks like a response: it must not become that of the next request, whenever it arrives."""
    surplus = b"HTTP/1.1 200 OK\r\nContent-Length: 12000\r\n\r\n" + b"x" * 12_000

    def script(peer: Peer) -> None:
        while request := peer.request():
            if b" /next " in request:
                peer.answer(b"right")
                continue
            peer.send(b"HTTP/1.1 " + head.replace(b"%d", b"%d" % len(surplus)) + b"\r\n")
            if late:
                peer.request()
            peer.send(surplus)

    server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if secure else None)
    pool = Pool(resend=resend)
    for path, expected in [("/", b""), ("/next", b"right"), ("/", b""), ("/next", b"right")]:
        own_method = "GET" if path == "/next" else method
        request = Request.build(own_method, Url.parse(f"{server.url}{path}"))
        assert attempt(request, LIMITS, Budget.start(5, Deadline.after(20)), pool.exchange).content == expected
    pool.close()


def test_a_connection_is_kept_after_a_response_without_a_body(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    server = serve(script)
    assert [get(pool, server.url).status for _ in range(3)] == [204] * 3
    assert server.connections == 1


def test_a_connection_is_kept_after_chunks(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")

    server = serve(script)
    assert [get(pool, server.url).content for _ in range(3)] == [b"ok"] * 3
    assert pool.opened == 1


def test_a_connection_that_the_server_closes_when_it_is_used_again(serve: Serve, pool: Pool) -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(peer.request())
        peer.answer()
        requests.append(peer.request())

    server = serve(script)
    assert [get(pool, f"{server.url}/{number}").status for number in range(2)] == [200, 200]
    assert [each.split()[1] for each in requests] == [b"/0", b"/1", b"/1"]
    assert pool.opened == 2


@pytest.mark.parametrize(
    ("method", "resend", "sent", "opened"),
    [
        ("GET", True, 3, 2),  # once more on a new connection
        ("PUT", True, 3, 2),
        ("POST", True, 2, 2),  # on a connection of its own from the start
        ("PATCH", True, 2, 2),
        ("GET", False, 2, 1),
        ("POST", False, 2, 1),
    ],
)
def test_a_request_is_sent_twice_only_if_it_is_idempotent(
    serve: Serve, method: str, resend: bool, sent: int, opened: int
) -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            requests.append(request)
            if b"/abort" in request:
                return
            peer.answer()

    server = serve(script)
    pool = Pool(resend=resend)
    budget = Budget.start(10, Deadline.after(10))
    pool.exchange(Request.build("GET", Url.parse(server.url)), LIMITS, budget)
    with pytest.raises(ResetBeforeResponseError):
        send(
            Request.build(method, Url.parse(f"{server.url}/abort")),
            LIMITS._replace(connect_retries=0 if method in {"GET", "PUT"} and resend else 3),
            Deadline.after(10),
            pool.exchange,
        )
    assert len(requests) == sent
    assert pool.opened == server.connections == opened
    assert pool.resent == sent - 2
    pool.close()


def test_a_connection_that_was_free_for_long_is_not_used_where_an_abort_is_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_MAX_IDLE", 0.05)
    server = serve(answering())
    for resend, opened in ((True, 1), (False, 2)):
        pool = Pool(resend=resend)
        get(pool, server.url)
        time.sleep(0.1)
        get(pool, server.url)
        assert (pool.opened, pool.replaced) == (opened, 0)
        pool.close()


def test_a_connection_in_advance_that_the_server_closes_says_nothing_about_the_others(serve: Serve) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        if server.connections == 1:
            peer.connection.close()
            closed.set()
            return
        while peer.request():
            peer.answer()

    server = serve(script)
    pool = Pool(resend=False)
    pool.connect(Request.build("GET", Url.parse(server.url)), LIMITS, Budget.start(5, Deadline.after(20)))
    assert closed.wait(10)
    time.sleep(0.05)
    for _ in range(3):
        get(pool, server.url)
    assert (pool.opened, pool.replaced) == (2, 1)
    pool.close()


def test_a_reset_of_a_new_connection_is_an_error(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    server = serve(script)
    with pytest.raises(ResetBeforeResponseError, match=f"GET {server.url}/ connection ended before a response"):
        get(pool, server.url)
    assert pool.opened == 1


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("when", ["with it", "after it"])
def test_surplus_bytes_are_never_the_next_response(
    serve: Serve, pool: Pool, trusted: trustme.CA, *, tls: bool, when: str
) -> None:
    more, is_sent = threading.Event(), threading.Event()
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + (evil if when == "with it" else b""))
        if when == "after it" and server.connections == 1 and more.wait(10):
            peer.send(evil)
        is_sent.set()
        peer.hang()

    server = serve(script, server_context(trusted.issue_cert("127.0.0.1")) if tls else None)
    assert get(pool, server.url).text == "ok"
    more.set()
    assert is_sent.wait(10)
    assert get(pool, server.url).text == "ok"
    assert pool.opened == 2


def test_a_response_that_was_not_read_to_its_end_ends_its_connection(serve: Serve, pool: Pool) -> None:
    server = serve(answering(body=b"x" * 100))

    with pytest.raises(TooLargeError):
        get(pool, server.url, LIMITS._replace(max_body_bytes=10))
    assert len(get(pool, server.url).content) == 100
    assert pool.opened == 2


def test_a_body_that_is_not_kept_is_read_all_the_same(serve: Serve, pool: Pool) -> None:
    server = serve(answering(body=b"x" * 100_000))
    unkept = LIMITS._replace(keep_body=False)

    assert [get(pool, server.url, unkept).content for _ in range(2)] == [b"", b""]
    assert pool.opened == 1
    with pytest.raises(TooLargeError):
        get(pool, server.url, unkept._replace(max_body_bytes=99_999))


@pytest.mark.parametrize(("body", "connections"), [(b"", 1), (b"moved", 2)])
def test_redirects(serve: Serve, pool: Pool, body: bytes, connections: int) -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            if request.startswith(b"GET /a"):
                peer.answer(body, "Location: /b", status="302 Found")
            else:
                peer.answer(b"here")

    response = get(pool, f"{serve(script).url}/a", LIMITS._replace(follow_redirects=True))
    assert (response.content, response.redirects) == (b"here", 1)
    assert pool.opened == connections


def test_each_exchange_has_its_own_time(serve: Serve, pool: Pool) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer()
        peer.request()
        peer.hang()

    server = serve(script)
    get(pool, server.url, seconds=0.5)
    with pytest.raises(ResponseTimeoutError, match=r"within 0.2 s"):
        get(pool, server.url, seconds=0.2)


def test_latency_counts_from_the_begin_of_each_exchange(serve: Serve, pool: Pool) -> None:
    server = serve(answering())
    get(pool, server.url)
    time.sleep(0.05)
    began = time.perf_counter()

    assert get(pool, server.url).latency <= time.perf_counter() - began


def test_a_connection_ahead_is_the_one_of_the_first_request(serve: Serve, pool: Pool) -> None:
    server = serve(answering())
    request = Request.build("GET", Url.parse(server.url))
    pool.connect(request, LIMITS, Budget.start(5, Deadline.after(20)))

    assert pool.opened == 1
    assert get(pool, server.url).status == 200
    assert pool.opened == 1


def test_a_connection_ahead_names_the_request_that_it_would_be_for(serve: Serve, pool: Pool) -> None:
    server = serve(answering())
    server.close()

    with pytest.raises(ConnectError, match=f"GET {server.url}/ connection refused"):
        pool.connect(Request.build("GET", Url.parse(server.url)), LIMITS, Budget.start(5, Deadline.after(20)))


def test_the_guard_judges_each_connection(serve: Serve, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answering("Connection: close"))
    assert get(pool, server.url).status == 200
    monkeypatch.delenv(VARIABLE)

    with pytest.raises(ForbiddenAddressError):
        get(pool, server.url)


def test_a_connection_is_for_the_name_that_its_certificate_was_checked_for(
    serve: Serve, pool: Pool, trusted: trustme.CA
) -> None:
    context = server_context(trusted.issue_cert("one.example.com", "two.example.com"))
    server = serve(answering(), context)
    for name in ("one", "two", "one", "two"):
        assert get(pool, server.url, Host=f"{name}.example.com").status == 200
    assert pool.opened == 2
    assert get(pool, server.url, LIMITS._replace(verify_tls=False), Host="two.example.com").status == 200
    assert pool.opened == 3


def test_closing_closes_what_is_free_and_what_is_still_in_use(serve: Serve, pool: Pool) -> None:
    progress, closed = threading.Semaphore(0), threading.Event()
    ends: list[bytes] = []

    def script(peer: Peer) -> None:
        if b"/slow" in peer.request():
            progress.release()
            closed.wait(10)
        peer.answer()
        ends.append(peer.request())
        progress.release()

    server = serve(script)
    slow = threading.Thread(target=partial(get, pool, f"{server.url}/slow"))
    slow.start()
    assert progress.acquire(timeout=10)
    get(pool, server.url)
    pool.close()
    assert progress.acquire(timeout=10)
    closed.set()
    assert progress.acquire(timeout=10)
    slow.join()
    assert ends == [b"", b""]
