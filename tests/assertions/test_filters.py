"""Filters of assertions and captures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ecs_hooks.assertions.filters import WITHOUT_ARGUMENT
from ecs_hooks.assertions.query import Assertion, Query
from ecs_hooks.checks import ScenarioCheck
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.response import Response
from ecs_hooks.plan.model import Plan, PlanError
from tests.assertions.test_query import response
from tests.checks.asking import ask, context
from tests.checks.scenario.shop import TOKEN, Shop, open_shop
from tests.http.fixtures import Serve
from tests.http.servers import replying

LOGIN: dict[str, Any] = {"method": "POST", "path": "/login", "json": {"user": "Basic aHVudGVyMg=="}}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as server:
        yield server


def problem(whole: Response, redactor: Redactor | None = None, **assertion: Any) -> str | None:
    return Assertion.model_validate(assertion).problem_in(whole, redactor or Redactor())


def of_path(path: str, *filters: Any, **predicate: Any) -> dict[str, Any]:
    return {"query": "jsonpath", "path": path, "filters": filters, **predicate}


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        (of_path("$.items[*]", "count", equals=2), None),
        (of_path("$.items", "count", equals=2), None),
        (of_path("$.nothing[*]", "count", equals=0), None),
        (of_path("$.items[*].id", "last", equals=2), None),
        (of_path("$.items[*].id", "last", equals=3), "is 2, expected 3"),
        (of_path("$.items[*].id", {"nth": 5}, exists=False), None),
        (of_path("$.items[*].id", {"nth": 5}, exists=True), "is missing"),
        (of_path("$.nothing", "count", exists=False), None),
        (
            of_path("$.version", "count", exists=False),
            "filter count: requires an array, an object or bytes, not a string",
        ),
        (of_path("$.version", {"regex": r"^(\d+)\."}, min=1), None),
        (of_path("$.version", {"split": "."}, "count", equals=4), "is 3, expected 4"),
        ({"query": "header", "name": "X-Count", "filters": ["to_int"], "type": "integer"}, None),
        ({"query": "location", "filters": [{"url_query_param": "code"}], "equals": "x"}, 'is ***, expected "x"'),
        ({"query": "body", "filters": [{"regex": "version"}], "equals": "x"}, 'is ***, expected "x"'),
        ({"query": "body", "filters": [{"split": "items"}, "count"], "equals": 5}, "is 2, expected 5"),
        ({"query": "body", "filters": [{"regex": "nowhere|$"}], "exists": True}, None),
        (of_path("$", {"jsonpath": "$.token"}, equals="x"), 'is ***, expected "x"'),
        (of_path("$.token", {"split": "-"}, "first", equals="x"), 'is ***, expected "x"'),
        (of_path("$.token", {"split": "-"}, "count", equals=1), "is ***, expected 1"),
    ],
)
def test_filters_of_an_assertion(assertion: dict[str, Any], expected: str | None) -> None:
    assert problem(response(), **assertion) == expected


def test_filters_of_dates(serve: Serve) -> None:
    outcome = ask(
        serve(replying(b"x", "Expires: Sat, 21 Nov 2065 10:00:00 GMT")).url,
        expect={
            "asserts": [
                {"query": "header", "name": "Expires", "filters": ["to_date", "days_after_now"], "min": 1000},
                {"query": "header", "name": "Expires", "filters": ["to_date", {"date_format": "%Y"}], "equals": "2066"},
            ]
        },
    )

    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith('header Expires to_date date_format is "2065", expected "2066"')


def test_a_filtered_secret_is_not_shown() -> None:
    whole = response(json.dumps({"echo": "aHVudGVyMg==", "many": ["a", {"b": "hunter2"}], "n": 12}).encode())

    def shown(*filters: Any, path: str = "$.echo", **predicate: Any) -> str | None:
        return problem(whole, Redactor("hunter2"), **of_path(path, *filters, **predicate))

    assert shown("to_hex", equals="x") == 'is ***, expected "x"'
    assert shown("base64_decode", "utf8_decode", {"replace": {"old": "u", "new": "v"}}, equals="x") == (
        'is ***, expected "x"'
    )
    assert shown({"nth": 1}, {"jsonpath": "$.b"}, {"regex": "u.*"}, path="$.many", equals=1) == "is ***, expected 1"
    assert shown("count", path="$.many", equals=1) == "is 2, expected 1"
    assert shown("to_string", path="$.n", equals="x") == 'is "12", expected "x"'


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ({"query": "body", "filters": []}, "body"),
        ({"query": "body", "filters": ["html_unescape", {"regex": "a"}]}, "body html_unescape regex"),
        ({"query": "header", "name": "A", "filters": ["first"] * 7}, "header A first first first first first"),
    ],
)
def test_labels(query: dict[str, Any], label: str) -> None:
    assert Query.model_validate(query).label == label


def play(shop: Shop, *requests: dict[str, Any], **fields: Any) -> Outcome:
    check = ScenarioCheck.model_validate({"requests": requests, "budget_seconds": 20, **fields})
    return check.run(context(shop.url, seconds=60))


def test_a_captured_value_is_the_filtered_one(shop: Shop) -> None:
    word = of_path("$.user", {"split": " "}, "last", "base64_decode", "utf8_decode")
    login = {**LOGIN, "captures": {"word": word, "length": of_path("$.user", {"split": "="}, "count")}}
    outcome = play(shop, login, {"path": "/home/{{word}}/{{length}}", "expect": {"status": 401}})

    assert outcome.status is Status.PASS, outcome
    assert shop.requests[-1] == "GET /home/hunter2/3"


def test_a_secret_stays_hidden_filtered_or_not(shop: Shop) -> None:
    token = of_path("$.token", {"replace": {"old": "-", "new": "+"}})
    word = of_path("$.user", {"split": " "}, "last", "base64_decode", "utf8_decode", secret=True)
    login = {**LOGIN, "captures": {"token": token, "word": word}}
    outcome = play(shop, login, {"path": f"/none/{{{{token}}}}/{{{{word}}}}/{TOKEN}/hunter2/aHVudGVyMg=="})

    assert outcome.status is Status.FAIL
    for secret in ("hunter2", "aHVudGVyMg", TOKEN, TOKEN.replace("-", "+"), TOKEN.replace("-", "%2B")):
        assert secret not in str(outcome)


def test_a_capture_with_an_error_or_without_a_value_fails(shop: Shop) -> None:
    unfit = play(shop, {**LOGIN, "captures": {"x": of_path("$.user", "to_int")}})
    nothing = play(shop, {**LOGIN, "captures": {"x": of_path("$.user", {"regex": "(nowhere)"})}})

    assert unfit.reason.endswith("capture x filter to_int: the string is not an integer")
    assert nothing.reason.endswith("capture x finds nothing (jsonpath $.user regex)")


def test_filters_can_contain_variables(shop: Shop) -> None:
    first = {"path": "/home", "expect": {"asserts": [{"query": "body", "exists": True}]}}
    wanted = of_path("$.cookies", {"replace": {"old": "{{name}}", "new": "b"}}, equals="b=1")
    second = {**first, "headers": {"Cookie": "a=1"}, "expect": {"asserts": [wanted]}}

    assert play(shop, first, second, variables={"name": "a"}).status is Status.PASS


def test_a_mistake_is_shown_with_its_path() -> None:
    assertion = of_path("$", "count", {"nth": "hunter2"}, "cuont", equals=1)
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "http", "expect": {"asserts": [assertion]}}]})

    path = "hookDetails.checks[0].expect.asserts[0].filters"
    allowed = ", ".join(WITHOUT_ARGUMENT)
    assert caught.value.problems == (
        f"{path}[1].nth: must be a whole number, not string",
        f"{path}[2]: is not one of the allowed values ({allowed}); did you mean 'count'?",
    )


def test_a_dumped_check_with_filters_is_valid() -> None:
    check = ScenarioCheck.model_validate(
        {"requests": [{"captures": {"a": of_path("$", {"nth": 1}, {"replace": {"old": "a", "new": "b"}}, "first")}}]}
    )

    assert ScenarioCheck.model_validate(check.model_dump(by_alias=True, exclude_unset=True)) == check
