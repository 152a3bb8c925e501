from __future__ import annotations

import pytest

from ecs_hooks.checks.compare.normalize import normalizers, with_captured, without_hashes
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/static/app.3f9a2c1b.js", "/static/app.{hash}.js"),
        ("/static/app.36133719.js", "/static/app.{hash}.js"),
        ("/assets/index-DiwrgTda.js", "/assets/index-{hash}.js"),
        ("/main.a1b2c3d4.chunk.css", "/main.{hash}.chunk.css"),
        ("/img/9e107d9d372bb682.png", "/img/{hash}.png"),
        ("/_next/static/KjX9fQ2bTz8aYp1LmNo4c/_m.js", "/_next/static/{hash}/_m.js"),
        ("/app.js?v=2", "/app.js?v={hash}"),
        ("script-src 'nonce-r4nd0m'", "script-src 'nonce-{hash}'"),
        ("/js/jquery-3.7.1.min.js", "/js/jquery-3.7.1.min.js"),
        ("/css/bootstrap.responsive.css", "/css/bootstrap.responsive.css"),
        ("/img/iPhone15Pro.png", "/img/iPhone15Pro.png"),
        ("/fonts/Inter-SemiBold.woff2", "/fonts/Inter-SemiBold.woff2"),
        ("/orders/12345678/", "/orders/12345678/"),
        ("tea", "tea"),
    ],
)
def test_hashes_in_names_of_assets_are_replaced(text: str, expected: str) -> None:
    assert without_hashes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alb.example.org:8080", "{origin}"),
        ("alb.example.org:9999", "alb.example.org:9999"),
        ("http://alb.example.org:9999/t/a", "{origin}/a"),
        ("shop.example.com", "{origin}"),
        ("www.shop.example.com", "www.shop.example.com"),
        ("me@shop.example.com", "me@shop.example.com"),
        ("shop.example.com.evil.com", "shop.example.com.evil.com"),
        ("see http://shop.example.com.", "see {origin}."),
        ("/login?next=http%3A%2F%2Falb.example.org%3A8080%2Ft%2Fa", "/login?next={origin}%2Fa"),
        ("http%253A%252F%252Fshop.example.com%252Fa", "{origin}%252Fa"),
        (r"x='http:\/\/alb.example.org:8080\/t\/a'", r"x='{origin}\/a'"),
        (r"\u002f\u002fshop.example.com\u002fx", r"{origin}\u002fx"),
        ("http:&#x2F;&#x2F;shop.example.com", "{origin}"),
    ],
)
def test_the_own_address_is_recognized_in_every_spelling(text: str, expected: str) -> None:
    green = Request.build("GET", Url.parse("http://alb.example.org:8080/t/x"), {"Host": "shop.example.com"})
    _, normalize = normalizers(Request.build("GET", Url.parse("http://blue/x")), green, "", "/t")
    assert normalize(text) == expected


def test_captured_values_are_replaced_by_their_names() -> None:
    normalize = with_captured(str, {"user": 4711, "token": "abcd47115", "short": "a", "list": [1]})
    assert normalize("a 4711 abcd47115") == "a {user} {token}"
    assert with_captured(str, {"short": "a"}) is str
