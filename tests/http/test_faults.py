"""Servers that misbehave, each in its own way. What counts is the kind of the error, and that it comes in time."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from ecs_hooks.deadline import Deadline
from ecs_hooks.http import HttpClient, HttpError, Limits
from ecs_hooks.http.errors import (
    ConnectError,
    ConnectTimeoutError,
    DeadlineError,
    Phase,
    ProtocolError,
    ResetBeforeResponseError,
    ResponseTimeoutError,
    TooLargeError,
)
from ecs_hooks.outcome import Status
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying, sending

IMPATIENT = Limits(timeout_seconds=0.3, connect_retries=0)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def client(url: str, limits: Limits = IMPATIENT, seconds: float = 20) -> HttpClient:
    return HttpClient(url, Deadline.after(seconds), limits)


@pytest.mark.parametrize(
    ("pieces", "phase"),
    [
        ([], Phase.HEAD),
        ([b"HTTP/1.1 2"], Phase.HEAD),
        ([HEAD, b"X: y\r\n"], Phase.HEAD),
        ([HEAD, b"Content-Length: 5\r\n\r\n"], Phase.BODY),
        ([HEAD, b"Content-Length: 5\r\n\r\nabc"], Phase.BODY),
        ([CHUNKED, b"5\r\nabc"], Phase.BODY),
        ([HEAD, b"\r\nuntil the connection is closed"], Phase.BODY),
    ],
)
@pytest.mark.parametrize("seconds", [20, 0.2])
def test_a_server_that_hangs_costs_no_more_than_the_time_there_is(
    serve: Serve, pieces: list[bytes], phase: Phase, seconds: float
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        peer.hang()

    with pytest.raises(HttpError) as caught:
        client(serve(script).url, seconds=seconds).get("/x")
    # Its own time over is a finding about the server; the invocation's is none.
    assert isinstance(caught.value, ResponseTimeoutError if seconds > 1 else DeadlineError)
    assert phase in str(caught.value)
    assert caught.value.outcome.status is (Status.FAIL if seconds > 1 else Status.WAIT)


@pytest.mark.parametrize(
    ("begin", "drop", "phase"),
    [
        (b"", b"H", Phase.HEAD),
        (HEAD, b"X: y\r\n", Phase.HEAD),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x", Phase.BODY),
        (CHUNKED, b"1\r\nx\r\n", Phase.BODY),
        (CHUNKED + b"0\r\n", b"X: trailer\r\n", Phase.BODY),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", Phase.HEAD),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", Phase.HEAD),
    ],
)
def test_a_trickle_does_not_renew_the_time(serve: Serve, begin: bytes, drop: bytes, phase: Phase) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        peer.trickle(drop)

    with pytest.raises(ResponseTimeoutError) as caught:
        client(serve(script).url).get("/")
    assert caught.value.phase is phase


def test_a_server_that_does_not_read_an_upload(serve: Serve) -> None:
    with pytest.raises(ResponseTimeoutError) as caught:
        client(serve(Peer.hang).url).post("/", body=b"x" * 50_000_000)
    assert caught.value.phase is Phase.SEND


def test_a_server_that_refuses_an_upload_unread_is_still_heard(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(1000)
        peer.answer(b"no", status="413 Content Too Large")
        peer.connection.shutdown(socket.SHUT_RDWR)

    # The kernel may throw the answer away with the connection; nobody can read it then.
    with suppress(ResetBeforeResponseError):
        assert client(serve(script).url, Limits(connect_retries=0)).post("/", body=b"x" * 5_000_000).status == 413


@pytest.fixture
def full() -> Iterator[str]:
    """A port that accepts no connection any more."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize(("seconds", "kind"), [(20, ConnectTimeoutError), (0.2, DeadlineError)])
def test_no_connection_in_time(full: str, seconds: float, kind: type[HttpError]) -> None:
    with pytest.raises(kind, match="no connection"):
        client(full, seconds=seconds).get("/")


def test_no_time_at_all(serve: Serve) -> None:
    server = serve(replying())
    with pytest.raises(DeadlineError):
        client(server.url, seconds=0).get("/")
    assert server.connections == 0


def test_a_refused_connection_is_tried_again_and_then_an_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError) as caught:
        client(f"http://127.0.0.1:{port}", Limits(connect_retries=1)).get("/x?secret=1")
    assert str(caught.value) == (
        f"GET http://127.0.0.1:{port}/x?secret=*** connection refused (127.0.0.1 port {port}) (after 2 attempts)"
    )
    assert caught.value.outcome.status is Status.ERROR


