from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from urllib3._collections import HTTPHeaderDict

from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Ignored
from ecs_hooks.checks.compare.json_diff import IncomparableError, Value
from ecs_hooks.checks.compare.normalize import normalizers
from ecs_hooks.http.request import Request
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.url import Url

URL = Url.parse("http://blue/")


NOTHING = Ignored()


def read(
    content: bytes = b"", headers: Sequence[tuple[str, str]] = (), ignored: Ignored = NOTHING
) -> ComparableResponse:
    timings = Timings(resolve=9, connect=9, tls=9, first_byte=0.25, transfer=0.5)
    response = Response(200, HTTPHeaderDict(headers), content, 30, "GET http://blue/", URL, timings=timings)
    return ComparableResponse.of(response, ignored, lambda text: text.replace("blue", "{origin}"))


def test_latency_does_not_include_the_connection() -> None:
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
def test_the_kind_of_a_body_depends_on_media_type_and_content(content: bytes, media_type: str, kind: str) -> None:
    assert read(content, [("Content-Type", media_type)] if media_type else []).body.kind == kind


def test_a_text_is_compared_by_line_and_a_binary_body_by_digest() -> None:
    assert read(b"hello\nblue").body.parts == (Value("line", "hello"), Value("line", "{origin}"))
    (digest,) = read(b"\0").body.parts
    assert digest.kind == "digest"
    assert read(b"\0\0").body.size == 2


def test_markup_that_cannot_be_read_and_ndjson_have_their_lines() -> None:
    assert read(b"<![foo[x]]>\nb", [("Content-Type", "text/html")]).body.parts[1] == Value("line", "b")
    assert read(b'{"a": 1}\n\n{"a": 2}\n').body.roots == ([{"a": 1}, {"a": 2}],)
    assert read(b'{"a": 1}\noops').body.kind == "text"


def test_ignored_paths_are_deleted_from_the_json() -> None:
    document = b'{"a": [1, 2, 3, {"b": 4}], "c": {"d": 5, "e": 6}, "f": 7}'

    def without(*paths: str) -> tuple[Any, ...]:
        return read(document, ignored=Ignored(paths=paths)).body.roots

    assert without("$.a[0]", "$.a[2]", "$.a[3].b", "$.c", "$.c.d", "$.none", "$.f") == ({"a": [2, {}]},)
    assert without("$..d", "$.a[*]") == ({"a": [], "c": {"e": 6}, "f": 7},)
    assert without("$") == ()


def test_an_ignored_path_that_cannot_be_evaluated_is_named() -> None:
    deep = b"[" * 300 + b"]" * 300
    with pytest.raises(IncomparableError, match=r"ignore \$\.\.x cannot be evaluated"):
        read(deep, ignored=Ignored(paths=["$..x"]))


def test_headers_without_meaning_are_not_compared() -> None:
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


def request(url: str, **headers: str) -> Request:
    return Request.build("GET", Url.parse(url), headers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://alb:8080/login", "{origin}/login"),
        ("https://ALB/login", "{origin}/login"),
        ("//alb/login", "{origin}/login"),
        ("see http://alb:8080, please", "see {origin}, please"),
        ("http://alb.example.com/login", "http://alb.example.com/login"),
        ("http://my-alb/login", "http://my-alb/login"),
        ("http://shop.example.com/a?next=http://alb:8080/b", "{origin}/a?next={origin}/b"),
        ("alb:8080", "{origin}"),
        ("alb:8081", "alb:8081"),
        ("/login", "/login"),
    ],
)
def test_the_own_address_is_replaced(text: str, expected: str) -> None:
    green = request("http://alb:8080/x", Host="shop.example.com")
    _, of_green = normalizers(request("http://alb/x"), green, "", "")

    assert of_green(text) == expected


def test_addresses_of_blue_and_green_become_equal() -> None:
    of_blue, of_green = normalizers(request("http://[::1]:80/x"), request("http://[::1]:81/t/x"), "", "/t")

    assert of_blue("http://[::1]/a") == of_green("http://[::1]:81/t/a") == "{origin}/a"
    assert of_blue("/a") == of_green("/t/a") == "/a"
    assert of_green("/tea") == "/tea"


def test_with_one_address_nothing_is_replaced() -> None:
    blue, green = request("http://alb/x"), request("http://alb/x", **{"X-Test": "1"})
    of_blue, of_green = normalizers(blue, green, "", "")

    assert of_blue("http://alb/a") == of_green("http://alb/a") == "http://alb/a"
