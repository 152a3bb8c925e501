from __future__ import annotations

import math

import pytest

from ecs_hooks.http.cookies.set_cookie import MAX_LENGTH, SetCookie, cookie_date, parse_set_cookie

NOW = 1_000_000_000.0


@pytest.mark.parametrize(
    ("header", "cookie"),
    [
        ("a=1", SetCookie("a", "1")),
        (" \ta \t=\t 1 2 ", SetCookie("a", "1 2")),
        ("a=b=c", SetCookie("a", "b=c")),
        ('a="b c"', SetCookie("a", '"b c"')),
        ('a="b; c"', SetCookie("a", '"b')),
        ("a", SetCookie("", "a")),
        ("=a", SetCookie("", "a")),
        ("a=", SetCookie("a", "")),
        ("a,b=1", SetCookie("a,b", "1")),
        ("a=\xe9\xff", SetCookie("a", "\xe9\xff")),
        ("a=1;;; ; Unknown=2; HttpOnly; SameSite=None", SetCookie("a", "1")),
        ("a=1; Domain=.Shop.Example; DOMAIN=B.example", SetCookie("a", "1", domain="b.example")),
        ("a=1; Domain=.Shop.Example", SetCookie("a", "1", domain="shop.example")),
        ("a=1; Domain=b.example; Domain=", SetCookie("a", "1")),
        ("a=1; path=/x; PATH=/y", SetCookie("a", "1", path="/y")),
        ("a=1; path=/x; path=y", SetCookie("a", "1")),
        (f"a=1; path=/{'x' * 1024}", SetCookie("a", "1")),
        ("a=1; secure=no", SetCookie("a", "1", is_secure=True)),
        ("a=1; expires=Thu, 01 Jan 1970 00:00:10 GMT", SetCookie("a", "1", expires=10)),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:10 GMT; expires=soon", SetCookie("a", "1", expires=10)),
        ("a=1; max-age=5; expires=Thu, 01 Jan 1970 00:00:10 GMT", SetCookie("a", "1", expires=NOW + 5)),
        ("a=1; expires=Thu, 01 Jan 1970 00:00:10 GMT; max-age=5", SetCookie("a", "1", expires=NOW + 5)),
        ("a=1; max-age=0", SetCookie("a", "1", expires=-math.inf)),
        ("a=1; max-age=-5", SetCookie("a", "1", expires=-math.inf)),
        ("a=1; max-age=5; max-age=6", SetCookie("a", "1", expires=NOW + 6)),
        ("a=1; max-age=5; max-age=+6", SetCookie("a", "1", expires=NOW + 5)),
        ("a=1; max-age=1.5; max-age=; max-age=-; max-age=x", SetCookie("a", "1")),
        (f"a=1; max-age={'9' * 900}", SetCookie("a", "1", expires=NOW + 999_999_999_999)),
        ("", None),
        ("=", None),
        (" ; Path=/", None),
        ("a=1\x00", None),
        ("a=1; Path=/\x7f", None),
        (f"a={'x' * (MAX_LENGTH - 1)}", SetCookie("a", "x" * (MAX_LENGTH - 1))),
        (f"a={'x' * MAX_LENGTH}", None),
    ],
)
def test_a_header_is_read_as_browsers_read_it(header: str, cookie: SetCookie | None) -> None:
    assert parse_set_cookie(header, NOW) == cookie


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Wed, 09 Jun 2021 10:18:14 GMT", 1_623_233_894),
        ("Wednesday, 09-Jun-21 10:18:14 GMT", 1_623_233_894),
        ("Wed Jun  9 10:18:14 2021", 1_623_233_894),
        ("9 june 2021 10:18:14 +0900", 1_623_233_894),
        ("2021 Jun 09th 10:18:14.5", 1_623_233_894),
        ("01 Jan 70 00:00:00", 0),
        ("01 Jan 69 00:00:00", 3_124_224_000),
        ("01 Jan 1600 00:00:00", None),
        ("31 Feb 2021 00:00:00", None),
        ("32 Jan 2021 00:00:00", None),
        ("01 Jan 2021 24:00:00", None),
        ("01 Jan 2021 00:60:00", None),
        ("01 Jan 2021", None),
        ("Jan 2021 00:00:00", None),
        ("01 2021 00:00:00", None),
        ("01 Jan 00:00:00", None),
        ("2021-06-09T10:18:14Z", None),
        ("", None),
    ],
)
def test_dates(date: str, seconds: int | None) -> None:
    assert cookie_date(date) == seconds