def test_trouble_is_reported_where_the_time_ends_in_a_further_attempt(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()  # reset any sooner, it may still be the connecting that fails
        if server.connections == 1:
            peer.reset()
        else:
            peer.hang()

    server = serve(script)
    with pytest.raises(ResetBeforeResponseError):
        client(server.url, Limits(connect_retries=3), seconds=2).get("/")
    assert server.connections == 2


def test_there_is_no_wait_for_an_attempt_that_the_deadline_would_not_allow(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    server = serve(script)
    with pytest.raises(ResetBeforeResponseError) as caught:
        client(server.url, Limits(connect_retries=3), seconds=0.15).get("/")
    assert "attempts" not in str(caught.value)
    assert server.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_reset_before_a_response_is_tried_again(serve: Serve, method: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if server.connections == 1:
            peer.reset()
        elif server.connections == 3:
            peer.answer(b"at last")

    server = serve(script)
    answer = client(server.url, Limits()).request(method, "/")
    assert (answer.text, answer.attempts) == ("at last", 3)


@pytest.mark.parametrize("begin", [b"H", HEAD, HEAD + b"X: y\r\n"])
@pytest.mark.parametrize("end", ["reset", "close"])
def test_an_end_within_the_header_is_no_transport_trouble(serve: Serve, begin: bytes, end: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        if end == "reset":
            peer.stop.wait(0.1)
            peer.reset()

    server = serve(script)
    with pytest.raises(ProtocolError) as caught:
        client(server.url, Limits()).get("/")
    assert server.connections == 1
    assert caught.value.outcome.status is Status.FAIL


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"hello\r\n\r\n", "not HTTP"),
        (b"\x00\xff\x16\x03\r\n\r\n", "not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 99999 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/7.0 200 OK\r\n\r\n", "not HTTP"),
        (HEAD + b"no colon here\r\n\r\n", "header is malformed"),
        (HEAD + b": x\r\n\r\n", "header is malformed"),
        (HEAD + b"Content-Length: 3, 4\r\n\r\nabc", "header is malformed"),
        (HEAD + b"Content-Length: -3\r\n\r\nabc", "header is malformed"),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", "too many lines"),
        (HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n", "too long"),
        (b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n", "too long"),
        (HEAD + (b"X: " + b"y" * 60_000 + b"\r\n") * 90 + b"\r\n", "header is larger than"),
        (b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 20_000, "header is larger than"),
        (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", "malformed chunks"),
        (CHUNKED + b"-5\r\nabc\r\n0\r\n\r\n", "malformed chunks"),
        (CHUNKED + b"5\r\nabc", "truncated"),
        (CHUNKED + b"5\r\nabcde\r\n", "connection ended within the response body"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc", "truncated"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\nthis is no gzip", "can't be decoded"),
    ],
    ids=range(21),
)
def test_what_is_no_response_is_a_failure(serve: Serve, answer: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem) as caught:
        client(serve(sending(answer)).url, Limits(max_body_bytes=1000)).get("/")
    assert caught.value.outcome.status is Status.FAIL


def test_a_reset_within_the_body(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD + b"Content-Length: 10\r\n\r\nabc")
        peer.stop.wait(0.1)
        peer.reset()

    with pytest.raises(ProtocolError, match="connection ended within the response body"):
        client(serve(script).url, Limits()).get("/")


def endless(peer: Peer, begin: bytes, piece: bytes) -> None:
    peer.request()
    peer.send(begin)
    while not peer.stop.is_set():
        peer.send(piece)


BOMB = gzip.compress(bytes(200_000_000), 9)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (HEAD + b"Content-Length: 1000000000\r\n\r\n", b"x" * 65_536),
        (HEAD + b"\r\n", b"x" * 65_536),
        (CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"-1\r\n", b"x" * 65_536),
        (CHUNKED + b"0\r\n", b"X: trailer\r\n" * 1000),
        (CHUNKED, b"1" * 65_536),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n", BOMB),
        (HEAD + b"Content-Encoding: gzip, gzip\r\n\r\n", gzip.compress(BOMB)),
        (HEAD + b"Content-Encoding: deflate\r\nContent-Length: 100\r\n\r\n", zlib.compress(bytes(90_000), 9)),
    ],
    ids=range(10),
)
def test_a_body_without_end_is_not_read_to_the_end(serve: Serve, begin: bytes, piece: bytes) -> None:
    server = serve(lambda peer: endless(peer, begin, piece))
    with pytest.raises((TooLargeError, ProtocolError)) as caught:
        client(server.url, Limits(timeout_seconds=10, max_body_bytes=50_000)).get("/")
    assert (
        "max_body_bytes (50000)" in str(caught.value)
        or "malformed chunks" in str(caught.value)
        or ("ended within" in str(caught.value))
    )
    assert caught.value.outcome.status is Status.FAIL


def test_a_body_of_just_the_allowed_size_is_read(serve: Serve) -> None:
    answer = client(serve(replying(b"x" * 50_000)).url, Limits(max_body_bytes=50_000)).get("/")
    assert len(answer.content) == 50_000
    assert answer.latency > 0


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate", "br"])
def test_compressed_bodies_are_decoded_if_they_can_be(serve: Serve, encoding: str) -> None:
    body = {"gzip": gzip.compress(b"hello"), "deflate": zlib.compress(b"hello")}.get(encoding, b"hello")
    if "," in encoding:
        body = zlib.compress(gzip.compress(b"hello"))
    assert client(serve(replying(body, f"Content-Encoding: {encoding}")).url).get("/").text == "hello"


def test_interim_responses_are_no_answer(serve: Serve) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    answer = client(serve(sending(interim, interim, HEAD, b"Content-Length: 2\r\n\r\nok")).url).get("/")
    assert (answer.status, answer.text) == (200, "ok")


def test_switching_protocols_is_an_answer(serve: Serve) -> None:
    assert client(serve(sending(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")).url).get("/").status == 101


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 X")])
def test_some_responses_have_no_body(serve: Serve, method: str, status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: 999999999\r\n\r\n".encode()
    answer = client(serve(sending(head)).url, Limits(connect_retries=0)).request(method, "/")
    assert answer.content == b""
