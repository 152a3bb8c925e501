from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.plan.model import Plan, PlanError

OAUTH2 = {"token_url": "https://auth.example/token", "client_id": "a", "client_secret": "hunter2"}
ALL: dict[str, dict[str, Any]] = {
    "basic": {"username": "u", "password": {"ssm": "/p"}},
    "bearer": {"token": {"env": "TOKEN"}},
    "api_key": {"header": "X-Api-Key", "value": {"secretsmanager": "shop", "key": "k"}},
    "oauth2": {**OAUTH2, "scope": "a b", "audience": "x", "token_endpoint_auth_method": "client_secret_post"},
    "sigv4": {"service": "execute-api", "region": "eu-north-1"},
    "mutual_tls": {"certificate": "-----BEGIN CERTIFICATE-----", "private_key": {"ssm": "/key:3"}},
}


def problems(**fields: Any) -> list[str]:
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "http", **fields}]})
    assert "hunter2" not in str(caught.value)
    return [problem.removeprefix("hookDetails.checks[0].") for problem in caught.value.problems]


@pytest.mark.parametrize("kind", ALL)
def test_every_kind_is_valid_in_every_check(kind: str) -> None:
    request = {"auth": {kind: ALL[kind]}}
    checks = [
        {"type": "http", **request},
        {"type": "http", "name": "steps", "steps": [{"up_to_percent": 10, "path": "/x"}], **request},
        {"type": "load", "requests": [request]},
        {"type": "scenario", "requests": [request], "cleanup": [request]},
    ]
    plan = Plan.parse({"checks": checks})

    for check in plan.checks:
        again = type(check).model_validate(check.model_dump(by_alias=True, exclude_unset=True))
        assert again == check
        assert again.variants == check.variants


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        ({}, "auth: give exactly one of basic, bearer, api_key, oauth2, sigv4, mutual_tls"),
        ({"basic": ALL["basic"], "bearer": ALL["bearer"]}, "auth: give exactly one of basic, "),
        ({"baerer": {"token": "hunter2"}}, "auth.baerer: unknown field; did you mean 'bearer'?"),
        ({"bearer": {"tokn": "hunter2"}}, "auth.bearer.tokn: unknown field; did you mean 'token'?"),
        ({"bearer": {}}, "auth.bearer.token: is required"),
        ({"bearer": {"token": ""}}, "auth.bearer.token: must not be empty"),
        (
            {"bearer": {"token": 5}},
            'auth.bearer.token: must be a string, or a reference such as {"ssm": "/name"}, not number',
        ),
        ({"bearer": {"token": {"smm": "hunter2"}}}, "auth.bearer.token.smm: unknown field; did you mean 'ssm'?"),
        ({"bearer": {"token": {}}}, "auth.bearer.token: give one of secretsmanager, ssm and env"),
        (
            {"bearer": {"token": {"ssm": "/a", "env": "A"}}},
            "auth.bearer.token: give one of secretsmanager, ssm and env",
        ),
        (
            {"bearer": {"token": {"ssm": "/a", "key": "A"}}},
            "auth.bearer.token.key: only allowed with secretsmanager",
        ),
        (
            {"bearer": {"token": {"ssm": "/a {{b}}"}}},
            "auth.bearer.token.ssm: {{b}} has no value here",
        ),
        (
            {"bearer": {"token": {"secretsmanager": "{{b}}"}}},
            "auth.bearer.token.secretsmanager: {{b}} has no value here",
        ),
        (
            {"bearer": {"token": {"env": "AWS_SECRET_ACCESS_KEY"}}},
            "auth.bearer.token.env: is reserved by Lambda",
        ),
        ({"bearer": {"token": {"env": "_x_amzn_trace_id"}}}, "auth.bearer.token.env: is reserved by Lambda"),
        ({"api_key": {"value": "hunter2"}}, "auth.api_key: give one of header and query"),
        ({"api_key": {"value": "hunter2", "header": "a", "query": "b"}}, "auth.api_key: give one of header and query"),
        (
            {"api_key": {"value": "hunter2", "header": "a b"}},
            "auth.api_key.header: header 'a b' is not a valid header name",
        ),
        ({"oauth2": {**OAUTH2, "token_url": "/token"}}, "auth.oauth2.token_url: address must begin with http:// or"),
        (
            {"oauth2": {**OAUTH2, "token_url": "http://u:hunter2@a/"}},
            "auth.oauth2.token_url: must not contain credentials",
        ),
        ({"oauth2": {**OAUTH2, "token_url": "http://{{a}}/"}}, "auth.oauth2.token_url: {{a}} has no value here"),
        ({"sigv4": {"service": "API Gateway"}}, "auth.sigv4.service: must have the form execute-api: small letters"),
        (
            {"sigv4": {"service": "lambda", "role_arn": "smoke"}},
            "auth.sigv4.role_arn: must have the form arn:aws:iam::ACCOUNT:role/NAME",
        ),
        (
            {"sigv4": {"service": "lambda", "role_arn": "{{role}}"}},
            "auth.sigv4.role_arn: {{role}} has no value here",
        ),
        ({"mutual_tls": {**ALL["mutual_tls"], "certificate": "hunter2"}}, "auth.mutual_tls.certificate: must be PEM"),
        ("hunter2", "auth: must be an object, not"),
    ],
)
def test_a_mistake_names_its_field(auth: Any, says: str) -> None:
    found = problems(auth=auth)
    assert any(problem.startswith(says) for problem in found), found


@pytest.mark.parametrize(
    ("kind", "header"), [("basic", "authorization"), ("sigv4", "Authorization"), ("api_key", "x-api-key")]
)
def test_one_header_has_one_value(kind: str, header: str) -> None:
    problem = f"hookDetails.checks[0]: has both auth and the header {header.lower()}; remove one of them"
    assert problems(auth={kind: ALL[kind]}, headers={header: "hunter2"}) == [problem]


def test_headers_by_reference() -> None:
    headers = {"X-A": {"ssm": "/a"}, "X-B": "b", "X-C": {"env": "C"}}
    (check,) = Plan.parse({"checks": [{"type": "http", "headers": headers}]}).checks
    assert [each.name for each in check.requirements().secrets] == ["/a", "C"]

    assert problems(headers={"X-A": {"smm": "hunter2"}}) == [
        "headers.X-A.smm: unknown field; did you mean 'ssm'?",
    ]
    assert problems(headers={"X A": {"ssm": "/a"}}) == ["headers: header 'X A' is not a valid header name"]


def test_secrets_of_a_scenario() -> None:
    fields = {"requests": [{"json": {"a": "{{password}}"}}], "secrets": {"password": {"ssm": "/p"}}}
    (check,) = Plan.parse({"checks": [{"type": "scenario", **fields}]}).checks
    assert [each.name for each in check.requirements().secrets] == ["/p"]

    with pytest.raises(PlanError, match="variables and secrets: both have password"):
        Plan.parse({"checks": [{"type": "scenario", **fields, "variables": {"password": "hunter2"}}]})
    with pytest.raises(PlanError, match=r"secrets.password: must not be empty"):
        Plan.parse({"checks": [{"type": "scenario", **fields, "secrets": {"password": ""}}]})


def test_the_token_endpoint_of_a_scenario_must_not_depend_on_a_response() -> None:
    auth = {"oauth2": {**OAUTH2, "token_url": "http://{{a}}/"}}
    with pytest.raises(PlanError, match="token_url: must not contain variables, since a response could then redirect"):
        Plan.parse({"checks": [{"type": "scenario", "requests": [{"auth": auth}], "variables": {"a": "b"}}]})
