"""No secret gets into a reason, in whatever form and place a server sends it back, nor to another origin."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from ecs_hooks.checks import HttpCheck, ScenarioCheck
from ecs_hooks.core.outcome import Status
from ecs_hooks.http.guard import VARIABLE
from tests.checks.asking import context
from tests.http.servers import Peer, Server
from tests.support.encoders import ENCODERS, Encoder

SECRET = "k3y/+=9sd8f7&<Q>~zX"
NAME = "A_SECRET_OF_THE_FUNCTION"
EXPECTS: list[dict[str, Any]] = [
    {"status": 200},
    {"status": 302, "json": {"$.all": {"equals": "x"}}},
    {"status": 302, "headers": {"X-Echo": {"equals": "x"}}},
    {"status": 302, "body": {"equals": "x"}},
    {"status": 302, "asserts": [{"query": "jsonpath", "path": "$.all", "filters": ["url_encode"], "equals": "x"}]},
    {"status": 302, "asserts": [{"query": "url", "equals": "x"}]},
]


@pytest.fixture(autouse=True)
def _function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1,127.0.0.2")
    monkeypatch.setenv(NAME, SECRET)


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def other(requests: list[str]) -> Iterator[str]:
    def answer(peer: Peer) -> None:
        requests.append(peer.request().decode("latin-1"))
        peer.answer(b"{}")

    server = Server(answer)
    yield server.url
    server.close()


@pytest.mark.parametrize("filled", [0, 60, 190])
@pytest.mark.parametrize("encode", ENCODERS)
def test_an_encoded_secret_stays_out_of_the_outcome(encode: Encoder, filled: int) -> None:
    echoed = encode(SECRET, random.Random(filled))
    text = "x" * filled + " " + echoed

    def answer(peer: Peer) -> None:
        peer.request()
        body = json.dumps({"all": text}).encode()
        headers = [f"X-Echo: {text}", f"Location: /a{'x' * filled}/{quote(echoed)}"]
        peer.answer(body, *headers, status=f"302 {quote(echoed, safe='%/+=&;#')}")

    server = Server(answer)
    try:
        outcomes = [
            HttpCheck.model_validate({"headers": {"X-Tenant": {"env": NAME}}, "expect": expect}).run(
                context(server.url)
            )
            for expect in EXPECTS
        ]
        followed = HttpCheck.model_validate(
            {"headers": {"X-Tenant": {"env": NAME}}, "follow_redirects": True, "max_redirects": 1, "max_body_bytes": 9}
        ).run(context(server.url))
    finally:
        server.close()
    for outcome in (*outcomes, followed):
        assert outcome.status is Status.FAIL
        shown = outcome.reason + json.dumps(dict(outcome.evidence))
        for form in (SECRET, echoed, quote(echoed)):
            assert not [form[at : at + 12] for at in range(len(form) - 11) if form[at : at + 12] in shown], shown


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"X-Foo": "{{token}}"}},
        {"headers": {"X-Foo": "is {{token}}"}},
        {"headers": {"X-Foo": {"env": NAME}}},
        {"headers": {"Ocp-Apim-Subscription-Key": "5ecr3t-5ecr3t"}},
        {"auth": {"api_key": {"header": "X-Tenant", "value": {"env": NAME}}}},
        {"auth": {"bearer": {"token": "{{token}}"}}},
    ],
)
def test_another_origin_gets_no_secret(other: str, requests: list[str], fields: dict[str, Any]) -> None:
    token = "t0ken-t0ken"

    def answer(peer: Peer) -> None:
        if peer.request().startswith(b"GET /login"):
            peer.answer(json.dumps({"token": token}).encode())
        else:
            peer.answer(b"", f"Location: {other}/there", status="302 Found")

    server = Server(answer)
    captures = {"token": {"query": "jsonpath", "path": "$.token"}}
    try:
        outcome = ScenarioCheck.model_validate(
            {
                "requests": [
                    {"path": "/login", "captures": captures},
                    {"path": "/x", "follow_redirects": True, **fields},
                ],
                "budget_seconds": 9,
            }
        ).run(context(server.url))
    finally:
        server.close()
    assert outcome.status is Status.PASS, outcome
    (sent,) = requests
    assert sent.startswith("GET /there")
    for secret in (token, SECRET, "5ecr3t-5ecr3t"):
        assert secret not in sent


@pytest.mark.parametrize(
    ("status", "path"), [("307", "/there"), ("308", "/there"), ("303", f"/{quote(SECRET, safe='')}")]
)
def test_a_redirect_that_would_take_a_secret_along_is_not_followed(
    other: str, requests: list[str], status: str, path: str
) -> None:
    def answer(peer: Peer) -> None:
        peer.request()
        peer.answer(b"", f"Location: {other}{path}", status=f"{status} Moved")

    server = Server(answer)
    try:
        outcome = ScenarioCheck.model_validate(
            {
                "secrets": {"pin": {"env": NAME}},
                "requests": [{"method": "POST", "form": {"a": "{{pin}}"}, "follow_redirects": True}],
                "budget_seconds": 9,
            }
        ).run(context(server.url))
    finally:
        server.close()
    assert outcome.status is Status.FAIL
    assert "another origin" in outcome.reason
    assert not requests
