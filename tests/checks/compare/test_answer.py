from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from urllib3._collections import HTTPHeaderDict

from ecs_hooks.checks.compare.answer import Answer, Ignored
from ecs_hooks.checks.compare.errors import IncomparableError
from ecs_hooks.checks.compare.values import Value
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.url import Url

URL = Url.parse("http://blue/")


NOTHING = Ignored()


def read(content: bytes = b"", headers: Sequence[tuple[str, str]] = (), ignored: Ignored = NOTHING) -> Answer:
    timings = Timings(resolve=9, connect=9, tls=9, first_byte=0.25, transfer=0.5)
    response = Response(200, HTTPHeaderDict(headers), content, 30, "GET http://blue/", URL, timings=timings)
    return Answer.of(response, ignored, lambda text: text.replace("blue", "{origin}"))


def test_the_connection_is_no_part_of_the_time() -> None:
    assert read().seconds == 0.75


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    [
        (b"", "application/json", "empty"),
        (b'{"a": 1}', "application/problem+json; charset=utf-8", "JSON"),
        (b" [1]", "text/plain", "JSON"),
        (b"3", "application/json", "JSON"),
        (b"{oops", "application/json", "text"),
        (b"{oops", "", "text"),
        (b"a\nb", "text/html", "text"),
        (b"<a/>", "image/svg+xml", "text"),
        (b"hello", "", "text"),
        (b"he\0llo", "application/octet-stream", "binary"),
        (b"\xff\xd8\xff", "image/jpeg", "binary"),
        (b"\n" * 20_001, "text/plain", "binary"),
    ],
)
def test_bodies_are_told_apart(content: bytes, media_type: str, kind: str) -> None:
    assert read(content, [("Content-Type", media_type)] if media_type else []).body.kind == kind


def test_a_text_is_its_lines_and_anything_else_its_digest() -> None:
    assert read(b"hello\nblue").body.parts == (Value("line", "hello"), Value("line", "{origin}"))
    (digest,) = read(b"\0").body.parts
    assert digest.kind == "digest"
    assert read(b"\0\0").body.size == 2


def test_what_is_ignored_is_taken_out_of_the_json() -> None:
    document = b'{"a": [1, 2, 3, {"b": 4}], "c": {"d": 5, "e": 6}, "f": 7}'

    def without(*paths: str) -> tuple[Any, ...]:
        return read(document, ignored=Ignored(paths=paths)).body.roots

    assert without("$.a[0]", "$.a[2]", "$.a[3].b", "$.c", "$.c.d", "$.none", "$.f") == ({"a": [2, {}]},)
    assert without("$..d", "$.a[*]") == ({"a": [], "c": {"e": 6}, "f": 7},)
    assert without("$") == ()


def test_a_path_that_can_not_be_followed_is_named() -> None:
    deep = b"[" * 300 + b"]" * 300
    with pytest.raises(IncomparableError, match=r"ignore \$\.\.x can't be evaluated"):
        read(deep, ignored=Ignored(paths=["$..x"]))


def test_headers_are_compared_as_far_as_they_say_something() -> None:
    given = [
        ("Date", "now"),
        ("X-Own", "1"),
        ("ETag", '"abc"'),
        ("Content-Type", "Application/JSON;charset=UTF-8"),
        ("Set-Cookie", "a=s3cret; Path=/; HttpOnly; Max-Age=3; expires=x"),
        ("Set-Cookie", "b=2"),
        ("Location", "//blue/x "),
        ("X-Mine", "not compared"),
    ]
    answer = read(headers=given, ignored=Ignored(frozenset({"x-mine"})))

    assert answer.headers == {
        "x-own": (Value("string", "1"),),
        "etag": (Value("header"),),
        "content-type": (Value("string", "application/json; charset=utf-8"),),
        "set-cookie": (Value("string", "a; httponly; path=/"), Value("string", "b")),
        "location": (Value("string", "//{origin}/x"),),
    }
