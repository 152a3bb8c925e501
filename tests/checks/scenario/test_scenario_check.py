from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import ScenarioCheck
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import context
from tests.checks.scenario.shop import SESSION, TOKEN, Shop, open_shop
from tests.conftest import load_event

LOGIN: dict[str, Any] = {
    "name": "login",
    "method": "POST",
    "path": "/login",
    "json": {"user": "{{user}}"},
    "captures": {"token": {"query": "jsonpath", "path": "$.token"}},
    "expect": {"json": {"$.user": "{{user}}"}},
}
AUTHORIZED = {"headers": {"Authorization": "Bearer {{token}}"}}
ORDER: dict[str, Any] = {
    **AUTHORIZED,
    "name": "order",
    "method": "POST",
    "path": "/orders",
    "json": {"amount": "{{amount}}"},
    "captures": {"id": {"query": "jsonpath", "path": "$.id"}, "place": {"query": "location"}},
    "expect": {"status": 201, "asserts": [{"query": "jsonpath", "path": "$.amount", "equals": "{{amount}}"}]},
}
LOOK: dict[str, Any] = {
    **AUTHORIZED,
    "path": "/orders/{{id}}",
    "until": {"timeout_seconds": 5, "interval_seconds": 0.05},
    "expect": {"json": {"$.state": "done"}},
}
CANCEL = {**AUTHORIZED, "method": "DELETE", "path": "/orders/{{id}}"}
VARIABLES = {"user": "smoke", "amount": 3}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    with open_shop() as shop:
        yield shop


def scenario(*requests: dict[str, Any], **fields: Any) -> ScenarioCheck:
    whole = {"requests": requests, "variables": VARIABLES, "budget_seconds": 10, "cleanup_seconds": 2, **fields}
    return ScenarioCheck.model_validate(whole)


def play(shop: Shop, *requests: dict[str, Any], seconds: float = 30, **fields: Any) -> Outcome:
    return scenario(*requests, **fields).run(context(shop.url, seconds=seconds))


def test_captured_values_are_used_in_later_requests(shop: Shop) -> None:
    outcome = play(shop, LOGIN, ORDER, LOOK, cleanup=[CANCEL])

    assert outcome.status is Status.PASS, outcome
    assert outcome.reason.startswith("3 requests in ")
    # The id has a slash and a space, and stays one segment of the path.
    look = "GET /orders/a%2Fb%201"
    assert shop.requests == ["POST /login", "POST /orders", look, look, look, "DELETE /orders/a%2Fb%201"]
    assert not shop.orders
    assert outcome.evidence["requests"] == 3


def test_the_first_failure_ends_the_scenario_and_cleanup_is_sent(shop: Shop) -> None:
    shop.polls = -1000
    outcome = play(
        shop,
        LOGIN,
        ORDER,
        {**LOOK, "until": {"timeout_seconds": 0.2, "interval_seconds": 0.05}},
        LOGIN,
        cleanup=[CANCEL],
    )

    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("request 3 GET http://127.0.0.1")
    assert 'json $.state is "open", expected "done" (still so after 0.2 s)' in outcome.reason
    assert shop.requests[-1] == "DELETE /orders/a%2Fb%201"
    assert shop.requests.count("POST /login") == 1


def test_cleanup_without_its_captured_value_is_skipped(shop: Shop) -> None:
    shop.broken.add("POST /orders")
    outcome = play(shop, LOGIN, ORDER, cleanup=[CANCEL, {"path": "/cookies"}])

    assert outcome.reason.startswith('request 2 "order" POST http://127.0.0.1')
    assert outcome.reason.endswith("status 500, expected 201; also jsonpath $.amount, capture id, capture place")
    assert shop.requests[-1] == "GET /cookies"


def test_a_cleanup_that_fails_only_warns(shop: Shop) -> None:
    shop.broken.add("DELETE /orders/a%2Fb%201")
    outcome = play(shop, LOGIN, ORDER, cleanup=[CANCEL])

    assert outcome.status is Status.PASS
    assert "; warning: cleanup 1 DELETE http://127.0.0.1" in outcome.reason
    assert outcome.evidence["warnings"] == 1


def test_secrets_are_masked_in_reasons(shop: Shop) -> None:
    echo = {"path": "/cookies", "expect": {"json": {"$.cookies": "nothing"}}}
    outcome = play(shop, LOGIN, echo)

    assert outcome.status is Status.FAIL
    assert "json $.cookies is " in outcome.reason
    assert SESSION not in str(outcome)
    outcome = play(shop, LOGIN, {**echo, "headers": {"X-A": "{{token}}"}, "path": "/cookies?x={{token}}"})
    assert TOKEN not in str(outcome)
    shown = {"query": "jsonpath", "path": "$.user", "secret": True}
    hidden = play(
        shop, {**LOGIN, "captures": {"who": shown}}, {"path": "/none/{{who}}"}, variables={"user": "s3cret-user"}
    )
    assert "s3cret-user" not in str(hidden)


def test_cookies_are_kept_and_sent_to_their_server(shop: Shop) -> None:
    def cookies(*requests: dict[str, Any], expected: str) -> Outcome:
        *first, last = requests
        return play(shop, *first, {**last, "expect": {"json": {"$.cookies": expected}}})

    home = {"path": "/home"}
    assert cookies(home, expected="").status is Status.PASS
    assert cookies(LOGIN, home, expected=f"session={SESSION}").status is Status.PASS
    assert cookies({"path": "/enter", "follow_redirects": True}, expected=f"session={SESSION}").status is Status.PASS
    own = {**home, "headers": {"cookie": "session=old; a=b"}}
    assert cookies(LOGIN, own, expected="session=old; a=b").status is Status.PASS
    # Another host, although it is the same address.
    assert cookies(LOGIN, {**home, "headers": {"Host": "other.example"}}, expected="").status is Status.PASS


