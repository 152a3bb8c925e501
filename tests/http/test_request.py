from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from urllib3 import HTTPHeaderDict

from ecs_hooks import __version__
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.cookies.jar import CookieJar
from ecs_hooks.http.errors import RedirectError, RequestError
from ecs_hooks.http.request import Authorization, Request, check_headers
from ecs_hooks.http.request_body import Body, File, as_file, form_body, json_body, multipart_body, text_body
from ecs_hooks.http.url import Url

HERE = Url.parse("https://a.example/x")


def test_the_default_headers() -> None:
    request = Request.build("GET", HERE)
    assert request.headers == {
        "User-Agent": f"ecs-hooks/{__version__} (+ECS deployment lifecycle hook)",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }


def test_headers_that_are_given_win_in_any_case() -> None:
    body = Body(b"x", "text/plain")
    request = Request.build("POST", HERE, {"user-agent": "me", "CONTENT-TYPE": "a/b", "accept-encoding": "gzip"}, body)
    assert request.headers == {"user-agent": "me", "CONTENT-TYPE": "a/b", "accept-encoding": "gzip", "Accept": "*/*"}


def test_credentials_in_the_address_become_a_header() -> None:
    request = Request.build("GET", Url.parse("http://me:p%40ss@a/"))
    assert request.headers["Authorization"] == f"Basic {base64.b64encode(b'me:p@ss').decode()}"
    assert not request.url.userinfo


@pytest.mark.parametrize("method", ["PROPFIND", "M-SEARCH", "QUERY", "TRACE", "purge", "x" * 40])
def test_every_token_is_a_method(method: str) -> None:
    assert Request.build(method, HERE).method == method


@pytest.mark.parametrize(
    "method",
    ["get", "Post", "CONNECT", "connect", "GET / HTTP/1.1\r\nX: y", "A B", "A(", "\u00c4", "x" * 41, "GET\n", ""],
)
def test_other_texts_and_known_methods_in_another_case_are_not_sent(method: str) -> None:
    with pytest.raises(RequestError, match="method must be one of"):
        Request.build(method, HERE)


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"a b": "x"}, "not a valid header name"),
        ({"a\r\nb": "x"}, "not a valid header name"),
        ({"": "x"}, "not a valid header name"),
        ({"a": "x\r\ny"}, "line breaks"),
        ({"a": "x\n"}, "line breaks"),
        ({"a": "snow ☃"}, "characters that are not allowed in a header"),
        ({"Content-Length": "1"}, "set by the client"),
        ({"transfer-encoding": "chunked"}, "set by the client"),
        ({"X-A": "1", "x-a": "2"}, "twice"),
    ],
)
def test_a_header_can_not_smuggle_anything(headers: dict[str, str], problem: str) -> None:
    with pytest.raises(RequestError, match=problem) as caught:
        check_headers(headers)
    assert "snow" not in str(caught.value)


def test_bodies() -> None:
    assert json_body({"a": None}) == Body(b'{"a":null}', "application/json")
    assert form_body({"a": "x y", "b": [1, True]}) == Body(b"a=x+y&b=1&b=true", "application/x-www-form-urlencoded")


def test_an_upload_has_the_bytes_that_a_browser_sends() -> None:
    body = multipart_body({"file": File('te"st.txt', b"hello", "text/plain"), "description": "validation"})
    boundary = body.content_type.removeprefix("multipart/form-data; boundary=")
    assert body.content.decode() == (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="te%22st.txt"\r\n'
        "Content-Type: text/plain\r\n\r\nhello\r\n"
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="description"\r\n\r\nvalidation\r\n'
        f"--{boundary}--\r\n"
    )


def test_parts_of_an_upload_may_be_tuples() -> None:
    assert as_file(("a", b"b")) == File("a", b"b")
    assert as_file(("a", "b", "c/d")) == File("a", b"b", "c/d")
    assert as_file("text") == "text"
    assert as_file(File("a", b"")) == File("a", b"")


@pytest.mark.parametrize("part", [1, ("a",), ("a", 1), ("a", b"", "c", "d")])
def test_other_parts_are_refused(part: Any) -> None:
    with pytest.raises(RequestError, match="part of a multipart body must be"):
        as_file(part)


