"""HTTP/1.1 on real sockets: what is sent, what is a response, and when a connection is used again."""

from __future__ import annotations

import io
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits, Response
from ecs_hooks.http.errors import (
    HttpError,
    ProtocolError,
    RequestError,
    ResetBeforeResponseError,
    TooLargeError,
)
from ecs_hooks.http.http1 import Http1Connection
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.request import Request
from ecs_hooks.http.request_body import Body
from ecs_hooks.http.resolver import resolve
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script, Server, replying, sending
from tests.http.test_content_encoding import COMPRESS

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ONCE = Limits(connect_retries=0)
NAMES = st.from_regex(r"\AX-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}\Z")
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f", exclude_categories=["Cc"])
)
UPLOAD = b"x" * 8_000_000
"""More than the buffers of a connection hold."""


def client(url: str, limits: Limits = ONCE) -> HttpClient:
    return HttpClient(url, Deadline.after(20), limits)


def connected(url: str) -> Http1Connection:
    return Http1Connection(Request.build("GET", Url.parse(url)), ONCE, budget(), resolve)


def budget(seconds: float = 10) -> Budget:
    return Budget.start(seconds, Deadline.after(20))


def get(connection: Http1Connection, url: str) -> Response:
    return connection.exchange(Request.build("GET", Url.parse(url)), ONCE, budget())


@pytest.fixture(params=["tcp", "tls"])
def start(request: pytest.FixtureRequest, serve: Serve, trusted: trustme.CA) -> Serve:
    """Start a server, plain or with TLS."""

    def starting(script: Script) -> Server:
        return serve(script, server_context(trusted.issue_cert("127.0.0.1")) if request.param == "tls" else None)

    return starting


class Received(BaseHTTPRequestHandler):
    """Reads a request, as servers in Python do."""

    def __init__(self, sent: bytes) -> None:
        self.rfile = io.BytesIO(sent)
        self.raw_requestline = self.rfile.readline()
        self.request_version = ""
        assert self.parse_request()

    def send_error(self, *args: Any, **_: Any) -> None:
        raise AssertionError(args)


@pytest.fixture(scope="module")
def mirror() -> Iterator[str]:
    """A server that responds with the request."""
    server = Server(lambda peer: peer.answer(peer.request()))
    yield server.url
    server.close()


def sent(mirror: str, request: Request) -> bytes:
    """Return the bytes of a request, which is sent to the mirror whatever its URL."""
    with closing(connected(mirror)) as connection:
        return connection.exchange(request, ONCE, budget()).content


@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.none() | st.binary(max_size=100),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_a_request_arrives_as_it_is(mirror: str, method: str, headers: dict[str, str], body: bytes | None) -> None:
    headers = {name.lower(): value.strip(" \t") for name, value in headers.items()}
    request = Request.build(
        method,
        Url.parse("http://example.com:8080/a?b=c"),
        headers,
        None if body is None else Body(body, "text/plain"),
    )
    received = Received(sent(mirror, request))

    assert (received.command, received.path, received.request_version) == (method, "/a?b=c", "HTTP/1.1")
    assert received.headers["Host"] == "example.com:8080"
    assert {name: received.headers[name].strip(" \t") for name in headers} == headers
    assert received.rfile.read() == (body or b"")
    expected = str(len(body or b"")) if body is not None or method in {"POST", "PUT", "PATCH"} else None
    assert received.headers["Content-Length"] == expected


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://example.com/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://[fe80::1%25eth0]/", "[fe80::1]"),
        ("http://B\xfccher.example:8080/", "xn--bcher-kva.example:8080"),
        ("http://my_service.example/", "my_service.example"),
    ],
)
def test_the_host_header_is_the_authority_of_the_url(mirror: str, address: str, host: str) -> None:
    assert f"\r\nHost: {host}\r\n".encode() in sent(mirror, Request.build("GET", Url.parse(address)))