def test_a_request_or_an_assertion_may_only_warn(shop: Shop) -> None:
    soft = {"query": "status", "equals": 201, "warn": True}
    outcome = play(shop, {"path": "/none", "warn": True}, {"path": "/home", "expect": {"asserts": [soft]}}, LOGIN)

    assert outcome.status is Status.PASS
    assert outcome.reason.count("warning") == 1
    assert "request 1 GET" in outcome.reason
    assert "status is 200, expected 201" in outcome.reason
    assert outcome.evidence["warnings"] == 2


def test_a_capture_must_find_a_value_that_fits(shop: Shop) -> None:
    missing = {**LOGIN, "captures": {"x": {"query": "jsonpath", "path": "$.none"}}}
    assert "capture x finds nothing (jsonpath $.none)" in play(shop, missing).reason
    no_json = {"path": "/home", "captures": {"x": {"query": "header", "name": "X-None"}}}
    assert "capture x finds nothing (header X-None)" in play(shop, no_json).reason
    whole = {**LOGIN, "captures": {"all": {"query": "jsonpath", "path": "$"}}}
    wrong = play(shop, whole, {"path": "/home", "query": {"q": "{{all}}"}})
    assert wrong.reason.startswith("request 2 with its variables.query: 'q' must be text, a number")


@pytest.mark.parametrize("place", ["headers", "auth"])
def test_green_cannot_send_a_secret_reference(shop: Shop, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("SMOKE_SECRET", "hunter2-hunter2")
    named = {"env": "SMOKE_SECRET"}
    login = {**LOGIN, "expect": {"status": 200}, "captures": {"user": {"query": "jsonpath", "path": "$.user"}}}
    credentials = {"headers": {"Cookie": "{{user}}"}, "auth": {"api_key": {"header": "Cookie", "value": "{{user}}"}}}
    sent = {"query": "jsonpath", "path": "$.cookies", "contains": json.dumps(named)}
    look = {"path": "/home", place: credentials[place], "expect": {"asserts": [sent]}}
    outcome = play(shop, login, look, variables={"user": named})
    assert outcome.status is Status.PASS, outcome


def test_without_a_connection_it_is_an_error(shop: Shop) -> None:
    outcome = scenario({**LOGIN, "connect_retries": 0}).run(context("http://127.0.0.1:9", seconds=30))

    assert outcome.status is Status.ERROR
    assert outcome.reason.startswith('request 1 "login" POST http://127.0.0.1:9/login connection refused')


def test_polling_ends_with_the_budget(shop: Shop) -> None:
    shop.polls = -1000
    slow = {**LOOK, "until": {"timeout_seconds": 60, "interval_seconds": 0.1}}
    outcome = play(shop, LOGIN, ORDER, slow, budget_seconds=0.5, cleanup=[CANCEL])

    assert outcome.status is Status.FAIL
    assert shop.requests[-1] == "DELETE /orders/a%2Fb%201"


def test_a_request_that_exceeds_the_budget_is_a_failure(shop: Shop) -> None:
    shop.pause = 0.5
    outcome = play(shop, {"path": "/home"}, budget_seconds=0.2)

    assert outcome.status is Status.FAIL
    assert outcome.reason == "request 1 did not end within 0.2 s (budget_seconds)"


def test_a_scenario_that_does_not_fit_into_the_invocation_fails_at_once(shop: Shop) -> None:
    outcome = play(shop, LOGIN, seconds=5)

    assert outcome.status is Status.FAIL
    assert "raise the function's Timeout" in outcome.reason
    assert not shop.requests


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"requests": []}, "requests: must have at least 1 item, not 0"),
        (
            {"requests": [{"path": "/{{id}}"}]},
            "requests[0]: {{id}} has no value; add it to variables or secrets, or capture it in an earlier request",
        ),
        ({"requests": [LOOK], "variables": {"token": "a"}}, "requests[0]: {{id}} has no value"),
        ({"requests": [{"path": "/"}], "cleanup": [{"path": "/{{a}}"}]}, "cleanup[0]: {{a}} has no value"),
        ({"requests": [{"path": "/", "captures": {"a b": {"query": "body"}}}]}, "captures"),
        (
            {"requests": [{"path": "/", "exspect": {}}]},
            "requests[0].exspect: unknown field; did you mean 'expect'?",
        ),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "scenario", **fields}]})
    assert problem in str(error.value)
    with pytest.raises(ValidationError):
        ScenarioCheck.model_validate(fields)


def test_requirements_come_from_the_requests() -> None:
    both = scenario(LOGIN, {"url": "http://elsewhere.example/"}, listener="production")
    assert both.requirements().listener == "production"
    assert (list(both.requirements().methods), list(both.requirements().urls)) == (
        ["POST"],
        ["http://elsewhere.example/"],
    )
    assert scenario({"url": "http://elsewhere.example/"}).requirements().listener is None


def test_scenarios_of_a_plan_run_in_parallel_in_the_handler(shop: Shop) -> None:
    checks = [
        {
            "type": "scenario",
            "name": name,
            "requests": [LOGIN, ORDER, LOOK],
            "variables": VARIABLES,
            "budget_seconds": 10,
        }
        for name in ("a", "b")
    ]
    event = load_event(hookDetails={"base_url": shop.url, "checks": checks})

    answer = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(event, None)

    assert answer["hookStatus"] == "SUCCEEDED", answer
    assert len(shop.orders) == 2
