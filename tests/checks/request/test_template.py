"""Variables outside the requests of a scenario are mistakes, and literal braces stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_hooks.checks import HttpCheck
from ecs_hooks.checks.request.template import as_literal, first_variable, literal, rendered, whole_variable
from ecs_hooks.core.outcome import Status
from ecs_hooks.plan.model import Plan, PlanError
from tests.checks.asking import ask
from tests.http.fixtures import Serve
from tests.http.servers import Peer


@pytest.mark.parametrize(
    ("check", "where"),
    [
        ({"type": "http", "path": "/{{id}}"}, "path: {{id}}"),
        ({"type": "http", "url": "http://a/{{id}}"}, "url: {{id}}"),
        ({"type": "http", "headers": {"A": "x {{ id }}"}}, "headers.A: {{id}}"),
        ({"type": "http", "headers": {"{{id}}": "x"}}, "headers: {{id}}"),
        ({"type": "http", "query": {"a": ["{{id}}"]}}, "query.a[0]: {{id}}"),
        ({"type": "http", "method": "POST", "json": {"a": [{"b": "{{id}}"}]}}, "json.a[0].b: {{id}}"),
        ({"type": "http", "method": "POST", "body": "{{uuid}}"}, "body: {{uuid}}"),
        ({"type": "http", "auth": {"bearer": {"token": "{{token}}"}}}, "auth.bearer.token: {{token}}"),
        ({"type": "http", "expect": {"body": {"contains": "{{id}}"}}}, "expect.body.contains: {{id}}"),
        ({"type": "http", "expect": {"body": {"contains": "{{user.id}}"}}}, "expect.body.contains: {{user.id}}"),
        ({"type": "http", "expect": {"json": {"$.a": "{{user-id}}"}}}, "expect.json.$.a: {{user-id}}"),
        ({"type": "http", "steps": [{"up_to_percent": 5, "path": "/{{id}}"}]}, "steps[0].path: {{id}}"),
        ({"type": "tcp", "send": "{{id}}"}, "send: {{id}}"),
        ({"type": "tcp", "expect": {"body": {"contains": "{{id}}"}}}, "expect.body.contains: {{id}}"),
        ({"type": "invoke", "payload": {"a": "{{id}}"}}, "payload.a: {{id}}"),
        ({"type": "load", "ca_certificates": "{{id}}"}, "ca_certificates: {{id}}"),
        ({"type": "compare", "ignore_headers": ["{{id}}"]}, "ignore_headers[0]: {{id}}"),
        ({"type": "compare", "ignore": ["$.{{id}}"]}, "ignore[0]: {{id}}"),
        ({"type": "load", "requests": [{"path": "/{{id}}"}]}, "requests[0]: {{id}}"),
        ({"type": "compare", "requests": [{"path": "/{{id}}"}]}, "requests[0]: {{id}}"),
        ({"type": "scenario", "requests": [{"path": "/{{id}}"}]}, "requests[0]: {{id}}"),
        ({"type": "scenario", "requests": [{}], "variables": {"a": "{{id}}"}}, "variables.a: {{id}}"),
    ],
)
def test_a_variable_without_a_value_is_a_plan_error(check: dict[str, Any], where: str) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [check]})
    assert str(error.value).startswith(f"hookDetails.checks[0].{where} ")
    assert "\\{{" in str(error.value) or where.startswith("variables")


@pytest.mark.parametrize(
    "check",
    [
        {"type": "http", "name": "{{id}}", "method": "POST", "body": "{{#if}} {{ {{}} {{1}} \\{{id}}"},
        {"type": "tcp", "send": "\\{{id}} {{!"},
        {"type": "http", "expect": {"body": [{"matches": "\\{\\{id\\}\\} a{{2}"}]}},
    ],
)  # fmt: skip
def test_literal_braces_stay_in_the_plan(check: dict[str, Any]) -> None:
    (parsed,) = Plan.parse({"checks": [check]}).checks
    dumped = parsed.model_dump(by_alias=True, exclude_unset=True)
    assert {**dumped, **check} == dumped
    assert Plan.parse({"checks": [dumped]}).checks == (parsed,)


def test_literal_braces_are_sent_without_their_backslash(serve: Serve) -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(peer.request())
        peer.answer(b"a {{id}}")

    expect = {"body": [{"contains": "\\{{id}}"}, {"matches": "^a \\{{id}}$"}]}
    step = {"up_to_percent": 5, "body": "\\{{b}}"}
    fields: dict[str, Any] = {"method": "POST", "body": "{{ \\{{ id }} \\\\", "expect": expect, "steps": [step]}
    outcome = ask(serve(script).url, **fields)
    assert outcome.status is Status.PASS, outcome.reason
    assert requests[0].endswith(b"\r\n\r\n{{ {{ id }} \\\\")


def test_a_check_is_validated_once() -> None:
    check = HttpCheck.model_validate({"path": "/\\{{a}}"})
    assert HttpCheck.model_validate(check) is check
    assert check.path == "/{{a}}"


@given(st.text("\\{} ab1"))
def test_every_text_can_be_written(text: str) -> None:
    assert literal(as_literal({text: [text]})) == {text: [text]}


def test_backslashes_before_a_variable() -> None:
    values = {"a": "1"}

    def replace(expression: str, _: int) -> str:
        return values[expression]

    assert rendered("{{a}} \\{{a}} \\\\{{a}} {{{a}}}", replace) == "1 {{a}} \\\\1 {1}"
    assert (whole_variable("{{ a }}"), whole_variable("\\{{a}}"), whole_variable("{{a}}b")) == ("a", None, None)
    assert (first_variable("{{a}}b"), first_variable("\\{{a}}b"), first_variable("b{{a}}")) == ("a", None, None)


@pytest.mark.parametrize(
    "check",
    [
        {"type": "http", "$schema": "{{id}}", "x-note": "{{id}}"},
        {"type": "scenario", "x-note": "{{id}}", "requests": [{"x-note": "{{id}}", "path": "/"}]},
    ],
)
def test_braces_in_annotations_are_no_variables(check: dict[str, Any]) -> None:
    assert Plan.parse({"checks": [check]}).checks


def test_a_check_that_is_no_object_has_no_variables() -> None:
    with pytest.raises(ValidationError, match="valid dictionary or instance of HttpCheck"):
        HttpCheck.model_validate(["{{a}}"])
