from __future__ import annotations

import time

import pytest
import trustme
from urllib3 import HTTPHeaderDict

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import ContentError
from ecs_hooks.http.response import Response, Timings
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
        ("text/plain; charset=unicode_escape", "ü"),
        ("text/plain; charset=Raw-Unicode-Escape", "ü"),
        ("text/plain; charset=utf7", "ü"),
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
