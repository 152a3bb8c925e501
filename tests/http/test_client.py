from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.sent_requests import SentRequests
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import (
    ConnectError,
    ConnectTimeoutError,
    DeadlineError,
    ForbiddenAddressError,
    NameResolutionError,
    RequestError,
    ResetBeforeResponseError,
    TooLargeError,
)
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.request import Request
from ecs_hooks.http.request_body import Body
from ecs_hooks.http.resolver import Endpoint, Resolver, resolve
from ecs_hooks.http.url import Query, Url
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying

ONCE = Limits(connect_retries=0)


def mirror(peer: Peer) -> None:
    peer.answer(peer.request())


def endpoint(address: str, port: int) -> Endpoint:
    parsed = ip_address(address)
    return Endpoint(parsed, socket.AF_INET if parsed.version == 4 else socket.AF_INET6, (address, port))


def resolver(*addresses: str) -> Resolver:
    def look_up(_host: str, port: int, _deadline: Deadline) -> Sequence[Endpoint]:
        return [endpoint(address, port) for address in addresses]

    return look_up


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "\r\n\r\n"),
        ({"query": {"a": ["b", 1]}}, "/base/x?a=b&a=1 HTTP/1.1"),
        ({"headers": {"X-Y": "z"}}, "X-Y: z\r\n"),
        ({"body": "ü"}, "Content-Type: text/plain; charset=utf-8\r\n\r\nü"),
        ({"body": b"\x01"}, "Content-Type: application/octet-stream\r\n\r\n\x01"),
        ({"json": None}, "Content-Type: application/json\r\n\r\nnull"),
        ({"form": {"a": True}}, "Content-Type: application/x-www-form-urlencoded\r\n\r\na=true"),
        ({"multipart": {"f": ("n.txt", "hello", "text/plain")}}, 'name="f"; filename="n.txt"'),
        ({"multipart": {"f": ["a", ("n.txt", "hello")]}}, 'name="f"; filename="n.txt"'),
    ],
)
def test_a_request_arrives_as_specified(serve: Serve, options: dict[str, Any], expected: str) -> None:
    text = HttpClient(f"{serve(mirror).url}/base", Deadline.after(20)).post("/x", **options).text
    assert text.startswith("POST /base/x")
    assert expected in text


def test_at_most_one_body(serve: Serve) -> None:
    with pytest.raises(RequestError, match="at most one of body, json, form and multipart"):
        HttpClient("http://a", Deadline.after(20)).post("/", body="x", json=1)


def test_limits_can_be_set_for_one_request(serve: Serve) -> None:
    client = HttpClient(serve(replying(b"xx")).url, Deadline.after(20), ONCE)
    with pytest.raises(TooLargeError, match="max_body_bytes"):
        client.get("/", max_body_bytes=1)
    assert client.get("/").headers["content-length"] == "2"


def test_ipv6(serve: Serve) -> None:
    server = serve(mirror, host="::1")
    assert f"Host: [::1]:{server.port}" in HttpClient(server.url, Deadline.after(20)).get("/").text


@pytest.mark.parametrize("allowed", ["", "other.example"])
def test_loopback_is_refused_unless_allowed(serve: Serve, monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    monkeypatch.setenv(VARIABLE, allowed)
    server = serve(replying())
    with pytest.raises(
        ForbiddenAddressError, match=r"127\.0\.0\.1 is a loopback address; if that is meant, add 127.0.0.1"
    ):
        HttpClient(server.url, Deadline.after(20)).get("/")
    assert server.connections == 0


def test_a_mistake_in_the_list_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://x")
    with pytest.raises(ForbiddenAddressError, match="entry 1 is not a host"):
        HttpClient("http://127.0.0.1:1", Deadline.after(20)).get("/")


def test_a_name_may_be_allowed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "green.example")
    url = f"http://green.example:{serve(replying(b'ok')).port}"
    assert HttpClient(url, Deadline.after(20), ONCE, resolver=resolver("127.0.0.1")).get("/").text == "ok"
    with pytest.raises(ForbiddenAddressError, match=r"blue\.example resolves to 127.0.0.1, a loopback address"):
        HttpClient("http://blue.example", Deadline.after(20), ONCE, resolver=resolver("127.0.0.1")).get("/")


def test_only_the_addresses_that_are_allowed_are_tried(serve: Serve) -> None:
    url = f"http://green.example:{serve(replying(b'ok')).port}"
    mixed = resolver("169.254.169.254", "0.0.0.0", "127.0.0.1")
    assert HttpClient(url, Deadline.after(20), ONCE, resolver=mixed).get("/").text == "ok"


def test_the_next_address_is_tried_where_the_first_refuses(serve: Serve) -> None:
    url = f"http://green.example:{serve(replying(b'ok')).port}"
    assert HttpClient(url, Deadline.after(20), ONCE, resolver=resolver("::1", "127.0.0.1")).get("/").text == "ok"