@pytest.mark.parametrize(
    ("status", "method", "follows_with", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (302, "PUT", "PUT", True),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", True),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
    ],
)
def test_a_redirect_changes_method_and_body(status: int, method: str, follows_with: str, keeps_body: bool) -> None:
    request = Request.build(method, HERE, {"X-Y": "z"}, Body(b"x", "text/plain"))
    following = request.redirected(status, "/y")
    assert following.method == follows_with
    assert (following.body is not None) is keeps_body
    assert ("Content-Type" in following.headers) is keeps_body
    assert following.headers["X-Y"] == "z"


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/y", True),
        ("https://A.example:443/y", True),
        ("http://a.example/y", False),
        ("https://b.example", False),
        ("https://a.example:8443/", False),
    ],
)
def test_another_origin_gets_no_credentials(location: str, kept: bool) -> None:
    secret = {"Authorization": "Bearer t", "cookie": "a=b", "X-Api-Key": "k", "Host": "shop.example"}
    following = Request.build("GET", HERE, secret | {"X-Plain": "p"}).redirected(302, location)
    assert set(secret) <= set(following.headers) if kept else not set(secret) & set(following.headers)
    assert following.headers["X-Plain"] == "p"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (None, "a.example"),
        ("shop.example:8443", "shop.example"),
        ("[::1]:80", "::1"),
        ("", "a.example"),
        ("[broken", "a.example"),
        ("B\xfccher.example:8443", "xn--bcher-kva.example"),
        ("my_service.example", "my_service.example"),
    ],
)
def test_the_certificate_is_expected_for_the_host_header(host: str | None, name: str) -> None:
    headers = {} if host is None else {"X-First": "1", "host": host}
    assert Request.build("GET", HERE, headers).server_name == name


ORIGIN = Url.parse("https://a.example/x?b=c")
AUTH = Authorization({"x-key": "k3y-k3y"}, {"token": "t 1", "b": "other"})
REQUEST = Request.build("GET", ORIGIN, {"X-Key": "own", "X-Plain": "p"})._replace(auth=AUTH)


def test_credentials_are_added_when_a_request_is_sent() -> None:
    sent = REQUEST.authorized()

    assert sent.headers["x-key"] == "k3y-k3y"
    assert "X-Key" not in sent.headers
    assert sent.url.target == "/x?b=c&token=t+1"
    assert "k3y" not in str(REQUEST.headers)
    assert REQUEST.url.target == "/x?b=c"


def test_a_request_without_stays_as_it_is() -> None:
    bare = REQUEST._replace(auth=None)
    assert bare.authorized() is bare
    assert bare.certificate is None
    assert REQUEST._replace(url=Url.parse("http://a/"), auth=Authorization()).authorized().url.target == "/"


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/y?token=1", True),
        ("https://a.example:443/y", True),
        ("http://a.example/y", False),
        ("https://b.example", False),
        ("https://a.example:8443/", False),
    ],
)
def test_they_do_not_go_along_to_another_origin(location: str, kept: bool) -> None:
    following = REQUEST.redirected(302, location)

    assert following.auth is (AUTH if kept else None)
    sent = following.authorized()
    assert (sent.headers.get("x-key") == "k3y-k3y") is kept
    assert sent.url.target.count("token") == kept
    # The way back from there does not bring them back either.
    assert kept or following.redirected(302, "https://a.example/").auth is None


HALF = "a\ud800"


