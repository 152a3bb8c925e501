"""No secret of a plan gets into an outcome, even from a server that sends everything back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws import clients
from ecs_hooks.checks import Check, HttpCheck, LoadCheck, ScenarioCheck
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.http.guard import VARIABLE
from tests.auth.authorization_server import serving as tokens_serving
from tests.auth.signatures import KEYS, SESSION_TOKEN
from tests.checks.asking import context
from tests.checks.load.loads import brief
from tests.conftest import load_event
from tests.http.servers import Peer, Server
from tests.support.aws import AwsApi

# Letters that no reason is made of, so that a hit is a leak.
SECRETS = st.text(alphabet="ÄÖÜäöüß§$%&'\"\\ +~", min_size=4, max_size=30).filter(
    lambda text: text == text.strip() and len(set(text)) > 2
)


def echo(peer: Peer) -> None:
    request = peer.request().decode("latin-1")
    peer.answer(
        json.dumps({"all": request}).encode(),
        f"X-Echo: {quote(request)[:40_000]}",
        f"Location: /{quote(request)[:10_000]}",
        status="302 Found",
    )


def mirror(peer: Peer) -> None:
    """Send back what a request proves its sender with, and nothing else: a reason shows the beginning of a text
    only."""
    head, _, _ = peer.request().decode("latin-1").partition("\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
    value = headers.get(head.split(" ")[1].strip("/"), "nothing")
    proof = value.rpartition("Signature=")[2].removeprefix("Bearer ")
    peer.answer(json.dumps({"all": proof}).encode(), f"X-Echo: {quote(proof)}", status="302 Found")


@pytest.fixture(autouse=True)
def _no_pause_before_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once: these tests look at what is called and shown, not at when."""
    monkeypatch.setattr("ecs_hooks.http.retry._PAUSES", (0.001,) * 4)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Server(echo)
    yield server.url
    server.close()


@pytest.fixture(scope="module")
def mirroring() -> Iterator[str]:
    server = Server(mirror)
    yield server.url
    server.close()


def leaks(outcome: Outcome, secret: str) -> bool:
    return leak(outcome.reason + json.dumps(dict(outcome.evidence), ensure_ascii=False), secret)


def leak(text: str, secret: str) -> bool:
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    forms |= {base64.b64encode(each.encode()).decode() for each in (secret, f"u:{secret}")}
    return any(form in text for form in forms)


@settings(max_examples=25)
@given(SECRETS, st.sampled_from(["header", "basic", "query", "path", "userinfo", "json", "form", "multipart"]))
def test_a_secret_stays_out_of_the_outcome(url: str, secret: str, place: str) -> None:
    headers: dict[str, dict[str, str]] = {
        "header": {"X-Api-Key": secret},
        "basic": {"Authorization": f"Basic {base64.b64encode(f'u:{secret}'.encode()).decode()}"},
    }
    bodies: dict[str, dict[str, Any]] = {
        "json": {"json": {"deep": [{"password": secret}]}},
        "form": {"form": {"client_secret": [secret]}},
        "multipart": {"multipart": {"token": secret}},
        "query": {"query": {"api_key": secret}},
        "path": {"path": f"/x?token={quote(secret, safe='')}"},
    }
    check = HttpCheck.model_validate(
        {
            "method": "POST",
            "headers": headers.get(place, {}),
            **bodies.get(place, {}),
            "expect": {
                "json": {"$.all": {"equals": secret}},
                "headers": {"X-Echo": {"equals": secret}},
                "body": {"contains": "never there"},
            },
        }
    )
    base = url.replace("//", f"//u:{quote(secret, safe='')}@") if place == "userinfo" else url
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "127.0.0.1")
        outcome = check.run(context(base))
        assert outcome.status is Status.FAIL
        assert "expected 2xx" in outcome.reason
        assert not leaks(outcome, secret)
        for expect in ("json", "headers"):
            only = HttpCheck.model_validate(
                {
                    **check.model_dump(by_alias=True, exclude_unset=True),
                    "expect": {"status": 302, expect: {"$.all" if expect == "json" else "X-Echo": {"equals": secret}}},
                }
            ).run(context(base))
            assert only.status is Status.FAIL
            assert not leaks(only, secret)