def test_the_name_is_looked_up_once_for_each_connection(serve: Serve) -> None:
    """A second answer of DNS can't lead past the guard."""
    answers = iter([resolver("127.0.0.1")])

    def changing(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        return next(answers)(host, port, deadline)

    url = f"http://green.example:{serve(replying(b'ok')).port}"
    assert HttpClient(url, Deadline.after(20), ONCE, resolver=changing).get("/").text == "ok"


def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    lookups: list[str] = []

    def failing(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        lookups.append(host)
        raise NameResolutionError("nonexistent.invalid has no address")

    with pytest.raises(NameResolutionError) as caught:
        HttpClient("http://nonexistent.invalid", Deadline.after(20), Limits(connect_retries=1), resolver=failing).get(
            "/"
        )
    assert len(lookups) == 2
    assert caught.value.outcome.status is Status.ERROR


@pytest.mark.parametrize(("seconds", "kind"), [(20, ConnectTimeoutError), (0.2, DeadlineError)])
def test_a_look_up_that_hangs(seconds: float, kind: type[Exception]) -> None:
    def hanging(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        threading.Event().wait(deadline.remaining())
        raise TimeoutError

    with pytest.raises(kind, match="no address for the name"):
        HttpClient("http://a", Deadline.after(seconds), Limits(0.3, connect_retries=0), resolver=hanging).get("/")


def test_the_time_may_end_between_two_addresses() -> None:
    def slow(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        threading.Event().wait(deadline.remaining() + 0.01)
        return [endpoint("127.0.0.1", port)]

    with pytest.raises(ConnectTimeoutError, match="no connection"):
        HttpClient("http://a", Deadline.after(20), Limits(0.2, connect_retries=0), resolver=slow).get("/")


def test_a_name_without_addresses() -> None:
    with pytest.raises(NameResolutionError, match="a has no address"):
        HttpClient("http://a", Deadline.after(20), ONCE, resolver=resolver()).get("/")


def test_a_bug_in_a_resolver_is_not_a_connection_error() -> None:
    def wrong(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        return [endpoint("127.0.0.1", port)._replace(target=("127.0.0.1", "80"))]

    with pytest.raises(TypeError):
        HttpClient("http://a", Deadline.after(20), ONCE, resolver=wrong).get("/")


def test_an_address_without_a_way_to_it() -> None:
    with pytest.raises(ConnectError):
        HttpClient("http://a:1", Deadline.after(20), ONCE, resolver=resolver("127.0.0.1")).get("/")


def test_the_system_resolver() -> None:
    assert resolve("127.0.0.1", 80, Deadline.after(20)) == [endpoint("127.0.0.1", 80)]
    assert ip_address("127.0.0.1") in [each.address for each in resolve("localhost", 80, Deadline.after(20))]


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b"])
def test_a_host_that_can_be_no_name(host: str) -> None:
    with pytest.raises(NameResolutionError, match="can't be resolved"):
        resolve(host, 80, Deadline.after(20))


def test_headers_and_query_of_the_base_address(serve: Serve) -> None:
    server = serve(mirror)
    client = HttpClient(
        f"{server.url}/base", Deadline.after(20), headers={"Host": "shop", "X-A": "1"}, query={"a": "1", "b": "2"}
    )
    text = client.get("/x", query={"b": "3"}, headers={"x-a": "2"}).text
    assert text.startswith("GET /base/x?a=1&b=3 HTTP/1.1")
    assert "Host: shop" in text
    assert "x-a: 2" in text
    assert "X-A" not in text
    elsewhere = client.get(f"{server.url}/y").text
    assert elsewhere.startswith("GET /y HTTP/1.1")
    assert "shop" not in elsewhere


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "fe80::1%lo"])
def test_a_literal_address_is_not_looked_up(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.delattr(socket, "getaddrinfo")
        assert resolve(host, 80, Deadline.after(20)) == [endpoint(host, 80)]


def test_a_request_to_the_base_url_may_be_refused(serve: Serve) -> None:
    server = serve(mirror)

    def build(method: str, path: str, query: Query, headers: Mapping[str, str], body: Body | None) -> Request:
        if (method, path, dict(headers), dict(query), body) != ("GET", "/", {"X-Version": "green"}, {}, None):
            raise RequestError("not for green")
        return Request.build(method, Url.parse(server.url), headers)

    client = HttpClient(server.url, Deadline.after(20), build=build)
    with pytest.raises(RequestError, match="not for green"):
        client.get("/")
    assert server.connections == 0
    assert client.get("/", headers={"X-Version": "green"}).status == 200
    assert client.get(server.url).status == 200


def test_requests_to_the_base_url_are_counted_however_they_end(serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        match peer.request().split()[1]:
            case b"/moved":
                peer.answer(b"", "Location: /ok", status="302 Found")
            case b"/broken":
                peer.answer(status="500 Internal Server Error")
            case b"/away":
                peer.answer(b"", f"Location: {other.url}", status="307 Temporary Redirect")
            case b"/reset":
                peer.reset()
            case _:
                peer.answer()

    server, other = serve(behave), serve(replying())
    sent = SentRequests()
    client = HttpClient(server.url, Deadline.after(20), ONCE._replace(follow_redirects=True), sent=sent)

    def counted() -> tuple[int, int]:
        return sent.between(0, 1e12)

    client.get("/ok")
    assert counted() == (1, 0)
    client.get("/broken")
    assert counted() == (2, 1)
    client.get("/moved")
    assert counted() == (4, 1)
    client.get("/away")
    assert counted() == (5, 1)
    client.get(other.url)
    assert counted() == (5, 1)
    with pytest.raises(ResetBeforeResponseError):
        client.get("/reset")
    assert counted() == (6, 1)
    with pytest.raises(ResetBeforeResponseError):
        client.get("/reset", connect_retries=1)
    assert counted() == (8, 1)
