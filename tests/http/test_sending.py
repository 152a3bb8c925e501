from __future__ import annotations

import socket
from contextlib import closing

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.http import HttpClient, Limits
from ecs_hooks.http.errors import ConnectError, DeadlineError, ProtocolError, ResetBeforeResponseError
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying, sending


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


def test_trouble_is_reported_where_the_time_ends_in_a_further_attempt(serve: Serve) -> None:
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


def test_an_end_within_the_header_is_no_transport_trouble(serve: Serve) -> None:
    server = serve(sending(b"HTTP/1.1 200 OK\r\n"))
    with pytest.raises(ProtocolError):
        client(server.url, Limits()).get("/")
    assert server.connections == 1
