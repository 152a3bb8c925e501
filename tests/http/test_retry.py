from __future__ import annotations

import socket
from contextlib import closing

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import (
    ConnectError,
    DeadlineError,
    ForbiddenAddressError,
    ProtocolError,
    RedirectError,
    ResetBeforeResponseError,
    ResponseTimeoutError,
)
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script, replying, sending


def client(url: str, limits: Limits, seconds: float = 20) -> HttpClient:
    return HttpClient(url, Deadline.after(seconds), limits)


def test_no_time_at_all(serve: Serve) -> None:
    server = serve(replying())
    with pytest.raises(DeadlineError):
        client(server.url, Limits(), seconds=0).get("/")
    assert server.connections == 0


def test_a_refused_connection_is_tried_again_and_then_an_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError) as caught:
        client(f"http://127.0.0.1:{port}", Limits(connect_retries=1)).get("/x?secret=1")
    assert str(caught.value) == (
        f"GET http://127.0.0.1:{port}/x?secret=*** connection refused (127.0.0.1 port {port}) (after 2 attempts)"
    )
    assert caught.value.outcome.status is Status.ERROR


def test_the_first_error_is_reported_if_the_time_ends_during_a_retry(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()  # reset any sooner, it may still be the connecting that fails
        if server.connections == 1:
            peer.reset()
        else:
            peer.hang()

    server = serve(script)
    with pytest.raises(ResetBeforeResponseError):
        client(server.url, Limits(connect_retries=3), seconds=2).get("/")
    assert server.connections == 2


def test_there_is_no_wait_for_an_attempt_that_the_deadline_would_not_allow(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    server = serve(script)
    with pytest.raises(ResetBeforeResponseError) as caught:
        client(server.url, Limits(connect_retries=3), seconds=0.15).get("/")
    assert "attempts" not in str(caught.value)
    assert server.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_reset_before_a_response_is_tried_again(serve: Serve, method: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if server.connections == 1:
            peer.reset()
        elif server.connections == 3:
            peer.answer(b"at last")

    server = serve(script)
    answer = client(server.url, Limits()).request(method, "/")
    assert (answer.text, answer.attempts) == ("at last", 3)


def test_an_end_within_the_header_is_not_a_transport_error(serve: Serve) -> None:
    server = serve(sending(b"HTTP/1.1 200 OK\r\n"))
    with pytest.raises(ProtocolError):
        client(server.url, Limits()).get("/")
    assert server.connections == 1


FOLLOW = Limits(connect_retries=0, follow_redirects=True, max_redirects=3)


def follow(url: str, limits: Limits | None = None) -> HttpClient:
    return client(url, limits or FOLLOW)


def routes(**table: str) -> Script:
    """A server that redirects from each path to the location named, and answers every other path with 200."""

    def script(peer: Peer) -> None:
        request = peer.request()
        path = request.split(b" ")[1].decode().lstrip("/")
        if path in table:
            peer.answer(b"", f"Location: {table[path]}", status="302 Found")
        else:
            peer.answer(request)

    return script


def test_a_redirect_is_an_answer_unless_it_is_followed(serve: Serve) -> None:
    url = serve(routes(a="/b")).url
    assert follow(url, Limits()).get("/a").status == 302
    answer = follow(url).get("/a")
    assert (answer.status, answer.redirects, answer.where) == (200, 1, f"GET {url}/b")


def test_a_redirect_to_nowhere_is_an_answer(serve: Serve) -> None:
    assert follow(serve(replying(b"x", status="302 Found")).url).get("/").status == 302


def test_the_body_of_a_redirect_is_not_waited_for(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        if peer.request().startswith(b"GET /b"):
            peer.answer(b"ok")
        else:
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 999999999\r\n\r\n")
            peer.hang()

    assert follow(serve(script).url).get("/").text == "ok"


def test_every_hop_is_judged(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    with pytest.raises(ForbiddenAddressError) as caught:
        follow(serve(routes(a="http://127.0.0.2/")).url).get("/a")
    assert caught.value.permanent


def test_another_origin_gets_no_credentials(serve: Serve) -> None:
    other = serve(routes())
    here = serve(routes(a=f"{other.url}/b", c="/d"))
    headers = {"Authorization": "Bearer t0ken", "X-Plain": "plain"}
    assert "t0ken" in follow(here.url).get("/c", headers=headers).text
    text = follow(here.url).get("/a", headers=headers).text
    assert "plain" in text
    assert "t0ken" not in text


def test_the_time_is_for_all_hops_together(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        path = peer.request().split(b" ")[1].decode()
        peer.stop.wait(0.2)
        peer.answer(b"", f"Location: {path}x", status="307 Temporary Redirect")

    with pytest.raises(ResponseTimeoutError, match=r"within 0\.5 s"):
        follow(serve(script).url, FOLLOW._replace(timeout_seconds=0.5, max_redirects=50)).get("/")


def received_as(name: str, serve: Serve, **table: str) -> str:
    """Return the last request that a server receives which has another name in Host, and redirects from /a."""
    url = serve(routes(**table)).url
    return follow(url).get("/a", headers={"Host": name, "Authorization": "Bearer t0ken"}).text


@pytest.mark.parametrize(
    ("location", "target"),
    [("/\xfc", "/%FC"), ("/\xc3\xbc", "/%C3%BC"), ("/\x01 \\x", "/%01%20/x"), ("?\xfc", "/a?%FC")],
)
def test_a_location_is_requested_as_by_browsers(serve: Serve, location: str, target: str) -> None:
    assert follow(serve(routes(a=location)).url).get("/a").text.startswith(f"GET {target} HTTP/1.1\r\n")


@pytest.mark.parametrize("second", ["/b", "/c"])
def test_locations_that_differ_are_an_error(serve: Serve, second: str) -> None:
    def script(peer: Peer) -> None:
        if b" /a " in peer.request():
            peer.answer(b"", "Location: /b", f"Location: {second}", status="302 Found")
        else:
            peer.answer(b"ok")

    url = serve(script).url
    if second == "/b":
        assert follow(url).get("/a").text == "ok"
    else:
        with pytest.raises(RedirectError, match="status 302 has several different Location headers"):
            follow(url).get("/a")


@pytest.mark.parametrize("name", ["shop.example:80", "shop.example", "b\xfccher.example", "[broken", "my_a.example"])
def test_a_name_in_host_is_compared_as_an_address(name: str) -> None:
    request = Request.build("GET", Url.parse("http://10.0.0.1/a"), {"Host": name})
    location = {"[broken": "/b", "b\xfccher.example": "http://b\xc3\xbccher.example/b"}.get(name, f"http://{name}/b")
    assert request.redirected(302, location).url == Url.parse("http://10.0.0.1/b")


@pytest.mark.parametrize("name", ["shop.example", "Shop.example:8443", "SHOP.EXAMPLE"])
def test_a_redirect_to_the_name_in_host_keeps_the_address(serve: Serve, name: str) -> None:
    text = received_as(name, serve, a=f"http://{name.lower()}/b?c=d")

    assert text.startswith("GET /b?c=d HTTP/1.1\r\n")
    assert f"Host: {name}\r\n" in text
    assert "t0ken" in text


@pytest.mark.parametrize("other", ["http://shop.example:8443/b", "https://shop.example/b", "http://www.shop.example/b"])
def test_a_redirect_to_another_name_port_or_scheme_leaves_it(other: str) -> None:
    request = Request.build("GET", Url.parse("http://10.0.0.1/a"), {"Host": "shop.example", "Authorization": "t0ken"})
    after = request.redirected(302, other)

    assert after.url == Url.parse(other)
    assert not {"Host", "Authorization"} & set(after.headers)
