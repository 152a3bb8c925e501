from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url, encode_query

WIDE = "\uff11\uff16\uff19\uff0e\uff12\uff15\uff14\uff0e\uff11\uff16\uff19\uff0e\uff12\uff15\uff14"
"""169.254.169.254 in digits and dots of full width."""


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
        ("/\xfc", "http://a/%FC"),
        ("/\xe2\x98\x83\xff", "http://a/%E2%98%83%FF"),
        ("/\u2603", "http://a/%E2%98%83"),
        ("/%c3%zz%", "http://a/%c3%zz%"),
        ('/a|b[1]{2}`^"<>', "http://a/a|b[1]%7B2%7D%60%5E%22%3C%3E"),
        ("/a;b=c,d!$&'()*+@:~", "http://a/a;b=c,d!$&'()*+@:~"),
        ("/\x01\x7f", "http://a/%01%7F"),
        (" \x1f /y \x00", "http://a/y"),
        ("/a\tb", "http://a/ab"),
        ("ht\ttp://c/y", "http://c/y"),
        ("/\t/c/y", "http://c/y"),
        ("\\y\\z", "http://a/y/z"),
        ("/\\c/y", "http://c/y"),
        ("\\\\c\\y", "http://c/y"),
        ("http:\\\\c\\y", "http://c/y"),
        ("http:/\\c/y", "http://c/y"),
        ("////c/y", "http://c/y"),
        ("http:////c/y", "http://c/y"),
        ("http:/y", "http://a/y"),
        ("http:y", "http://a/b/y"),
        ("https:c/y", "https://c/y"),
        ("https:/c/y", "https://c/y"),
        ("HTTPS:///c/y", "https://c/y"),
        ("//c", "http://c/"),
        ("http://c?x", "http://c/?***"),
        ("http://c\\@d/y", "http://c/@d/y"),
        ("http://c@d@e/y", "http://e/y"),
        ("http://c:80/y", "http://c/y"),
        ("http://c:/y", "http://c/y"),
        ("../y", "http://a/y"),
        ("../../../y", "http://a/y"),
        ("./y", "http://a/b/y"),
        (".", "http://a/b/"),
        ("..", "http://a/"),
        ("/x/%2e%2E/y/%2e", "http://a/y/"),
        ("/x/..", "http://a/"),
        ("/x/...", "http://a/x/..."),
        ("/x//../y", "http://a/x/y"),
        ("", "http://a/b/x?q=***"),
        ("#f", "http://a/b/x?q=***"),
        ("?", "http://a/b/x"),
        ("y#f?g", "http://a/b/y"),
        ("http://b\xc3\xbccher.example/\xc3\xbc", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://B%C3%BCCHER.example:8080/", "http://xn--bcher-kva.example:8080/"),
        ("http://%63/y", "http://c/y"),
        ("http://a_b.c/", "http://a_b.c/"),
        ("//[2600::1]:8080/y", "http://[2600::1]:8080/y"),
        ("http://\xef\xbc\x91\xef\xbc\x96\xef\xbc\x99.254\xe3\x80\x82169.254/", "http://169.254.169.254/"),
    ],
)
def test_a_location_is_read_as_browsers_do(location: str, shown: str) -> None:
    url = Url.parse("http://me:pw@a/b/x?q=1").redirected(location)
    assert url.shown == shown
    assert not url.userinfo


def test_the_query_of_a_location() -> None:
    url = Url.parse("http://a/b/x?q=1")
    assert url.redirected("?a='\xfc\" <>\\&b=[]{}|^`%zz").target == "/b/x?a=%27%FC%22%20%3C%3E\\&b=[]{}|^`%zz"
    assert url.redirected("").target == "/b/x?q=1"
    assert url.redirected("?").target == "/b/x?"


@pytest.mark.parametrize(
    "location",
    [
        "http://b\xfccher.example/",
        "http://b%FCcher.example/",
        "http://a b/",
        "http://a%20b/",
        "http://a%00b/",
        "http://a%2Fb/",
        "http://a%40b/",
        "http://\x01/",
        "http://[::1/",
        "http://[::x]/",
        "http://a:x/",
        "http://a:99999/",
        "http://:80/",
        "http:///",
        "https:",
        "ftp://a/",
        "javascript:alert(1)",
        "mailto:a@b",
        "file:///etc/passwd",
        "C:\\x",
        "http://a<b/",
        "http://\xef\xbf\xbd/",
    ],
)
def test_a_location_that_is_no_web_address(location: str) -> None:
    with pytest.raises(RequestError):
        Url.parse("http://a/b/x?q=1").redirected(location)


@given(st.text(st.characters(max_codepoint=0xFF), max_size=40))
def test_every_location_is_an_address_or_an_error(location: str) -> None:
    base = Url.parse("https://a/b/x?q=1")
    for text in (location, f"/{location}", f"http://{location}", f"http://c/{location}", f"?{location}"):
        try:
            url = base.redirected(text)
        except RequestError:
            continue
        assert re.fullmatch(r"/[!-~]*", url.target)
        assert url.host.isascii()
        assert (url.scheme, url.userinfo) in {("http", ""), ("https", "")}


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://b\xfccher.example/\xfc", "xn--bcher-kva.example"),
        ("http://BÜCHER.example:8080", "xn--bcher-kva.example"),
        ("http://straße.example", "xn--strae-oqa.example"),
        ("http://☕.example", "xn--53h.example"),
        ("http://user@ü:x@a_ü.example/", "xn--a_-yka.example"),
        ("http://ex%61mple.com", "example.com"),
        (f"http://{WIDE}/", "169.254.169.254"),
        ("http://\uff11\uff16\uff19\u3002\uff12\uff15\uff14\uff61\uff11\uff16\uff19.254?x", "169.254.169.254"),
        ("http://my_service.internal:8080/", "my_service.internal"),
        ("http://example.com./", "example.com."),
        ("http://%5B::1%5D/", ""),
        ("http://a\uff0fb/", ""),
        ("http://%ff/", ""),
        ("http://\u3000/", ""),
        ("http://" + "ü" * 2000, ""),
    ],
)
def test_a_host_is_ascii(text: str, host: str) -> None:
    if host:
        assert Url.parse(text).host == host
    else:
        with pytest.raises(RequestError, match="address is not valid"):
            Url.parse(text)
