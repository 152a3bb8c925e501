"""The head of a request and of a response, held to what http.client and http.server make of them."""

from __future__ import annotations

import http.client
import io
import re
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.http.errors import ProtocolError, RequestError
from ecs_hooks.http.head import encoded, read_fields
from ecs_hooks.http.request import Body, Request
from ecs_hooks.http.url import Url

NAMES = st.from_regex(r"\AX-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}\Z")
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f", exclude_categories=["Cc"])
)


class Received(BaseHTTPRequestHandler):
    """Reads a request, as servers in Python do."""

    def __init__(self, sent: bytes) -> None:
        self.rfile = io.BytesIO(sent)
        self.raw_requestline = self.rfile.readline()
        self.request_version = ""
        assert self.parse_request()

    def send_error(self, *args: Any, **_: Any) -> None:
        raise AssertionError(args)


def fields(text: bytes) -> list[tuple[str, str]]:
    return list(read_fields(io.BufferedReader(io.BytesIO(text))).iteritems())


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.none() | st.binary(max_size=100),
)
def test_a_request_is_received_as_it_was_meant(method: str, headers: dict[str, str], body: bytes | None) -> None:
    headers = {
        name: value.strip(" \t") for name, value in {name.lower(): value for name, value in headers.items()}.items()
    }
    given_body = None if body is None else Body(body, "text/plain")
    request = Request.build(method, Url.parse("http://example.com:8080/a?b=c"), headers, given_body)
    received = Received(encoded(request))

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
    ],
)
def test_the_host_is_named_as_in_the_address(address: str, host: str) -> None:
    request = Request.build("GET", Url.parse(address))
    assert f"\r\nHost: {host}\r\n".encode() in encoded(request)


def test_a_host_that_is_given_is_the_only_one() -> None:
    sent = encoded(Request.build("GET", Url.parse("http://example.com/"), {"host": "other"}))
    assert re.findall(rb"(?i)\r\nhost: (.*)\r\n", sent) == [b"other"]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\ny", "a\ry", "a\0y"])
def test_no_line_can_be_smuggled_in(value: str) -> None:
    request = Request.build("GET", Url.parse("http://example.com/"))
    for changed in (request._replace(headers={"X": value}), request._replace(url=request.url._replace(target=value))):
        with pytest.raises(RequestError, match="line break"):
            encoded(changed)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20))
def test_fields_are_read_as_http_client_reads_them(given_fields: list[tuple[str, str]]) -> None:
    text = "".join(f"{name}: {value}\r\n" for name, value in given_fields).encode("latin-1") + b"\r\n"
    expected = http.client.parse_headers(io.BytesIO(text))
    found = read_fields(io.BufferedReader(io.BytesIO(text)))

    assert sorted({name.lower() for name in found}) == sorted({name.lower() for name in expected})
    for name in expected:
        assert found.getlist(name) == [value.strip(" \t") for value in expected.get_all(name, [])]


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"A", b":", b" ", b"\r", b"\n", b"\0", b"\xff", b"\t"])).map(b"".join)
)
def test_whatever_comes_is_fields_or_a_trouble_that_says_so(text: bytes) -> None:
    try:
        found = fields(text)
    except ConnectionResetError:
        assert not re.search(rb"(^|\n)\r?\n", text)
    except ProtocolError as error:
        assert error.message == "response header is malformed"
    else:
        assert not any(re.search(r"[\r\n\0]", f"{name}{value}") for name, value in found)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_both_ends_of_a_line_are_read(end: bytes) -> None:
    assert fields(end.join([b"A: b", b"C:d", b"", b"body"])) == [("A", "b"), ("C", "d")]


def test_a_field_that_goes_on_is_one_line() -> None:
    assert fields(b"A: b  \r\n\t c\r\n \r\n  d\r\nE: f\r\n\r\n") == [("A", "b c d"), ("E", "f")]


def test_what_a_value_cannot_have_is_a_space() -> None:
    assert fields(b"A: b\rc\0d\r\n\r\n") == [("A", "b c d")]


@pytest.mark.parametrize("line", [b" a: b", b"a", b": b", b"a : b", b"a\xe9: b"])
def test_what_is_no_field_is_malformed(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="malformed"):
        fields(line + b"\r\n\r\n")


def test_there_may_be_a_hundred_lines_of_64_kib() -> None:
    line = b"A: " + b"x" * 65_531 + b"\r\n"
    assert len(fields(line * 100 + b"\r\n")) == 100
    for lines in (line * 101, b"A: b\r\n" + b" c\r\n" * 100, b"A: " + b"x" * 65_532 + b"\r\n"):
        with pytest.raises(ProtocolError, match=r"too many lines|too long"):
            fields(lines + b"\r\n")
