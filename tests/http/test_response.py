from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import ContentError, ProtocolError
from ecs_hooks.http.response import Response, Timings, decoded
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve, server_context
from tests.http.servers import replying


def response(content: bytes, content_type: str | None = None, status: int = 200) -> Response:
    headers = HTTPHeaderDict({} if content_type is None else {"Content-Type": content_type})
    return Response(status, headers, content, 0.01, "GET http://a/", Url.parse("http://a/"))


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (None, "ü"),
        ("text/plain", "ü"),
        ("text/plain; charset=utf-8", "ü"),
        ('text/plain; Charset="ISO-8859-1"', "Ã¼"),
        ("text/plain; charset=nonsense", "ü"),
        ("text/plain; charset=punycode", "ü"),
        ("text/plain; charset=hex", "ü"),
        ("text/plain; charset=a\0b", "ü"),
    ],
)
def test_text_is_decoded_as_the_server_says_if_it_says_a_charset(content_type: str | None, text: str) -> None:
    assert response("ü".encode(), content_type).text == text


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert response(b"\xff").text == "\ufffd"


def test_json() -> None:
    assert response(b'{"a": [1]}').json() == {"a": [1]}


@pytest.mark.parametrize(
    ("content", "problem"), [(b"", "not valid JSON"), (b"<html>", "not valid"), (b"[" * 100_000, "nested too deeply")]
)
def test_what_is_no_json_is_an_error_that_names_the_request(content: bytes, problem: str) -> None:
    with pytest.raises(ContentError, match=problem) as caught:
        response(content).json()
    assert str(caught.value).startswith("GET http://a/ response body")


def test_success_is_a_status_from_200_to_299() -> None:
    assert [response(b"", status=status).ok for status in (199, 200, 299, 300)] == [False, True, True, False]


def test_the_parts_of_a_request_are_timed(serve: Serve, trusted: trustme.CA) -> None:
    server = serve(replying(b"x" * 1000), server_context(trusted.issue_cert("127.0.0.1")))

    began = time.perf_counter()
    response = HttpClient(server.url, Deadline.after(20)).get("/")
    took = time.perf_counter() - began

    assert response.tls is not None
    assert response.tls.version.startswith("TLSv1.")
    certificate = response.tls.certificate
    assert certificate is not None
    assert certificate.alternative_names == ("127.0.0.1",)
    assert "trustme" in certificate.issuer
    assert certificate.not_before < time.time() < certificate.not_after
    assert certificate.expires_in_days > 1
    assert all(part > 0 for part in (response.timings.connect, response.timings.tls, response.timings.first_byte))
    assert response.timings.total <= took


def test_without_tls_and_without_verification(serve: Serve, trusted: trustme.CA) -> None:
    plain = serve(replying(b"ok"))
    response = HttpClient(plain.url, Deadline.after(20)).get("/")
    assert (response.tls, response.timings.tls) == (None, 0)

    server = serve(replying(b"ok"), server_context(trusted.issue_cert("other.example")))
    unexamined = HttpClient(server.url, Deadline.after(20), Limits(verify_tls=False)).get("/").tls
    assert unexamined is not None
    assert unexamined.certificate is None


def test_timings_add_up() -> None:
    assert Timings(1, 2, 3, 4, 5).plus(Timings(10, 20, 30, 40, 50)) == Timings(11, 22, 33, 44, 55)
    assert Timings(1, 2, 3, 4, 5).total == 15


def bare(body: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-15)
    return compress.compress(body) + compress.flush()


def twice(body: bytes) -> bytes:
    return zlib.compress(gzip.compress(body))


def members(body: bytes) -> bytes:
    return gzip.compress(body[:3]) + gzip.compress(body[3:])


ENCODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("gzip", members),
    ("deflate", zlib.compress),
    ("deflate", bare),
    ("gzip, deflate", twice),
]
PIECES = st.integers(1, 200)


def unpack(body: bytes, encodings: str, size: int = 65_536) -> bytes:
    pieces = list(decoded([body[at : at + size] for at in range(0, len(body), size)], encodings))
    assert all(len(each) <= 65_536 for each in pieces)
    return b"".join(pieces)


@given(st.sampled_from(ENCODERS), st.binary(max_size=300) | st.integers(1, 300_000).map(bytes), PIECES)
def test_whole_bodies_are_unpacked(encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int) -> None:
    encodings, encode = encoder

    assert unpack(encode(body), encodings, size) == body


@given(
    st.sampled_from([each for each in ENCODERS if each[1] is not members]), st.binary(max_size=300), PIECES, st.data()
)
def test_cut_bodies_are_none(
    encoder: tuple[str, Callable[[bytes], bytes]], body: bytes, size: int, data: st.DataObject
) -> None:
    encodings, encode = encoder
    whole = encode(body)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]

    with pytest.raises(ProtocolError, match=r"response body is truncated|does not match its Content-Encoding"):
        unpack(cut, encodings, size)


@pytest.mark.parametrize("size", [65_536, 65_537, 65_540, 200_000])
def test_what_waits_in_the_decoder_when_the_pieces_are_over(size: int) -> None:
    assert unpack(bare(bytes(size)), "deflate") == bytes(size)


def test_a_cut_within_a_further_gzip() -> None:
    with pytest.raises(ProtocolError, match="truncated"):
        unpack(members(b"hello world")[:-3], "gzip")


@given(st.binary(max_size=100), st.binary(min_size=10, max_size=100), PIECES)
def test_what_is_none_is_a_protocol_error_or_bytes(begin: bytes, end: bytes, size: int) -> None:
    for encodings in ("gzip", "deflate"):
        try:
            unpack(begin + end, encodings, size)
        except ProtocolError as error:
            assert "response body" in str(error)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_stands_behind_the_end_is_left_out(encoding: str, size: int) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress

    assert unpack(compress(b"hello") + bytes(100) + b"more", encoding, size) == b"hello"


@pytest.mark.parametrize("encodings", ["", "br", "identity", "gzip, br", "gzip,unknown"])
def test_what_is_not_known_stays(encodings: str) -> None:
    assert unpack(b"hello", encodings) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nothing_at_all(encoding: str) -> None:
    assert unpack(b"", encoding) == b""