@pytest.mark.parametrize(
    ("host", "sent_as"),
    [
        ("b\xfccher.example:8443", "xn--bcher-kva.example:8443"),
        ("\u65e5\u672c\u8a9e.jp", "xn--wgv71a119e.jp"),
        ("Shop_a.Example", "Shop_a.Example"),
        ("[::1]:80", "[::1]:80"),
        ("\xe9 \xe9", "\xe9 \xe9"),
    ],
)
def test_a_given_host_header_is_ascii(mirror: str, host: str, sent_as: str) -> None:
    request = Request.build("GET", Url.parse("http://example.com/"), {"HOST": host})
    assert f"\r\nHOST: {sent_as}\r\n".encode("latin-1") in sent(mirror, request)


def test_a_given_host_header_is_the_only_one(mirror: str) -> None:
    data = sent(mirror, Request.build("GET", Url.parse("http://example.com/"), {"host": "other"}))
    assert re.findall(rb"(?i)\r\nhost: (.*)\r\n", data) == [b"other"]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\ny", "a\ry", "a\0y", "snow \u2603"])
def test_no_line_can_be_injected(mirror: str, value: str) -> None:
    request = Request.build("GET", Url.parse("http://example.com/"))
    for changed in (request._replace(headers={"X": value}), request._replace(url=request.url._replace(target=value))):
        with pytest.raises(RequestError, match="not allowed in its URL or headers"):
            sent(mirror, changed)