def test_a_secret_stays_out_of_the_reason_without_a_connection() -> None:
    check = HttpCheck(url="http://user:passw0rd@127.0.0.1:1/x?token=t0ken-t0ken", connect_retries=0)
    outcome = check.run(context(None))
    assert outcome.status is Status.ERROR
    assert "passw0rd" not in outcome.reason
    assert "t0ken-t0ken" not in outcome.reason


NAME = "A_SECRET_OF_THE_FUNCTION"
AUTH: dict[str, Callable[[Any], dict[str, Any]]] = {
    "basic": lambda secret: {"auth": {"basic": {"username": "u", "password": secret}}},
    "user": lambda secret: {"auth": {"basic": {"username": secret, "password": "p4ss-w0rd"}}},
    "bearer": lambda secret: {"auth": {"bearer": {"token": secret}}},
    "key in a header": lambda secret: {"auth": {"api_key": {"header": "X-Tenant", "value": secret}}},
    "key in the address": lambda secret: {"auth": {"api_key": {"query": "tenant", "value": secret}}},
    "header": lambda secret: {"headers": {"X-Tenant": secret}},
}
ECHOED = {
    "json": {"$.all": {"equals": "x"}},
    "headers": {"X-Echo": {"equals": "x"}},
    "body": {"contains": "never there"},
}
EXPECTS: list[dict[str, Any]] = [ECHOED, *({"status": 302, name: value} for name, value in ECHOED.items())]


def http(fields: dict[str, Any], expect: dict[str, Any]) -> Check:
    return HttpCheck.model_validate({**fields, "method": "POST", "connect_retries": 0, "expect": expect})


def sampled(fields: dict[str, Any], expect: dict[str, Any]) -> Check:
    return HttpCheck.model_validate({**fields, "samples": {"count": 4, "concurrency": 2}, "expect": expect})


def scenario(fields: dict[str, Any], expect: dict[str, Any]) -> Check:
    return ScenarioCheck.model_validate({"requests": [{**fields, "expect": expect}], "budget_seconds": 5})


def load(fields: dict[str, Any], _: dict[str, Any]) -> Check:
    few = {"requests_per_second": 4, "duration_seconds": 1, "timeout_seconds": 5}
    return brief(LoadCheck.model_validate({**few, "requests": [{**fields, "expect": {"status": 200}}]}))


def outcome_of(check: Check, url: str) -> Outcome:
    try:
        return check.run(context(url))
    except ExplainedError as error:
        return error.outcome


@settings(max_examples=25)
@given(SECRETS.filter(lambda text: ":" not in text), st.sampled_from(list(AUTH)), st.sampled_from([http, scenario]))
def test_a_secret_by_reference_stays_out_of_the_outcome(url: str, secret: str, place: str, make: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "127.0.0.1")
        patch.setenv(NAME, secret)
        for expect in EXPECTS:
            outcome = outcome_of(make(AUTH[place]({"env": NAME}), expect), url)
            assert outcome.status is Status.FAIL
            assert "expected" in outcome.reason
            assert not leaks(outcome, secret)
        unreachable = outcome_of(make(AUTH[place]({"env": NAME}), {}), "http://127.0.0.1:1")
        assert unreachable.status is Status.ERROR
        assert not leaks(unreachable, secret)


@pytest.mark.parametrize("make", [http, sampled, scenario, load])
@pytest.mark.parametrize("place", AUTH)
def test_a_secret_stays_out_of_the_outcome_of_every_check(
    url: str, monkeypatch: pytest.MonkeyPatch, place: str, make: Any
) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    for expect in EXPECTS if make is not load else EXPECTS[:1]:
        for secret in ("hunter2-hunter2", {"env": NAME}):
            if place == "header" and isinstance(secret, str):
                continue  # no name makes this header a secret
            monkeypatch.setenv(NAME, "hunter2-hunter2")
            outcome = outcome_of(make(AUTH[place](secret), expect), url)
            assert outcome.status is Status.FAIL, outcome
            if place == "user" and isinstance(secret, str):
                assert "p4ss-w0rd" not in outcome.reason
            else:
                assert not leaks(outcome, "hunter2-hunter2")


