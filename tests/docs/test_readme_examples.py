"""What the README shows of requests and connections works: asked of servers that answer as it says."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, TextMessage

from ecs_hooks.checks import Check
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.plan.model import Plan
from tests.checks.asking import context
from tests.docs.test_readme import EXAMPLES
from tests.http.fixtures import Serve, _loopback_allowed, authority, serve, server_context, trusted
from tests.http.servers import Peer
from tests.support.aws import AwsApi, role_keys

__all__ = ["_loopback_allowed", "authority", "serve", "trusted"]

ASKING = {"http", "scenario", "tcp"}
KEY = "k3y-of-the-readme"
TOKEN, PASSWORD = "t0ken-of-the-readme", "passw0rd-of-the-readme"
SHOWN = [each for each in EXAMPLES if each.get("type") in ASKING or "base_url" in each or "type" not in each]
NEXT = base64.b64encode(b"page 2").decode()
LISTED = {
    "orders": [{"total": "12.50 EUR"}, {"total": "99.00 EUR"}],
    "version": "version 3",
    "next": f"/orders?cursor={NEXT}",
}
SECURE = "Set-Cookie: session=s3cret-s3cret; Secure"


def answer(peer: Peer, method: str, path: str, request: str) -> None:  # noqa: C901, PLR0912 - one case for each route
    """Answer as the examples expect it."""
    expires = f"Expires: {format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)}"
    known = f"Bearer {TOKEN}" in request or "authorization" not in request.lower()
    match method, path:
        case "GET", "/reports" | "/stock" | "/prices" | "/offers" | "/ledger":
            peer.answer(status="200 OK" if is_proved(peer, path, request) else "401 Unauthorized")
        case "GET", "/old":
            peer.answer(b"", "Location: https://shop.example.com/new", status="308 Permanent Redirect")
        case "GET", "/":
            peer.answer(b"<html>" + b"x" * 200 + b"</html>")
        case "GET", "/health":
            peer.answer(b"", "Location: https://shop.example.com/health/live", status="302 Found")
        case "GET", "/health/live":
            is_asked = "host: shop.example.com\r\n" in request.lower()
            peer.answer(b"ok", status="200 OK" if is_asked else "421 Misdirected Request")
        case "POST", "/oauth2/token":
            peer.answer(json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}).encode())
        case "POST", "/login":
            right = "password" not in request or PASSWORD in request
            peer.answer(json.dumps({"token": TOKEN}).encode(), status="200 OK" if right else "401 Unauthorized")
        case "POST", "/process":
            right = 'filename="test.txt"' in request and 'name="description"' in request
            peer.answer(status="200 OK" if right else "400 Bad Request")
        case "POST", "/orders" if known:
            amount = json.loads(request.partition("\r\n\r\n")[2])["amount"]
            peer.answer(json.dumps({"id": f"order {amount}"}).encode(), status="201 Created")
        case "GET", "/orders/order%203" if known:
            peer.answer(json.dumps({"state": "shipped"}).encode())
        case "DELETE", "/orders/order%203" if known:
            peer.answer(status="204 No Content")
        case "GET", "/orders" if known:
            peer.answer(json.dumps(LISTED).encode(), "Cache-Control: private", SECURE, expires)
        case "GET", "/items":
            items = [1] if "page=2" in request else []
            peer.answer(json.dumps({"items": items, "next": "?page=2"}).encode())
        case "GET", "/events":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n")
            peer.hang()
        case "GET", "/live":
            subscribe(peer, request)
        case _:
            peer.answer(status="404 Not Found")


def subscribe(peer: Peer, request: str) -> None:
    """Answer a message on a WebSocket."""
    connection = WSConnection(ConnectionType.SERVER)
    connection.receive_data(request.encode("latin-1"))
    peer.send(connection.send(AcceptConnection()))
    connection.receive_data(peer.connection.recv(65_536))
    messages = [each.data for each in connection.events() if isinstance(each, TextMessage)]
    state = "subscribed" if messages == ['{"subscribe":"prices"}'] else "unknown"
    peer.send(connection.send(TextMessage(data=json.dumps({"state": state}))))
    with suppress(OSError):
        while peer.connection.recv(65_536):
            pass


def is_proved(peer: Peer, path: str, request: str) -> bool:
    """Return whether a request has the credentials that belong to a path."""
    basic = base64.b64encode(f"smoke-test:{PASSWORD}".encode()).decode()
    assert isinstance(peer.connection, ssl.SSLSocket)
    named = peer.connection.getpeercert() or {}
    return {
        "/reports": f"Authorization: Basic {basic}\r\n" in request,
        "/stock": f"X-Api-Key: {KEY}\r\n" in request,
        "/prices": "/us-west-2/execute-api/aws4_request" in request,
        "/offers": "Credential=ASIAOFTHEROLE/" in request,
        "/ledger": "smoke.example" in str(named.get("subjectAltName")),
    }[path]


def played(how: Callable[[Peer, str, str, str], None]) -> Callable[[Peer], None]:
    """Return a server that answers each request of a connection, or a line without HTTP with another one."""

    def script(peer: Peer) -> None:
        while asked := peer.request().decode("latin-1"):
            method, path, *_ = asked.split(" ")
            how(peer, method, path.partition("?")[0], asked)

    return script


def pong(peer: Peer) -> None:
    right = peer.connection.recv(100) == b"PING\r\n"
    peer.send(b"+PONG\r\n" if right else b"-ERR\r\n")


def patient(value: Any) -> Any:
    """Return a check that leaves a busy machine its time."""
    match value:
        case dict():
            slow = {name: each * 100 for name, each in value.items() if re.fullmatch(r"max_\w+_ms", name)}
            return {name: slow.get(name, patient(each)) for name, each in value.items()}
        case list():
            return [patient(each) for each in value]
        case _:
            return value


@pytest.fixture
def secrets(aws: AwsApi, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the examples name and do not hold."""
    pem = authority.cert_pem.bytes().decode()
    kept = {"/shop/certificate-authority": pem, "/smoke-test/password": PASSWORD}
    aws.answer("GetParameter", lambda asked: {"Parameter": {"Value": kept[asked["Name"]]}})
    own = authority.issue_cert("smoke.example")
    of_client = {
        "client_secret": "s3cret-of-the-readme",
        "certificate": "".join(each.bytes().decode() for each in own.cert_chain_pems),
        "private_key": own.private_key_pem.bytes().decode(),
    }
    aws.answer("GetSecretValue", {"SecretString": json.dumps(of_client)})
    monkeypatch.setenv("STOCK_KEY", KEY)
    aws.answer("AssumeRole", role_keys("ASIAOFTHEROLE"))


