"""Requests that authenticate, of every kind of check that sends them."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from ecs_hooks.checks import Check, HttpCheck, LoadCheck, ScenarioCheck
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.deployment.actions import SharedActions
from ecs_hooks.deployment.endpoint import Endpoint
from tests.auth.authorization_server import CLIENT, SECRET, AuthorizationServer, serving
from tests.checks.asking import context
from tests.checks.load.loads import brief
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, Script
from tests.support.aws import AwsApi
from tests.support.conditions import header
from tests.support.targets import behind

pytestmark = pytest.mark.usefixtures("fast_function")

PASSWORD = "hunter2-hunter2"
OAUTH2 = {"client_id": CLIENT, "client_secret": SECRET}
LOAD: dict[str, Any] = {"requests_per_second": 20, "duration_seconds": 1, "timeout_seconds": 5}


@pytest.fixture
def tokens() -> Iterator[AuthorizationServer]:
    with serving() as server:
        yield server


def wanting(line: str, seen: list[str] | None = None) -> Script:
    """A server that answers 200 to requests with a line in their head, and 401 to others."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            head = request.partition(b"\r\n\r\n")[0].decode("latin-1")
            if seen is not None:
                seen.append(head)
            peer.answer(b"ok", status="200 OK" if line in head else "401 Unauthorized")

    return script


def http(auth: dict[str, Any], **fields: Any) -> HttpCheck:
    return HttpCheck.model_validate({"auth": auth, "connect_retries": 0, **fields})


def whole_load(auth: dict[str, Any], **fields: Any) -> LoadCheck:
    return LoadCheck.model_validate({**LOAD, "requests": [{"auth": auth, "expect": {"status": 200}, **fields}]})


def load(auth: dict[str, Any], **fields: Any) -> LoadCheck:
    return brief(whole_load(auth, **fields))


def scenario(auth: dict[str, Any], **fields: Any) -> ScenarioCheck:
    request = {"auth": auth, "connect_retries": 0, **fields}
    return ScenarioCheck.model_validate({"requests": [request, request], "budget_seconds": 10})


CHECKS = [http, load, scenario]


def run(check: Check, green: str | Endpoint, *, seconds: float = 20) -> Outcome:
    """Return what comes of a check, as the runner sees it."""
    try:
        outcome = check.run(context(green, seconds=seconds))
    except ExplainedError as error:
        outcome = error.outcome
    assert PASSWORD not in outcome.reason
    return outcome


BASIC = base64.b64encode(f"smoke:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("make", CHECKS)
@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ({"basic": {"username": "smoke", "password": PASSWORD}}, f"\r\nAuthorization: Basic {BASIC}"),
        ({"bearer": {"token": PASSWORD}}, f"\r\nAuthorization: Bearer {PASSWORD}"),
        ({"api_key": {"header": "X-Key", "value": PASSWORD}}, f"\r\nX-Key: {PASSWORD}"),
        ({"api_key": {"query": "key", "value": f"{PASSWORD} +"}}, f"GET /?key={PASSWORD}+%2B HTTP"),
    ],
)
def test_every_check_that_sends_requests_authenticates_them(
    serve: Serve, make: Any, auth: dict[str, Any], line: str
) -> None:
    url = serve(wanting(line)).url
    assert run(make(auth), url).status is Status.PASS
    (kind,) = auth
    wrong = {kind: {name: "wrong" if value.startswith(PASSWORD) else value for name, value in auth[kind].items()}}
    assert run(make(wrong), url).status is Status.FAIL


@pytest.mark.parametrize("make", CHECKS)
def test_one_token_is_used_for_all_requests(serve: Serve, tokens: AuthorizationServer, make: Any) -> None:
    url = serve(wanting("Authorization: Bearer t0ken-1-of-the-server")).url
    check = make({"oauth2": {"token_url": tokens.url, **OAUTH2}})

    assert [run(check, url).status for _ in range(2)] == [Status.PASS] * 2
    assert len(tokens.asked) == 1
    assert next(iter(check.requirements().urls)) == tokens.url


def test_a_token_that_expires_during_a_load_is_replaced(serve: Serve, tokens: AuthorizationServer) -> None:
    tokens.fields["expires_in"] = 0.3
    seen: list[str] = []
    url = serve(wanting("Authorization: Bearer t0ken-", seen)).url

    assert run(whole_load({"oauth2": {"token_url": tokens.url, **OAUTH2}}), url).status is Status.PASS
    assert 2 <= len(tokens.issued) <= 6
    assert {f"t0ken-{number + 1}-" in "".join(seen) for number in range(len(tokens.issued))} == {True}


