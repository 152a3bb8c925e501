from __future__ import annotations

import pytest
from urllib3 import HTTPHeaderDict

from ecs_hooks.http.errors import ContentError
from ecs_hooks.http.response import Response
from ecs_hooks.http.url import Url


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
