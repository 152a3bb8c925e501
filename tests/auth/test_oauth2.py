from __future__ import annotations

import threading
from typing import Any

import pytest
import trustme

from ecs_hooks.auth.fields import OAuth2
from ecs_hooks.auth.oauth2 import TokenError
from ecs_hooks.auth.secret_resolver import SecretResolver
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.request import Request
from ecs_hooks.http.url import Url
from tests.auth.authorization_server import CLIENT, SECRET, AuthorizationServer
from tests.http.fixtures import Serve, server_context
from tests.http.servers import Peer, replying

LIMITS = Limits(connect_retries=0, timeout_seconds=5)
REQUEST = Request.build("GET", Url.parse("http://green.example/"))


def resolver(redactor: Redactor | None = None, *, seconds: float = 20, **limits: Any) -> SecretResolver:
    return SecretResolver(
        redactor or Redactor(), lambda: "us-west-2", LIMITS._replace(**limits), Deadline.after(seconds)
    )


def header(url: str, keys: SecretResolver | None = None, **fields: Any) -> str:
    """Return the `Authorization` header of a request."""
    oauth2 = OAuth2.model_validate({"token_url": url, "client_id": CLIENT, "client_secret": SECRET, **fields})
    return oauth2.authorization(keys or resolver()).authorize(REQUEST).headers["Authorization"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_token_for_the_credentials_of_a_client(tokens: AuthorizationServer, method: str) -> None:
    fields: dict[str, Any] = {"scope": "orders:read orders:write", "audience": "https://shop.example"}

    assert header(tokens.url, token_endpoint_auth_method=method, **fields) == "Bearer t0ken-1-of-the-server"
    (form,) = tokens.asked
    in_form = {"client_id": CLIENT, "client_secret": SECRET} if method == "client_secret_post" else {}
    assert form == {"grant_type": "client_credentials", **fields, **in_form}


def test_a_token_is_used_until_shortly_before_it_expires(tokens: AuthorizationServer) -> None:
    now = [1000.0]
    with clock.use(lambda: now[0]):
        for life, used in ((3600, 3540), (100, 90), ("100", 90), (None, 54), ("soon", 54), (-1, 54), (10**999, 54)):
            tokens.fields["expires_in"] = life
            now[0] += 10_000
            first = header(tokens.url)
            now[0] += used - 0.5
            assert header(tokens.url) == first, life
            now[0] += 0.5
            assert header(tokens.url) != first, life


def test_a_token_is_for_one_client_scope_and_audience(tokens: AuthorizationServer) -> None:
    first = header(tokens.url)
    others: list[dict[str, Any]] = [
        {"scope": "a"},
        {"audience": "a"},
        {"token_endpoint_auth_method": "client_secret_post"},
    ]

    assert header(tokens.url) == first
    assert len({first, *(header(tokens.url, **fields) for fields in others)}) == 4
    # A token from an endpoint whose certificate was not verified is not used by a check that verifies it.
    assert header(tokens.url, resolver(verify_tls=False)) != first


def test_checks_that_need_a_token_at_the_same_time_request_one(tokens: AuthorizationServer) -> None:
    tokens.delay = 0.3
    headers: list[str] = []
    threads = [threading.Thread(target=lambda: headers.append(header(tokens.url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert headers == ["Bearer t0ken-1-of-the-server"] * 8
    assert len(tokens.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "outcome", "says"),
    [
        (401, {"error": "invalid_client"}, Status.FAIL, "status 401 invalid_client"),
        (400, {"error": "invalid_scope", "error_description": SECRET}, Status.FAIL, "status 400 invalid_scope"),
        (400, {"error": SECRET}, Status.FAIL, "status 400"),
        (400, {"error": [SECRET]}, Status.FAIL, "status 400"),
        (404, b"<html>", Status.FAIL, "status 404"),
        (302, b"", Status.FAIL, "status 302"),
        (429, {"error": "slow_down"}, Status.ERROR, "status 429"),
        (503, [], Status.ERROR, "status 503"),
        (200, b"", Status.ERROR, "response body (0 bytes) is not valid JSON"),
        (
            200,
            b'{"expires_in": NaN}',
            Status.ERROR,
            "response body (19 bytes) is not valid JSON: NaN is not a number of JSON",
        ),
        (200, [], Status.ERROR, "returned no bearer token"),
        (200, {"token_type": "Bearer"}, Status.ERROR, "returned no bearer token"),
        (200, {"token_type": "mac", "access_token": "t0ken"}, Status.ERROR, "returned no bearer token"),
        (200, {"access_token": "t0ken"}, Status.ERROR, "returned no bearer token"),
        (200, {"token_type": "bearer", "access_token": "a\r\nb: c"}, Status.ERROR, "returned no bearer token"),
        (200, {"token_type": "bearer", "access_token": ""}, Status.ERROR, "returned no bearer token"),
        (200, b"x" * 70_000, Status.ERROR, "response body is larger than max_body_bytes (65536)"),
    ],
)
def test_a_response_without_a_token(
    tokens: AuthorizationServer, status: int, body: Any, outcome: Status, says: str
) -> None:
    tokens.answer(status, body)
    with pytest.raises(TokenError) as caught:
        header(tokens.url)

    assert caught.value.outcome.status is outcome
    assert caught.value.outcome.reason == f"auth.oauth2: POST {tokens.url} {says}"
    assert len(tokens.asked) == 1


def test_a_failed_token_request_says_nothing_about_green(
    serve: Serve, trusted: trustme.CA, tokens: AuthorizationServer
) -> None:
    with pytest.raises(TokenError, match="connection refused") as refused:
        header("http://127.0.0.1:1/token")
    with pytest.raises(TokenError, match=r"no complete response header within 0\.3 s") as slow:
        header(serve(Peer.hang).url, resolver(timeout_seconds=0.3))
    with pytest.raises(TokenError, match="when the time of this invocation was over") as late:
        header(serve(Peer.hang).url, resolver(seconds=0.3))
    wrong = server_context(trusted.issue_cert("other.example"))
    with pytest.raises(TokenError, match="certificate is not valid") as certificate:
        header(serve(replying(), wrong).url)

    found = [each.value.outcome.status for each in (refused, slow, late, certificate)]
    assert found == [Status.ERROR, Status.ERROR, Status.WAIT, Status.FAIL]


def test_the_address_guard_applies_to_the_token_endpoint(
    tokens: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(TokenError, match=r"refused: 127\.0\.0\.1 is a loopback address") as caught:
        header(tokens.url)
    assert caught.value.outcome.status is Status.FAIL
    assert not tokens.asked


def test_a_failed_connection_is_retried(tokens: AuthorizationServer, serve: Serve) -> None:
    attempts: list[int] = []

    def script(peer: Peer) -> None:
        attempts.append(1)
        peer.request()
        if len(attempts) == 1:
            peer.reset()
        else:
            peer.answer(b'{"access_token": "t0ken", "token_type": "bearer"}')

    assert header(serve(script).url, resolver(connect_retries=1)) == "Bearer t0ken"


def test_credentials_and_token_are_masked(tokens: AuthorizationServer) -> None:
    redactor = Redactor()
    token = header(tokens.url, resolver(redactor)).removeprefix("Bearer ")
    again = Redactor()
    header(tokens.url, resolver(again))

    for each in (redactor, again):
        assert each.mask(f"{SECRET} {token}") == "*** ***"