@pytest.mark.parametrize("make", CHECKS)
def test_without_a_token_no_request_is_sent(serve: Serve, tokens: AuthorizationServer, make: Any) -> None:
    server = serve(wanting(""))
    check = make({"oauth2": {"token_url": tokens.url, **OAUTH2}})
    tokens.answer(503, {})
    outcome = run(check, server.url)
    assert outcome.status is Status.ERROR
    assert "status 503" in outcome.reason

    tokens.answer(401, {"error": "invalid_client"})
    assert run(check, server.url).status is Status.FAIL
    assert server.connections == 0


def test_a_load_ends_without_a_further_token(serve: Serve, tokens: AuthorizationServer) -> None:
    tokens.fields["expires_in"] = 0.3
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            received.append(request)
            tokens.answer(503, {})
            peer.answer()

    outcome = run(whole_load({"oauth2": {"token_url": tokens.url, **OAUTH2}}), serve(script).url)
    assert outcome.status is Status.ERROR
    assert outcome.reason.endswith("status 503")
    assert 0 < len(received) < 20


@pytest.mark.parametrize("make", CHECKS)
def test_requests_have_a_client_certificate(serve: Serve, trusted: trustme.CA, make: Any) -> None:
    made = trusted.issue_cert("smoke.example")
    server = server_context(trusted.issue_cert("127.0.0.1"))
    server.verify_mode = ssl.CERT_REQUIRED
    trusted.configure_trust(server)
    url = serve(wanting(""), server).url
    pem = {
        "certificate": "".join(each.bytes().decode() for each in made.cert_chain_pems),
        "private_key": made.private_key_pem.bytes().decode(),
    }

    assert run(make({"mutual_tls": pem}), url).status is Status.PASS
    outcome = run(make({"mutual_tls": {**pem, "private_key": pem["certificate"]}}), url)
    assert outcome.status is Status.FAIL
    assert "the client certificate can't be used" in outcome.reason
    outcome = run(make({"mutual_tls": pem}), url.replace("https", "http"))
    assert outcome.status is Status.FAIL
    assert "auth.mutual_tls requires https, but the address is http" in outcome.reason


