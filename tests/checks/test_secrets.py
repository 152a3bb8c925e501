"""No secret of a plan gets into an outcome, even from a server that sends everything back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks import HttpCheck
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.outcome import Outcome, Status
from tests.checks.asking import context
from tests.http.servers import Peer, Server

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


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = Server(echo)
    yield server.url
    server.close()


def leaks(outcome: Outcome, secret: str) -> bool:
    text = outcome.reason + json.dumps(dict(outcome.evidence), ensure_ascii=False)
    forms = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    forms.add(base64.b64encode(secret.encode()).decode())
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


def test_a_secret_stays_out_of_the_reason_for_trouble() -> None:
    check = HttpCheck(url="http://user:passw0rd@127.0.0.1:1/x?token=t0ken-t0ken", connect_retries=0)
    outcome = check.run(context(None))
    assert outcome.status is Status.ERROR
    assert "passw0rd" not in outcome.reason
    assert "t0ken-t0ken" not in outcome.reason