def _read(value: str) -> str:
    """Return a value as UTF-8 if it is valid, else as Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_header_fields_are_read_as_they_are(fields: list[tuple[str, str]]) -> None:
    text = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
    server = Server(sending(HEAD, text, b"Content-Length: 0\r\n\r\n"))
    try:
        headers = client(server.url).get("/").headers
    finally:
        server.close()
    for name in {name.lower() for name, _ in fields}:
        expected = [_read(value.strip(" \t")) for each, value in fields if each.lower() == name]
        assert headers.getlist(name) == expected


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"A", b":", b" ", b"\r", b"\n", b"\0", b"\xff", b"\t"])).map(b"".join)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_a_header_is_valid_or_a_protocol_error(text: bytes) -> None:
    server = Server(sending(HEAD, text))
    try:
        headers = client(server.url).get("/").headers
    except HttpError as error:
        assert isinstance(error, ProtocolError)
    else:
        assert not any(re.search(r"[\r\n\0]", f"{name}{value}") for name, value in headers.iteritems())
    finally:
        server.close()


@pytest.mark.parametrize("line", [b" a: b", b"a", b": b", b"a : b", b"a\xe9: b", b"a: b\rc", b"a: b\0c"])
def test_a_malformed_header(serve: Serve, line: bytes) -> None:
    with pytest.raises(ProtocolError, match="response header is malformed"):
        client(serve(sending(HEAD + line + b"\r\n\r\n")).url).get("/")


def test_lines_may_end_in_lf(serve: Serve) -> None:
    response = client(serve(sending(b"HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nok")).url).get("/")
    assert (response.headers["a"], response.text) == ("b", "ok")


def test_a_folded_line_is_one_line(serve: Serve) -> None:
    head = HEAD + b"X-Long: begin\r\n  end\r\nContent-Length: 2\r\n\r\n"
    assert client(serve(sending(head + b"ok")).url).get("/").headers["x-long"] == "begin end"


@pytest.mark.parametrize("together", [True, False], ids=["in one piece", "in several pieces"])
def test_the_limits_of_a_head(serve: Serve, *, together: bool) -> None:
    def script(lines: bytes) -> Script:
        def play(peer: Peer) -> None:
            peer.request()
            data = HEAD + lines + b"Content-Length: 2\r\n\r\nok"
            for piece in [data] if together else [data[at : at + 20_000] for at in range(0, len(data), 20_000)]:
                peer.send(piece)
                peer.stop.wait(0 if together else 0.01)

        return play

    long = b"A: " + b"x" * 60_000 + b"\r\n"
    assert client(serve(script(long * 4)).url).get("/").text == "ok"
    for line in (b"A: b\r\n", b"a:\r\n"):
        assert client(serve(script(line * 30_000)).url).get("/").text == "ok"
    with pytest.raises(ProtocolError, match="response header is larger than 262144 bytes"):
        client(serve(script(long * 5)).url).get("/")
    with pytest.raises(ProtocolError, match="response header is larger than 262144 bytes"):
        client(serve(script(b"A: b\r\n" * 50_000)).url).get("/")
    with pytest.raises(ProtocolError, match="line of more than 65536 bytes"):
        client(serve(script(b"A: " + b"x" * 65_536 + b"\r\n")).url).get("/")


def test_the_body_does_not_count_as_head(serve: Serve) -> None:
    """A head of just the allowed size, and a body that arrives with the end of it."""
    filler = b"A: " + b"x" * 60_000 + b"\r\n"
    head = HEAD + filler * 4 + b"Content-Length: 30000\r\nB: "
    head += b"x" * (262_144 - len(head) - 4) + b"\r\n\r\n"
    assert len(head) == 262_144
    assert len(client(serve(sending(head + b"x" * 30_000)).url).get("/").content) == 30_000
    with pytest.raises(ProtocolError, match="larger than"):
        client(serve(sending(head[:-4] + b"x\r\n\r\n" + b"x" * 30_000)).url).get("/")


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1", b"HTTP/1.2"])
def test_versions_of_http_1(serve: Serve, version: bytes) -> None:
    head = version + b" 200\r\nContent-Length: 2\r\n\r\n"
    assert client(serve(sending(head + b"ok")).url).get("/").text == "ok"


@pytest.mark.parametrize(
    "head", [b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1  200 OK\r\n\r\n", b"\r\nHTTP/1.1 200 OK\r\n\r\n"]
)
def test_other_versions_and_status_lines(serve: Serve, head: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"response is not HTTP/1\.1"):
        client(serve(sending(head)).url).get("/")


def test_another_protocol_is_recognized_at_once(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"SSH-2.0-OpenSSH\r\n")
        peer.hang()

    with pytest.raises(ProtocolError, match="not HTTP"):
        client(serve(script).url).get("/")


def test_interim_responses_are_skipped(serve: Serve) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    response = client(serve(sending(interim, interim, HEAD, b"Content-Length: 2\r\n\r\nok")).url).get("/")
    assert (response.status, response.text) == (200, "ok")


def test_switching_protocols_is_a_response_only_to_an_upgrade(serve: Serve) -> None:
    server = serve(sending(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"))
    response = client(server.url).get("/", headers={"Upgrade": "websocket"})
    assert (response.status, response.content) == (101, b"")
    with pytest.raises(ProtocolError, match=r"status 101 .* without an Upgrade header"):
        client(server.url).get("/")


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 X")])
@pytest.mark.parametrize("framing", ["Content-Length: 999999999", "Transfer-Encoding: chunked"])
def test_responses_without_a_body_end_at_their_empty_line(serve: Serve, method: str, status: str, framing: str) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(f"HTTP/1.1 {status}\r\n{framing}\r\n\r\n".encode())

    server = serve(script)
    request = Request.build(method, Url.parse(server.url))
    with closing(connected(server.url)) as connection:
        for _ in range(2):
            response = connection.exchange(request, ONCE, budget())
            assert (response.status, response.content) == (int(status.split(maxsplit=1)[0]), b"")
            assert connection.is_complete
            assert connection.reuse(budget())


@pytest.mark.parametrize(
    ("method", "head", "complete"),
    [
        ("GET", b"101 Switching Protocols\r\n", False),
        ("GET", b"205 Reset Content\r\n", False),
        ("GET", b"205 Reset Content\r\nContent-Length: 0\r\n", True),
        ("GET", b"205 Reset Content\r\nContent-Length: 99999999\r\n", False),
        ("GET", b"205 Reset Content\r\nTransfer-Encoding: chunked\r\n", False),
        ("GET", b"204 No Content\r\nContent-Encoding: br\r\n", True),
        ("GET", b"304 Not Modified\r\nContent-Encoding: unknown\r\nTransfer-Encoding: chunked\r\n", True),
        ("HEAD", b"200 OK\r\nContent-Encoding: unknown\r\n", True),
        ("HEAD", b"404 Not Found\r\n", True),
        ("CONNECT", b"200 OK\r\nContent-Length: 99999999\r\n", False),
    ],
)
def test_other_responses_without_a_body(serve: Serve, method: str, head: bytes, *, complete: bool) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send(b"HTTP/1.1 " + head + b"\r\n")
        peer.hang()

    server = serve(script)
    request = Request.build("GET", Url.parse(server.url), {"Upgrade": "websocket"})._replace(method=method)
    with closing(connected(server.url)) as connection:
        # The server leaves the connection open: a body that is waited for would be a timeout.
        response = connection.exchange(request, ONCE, budget(2))
        assert (response.status, response.content) == (int(head.split()[0]), b"")
        assert connection.is_complete is complete


@pytest.mark.parametrize(("trailers", "accepted"), [(101, True), (20_000, True), (80_000, False)])
def test_many_trailers(serve: Serve, trailers: int, *, accepted: bool) -> None:
    server = serve(sending(CHUNKED + b"2\r\nok\r\n0\r\n" + b"A: b\r\n" * trailers + b"\r\n"))
    if accepted:
        assert client(server.url).get("/").text == "ok"
    else:
        with pytest.raises(ProtocolError, match="trailer has more than 262144 bytes"):
            client(server.url).get("/")


@pytest.mark.parametrize("size", [b"0x2", b"+2", b"0_2", b"-0", b"-2", b"", b" 2", b"2 2", b"g"])
def test_chunk_sizes_that_are_none(serve: Serve, size: bytes) -> None:
    with pytest.raises(ProtocolError, match="response body has malformed chunks"):
        client(serve(sending(CHUNKED + size + b"\r\nok\r\n0\r\n\r\n")).url).get("/")


@pytest.mark.parametrize("body", [b"2\nok\n0\n\n", b"2;x=y\nok\n", b"2\r\nok\r\n0\n\n", b"2\r\nok\n0\r\n\r\n"])
def test_chunks_that_end_in_lf_are_malformed_at_once(serve: Serve, body: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED + body)
        peer.hang()

    # The server leaves the connection open: without a limit, this would be a timeout.
    with pytest.raises(ProtocolError, match="response body has malformed chunks"):
        client(serve(script).url).get("/")


@pytest.mark.parametrize("trailer", [b"", b"X-Trailer: z\r\n", b"Ab: c\n", b"A: b\r\nC: d\r\n"])
def test_chunks_are_joined(serve: Serve, trailer: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n" + trailer)
        peer.stop.wait(0.05)
        peer.send(b"\r\n")

    assert client(serve(script).url).get("/").text == "hello world"


@pytest.mark.parametrize(
    "value", ["gzip, chunked", "identity", "chunked, chunked", "chunked\r\nTransfer-Encoding: chunked", "gzip"]
)
def test_other_transfer_encodings_are_refused(serve: Serve, value: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {value}\r\n\r\n".encode()
    with pytest.raises(ProtocolError, match="unsupported Transfer-Encoding"):
        client(serve(sending(head + b"2\r\nok\r\n0\r\n\r\n")).url).get("/")


def test_chunks_take_precedence_over_a_length(serve: Serve) -> None:
    head = HEAD + b"Content-Length: 7\r\nTransfer-Encoding: Chunked\r\n\r\n"
    assert client(serve(sending(head + b"2\r\nok\r\n0\r\n\r\n")).url).get("/").text == "ok"


@pytest.mark.parametrize("again", [b"Content-Length: 2, 2\r\n", b"Content-Length: 2\r\nContent-Length: 2\r\n"])
def test_a_length_may_be_repeated(serve: Serve, again: bytes) -> None:
    assert client(serve(sending(HEAD + again + b"\r\nok")).url).get("/").text == "ok"


def test_a_body_of_the_allowed_size_is_read(serve: Serve) -> None:
    limits = Limits(max_body_bytes=50_000)
    response = client(serve(replying(b"x" * 50_000)).url, limits).get("/")
    assert len(response.content) == 50_000
    assert response.latency > 0
    with pytest.raises(TooLargeError):
        client(serve(replying(b"x" * 50_001)).url, limits).get("/")


def test_a_length_above_the_limit_is_refused_before_the_body(serve: Serve) -> None:
    def drip(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD + b"Content-Length: 99999999\r\n\r\n")
        peer.connection.recv(1)  # the body never comes

    with pytest.raises(TooLargeError):
        client(serve(drip).url, Limits(max_body_bytes=50_000)).get("/")
    assert client(serve(drip).url, Limits(max_body_bytes=50_000)).request("HEAD", "/").status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate", "br", "zstd"])
def test_compressed_bodies_are_decoded(serve: Serve, encoding: str) -> None:
    body = b"hello"
    for each in encoding.split(", "):
        body = COMPRESS[each](body)
    assert client(serve(replying(body, f"Content-Encoding: {encoding}")).url).get("/").text == "hello"


def ending(*pieces: bytes) -> Script:
    """Send these bytes, and close; over TLS with close_notify."""

    def play(peer: Peer) -> None:
        peer.request()
        peer.send(*pieces)
        if isinstance(peer.connection, ssl.SSLSocket):
            with suppress(OSError):
                peer.connection.unwrap()

    return play


def test_a_body_may_end_with_the_connection(start: Serve) -> None:
    assert client(start(ending(HEAD + b"\r\nhello")).url).get("/").text == "hello"


@pytest.mark.parametrize(
    "data", [HEAD + b"Content-Length: 10\r\n\r\nhello", CHUNKED + b"5\r\nhello\r\n", CHUNKED + b"5\r\nhello\r\n0\r\nX"]
)
def test_a_truncated_body(start: Serve, data: bytes) -> None:
    with pytest.raises(ProtocolError, match="response body is truncated"):
        client(start(ending(data)).url).get("/")


def test_without_close_notify_a_body_is_truncated(serve: Serve, trusted: trustme.CA) -> None:
    """Anyone on the way could have ended the TCP connection."""
    server = serve(sending(HEAD + b"\r\nhello"), server_context(trusted.issue_cert("127.0.0.1")))
    with pytest.raises(ProtocolError, match="truncated: the TLS connection ended without close_notify") as caught:
        client(server.url).get("/")
    assert caught.value.outcome.reason.startswith(f"GET {server.url}/ response body")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        HEAD + b"Connection: close\r\n\r\nhello",
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + COMPRESS["gzip"](b"hello"),
        HEAD + b"Content-Encoding: br\r\n\r\n" + COMPRESS["br"](b"hello"),
        HEAD + b"Content-Length: 6\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_other_bodies_without_close_notify(
    serve: Serve, trusted: trustme.CA, data: bytes, end: str, version: ssl.TLSVersion
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(data)
        if end == "reset":
            peer.stop.wait(0.05)
            peer.reset()

    context = server_context(trusted.issue_cert("127.0.0.1"))
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ProtocolError, match=r"body is truncated|ended within the response body"):
        client(serve(script, context).url).get("/")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 5\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_complete_body_needs_no_close_notify(serve: Serve, trusted: trustme.CA, data: bytes) -> None:
    server = serve(sending(data), server_context(trusted.issue_cert("127.0.0.1")))
    assert client(server.url).get("/").text == "hello"


class TestEarlyResponse:
    """A server may respond before it has read an upload."""

    @pytest.mark.parametrize("then", ["reads on", "reads no more", "closes"])
    def test_it_is_read_at_once(self, start: Serve, then: str) -> None:
        over = threading.Event()

        def script(peer: Peer) -> None:
            peer.connection.recv(1000)
            peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
            if then == "reads no more":
                over.wait(15)
            elif then == "closes":
                peer.connection.shutdown(socket.SHUT_WR)
                over.wait(15)
            while peer.connection.recv(1_000_000):
                pass

        # A server that reads no more would be a timeout, if its response was not read before the upload is complete.
        response = client(start(script).url).post("/", body=UPLOAD)
        over.set()

        assert (response.status, response.content) == (413, b"no")

    def test_the_rest_of_the_upload_is_not_sent(self, start: Serve) -> None:
        read: list[int] = []
        done = threading.Event()

        def script(peer: Peer) -> None:
            peer.connection.recv(1000)
            peer.answer(b"no", status="413 Content Too Large")
            with suppress(OSError):
                while data := peer.connection.recv(1_000_000):
                    read.append(len(data))
            done.set()

        server = start(script)
        request = Request.build("POST", Url.parse(server.url), {}, Body(UPLOAD * 4, "text/plain"))
        with closing(connected(server.url)) as connection:
            assert connection.exchange(request, ONCE, budget()).status == 413
            assert not connection.is_complete
        assert done.wait(10)
        assert sum(read) < len(UPLOAD) * 4

    def test_an_interim_response_does_not_end_the_upload(self, start: Serve) -> None:
        def script(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n", HEAD[:5])
            size = len(peer.request().partition(b"\r\n\r\n")[2])
            peer.send(HEAD[5:], f"Content-Length: {len(str(size))}\r\n\r\n{size}".encode())

        assert client(start(script).url).post("/", body=UPLOAD).text == str(len(UPLOAD))

    def test_a_reset_may_lose_it(self, serve: Serve) -> None:
        def script(peer: Peer) -> None:
            peer.connection.recv(1000)
            peer.answer(b"no", status="413 Content Too Large")
            peer.connection.shutdown(socket.SHUT_RDWR)

        # The kernel may drop the response when it resets the connection.
        with suppress(ResetBeforeResponseError):
            assert client(serve(script).url).post("/", body=UPLOAD).status == 413

    @pytest.mark.parametrize("reset", [True, False])
    def test_a_connection_that_ends_during_the_upload(self, start: Serve, *, reset: bool) -> None:
        def script(peer: Peer) -> None:
            peer.connection.recv(1000)
            if reset:
                peer.reset()
            else:
                peer.connection.shutdown(socket.SHUT_WR)
                peer.hang()

        with pytest.raises(ResetBeforeResponseError):
            client(start(script).url).post("/", body=UPLOAD)


class TestReuse:
    """A connection is used again only if nothing of a response is left."""

    def test_after_a_complete_response(self, start: Serve) -> None:
        def script(peer: Peer) -> None:
            while request := peer.request():
                peer.answer(request.split()[1])

        server = start(script)
        with closing(connected(server.url)) as connection:
            assert connection.is_complete
            for path in ("/a", "/b", "/c"):
                assert connection.reuse(budget())
                assert get(connection, f"{server.url}{path}").text == path
                assert connection.is_complete
        assert server.connections == 1

    def test_a_connection_that_was_reset_before_its_first_request_is_not_used(self, serve: Serve) -> None:
        server = serve(lambda peer: peer.reset())
        with closing(connected(server.url)) as connection:
            assert not connection.reuse(budget(), wait=10)

    def test_a_connection_that_was_reset_is_not_used_again(self, serve: Serve) -> None:
        more, is_reset = threading.Event(), threading.Event()

        def script(peer: Peer) -> None:
            peer.request()
            peer.answer(b"ok")
            more.wait(10)
            peer.reset()
            is_reset.set()

        server = serve(script)
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            more.set()
            assert is_reset.wait(10)
            assert not connection.reuse(budget())

    def test_surplus_bytes_with_the_response(self, start: Serve) -> None:
        def script(peer: Peer) -> None:
            peer.request()
            peer.send(HEAD + b"Content-Length: 2\r\n\r\nok" + HEAD + b"Content-Length: 4\r\n\r\nevil")
            peer.hang()

        server = start(script)
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            assert not connection.is_complete

    def test_surplus_bytes_after_the_response(self, start: Serve) -> None:
        more, is_sent = threading.Event(), threading.Event()

        def script(peer: Peer) -> None:
            peer.request()
            peer.answer(b"ok")
            more.wait(10)
            peer.answer(b"evil")
            is_sent.set()
            peer.hang()

        server = start(script)
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            assert connection.is_complete
            more.set()
            assert is_sent.wait(10)
            assert not connection.reuse(budget())

    def test_surplus_bytes_in_the_buffer_of_tls(
        self, serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A response that ends exactly where a read ends, with more in the same TLS record."""
        response, surplus = HEAD + b"Content-Length: 2\r\n\r\nok", HEAD + b"Content-Length: 4\r\n\r\nevil"

        def script(peer: Peer) -> None:
            peer.request()
            peer.send(response + surplus)
            peer.hang()

        server = serve(script, server_context(trusted.issue_cert("127.0.0.1")))
        with closing(connected(server.url)) as connection:
            opened = connection._socket
            monkeypatch.setattr(opened, "recv", partial(opened.recv, len(response)))
            assert get(connection, server.url).text == "ok"
            assert connection.is_complete
            assert opened.pending == len(surplus)
            assert not connection.reuse(budget())

    @pytest.mark.parametrize("size", [1, 3, 5, 6, 100])
    def test_a_part_of_a_tls_record_is_surplus(self, serve: Serve, trusted: trustme.CA, size: int) -> None:
        """A record of which a part has arrived can't be read yet, so it is found neither by TLS nor by a read."""
        more, is_sent = threading.Event(), threading.Event()

        def script(peer: Peer) -> None:
            peer.request()
            peer.answer(b"ok")
            more.wait(10)
            socket.socket.sendall(peer.connection, b"\x17\x03\x03\x20\x00"[:size] + bytes(max(0, size - 5)))
            is_sent.set()
            peer.hang()

        server = serve(script, server_context(trusted.issue_cert("127.0.0.1")))
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            assert connection.is_complete
            more.set()
            assert is_sent.wait(10)
            assert not connection.reuse(budget())

    @pytest.mark.parametrize("end", ["close", "reset"])
    def test_the_server_has_closed(self, start: Serve, end: str) -> None:
        closing_now, closed = threading.Event(), threading.Event()

        def script(peer: Peer) -> None:
            peer.request()
            peer.answer(b"ok")
            closing_now.wait(10)
            peer.reset() if end == "reset" else peer.connection.close()
            closed.set()

        server = start(script)
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            closing_now.set()
            assert closed.wait(10)
            assert not connection.reuse(budget())

    @pytest.mark.parametrize(
        "data",
        [
            HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        ],
    )
    def test_the_response_ends_the_connection(self, start: Serve, data: bytes) -> None:
        server = start(ending(data))
        with closing(connected(server.url)) as connection:
            assert get(connection, server.url).text == "ok"
            assert not connection.is_complete

    @pytest.mark.parametrize(
        ("rest", "complete"),
        [
            (b"Content-Length: 0\r\n\r\n", True),
            (b"Content-Length: 5\r\n\r\nmoved", False),
            (b"Transfer-Encoding: chunked\r\n\r\nx\r\n", False),
        ],
    )
    def test_the_unread_body_of_a_redirect(self, start: Serve, rest: bytes, *, complete: bool) -> None:
        server = start(sending(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n" + rest))
        with closing(connected(server.url)) as connection:
            limits = ONCE._replace(follow_redirects=True)
            assert connection.exchange(Request.build("GET", Url.parse(server.url)), limits, budget()).content == b""
            assert connection.is_complete is complete