@pytest.mark.parametrize("make", [http, sampled, scenario, load])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_tokens_stay_out_of_the_outcome(
    mirroring: str, monkeypatch: pytest.MonkeyPatch, make: Any, method: str
) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    with tokens_serving() as tokens:
        credentials = {"client_id": "smoke test", "client_secret": "hunter2-hunter2"}
        oauth2 = {"token_url": tokens.url, "token_endpoint_auth_method": method, **credentials}
        fields = {"path": "/authorization", "auth": {"oauth2": oauth2}}
        refused = outcome_of(make(fields, ECHOED), mirroring)
        assert "status 401 invalid_client" in refused.reason
        tokens.answer(200, {"access_token": "t0ken-t0ken", "token_type": "bearer"})
        outcomes = [outcome_of(make(fields, expect), mirroring) for expect in EXPECTS]
    for each in [refused, *outcomes]:
        assert each.status is Status.FAIL, each
        assert not leaks(each, "hunter2-hunter2")
        assert not leaks(each, "t0ken-t0ken")
    assert make is load or '"***"' in outcomes[1].reason


@pytest.mark.parametrize("make", [http, sampled, scenario, load])
def test_signatures_stay_out_of_the_outcome(mirroring: str, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    for name, value in {**KEYS, "AWS_SESSION_TOKEN": SESSION_TOKEN}.items():
        monkeypatch.setenv(name, value)
    clients._session.cache_clear()
    auth = {"auth": {"sigv4": {"service": "execute-api"}}}
    for path in ("authorization", "x-amz-security-token"):
        for expect in EXPECTS:
            outcome = outcome_of(make({**auth, "path": f"/{path}"}, expect), mirroring)
            assert outcome.status is Status.FAIL, outcome
            assert not leaks(outcome, SESSION_TOKEN)
            assert not re.search(r"[0-9a-f]{64}", outcome.reason)
        shown = outcome_of(make({**auth, "path": f"/{path}"}, EXPECTS[1]), mirroring)
        assert make is load or '"***"' in shown.reason
    clients._session.cache_clear()


def test_a_secret_capture_stays_out_of_the_outcome(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    capture = {"query": "jsonpath", "path": "$.all", "secret": True}
    first = {"path": "/hunter2-hunter2", "captures": {"all": capture}, "expect": {"status": 302}}
    again = {"method": "POST", "path": "/x", "body": "{{all}}", "expect": {**ECHOED, "status": 302}}
    shown = ScenarioCheck.model_validate({"requests": [first, again], "budget_seconds": 5}).run(context(url))
    assert shown.status is Status.FAIL
    assert "hunter2-hunter2" not in shown.reason.partition("request 2")[2]


@pytest.mark.usefixtures("lines")  # the logger writes to the stdout that capfd reads
def test_secrets_are_not_in_the_log_the_state_or_the_response(
    url: str, aws: AwsApi, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    monkeypatch.setenv(NAME, "hunter2-hunter2")
    aws.answer("GetSecretValue", {"SecretString": json.dumps({"password": "hunter2-hunter2"})})
    aws.answer("GetParameter", {"Parameter": {"Value": "hunter2-hunter2"}})
    kept = [{"secretsmanager": "shop", "key": "password"}, {"ssm": "/shop"}, {"env": NAME}]
    until = {"timeout_seconds": 3600}
    checks: list[dict[str, Any]] = [
        {"type": "http", "name": f"{place} {number}", **AUTH[place](secret), "until": until, "expect": ECHOED}
        for place in AUTH
        for number, secret in enumerate(kept)
    ]
    checks.append({"type": "scenario", "secrets": {"a": kept[1]}, "requests": [{"body": "{{a}}"}], "budget_seconds": 5})
    plan = {"base_url": url, "checks": checks[:-1]}
    first = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails=plan))
    second = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails=first["hookDetails"]))
    plan["checks"] = checks
    third = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(load_event(hookDetails=plan))
    logged = "".join(capfd.readouterr())

    assert [each["hookStatus"] for each in (first, second, third)] == ["IN_PROGRESS", "IN_PROGRESS", "FAILED"]
    assert logged.count("expected 2xx") > len(checks)
    for each in (first, second, third, logged):
        assert not leak(str(each), "hunter2-hunter2")
    assert aws.calls == {
        "GetSecretValue": 1,
        "GetParameter": 1,
        "DescribeServiceDeployments": aws.calls["DescribeServiceDeployments"],
    }
