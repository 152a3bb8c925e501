from __future__ import annotations

import pytest

from ecs_hooks.checks.compare.url_normalization import rewrites
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url


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
        ("alb:8080", "alb:8080"),
        ("/login", "/login"),
    ],
)
def test_the_own_address_is_taken_out(text: str, expected: str) -> None:
    green = request("http://alb:8080/x", Host="shop.example.com")
    _, of_green = rewrites(request("http://alb/x"), green, "", "")

    assert of_green(text) == expected


def test_blue_and_green_come_to_the_same() -> None:
    of_blue, of_green = rewrites(request("http://[::1]:80/x"), request("http://[::1]:81/t/x"), "", "/t")

    assert of_blue("http://[::1]/a") == of_green("http://[::1]:81/t/a") == "{origin}/a"
    assert of_blue("/a") == of_green("/t/a") == "/a"
    assert of_green("/tea") == "/tea"


def test_where_both_have_one_address_nothing_is_taken_out() -> None:
    blue, green = request("http://alb/x"), request("http://alb/x", **{"X-Test": "1"})
    of_blue, of_green = rewrites(blue, green, "", "")

    assert of_blue("http://alb/a") == of_green("http://alb/a") == "http://alb/a"
