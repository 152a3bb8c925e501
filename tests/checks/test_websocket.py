"""WebSockets: the handshake and one exchange, with real servers."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable
from hashlib import sha1
from typing import Any

import pytest
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from ecs_hooks.checks import LoadCheck, ScenarioCheck
from ecs_hooks.checks.request.websocket_fields import WebSocket
from ecs_hooks.core.outcome import Status
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.http.errors import RequestError
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import ask, context
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script, replying

Answer = Callable[[WSConnection, Any], list[bytes]]


def socket(
    answer: Answer, *, subprotocol: str | None = None, first: bytes = b"", seen: list[Any] | None = None
) -> Script:
    """Return a server that answers each message."""

    def script(peer: Peer) -> None:
        connection = WSConnection(ConnectionType.SERVER)
        while data := peer.connection.recv(65_536):
            connection.receive_data(data)
            for event in connection.events():
                if seen is not None:
                    seen.append(event)
                if isinstance(event, Request):
                    peer.send(connection.send(AcceptConnection(subprotocol=subprotocol)) + first)
                elif isinstance(event, CloseConnection):
                    return
                elif isinstance(event, Message):
                    peer.send(*answer(connection, event))

    return script


def echo(connection: WSConnection, event: Any) -> list[bytes]:
    kind = TextMessage if isinstance(event, TextMessage) else BytesMessage
    return [connection.send(kind(data=event.data))]


def test_a_message_is_sent_and_the_response_evaluated(serve: Serve) -> None:
    seen: list[Any] = []
    server = serve(socket(echo, seen=seen))
    outcome = ask(
        Endpoint(server.url, {"X-Environment": "test"}, host="shop.example"),
        path="/live",
        websocket={"send": {"ping": [1, None]}},
        expect={"json": {"$.ping[0]": 1}, "headers": {"Upgrade": "websocket"}},
    )
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.reason.startswith(f"GET {server.url}/live status 101 in ")
    server.close()  # it has read all then
    assert (seen[0].target, seen[0].host) == ("/live", "shop.example")
    assert (b"x-environment", b"test") in seen[0].extra_headers
    assert seen[1].data == '{"ping":[1,null]}'
    assert isinstance(seen[-1], CloseConnection)


def greeting() -> bytes:
    return b"\x81\x05hello\x89\x01p\x81\x02ok"  # a message, a ping, a message


@pytest.mark.parametrize(
    ("websocket", "expect"),
    [
        ({"send": "ping"}, {"body": {"equals": "hello"}}),
        ({"receive": 2}, {"body": {"equals": "ok"}}),
        ({"send": "grüße", "receive": 3}, {"body": {"equals": "grüße"}}),
        ({"send": None, "receive": 3}, {"json": {"$": None}}),
        ({"send_base64": base64.b64encode(b"\x00\xff").decode(), "receive": 3}, {"asserts": [{"query": "bytes", "equals": 2}]}),
        ({"send": "x", "receive": 0}, {"body": {"equals": ""}}),
        ({"subprotocols": ["a", "b"]}, {"headers": {"Sec-WebSocket-Protocol": "b"}}),
    ],
)  # fmt: skip
def test_messages(serve: Serve, websocket: dict[str, Any], expect: dict[str, Any]) -> None:
    subprotocol = "b" if "subprotocols" in websocket else None
    seen: list[Any] = []
    server = serve(socket(echo, subprotocol=subprotocol, first=greeting(), seen=seen))
    outcome = ask(server.url, websocket=websocket, expect=expect)
    assert outcome.status is Status.PASS, outcome.reason
    server.close()
    if websocket.get("receive", 1) == 3:
        assert any(isinstance(each, Pong) and each.payload == b"p" for each in seen)


def sending(*frames: bytes) -> Script:
    return socket(lambda connection, event: [*frames])


def closing(connection: WSConnection, _: Any) -> list[bytes]:
    return [connection.send(CloseConnection(code=1011, reason="hunter2"))]


def rejecting(peer: Peer) -> None:
    connection = WSConnection(ConnectionType.SERVER)
    connection.receive_data(peer.request())
    peer.send(connection.send(RejectConnection(status_code=403)))


def head(*headers: str) -> Script:
    return replying(b"", *headers, status="101 Switching Protocols")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (replying(b"", status="200 OK"), "status 200, expected 101"),
        (replying(b"", "Location: /login", status="302 Found"), "status 302 (redirects to /login), expected 101"),
        (rejecting, "status 403, expected 101"),
        (socket(closing), "server closed the WebSocket with code 1011 before a message"),
        (socket(lambda *_: []), "no WebSocket message within 0.6 s (timeout_seconds)"),
        (sending(b"\xff\xff\xff"), "WebSocket frame is malformed"),
        (sending(b"\x81\x02\xff\xff"), "WebSocket frame is malformed"),
        (sending(b"\x82\x7f" + (2**40).to_bytes(8) + b"x" * 2000), "response body is larger than max_body_bytes (1000)"),
        (sending(b"\x82\x7e\x02\x58" + b"x" * 600 + b"\x82\x7e\x02\x58" + b"x" * 600), "larger than max_body_bytes (1000)"),
        (head("Upgrade: websocket", "Connection: Upgrade"), "WebSocket handshake has an invalid Sec-WebSocket-Accept"),
    ],
)  # fmt: skip
def test_other_responses_fail(serve: Serve, script: Script, reason: str) -> None:
    websocket = {"send": "ping", "receive": 2}
    outcome = ask(
        serve(script).url, websocket=websocket, timeout_seconds=0.6, max_body_bytes=1000, follow_redirects=True
    )
    assert outcome.status is Status.FAIL
    assert reason in outcome.reason
    assert "hunter2" not in outcome.reason


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "has no Upgrade: websocket"),
        (["Upgrade: websocket", "Sec-WebSocket-Protocol: other"], "a subprotocol that the request does not offer"),
        (
            ["Upgrade: websocket", "Sec-WebSocket-Extensions: permessage-deflate"],
            "an extension that the request does not",
        ),
        (["Upgrade: WebSocket"], "connection ended before a WebSocket message"),
    ],
)
def test_the_handshake_is_validated(serve: Serve, headers: list[str], reason: str) -> None:
    def script(peer: Peer) -> None:
        key = peer.request().split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        digest = base64.b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Sec-WebSocket-Accept: {digest.decode()}"]
        peer.send("\r\n".join([*lines, *headers, "", ""]).encode())

    outcome = ask(serve(script).url, websocket={})
    assert outcome.status is Status.FAIL
    assert reason in outcome.reason


def test_a_secret_in_a_message_is_masked(serve: Serve) -> None:
    server = serve(socket(echo))
    websocket = {"send": {"token": "hunter2-hunter2"}}
    outcome = ask(server.url, websocket=websocket, expect={"json": {"$.token": "x", "$": 1}})
    assert outcome.status is Status.FAIL
    assert "hunter2" not in outcome.reason


def test_wss_and_the_guard(serve: Serve, trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = server_context(trusted.issue_cert("127.0.0.1"))
    server = serve(socket(echo), certificate)
    assert server.url.startswith("https:")
    secure = server.url.replace("https:", "wss:")
    fields: dict[str, Any] = {"websocket": {"send": "a"}, "expect": {"body": {"equals": "a"}}}
    assert ask(None, url=f"{secure}/x", **fields).status is Status.PASS
    plain = serve(socket(echo)).url.replace("http:", "ws:")
    assert ask(None, url=plain, **fields).status is Status.PASS
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "")
    assert ask(None, url=plain, **fields).status is Status.FAIL
    assert isinstance(certificate, ssl.SSLContext)


def test_a_scenario_opens_a_websocket_with_captured_values(serve: Serve) -> None:
    both: list[Script] = [replying(json.dumps({"token": "t0ken-t0ken", "n": 5}).encode()), socket(echo), replying()]

    def script(peer: Peer) -> None:
        both.pop(0)(peer)

    server = serve(script)
    captures = {"token": {"query": "jsonpath", "path": "$.token"}, "n": {"query": "jsonpath", "path": "$.n"}}
    live = {
        "path": "/live?token={{token}}",
        "websocket": {"send": {"n": "{{n}}"}, "receive": "{{one}}"},
        "expect": {"json": {"$.n": "{{n}}"}},
        "captures": {"m": {"query": "jsonpath", "path": "$.n"}},
    }
    requests = [{"captures": captures}, live, {"path": "/{{m}}"}]
    check = ScenarioCheck.model_validate({"requests": requests, "variables": {"one": 1}, "budget_seconds": 10})
    outcome = check.run(context(server.url))
    assert outcome.status is Status.PASS, outcome.reason


def test_a_captured_address_of_a_websocket_is_a_link(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        (replying(peer_url.encode()) if server.connections == 1 else socket(echo))(peer)

    server = serve(script)
    peer_url = server.url.replace("http", "ws") + "/live"
    follow = {"path": "{{live}}", "websocket": {"send": "a"}, "expect": {"body": {"equals": "a"}}}
    requests = [{"captures": {"live": {"query": "body"}}}, follow]
    outcome = ScenarioCheck.model_validate({"requests": requests, "budget_seconds": 10}).run(context(server.url))
    assert outcome.status is Status.PASS, outcome.reason


def test_samples_and_loads_open_websockets(serve: Serve) -> None:
    server = serve(socket(echo))
    fields: dict[str, Any] = {"websocket": {"send": "a"}, "expect": {"body": {"equals": "a"}}}
    assert ask(server.url, samples={"count": 5}, **fields).status is Status.PASS
    load = LoadCheck.model_validate({"requests": [fields], "duration_seconds": 1, "requests_per_second": 3})
    assert load.run(context(server.url)).status is not Status.FAIL


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"method": "POST"}, "websocket: requires the method GET and no body"),
        ({"json": None}, "websocket: requires the method GET and no body"),
        ({"headers": {"sec-websocket-key": "a"}}, "headers: sec-websocket-key is set by websocket"),
        ({"websocket": {"send": 1, "send_base64": "YQ=="}}, "websocket: has both send and send_base64"),
        ({"websocket": {"send_base64": "YQ="}}, "websocket: send_base64: is not valid Base64"),
        ({"websocket": {"send": "\ud800"}}, "websocket.send: must not contain half of a surrogate pair"),
        ({"websocket": {"receive": "1"}}, "websocket.receive: must be a whole number, not string"),
        ({"websocket": None, "url": "wss://a/b"}, "url: begins with ws:// or wss://, which requires websocket"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "http", "websocket": {}, **fields}]})
    assert f"hookDetails.checks[0].{problem}" in str(error.value)


def test_the_url_of_a_websocket_is_a_requirement() -> None:
    (check,) = Plan.parse({"checks": [{"type": "http", "url": "wss://a.example/b", "websocket": {}}]}).checks
    assert list(check.requirements().urls) == ["https://a.example/b"]


def test_a_message_may_come_in_pieces(serve: Serve) -> None:
    def answer(connection: WSConnection, event: Any) -> list[bytes]:
        return [
            connection.send(TextMessage(data="po", message_finished=False)),
            connection.send(Pong(payload=b"a")),
            connection.send(TextMessage(data="ng")),
        ]

    assert (
        ask(serve(socket(answer)).url, websocket={"send": "a"}, expect={"body": {"equals": "pong"}}).status
        is Status.PASS
    )


def test_a_ping_alone_is_not_a_message(serve: Serve) -> None:
    def answer(connection: WSConnection, event: Any) -> list[bytes]:
        return [connection.send(Ping(payload=b"a")), connection.send(TextMessage(data="pong"))]

    assert (
        ask(serve(socket(answer)).url, websocket={"send": "a"}, expect={"body": {"equals": "pong"}}).status
        is Status.PASS
    )


def test_a_message_that_json_does_not_have_is_a_failure() -> None:
    outcome = ask("http://127.0.0.1:9", websocket={"send": [float("nan")]})
    assert outcome.status is Status.FAIL
    assert "websocket.send: must have no NaN, no infinite number" in outcome.reason


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_a_message_that_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(RequestError, match="must have no NaN, no infinite number"):
        _ = WebSocket(send=value).messages
