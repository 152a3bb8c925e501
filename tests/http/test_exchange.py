from __future__ import annotations

import gzip
import socket
import zlib
from contextlib import suppress

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import ResetBeforeResponseError
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying, sending

HEAD = b"HTTP/1.1 200 OK\r\n"


def client(url: str, limits: Limits | None = None) -> HttpClient:
    return HttpClient(url, Deadline.after(20), limits)


def test_a_server_that_refuses_an_upload_unread_is_still_heard(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(1000)
        peer.answer(b"no", status="413 Content Too Large")
        peer.connection.shutdown(socket.SHUT_RDWR)

    # The kernel may throw the answer away with the connection; nobody can read it then.
    with suppress(ResetBeforeResponseError):
        assert client(serve(script).url, Limits(connect_retries=0)).post("/", body=b"x" * 5_000_000).status == 413


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


def test_a_header_that_goes_on_in_the_next_line_is_one_line(serve: Serve) -> None:
    head = HEAD + b"X-Long: begin\r\n  end\r\nContent-Length: 2\r\n\r\n"
    assert client(serve(sending(head + b"ok")).url).get("/").headers["x-long"] == "begin end"


def test_a_body_that_ends_with_the_connection(serve: Serve) -> None:
    assert client(serve(sending(HEAD + b"\r\nhello")).url).get("/").text == "hello"


@pytest.mark.parametrize("again", [b"Content-Length: 2, 2\r\n", b"Content-Length: 2\r\nContent-Length: 2\r\n"])
def test_a_length_may_be_told_again(serve: Serve, again: bytes) -> None:
    assert client(serve(sending(HEAD + again + b"\r\nok")).url).get("/").text == "ok"


def test_that_there_are_chunks_may_be_told_again(serve: Serve) -> None:
    head = HEAD + b"Transfer-Encoding: Chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert client(serve(sending(head + b"2\r\nok\r\n0\r\n\r\n")).url).get("/").text == "ok"


def test_chunks_count_more_than_a_length(serve: Serve) -> None:
    head = HEAD + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert client(serve(sending(head + b"2\r\nok\r\n0\r\n\r\n")).url).get("/").text == "ok"


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1", b"HTTP/1.2"])
def test_versions_of_http_1(serve: Serve, version: bytes) -> None:
    head = version + b" 200\r\nContent-Length: 2\r\n\r\n"
    assert client(serve(sending(head + b"ok")).url).get("/").text == "ok"


def test_chunks_are_put_together(serve: Serve) -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: z\r\n\r\n"
    assert client(serve(sending(HEAD + chunks)).url).get("/").text == "hello world"
