"""Captured values in every place of a later request, on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import ScenarioCheck
from ecs_hooks.checks.scenario.scenario_request import Retry, ScenarioRequest
from ecs_hooks.core.outcome import Status
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.scenario.story import Story
from tests.http.fixtures import Serve

X = "{{x}}"


def json_is(predicate: Any, path: str = "$.text") -> dict[str, Any]:
    return {"json": {path: predicate}}


def asserting(**fields: Any) -> dict[str, Any]:
    return {"asserts": [fields]}


BODY = {"query": "body"}
HEADER = {"query": "header", "name": "X-Order"}
ID = {"query": "jsonpath", "path": "$.id"}


@pytest.mark.parametrize(
    ("captured", "expect"),
    [
        ("$.id", {"body": {"contains": X}}),
        ("$.id", {"body": {"not": {"contains": "no {{x}}"}}}),
        ("$.id", {"headers": {"X-Order": X}}),
        ("$.id", {"headers": {"X-Order": {"contains": X}}}),
        ("$.id", {"headers": {"X-Order": {"in": ["1", X]}}}),
        ("$.list", {"headers": {"X-Order": {"in": X}}}),
        ("$.name", {"headers": {X: "5123"}}),
        ("$.id", json_is({"contains": X})),
        ("$.id", json_is({"contains": X}, "$.list")),
        ("$.id", json_is(X, "$.id")),
        ("$.id", json_is({"min": X, "max": X}, "$.id")),
        ("$.float", json_is({"range": [X, 2]}, "$.float")),
        ("$.numeral", json_is({"min": X, "max": "{{x}}"}, "$.code")),
        ("$.object", json_is(X, "$.object")),
        ("$.list", json_is({"in": [1, X]}, "$.list")),
        ("$.none", json_is(X, "$.none")),
        ("$.yes", json_is(X, "$.yes")),
        ("$.member", json_is("order 5123", "$.{{x}}")),
        ("$.member", json_is("order 5123", "$['{{x}}']")),
        ("$.member", json_is("order 5123", "$[{{x}}]")),
        ("$.id", json_is("x", "$.list[?@ == 'x' && $.id == {{x}}]")),
        ("$.id", {"body": {"matches": '"id": {{x}},'}}),
        ("$.word", {"body": {"matches": '"word": "{{x}}"'}}),
        ("$.word", {"body": {"not": {"matches": "\\{{x}}"}}}),
        ("$.id", asserting(**BODY, contains=X)),
        ("$.id", asserting(**HEADER, equals=X)),
        ("$.id", asserting(**HEADER, equals=X, filters=["to_int"])),
        ("$.id", asserting(**ID, equals=X, filters=["to_string"])),
        ("$.id", asserting(**HEADER, filters=[{"split": ","}, "first"], equals=X)),
        ("$.id", asserting(**HEADER, filters=[{"split": ","}], contains=X)),
        ("$.id", asserting(query="regex", pattern='"id": ({{x}})', equals=X)),
        ("$.word", asserting(**BODY, filters=[{"regex": '"word": "({{x}})"'}], equals=X)),
        ("$.word", asserting(**HEADER, filters=[{"replace_regex": {"pattern": "5123", "new": X}}], equals=X)),
        ("$.name", asserting(query="header", name=X, equals="5123")),
        ("$.code", asserting(query="status", not_equals=X)),
        ("$.id", asserting(**ID, json_schema={"const": X})),
        ("$.word", asserting(query="jsonpath", path="$", json_schema={"properties": {"word": {"pattern": "^{{x}}$"}}})),
        ("$.word", asserting(query="jsonpath", path="$", json_schema={"patternProperties": {"^{{x}}$": False}})),
        ("$.id", asserting(query="jsonpath", path="$.text", length={"max": X})),
        ("$.id", {"max_latency_ms": X}),
        ("$.id", {"max_latency_ms": "{{x}}0"}),
        ("$.id", {"body": [{"contains": X, "exists": True}]}),
        ("$.code", asserting(**BODY, filters=[{"jsonpath": "$.list[?$.id != {{x}}]"}, {"nth": 0}], equals=5123)),
        ("$.yes", asserting(query="jsonpath", path="$.list", filters=["count"], not_equals=X)),
    ],
)  # fmt: skip
def test_a_captured_value_has_the_type_that_its_place_requires(
    serve: Serve, captured: str, expect: dict[str, Any]
) -> None:
    outcome = Story(serve).after(captured, {"expect": expect})
    assert outcome.status is Status.PASS, outcome.reason


@pytest.mark.parametrize(
    ("captured", "expect", "reason"),
    [
        ("$.id", {"body": {"not": {"contains": X}}}, "body is "),
        ("$.id", {"headers": {"X-Order": {"not_equals": X}}}, 'header X-Order is "5123", expected anything else'),
        ("$.id", {"headers": {"X-Order": {"not": {"in": [X]}}}}, "header X-Order"),
        ("$.id", json_is({"not": {"contains": X}}), 'json $.text is "order 5123", expected not to meet'),
        ("$.word", {"body": {"not": {"matches": '"word": "{{x}}"'}}}, "body is"),
        ("$.word", {"body": {"matches": '"member": "{{x}}"'}}, "body is"),
        # Green must not choose what is expected of it.
        ("$.object", json_is(X, "$.id"), "json $.id is 5123, expected an object"),
        ("$.code", {"status": X}, "status 200, expected 201"),
        ("$.numeral", {"status": X}, "status 200, expected 201"),
    ],
)
def test_a_captured_value_fails_what_it_must(serve: Serve, captured: str, expect: dict[str, Any], reason: str) -> None:
    outcome = Story(serve).after(captured, {"expect": expect})
    assert outcome.status is Status.FAIL
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("captured", "request_fields", "reason"),
    [
        ("$.word", {"expect": {"status": X}}, "with its variables.expect.status: must be a status code"),
        ("$.yes", {"expect": {"status": X}}, "with its variables.expect.status: must be a status code"),
        ("$.word", {"expect": {"max_latency_ms": X}}, "with its variables.expect.max_latency_ms: {{x}} is not a number"),
        ("$.infinite", {"expect": {"max_latency_ms": X}}, "max_latency_ms: {{x}} is not a number"),
        ("$.id", {"expect": {"max_latency_ms": "1e99999999999999999999{{x}}"}}, "max_latency_ms: must be a number"),
        ("$.yes", {"expect": {"max_latency_ms": X}}, "max_latency_ms: {{x}} is of type boolean, not a number"),
        ("$.none", {"timeout_seconds": X}, "with its variables.timeout_seconds: {{x}} is of type null"),
        ("$.word", {"expect": json_is({"length": X})}, "{{x}} is not a number"),
        ("$.yes", {"expect": json_is({"min": X})}, "{{x}} is of type boolean, not a number"),
        ("$.text", {"headers": {X: "1"}}, "with its variables.headers: header 'order 5123' is not a valid header name"),
        ("$.text", {"method": X}, "with its variables.method: "),
        ("$.text", {"expect": json_is(1, X)}, "is not a valid JSONPath"),
        ("$.none", {"path": "/a/{{x}}"}, "with its variables.path: {{x}} is of type null, which an address cannot"),
        ("$.object", {"expect": {"body": {"contains": X}}}, "{{x}} is of type object, but is compared with text"),
        ("$.word", {"until": {"timeout_seconds": X}}, "until: {{x}} is not a number"),
        ("$.text", {"body_base64": X}, "with its variables.body_base64: is not valid Base64"),
        ("$.text", {"path": None, "url": "http://{{x}}/"}, "with its variables.url: {{x}} is not a host"),
        ("$.id", {"max_redirects": X}, "with its variables.max_redirects: must be at most 50, not 5123"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_valid_there_fails_before_anything_is_sent(
    serve: Serve, captured: str, request_fields: dict[str, Any], reason: str
) -> None:
    story = Story(serve)
    fields = {"path": "/second", **request_fields}
    outcome = story.after(captured, fields) if fields["path"] else story.play(
        {"captures": {"x": {"query": "jsonpath", "path": captured}}},
        {name: value for name, value in fields.items() if name != "path"},
    )  # fmt: skip
    assert outcome.status is Status.FAIL
    assert reason in outcome.reason
    assert len(story.requests) == 1


@pytest.mark.parametrize(
    ("request_fields", "problem"),
    [
        ({"expect": {"status": X}}, "requests[0].expect.status: must be a status code"),
        ({"timeout_seconds": X}, "requests[0].timeout_seconds: {{x}} is not a number"),
        ({"headers": {X: "1"}}, "requests[0].headers: header 'a b' is not a valid header name"),
        ({"expect": json_is(1, X)}, "is not a valid JSONPath"),
        ({"method": X}, "requests[0].method: "),
        ({"path": "{{now}}", "url": X}, "requests[0]: has both path and url; remove one of them"),
        ({"expect": asserting(query=X, equals=1)}, "requests[0].expect.asserts[0].query: is not one of the allowed"),
        ({"captures": {"a": {**BODY, "filters": [X]}}}, "requests[0].captures.a.filters[0]: is not one of the allowed"),
        ({"expect": {"body": X}}, "requests[0].expect.body: must be an array, not string"),
        ({"captures": {"a": X}}, "requests[0].captures.a: must be an object, not string"),
        ({"method": X, "timeout_seconds": -1}, "requests[0].timeout_seconds: must be greater than 0, not -1"),
        ({"method": X, "path": "/{{y}}"}, "requests[0]: {{y}} has no value; add it"),
        ({"headers": {"Host": "{{y-1}}"}}, "requests[0]: {{y-1}} has no value"),
        ({"body": "{{now:%Q}}"}, "requests[0]: {{now:%Q}} has an unknown format"),
        ({"auth": {"sigv4": {"service": "s", "role_arn": X}}}, "requests[0].auth.sigv4.role_arn: must have the form"),
        ({"headers": {"A": {"ssm": "/{{x}}"}}}, "requests[0].headers.A.ssm: must have the form"),
        ({"expect": {"asserts": [{**BODY, "min": X}, {"query": "boddy", "equals": X}]}}, "requests[0].expect.asserts[1].q"),
        ({"expect": {"asserts": [{**ID, "filters": [{"nth": X}], "equals": 1}, {"query": "status", "min": X, "a": 1}]}}, "asserts[1].a: "),
    ],
)  # fmt: skip
def test_what_is_known_before_the_deployment_is_a_plan_error(request_fields: dict[str, Any], problem: str) -> None:
    check = {"type": "scenario", "requests": [request_fields], "variables": {"x": "a b"}}
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [check]})
    assert problem in str(error.value)


def test_a_mistake_beside_an_unknown_value_is_a_plan_error_with_its_place() -> None:
    captures = {"n": {"query": "status"}}
    asserts = [{"query": "status", "min": "{{n}}"}, {"query": "bytes", "max": True}, {**HEADER, "matches": "("}]
    second = {"method": "{{n}}", "path": "{{n}}", "timeout_seconds": "{{n}}", "expect": {"asserts": asserts}}
    check = {"type": "scenario", "requests": [{"captures": captures}, second]}
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [check]})
    assert [each.partition(": ")[0] for each in error.value.problems] == [
        "hookDetails.checks[0].requests[1].expect.asserts[1].max",
        "hookDetails.checks[0].requests[1].expect.asserts[2].matches",
    ]


@pytest.mark.parametrize(
    ("captured", "body"), [("$.id", "5123"), ("$.none", "null"), ("$.yes", "true"), ("$.text", "order 5123")]
)
def test_a_body_that_is_one_variable(serve: Serve, captured: str, body: str) -> None:
    story = Story(serve)
    for fields in ({"body": X}, {"json": X}, {"multipart": {"a": [X]}}):
        outcome = story.after(captured, {"method": "POST", **fields})
        assert outcome.status is Status.PASS, outcome.reason
    plain, as_json, part = (each.partition("\r\n\r\n")[2] for each in story.requests[1::2])
    assert plain == body
    assert as_json in {body, f'"{body}"'}
    assert f"\r\n\r\n{body}\r\n--" in part


def test_a_wrong_request_is_one_error() -> None:
    with pytest.raises(ValidationError) as error:
        ScenarioCheck.model_validate({"requests": [{"path": "x"}]})
    assert error.value.error_count() == 1


def test_green_cannot_add_variables(serve: Serve) -> None:
    story = Story(serve)
    outcome = story.after("$.braces", {"body": X, "method": "POST"}, secrets={"secret": "hunter2-hunter2"})
    assert outcome.status is Status.PASS, outcome.reason
    assert story.requests[1].endswith("{{secret}}")


def test_a_secret_stays_masked_where_it_is_escaped(serve: Serve) -> None:
    story = Story(serve)
    secret = "s3cret-'\"value\\"
    for expect in (
        {"body": {"matches": "a {{s}} z"}},
        json_is(1, "$['{{s}}']"),
        json_is(1, '$["{{s}}"]'),
        {"headers": {"X-Order": X}},
        asserting(**BODY, filters=[{"regex": "a{{s}}"}], equals="1"),
    ):
        outcome = story.after("$.id", {"expect": expect}, secrets={"s": secret}, variables={"y": 1})
        assert not re.search("s3cret", outcome.reason), outcome.reason


def test_a_capture_with_the_name_of_a_secret_is_masked(serve: Serve) -> None:
    story = Story(serve)
    story.answer("/first", b"csrf=hidden-value-1;")
    first = {"path": "/first", "captures": {"csrf_token": {"query": "regex", "pattern": "csrf=(.*);"}}}
    outcome = story.play(first, {"path": "/hidden-value-1", "expect": {"status": 500}})
    assert outcome.status is Status.FAIL
    assert "hidden-value" not in outcome.reason


def test_an_index_may_be_captured(serve: Serve) -> None:
    story = Story(serve)
    story.answer("/first", b'{"n": "1"}')
    first = {"path": "/first", "captures": {"n": {"query": "jsonpath", "path": "$.n"}}}
    expect = asserting(**BODY, filters=[{"jsonpath": "$.list"}, {"nth": "{{n}}"}], equals="x")
    outcome = story.play(first, {"path": "/second", "expect": expect})
    assert outcome.status is Status.PASS, outcome.reason


def test_a_template_may_be_made_in_python() -> None:
    until = Retry(timeout_seconds=5)
    request = ScenarioRequest(path="/{{x}}", until=until)
    assert request.template == {"path": "/{{x}}", "until": {"timeout_seconds": 5.0}}
    assert request.until == until


def test_a_plan_keeps_its_templates() -> None:
    request = {"path": "/{{x}}", "timeout_seconds": "{{x}}", "body": "\\{{x}}", "method": "POST"}
    step = {"up_to_percent": 10, "budget_seconds": 5}
    check = {"type": "scenario", "requests": [request], "variables": {"x": 5}, "steps": [step]}
    (parsed,) = Plan.parse({"checks": [check]}).checks
    assert parsed.model_dump(exclude_unset=True, by_alias=True)["requests"] == (request,)
    assert parsed.at(5).requests == parsed.requests  # type: ignore[attr-defined] # a scenario


@pytest.mark.parametrize("captures", [{"": [1]}, {"": []}, {"[key]": [{"query": "body"}]}, [["a"]]])
def test_captures_of_a_wrong_form_are_a_plan_error(captures: Any) -> None:
    requests = [{"path": "/a", "captures": {"x": {"query": "body"}}}, {"path": "/{{x}}", "captures": captures}]
    with pytest.raises(PlanError, match=r"hookDetails.checks\[0\].requests\[1\].captures") as error:
        Plan.parse({"checks": [{"type": "scenario", "requests": requests}]})
    assert "raised" not in str(error.value)