def checks_of(example: dict[str, Any], url: str) -> tuple[list[Check], str]:
    """Return the checks of an example, with addresses of a server on this machine, and the name that is asked for."""
    text = json.dumps(patient(example)).replace("https://auth.example.com", url)
    fields = json.loads(text)
    plan = Plan.parse({"checks": [fields], "timeout_minutes": 600} if "type" in fields else {**fields, "base_url": url})
    return list(plan.checks), plan.policies.host or ""


def asked(check: Check, green: Endpoint) -> Outcome:
    try:
        return check.run(context(green, seconds=200))
    except ExplainedError as error:  # as whoever runs the checks of a hook has it
        return error.outcome


def label(example: dict[str, Any]) -> str:
    return str(example.get("name") or example.get("type", "plan"))


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("example", SHOWN, ids=label)
def test_an_example_passes_where_green_is_as_it_says_and_nowhere_else(
    serve: Serve, trusted: trustme.CA, example: dict[str, Any]
) -> None:
    certificate = server_context(trusted.issue_cert("127.0.0.1", "shop.example.com"))
    certificate.verify_mode = ssl.CERT_OPTIONAL
    trusted.configure_trust(certificate)
    if example.get("type") == "tcp":
        right, wrong = serve(pong), serve(lambda peer: peer.send(b"-ERR\r\n"))
    else:
        right = serve(played(answer), certificate)
        wrong = serve(played(lambda peer, *_: peer.answer(status="404 Not Found")), certificate)

    for server, expected in ((right, Status.PASS), (wrong, Status.FAIL)):
        checks, host = checks_of(example, server.url)
        outcomes = [asked(check, Endpoint(server.url, host=host)) for check in checks]
        assert {outcome.status for outcome in outcomes} == {expected}, outcomes
        assert "; warning: cleanup" not in str(outcomes) or server is wrong
    assert all(secret not in str(outcomes) for secret in (TOKEN, PASSWORD, KEY))


def test_every_kind_that_asks_green_is_shown() -> None:
    kinds = {each["type"] for example in SHOWN for each in example.get("checks", [example])}
    text = json.dumps(SHOWN)

    assert kinds == ASKING
    for feature in ("max_body_bytes", "max_latency_ms", "User-Agent", "cleanup", "filters", "ca_certificates"):
        assert f'"{feature}": ' in text
    assert '"warn": true' in text