@pytest.mark.parametrize("make", CHECKS)
def test_secrets_by_reference(serve: Serve, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    aws.answer("GetSecretValue", {"SecretString": json.dumps({"user": "smoke", "password": PASSWORD})})
    aws.answer("GetParameter", {"Parameter": {"Value": "k3y-k3y"}})
    monkeypatch.setenv("TENANT", "t3nant")
    seen: list[str] = []
    kept = {"secretsmanager": "shop"}
    auth = {"basic": {"username": {**kept, "key": "user"}, "password": {**kept, "key": "password"}}}
    headers = {"X-Key": {"ssm": "/shop/key"}, "X-Tenant": {"env": "TENANT"}, "X-Plain": "p"}
    check = make(auth, headers=headers)

    assert run(check, serve(wanting(f"Authorization: Basic {BASIC}", seen)).url).status is Status.PASS
    assert all(line in seen[-1] for line in ("X-Key: k3y-k3y", "X-Tenant: t3nant", "X-Plain: p"))
    assert aws.calls == {"GetSecretValue": 1, "GetParameter": 1}
    shared = SharedActions("", (), {"test": frozenset({"a:B"}), "production": frozenset()})
    assert check.requirements().iam_actions(shared) == {"secretsmanager:GetSecretValue", "ssm:GetParameter", "a:B"}


@pytest.mark.parametrize("make", CHECKS)
def test_a_secret_that_is_not_available_is_named(serve: Serve, aws: AwsApi, make: Any) -> None:
    check = make({"bearer": {"token": {"ssm": "/shop/token"}}})
    server = serve(wanting(""))
    aws.error("GetParameter", "ThrottlingException")
    assert run(check, server.url).status is Status.ERROR

    aws.error("GetParameter", "AccessDeniedException")
    outcome = run(check, server.url)
    assert outcome.status is Status.FAIL
    assert "ssm:GetParameter: AccessDeniedException; allow the action ssm:GetParameter" in outcome.reason
    assert server.connections == 0


def test_a_secret_that_is_no_valid_header_is_a_failure(serve: Serve, aws: AwsApi) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": f"{PASSWORD}\n"}})
    for check in (
        http({"bearer": {"token": {"ssm": "/a"}}}),
        HttpCheck.model_validate({"headers": {"Authorization": {"ssm": "/a"}}}),
    ):
        outcome = run(check, serve(wanting("")).url)
        assert outcome.status is Status.FAIL
        assert (
            outcome.reason
            == "header 'Authorization' has a value with line breaks or other characters that are not allowed in a header"
        )


def test_a_user_name_with_a_colon_is_a_failure(serve: Serve, aws: AwsApi) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": "a:b-c:d"}})
    outcome = run(http({"basic": {"username": {"ssm": "/a"}, "password": PASSWORD}}), serve(wanting("")).url)
    assert outcome == Outcome.failed("auth.basic.username: must not contain a colon")


def test_a_secret_header_must_match_the_listener_rule(serve: Serve, aws: AwsApi) -> None:
    aws.answer("GetParameter", {"Parameter": {"Value": "test"}})
    check = HttpCheck.model_validate({"headers": {"X-Environment": {"ssm": "/a"}}})
    seen: list[str] = []
    url = serve(wanting("", seen)).url

    for green in (Endpoint(url, {"X-Environment": "test"}), behind(url, header("X-Environment", "test"))):
        assert run(check, green).status is Status.PASS
        assert seen.pop().count("X-Environment: test") == 1
    for green in (Endpoint(url, {"X-Environment": "green"}), behind(url, header("X-Environment", "green"))):
        assert run(check, green).reason == (
            "the listener rule requires another value of header X-Environment than the request has; change or remove "
            "X-Environment"
        )
        assert not seen


@pytest.mark.parametrize(
    "fields",
    [
        {"auth": {"api_key": {"header": "X-Tenant", "value": PASSWORD}}},
        {"auth": {"api_key": {"query": "tenant", "value": PASSWORD}}},
        {"auth": {"bearer": {"token": PASSWORD}}},
        {"headers": {"X-Tenant": {"env": "TENANT"}}},
    ],
)
def test_a_redirect_to_another_server_gets_no_credentials(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setenv("TENANT", PASSWORD)
    seen: list[str] = []
    other = serve(wanting("", seen))

    def leave(peer: Peer) -> None:
        head = peer.request().decode()
        assert PASSWORD in head
        peer.answer(b"", f"Location: {'/next' if 'GET /next' not in head else other.url}", status="302 Found")

    check = HttpCheck.model_validate({**fields, "follow_redirects": True})
    assert run(check, serve(leave).url).status is Status.PASS
    assert len(seen) == 1
    assert PASSWORD not in seen[0]


def test_an_address_is_shown_and_asserted_without_the_api_key(serve: Serve) -> None:
    url = serve(wanting(f"key={PASSWORD}")).url
    asserts = [{"query": "url", "equals": f"{url}/x?a=***"}]
    check = http({"api_key": {"query": "key", "value": PASSWORD}}, path="/x?a=1", expect={"asserts": asserts})
    outcome = run(check, url)

    assert outcome.status is Status.PASS, outcome
    assert f"GET {url}/x?a=*** status 200" in outcome.reason


def test_a_scenario_logs_in_with_secrets(serve: Serve, aws: AwsApi) -> None:
    aws.answer("GetSecretValue", {"SecretString": PASSWORD})
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            seen.append(request)
            peer.answer(json.dumps({"token": "t0ken-of-green", "echo": PASSWORD}).encode())

    login = {
        "method": "POST",
        "path": "/login",
        "json": {"password": "{{password}}", "pin": "{{pin}}"},
        "captures": {"token": {"query": "jsonpath", "path": "$.token"}},
    }
    look = {
        "path": "/orders/{{password}}",
        "auth": {"bearer": {"token": "{{token}}"}},
        "expect": {"json": {"$.echo": "other"}},
    }
    check = ScenarioCheck.model_validate(
        {
            "requests": [login, look],
            "secrets": {"password": {"secretsmanager": "shop"}, "pin": "p1n-p1n"},
            "budget_seconds": 10,
        }
    )
    outcome = run(check, serve(script).url)

    assert outcome.status is Status.FAIL
    assert 'json $.echo is "***", expected "other"' in outcome.reason
    assert seen[0].endswith(json.dumps({"password": PASSWORD, "pin": "p1n-p1n"}, separators=(",", ":")).encode())
    assert b"Authorization: Bearer t0ken-of-green" in seen[1]


def test_a_scenario_cleans_up_without_a_secret(serve: Serve, aws: AwsApi) -> None:
    aws.error("GetParameter", "ThrottlingException")
    seen: list[str] = []
    check = ScenarioCheck.model_validate(
        {
            "requests": [{"path": "/1"}, {"path": "/2", "auth": {"bearer": {"token": {"ssm": "/a"}}}}],
            "cleanup": [{"path": "/3"}],
            "budget_seconds": 5,
            "cleanup_seconds": 5,
        }
    )
    outcome = run(check, serve(wanting("", seen)).url)

    assert outcome.status is Status.ERROR
    assert outcome.reason == "request 2 ssm:GetParameter: ThrottlingException (/a)"
    assert [head.split()[1] for head in seen] == ["/1", "/3"]
