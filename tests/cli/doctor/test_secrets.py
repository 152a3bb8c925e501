"""Secrets and plans that hookDetails names: are they there, and may the function read them?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.account import FUNCTION_ROLE, Account, rules, table
from tests.cli.conftest import Doctor
from tests.cli.doctor.test_egress import endpoint

SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:shop-AbCdEf"
PARAMETER_ARN = "arn:aws:ssm:us-west-2:123456789012:parameter/shop/key"
BY_NAME: dict[str, Any] = {
    "type": "http",
    "url": "https://shop.example/",
    "headers": {"X-Key": {"ssm": "/shop/key"}},
    "auth": {"bearer": {"token": {"secretsmanager": "shop", "key": "token"}}},
}


@pytest.fixture(autouse=True)
def _there(account: Account) -> None:
    account.aws.answer("DescribeSecret", {"ARN": SECRET_ARN, "Name": "shop"})
    account.aws.answer("DescribeParameters", {"Parameters": [{"Name": "/shop/key"}]})


ROLE_ARN = "arn:aws:iam::210987654321:role/smoke-tests"


def with_secret(account: Account, secret: Any) -> None:
    account.plan({"type": "http", "auth": {"bearer": {"token": secret}}}, base_url="https://shop.example")


def resources(account: Account) -> dict[str, list[str]]:
    asked = [each for each in account.aws.asked["SimulatePrincipalPolicy"] if each["PolicySourceArn"] == FUNCTION_ROLE]
    return {action: each["ResourceArns"] for each in asked for action in each["ActionNames"]}


def test_secrets_that_are_there_and_allowed(doctor: Doctor, account: Account) -> None:
    account.plan(BY_NAME, {**BY_NAME, "name": "again"})
    doctor()

    assert doctor.of("secrets") == [("ok", "2 secrets that the plan names are there")]
    assert "secretsmanager:GetSecretValue, ssm:GetParameter" in doctor.of("permissions")[0][1]
    found = resources(account)
    assert found["secretsmanager:GetSecretValue"] == [SECRET_ARN]
    assert found["ssm:GetParameter"] == [PARAMETER_ARN]
    assert account.aws.asked["DescribeSecret"][0] == {"SecretId": "shop"}
    which = [{"Key": "Name", "Option": "Equals", "Values": ["/shop/key"]}]
    assert account.aws.asked["DescribeParameters"] == [{"ParameterFilters": which}]
    # Nobody has read a secret.
    assert not {"GetSecretValue", "GetParameter"} & set(account.aws.calls)


def test_roles_that_a_plan_has_assumed(doctor: Doctor, account: Account) -> None:
    signed = {"type": "http", "auth": {"sigv4": {"service": "execute-api", "role_arn": ROLE_ARN}}}
    account.plan(signed, {**signed, "name": "again"}, base_url="https://shop.example")
    doctor()
    assert resources(account)["sts:AssumeRole"] == [ROLE_ARN]

    account.deny("sts:AssumeRole")
    doctor()
    text = "ecs-hooks-function does not allow sts:AssumeRole, which the plan needs"
    assert doctor.fix(text) == (
        f'add to a policy of the role: {{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "{ROLE_ARN}"}}; '
        "AssumedRoleArns of the stack does that"
    )


@pytest.mark.parametrize(
    ("action", "parameter", "arn"),
    [
        ("secretsmanager:GetSecretValue", "SecretArns", SECRET_ARN),
        ("ssm:GetParameter", "ParameterArns", PARAMETER_ARN),
    ],
)
def test_what_the_role_does_not_allow(doctor: Doctor, account: Account, action: str, parameter: str, arn: str) -> None:
    account.plan(BY_NAME)
    account.deny(action)
    doctor()

    text = f"ecs-hooks-function does not allow {action}, which the plan needs"
    assert ("error", text) in doctor.of("permissions")
    assert doctor.fix(text) == (
        f'add to a policy of the role: {{"Effect": "Allow", "Action": "{action}", "Resource": "{arn}"}}; '
        f"{parameter} of the stack does that"
    )


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ({"secretsmanager": "shop"}, "Secrets Manager knows no secret shop"),
        ({"ssm": "/shop/key:3"}, "Systems Manager knows no parameter /shop/key:3"),
        ({"env": "SHOP_TOKEN"}, "the function has no variable SHOP_TOKEN"),
    ],
)
def test_a_secret_that_is_not_there(doctor: Doctor, account: Account, secret: dict[str, str], says: str) -> None:
    with_secret(account, secret)
    account.aws.error("DescribeSecret", "ResourceNotFoundException")
    account.aws.answer("DescribeParameters", {"Parameters": []})
    doctor()

    assert doctor.of("secrets") == [("error", says)]
    assert doctor.fix(says) == "make it, or correct the name in the plan"
    assert doctor.status == 1


def test_a_variable_of_the_function(doctor: Doctor, account: Account) -> None:
    with_secret(account, {"env": "SHOP_TOKEN"})
    account.function["Environment"] = {"Variables": {"SHOP_TOKEN": "hunter2"}}
    doctor()
    assert doctor.of("secrets") == [("ok", "1 secret that the plan names is there")]
    assert "hunter2" not in str(doctor.findings)

    account.function["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}}
    doctor()
    assert doctor.of("secrets")[0][0] == "unknown"


def test_a_secret_that_is_to_be_deleted(doctor: Doctor, account: Account) -> None:
    with_secret(account, {"secretsmanager": SECRET_ARN})
    account.aws.answer("DescribeSecret", {"ARN": SECRET_ARN, "DeletedDate": datetime(2026, 11, 21, tzinfo=UTC)})
    doctor()
    assert doctor.of("secrets") == [("error", f"the secret {SECRET_ARN} is scheduled for deletion")]


def test_what_the_caller_may_not_see_is_unknown(doctor: Doctor, account: Account) -> None:
    account.plan(BY_NAME)
    account.aws.error("DescribeSecret", "AccessDeniedException")
    account.aws.error("DescribeParameters", "AccessDeniedException")
    doctor()

    assert [level for level, _ in doctor.of("secrets")] == ["unknown", "unknown"]
    assert doctor.of("permissions")[0] == (
        "unknown",
        "which resources secretsmanager:GetSecretValue is for is not known: secretsmanager:DescribeSecret: AccessDeniedException",
    )


@pytest.mark.parametrize(
    ("arn", "names", "resource"),
    [
        (PARAMETER_ARN, [["shop/key", "/shop/key"]], PARAMETER_ARN),
        (f"{PARAMETER_ARN}:3", [["shop/key", "/shop/key"]], PARAMETER_ARN),
        (PARAMETER_ARN.replace("1234", "9999"), [], PARAMETER_ARN.replace("1234", "9999")),
    ],
)
def test_the_arn_of_a_parameter(doctor: Doctor, account: Account, arn: str, names: Any, resource: str) -> None:
    with_secret(account, {"ssm": arn})
    doctor()

    asked = account.aws.asked.get("DescribeParameters", [])
    assert [each["ParameterFilters"][0]["Values"] for each in asked] == names
    assert resources(account)["ssm:GetParameter"] == [resource]


def test_secrets_in_plain_text(doctor: Doctor, account: Account) -> None:
    plain = {
        "basic": {"username": "u", "password": "hunter2"},
        "api_key": {"header": "X-Key", "value": "hunter2"},
        "oauth2": {"token_url": "https://auth.example/", "client_id": "a", "client_secret": "hunter2"},
    }
    requests = [{"auth": {kind: fields}} for kind, fields in plain.items()]
    account.plan(
        {"type": "http", "name": "a", "auth": {"bearer": {"token": "hunter2"}}},
        {
            "type": "http",
            "name": "b",
            "headers": {"Authorization": "hunter2", "X-Plain": "p", "X-Key": {"ssm": "/shop/key"}},
        },
        {
            "type": "scenario",
            "requests": [*requests, {"captures": {"t": {"query": "body"}}}, {"auth": {"bearer": {"token": "{{t}}"}}}],
            "cleanup": requests[:1],
            "secrets": {"password": "hunter2", "kept": {"ssm": "/shop/key"}},
            "budget_seconds": 10,
        },
        {"type": "load", "duration_seconds": 5, "requests": requests[1:2]},
        base_url="https://shop.example",
    )
    doctor()

    warned = [
        text.partition(" stands in hookDetails as it is")[0]
        for level, text in doctor.of("secrets")
        if level == "warning"
    ]
    assert warned == [
        'http "a" auth.bearer.token',
        'http "b" headers.Authorization',
        "scenario requests[0].auth.basic.password",
        "scenario requests[1].auth.api_key.value",
        "scenario requests[2].auth.oauth2.client_secret",
        "scenario cleanup[0].auth.basic.password",
        "scenario secrets.password",
        "load requests[0].auth.api_key.value",
    ]
    assert "hunter2" not in str(doctor.findings)
    assert doctor.status == 0


PLAN = {"checks": [{"type": "http", "url": "https://shop.example/", "auth": {"bearer": {"token": "hunter2"}}}]}


@pytest.mark.parametrize(
    ("place", "action", "arn"),
    [
        ("s3://plans/shop.json", "s3:GetObject", "arn:aws:s3:::plans/shop.json"),
        ("ssm:/shop/plan", "ssm:GetParameter", "arn:aws:ssm:us-west-2:123456789012:parameter/shop/plan"),
    ],
)
def test_a_plan_that_is_kept_elsewhere(doctor: Doctor, account: Account, place: str, action: str, arn: str) -> None:
    account.hook["hookDetails"] = {"plan": place, "timeout_minutes": 20}
    account.aws.answer("GetObject", {"Body": json.dumps(PLAN).encode()})
    account.aws.answer("GetParameter", {"Parameter": {"Value": json.dumps(PLAN)}})
    doctor()

    assert doctor.of("plan") == [("ok", f"valid: 1 check, mode enforce, 20 minutes, from {place}")]
    assert doctor.of("secrets") == []  # whoever may describe the service does not see them
    assert action in doctor.of("permissions")[0][1]
    assert resources(account)[action] == [arn]

    account.deny(action)
    doctor()
    assert doctor.fix(f"does not allow {action}").endswith(
        f"{'PlanArns' if 's3' in place else 'ParameterArns'} of the stack does that"
    )


def test_a_plan_that_can_not_be_read_is_unknown(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.error("GetObject", "AccessDenied", 403)
    doctor()

    assert doctor.of("plan") == [
        ("unknown", "the plan that hookDetails names is not known: s3:GetObject: AccessDenied"),
        ("unknown", "what the plan needs (permissions, endpoint, network) is not examined"),
    ]
    assert doctor.of("permissions") == []


def test_a_mistake_in_it_is_named_with_its_place(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.answer("GetObject", {"Body": b'{"checks": [{"type": "htp"}]}'})
    doctor()
    text = "s3://plans/shop.json: checks[0].type: is not one of the allowed values ("
    assert doctor.of("plan")[0] == ("error", text)

    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json", "checks": []}
    doctor()
    assert doctor.of("plan")[0][1].startswith("hookDetails.checks: give one of checks and plan")


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({}, "ok"),
        ({"RouteTableIds": []}, "error"),
        ({"State": "pending"}, "error"),
        ({"VpcEndpointType": "Interface", "Groups": [{"GroupId": "sg-endpoint"}]}, "ok"),
    ],
)
def test_s3_can_be_reached_through_a_gateway_endpoint(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str
) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.answer("GetObject", {"Body": json.dumps(PLAN).encode()})
    account.in_vpc()
    account.tables = [table()]
    gateway = {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False, "RouteTableIds": ["rtb-1"]}
    its = {"PrivateDnsEnabled": True} if "VpcEndpointType" in fields else gateway
    account.endpoints = [endpoint("ecs"), endpoint("s3", **{**its, **fields})]
    doctor()
    assert [each for each, _ in doctor.of("AWS access")] == [level]


@pytest.mark.parametrize(("rule", "level"), [([], "error"), ([rules(443, prefix_list="pl-1")], "unknown")])
def test_a_gateway_endpoint_behind_security_groups(
    doctor: Doctor, account: Account, rule: list[Any], level: str
) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.answer("GetObject", {"Body": json.dumps(PLAN).encode()})
    account.in_vpc()
    account.tables = [table()]
    account.groups["sg-hooks"] = ([], rule)
    gateway = {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False, "RouteTableIds": ["rtb-1"]}
    account.endpoints = [endpoint("ecs"), endpoint("s3", **gateway)]
    doctor()
    assert [each for each, _ in doctor.of("AWS access")] == [level]
