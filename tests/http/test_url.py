from __future__ import annotations

import pytest

from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url, encode_query


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("http://a", "/", "/"),
        ("http://a/", "/x", "/x"),
        ("http://a/base", "/x", "/base/x"),
        ("http://a/base/", "/x?y=1", "/base/x?y=1"),
        ("http://a/base?q=1#f", "/x", "/base/x"),
        ("http://a", "/x y", "/x%20y"),
        ("http://a", "/ü", "/%C3%BC"),
        ("http://a", "//evil.example/x", "//evil.example/x"),
        ("http://a", "/x#fragment", "/x"),
    ],
)
def test_a_path_is_joined_to_the_base_address(base: str, path: str, target: str) -> None:
    url = Url.join(base, path)
    assert (url.host, url.target) == ("a", target)


def test_an_absolute_address_needs_no_base() -> None:
    assert Url.join("", "HTTPS://B.example:8443/x") == Url("https", "b.example", 8443, "/x")


@pytest.mark.parametrize("text", ["ftp://a", "http://", "a", "http://a:99999", "http://a\r\nb", "http://a b/", "//a"])
def test_what_is_no_web_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(RequestError, match=r"^address "):
        Url.parse(text)


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(RequestError, match="path must begin with /"):
        Url.join("http://a", "x")


def test_a_query_is_encoded_like_a_form() -> None:
    assert encode_query({"a": "x y&z", "b": [1, 2.5], "c": True, "d": False, "e": "ü"}) == (
        "a=x+y%26z&b=1&b=2.5&c=true&d=false&e=%C3%BC"
    )
    assert Url.join("http://a", "/x?y=1#f", {"z": 2}).target == "/x?y=1&z=2"
    assert Url.join("http://a", "/x", {"z": 2}).target == "/x?z=2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:pass@a:8080/x?token=t&y=&flag", "http://a:8080/x?token=***&y=***&***"),
        ("https://a:443/", "https://a/"),
        ("https://[2600::1]:8443/x", "https://[2600::1]:8443/x"),
    ],
)
def test_an_address_is_shown_without_credentials_and_values(text: str, shown: str) -> None:
    assert Url.parse(text).shown == shown


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/y", "http://a/y"),
        ("y", "http://a/b/y"),
        ("?z=1", "http://a/b/x?z=***"),
        ("//c/y", "http://c/y"),
        ("https://user:pass@c/y", "https://c/y"),
        ("/a b", "http://a/a%20b"),
        ("/Ã¼", "http://a/%C3%BC"),
        ("/%C3%BC", "http://a/%C3%BC"),
    ],
)
def test_a_location_is_read_as_browsers_do(location: str, shown: str) -> None:
    url = Url.parse("http://me:pw@a/b/x?q=1").redirected(location)
    assert url.shown == shown
    assert not url.userinfo