def test_json_bodies_are_json() -> None:
    assert json_body({"a": [1, HALF]}).content == b'{"a":[1,"a\\ud800"]}'
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for wrong in (float("nan"), [float("inf")], deep):
        with pytest.raises(RequestError, match=r"^json: must have no NaN, no infinite number, and no more than"):
            json_body(wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: text_body(HALF),
        lambda: form_body({"a": HALF}),
        lambda: form_body({HALF: ["a", "b"]}),
        lambda: multipart_body({"a": HALF}),
        lambda: multipart_body({HALF: "a"}),
        lambda: multipart_body({"a": File(HALF, b"")}),
        lambda: as_file(("a", HALF)),
        lambda: Url.parse(f"http://a/{HALF}"),
        lambda: Url.join("http://a", "/", {"a": HALF}),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(RequestError, match=r"must not contain half of a surrogate pair$"):
        make()


# Cookies


def test_cookies_of_a_jar_go_into_the_header() -> None:
    jar = CookieJar()
    request = Request.build(
        "GET", Url.parse("http://10.0.0.1:8080/x"), {"host": "Shop.example", "cookie": "b=own;c=own"}
    )
    assert request.with_cookies(jar) is request
    request.keep_cookies(jar, HTTPHeaderDict([("Set-Cookie", "a=1; Path=/"), ("set-cookie", "b=2"), ("X", "y")]))
    assert request.with_cookies(jar).headers == {**request.with_cookies(jar).headers, "Cookie": "b=own; c=own; a=1"}
    assert "cookie" not in request.with_cookies(jar).headers
    assert Request.build("GET", Url.parse("http://10.0.0.1/x")).with_cookies(jar).cookie_header == ""
    assert Request.build("GET", Url.parse("http://shop.example/x")).with_cookies(jar).cookie_header == "a=1; b=2"


def test_a_long_address_is_masked_then_cut() -> None:
    secret = "k3y/+=9sd8f7"
    url = Url.parse(f"http://a/{'x' * 183}{quote(secret, safe='')}{'y' * 99}")

    assert Request.build("GET", url).shown == f"GET {url.shown}"[:200] + "..."
    shown = Request.build("GET", url)._replace(redactor=Redactor(secret)).shown
    assert shown == f"GET http://a/{'x' * 183}***{'y'}..."


SECRET = "k3y/+=9sd8f7"


def redacted(request: Request) -> Request:
    redactor = Redactor(SECRET)
    redactor.bind({"id": 51234})
    return request._replace(redactor=redactor)


@pytest.mark.parametrize(
    ("location", "is_kept"),
    [
        ("/y", True),
        ("https://a.example/y", True),
        ("http://a.example/y", False),
        ("https://a.example:8443/y", False),
        ("https://b.example/y", False),
        ("//b.example/y", False),
    ],
)
@pytest.mark.parametrize(
    "header",
    [
        ("X-Plain", SECRET),
        ("X-Plain", f"prefix {base64.b64encode(f'user:{SECRET}'.encode()).decode()}"),
        ("X-Plain", quote(SECRET, safe="")),
        ("X-Order", "51234"),
        ("X-Functions-Key", "k"),
        ("Ocp-Apim-Subscription-Key", "k"),
        ("X-Hub-Signature-256", "s"),
        ("sessionId", "s"),
        ("Cookie", "a=b"),
    ],
)
def test_a_header_with_a_secret_stays_at_its_origin(header: tuple[str, str], location: str, *, is_kept: bool) -> None:
    request = redacted(Request.build("GET", HERE, dict([header, ("X-Y", "z")])))

    following = request.redirected(302, location)

    assert following.headers["X-Y"] == "z"
    assert (header[0] in following.headers) is is_kept


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("content", [SECRET, json.dumps({"a": quote(SECRET)}), "order=51234"])
def test_a_body_with_a_secret_stays_at_its_origin(status: int, content: str) -> None:
    request = redacted(Request.build("PUT", HERE, {}, Body(content.encode(), "text/plain")))

    assert request.redirected(status, "/y").body == content.encode()
    with pytest.raises(RedirectError, match="a secret or a captured value to another origin"):
        request.redirected(status, "https://b.example/y")
    assert request.redirected(303, "https://b.example/y").body is None


def test_a_body_without_a_secret_goes_to_another_origin() -> None:
    request = redacted(Request.build("PUT", HERE, {}, Body(b"plain", "text/plain")))
    assert request.redirected(307, "https://b.example/y").body == b"plain"


@pytest.mark.parametrize(
    "path", [quote(SECRET, safe=""), f"?t={quote(SECRET)}", f"?t={base64.b64encode(SECRET.encode()).decode()}"]
)
def test_an_address_with_a_secret_is_not_followed_to_another_origin(path: str) -> None:
    request = redacted(Request.build("GET", HERE))

    assert request.redirected(302, f"/{path}").url.origin == HERE.origin
    with pytest.raises(RedirectError, match="a secret in the address"):
        request.redirected(302, f"https://b.example/{path}")


def test_secrets_are_known_by_name_without_a_redactor() -> None:
    url = Url.parse("https://a.example/x?api_key=9sd8f7ab&page=2")
    request = Request.build("GET", url, {"Authorization": "Bearer 5ecr3tt0ken", "X-Copy": "is 5ecr3tt0ken", "X-Y": "z"})

    following = request.redirected(302, "https://b.example/y")

    assert "X-Copy" not in following.headers
    assert following.headers["X-Y"] == "z"
    with pytest.raises(RedirectError):
        request.redirected(302, "https://b.example/y?k=9sd8f7ab")
