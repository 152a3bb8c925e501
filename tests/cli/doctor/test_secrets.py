from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.account import FUNCTION_ROLE, Account
from tests.cli.conftest import Doctor

SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:shop-AbCdEf"
PARAMETER_ARN = "arn:aws:ssm:us-west-2:123456789012:parameter/shop/key"
ROLE_ARN = "arn:aws:iam::210987654321:role/smoke-tests"
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


def with_secret(account: Account, secret: Any) -> None:
    account.plan({"type": "http", "auth": {"bearer": {"token": secret}}}, base_url="https://shop.example")


def resources(account: Account) -> dict[str, list[str]]:
    calls = [each for each in account.aws.asked["SimulatePrincipalPolicy"] if each["PolicySourceArn"] == FUNCTION_ROLE]
    return {action: each["ResourceArns"] for each in calls for action in each["ActionNames"]}


def test_existing_secrets_are_found_without_reading_them(doctor: Doctor, account: Account) -> None:
    account.plan(BY_NAME, {**BY_NAME, "name": "again"})
    doctor()

    assert doctor.of("secrets") == [("ok", "2 secrets of the plan found")]
    assert "secretsmanager:GetSecretValue, ssm:GetParameter" in doctor.of("permissions")[0][1]
    found = resources(account)
    assert found["secretsmanager:GetSecretValue"] == [SECRET_ARN]
    assert found["ssm:GetParameter"] == [PARAMETER_ARN]
    assert account.aws.asked["DescribeSecret"][0] == {"SecretId": "shop"}
    which = [{"Key": "Name", "Option": "Equals", "Values": ["/shop/key"]}]
    assert account.aws.asked["DescribeParameters"] == [{"ParameterFilters": which}]
    # No secret is read.
    assert not {"GetSecretValue", "GetParameter"} & set(account.aws.calls)


def test_assumed_roles_are_simulated(doctor: Doctor, account: Account) -> None:
    signed = {"type": "http", "auth": {"sigv4": {"service": "execute-api", "role_arn": ROLE_ARN}}}
    account.plan(signed, {**signed, "name": "again"}, base_url="https://shop.example")
    doctor()
    assert resources(account)["sts:AssumeRole"] == [ROLE_ARN]

    account.deny("sts:AssumeRole")
    doctor()
    text = "ecs-hooks-function does not allow sts:AssumeRole, which the plan requires"
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
def test_a_missing_permission_names_the_parameter_of_the_stack(
    doctor: Doctor, account: Account, action: str, parameter: str, arn: str
) -> None:
    account.plan(BY_NAME)
    account.deny(action)
    doctor()

    text = f"ecs-hooks-function does not allow {action}, which the plan requires"
    assert ("error", text) in doctor.of("permissions")
    assert doctor.fix(text) == (
        f'add to a policy of the role: {{"Effect": "Allow", "Action": "{action}", "Resource": "{arn}"}}; '
        f"{parameter} of the stack does that"
    )


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ({"secretsmanager": "shop"}, "Secrets Manager has no secret shop"),
        ({"ssm": "/shop/key:3"}, "Systems Manager has no parameter /shop/key:3"),
        ({"env": "SHOP_TOKEN"}, "the function has no variable SHOP_TOKEN"),
    ],
)
def test_a_missing_secret_is_an_error(doctor: Doctor, account: Account, secret: dict[str, str], says: str) -> None:
    with_secret(account, secret)
    account.aws.error("DescribeSecret", "ResourceNotFoundException")
    account.aws.answer("DescribeParameters", {"Parameters": []})
    doctor()

    assert doctor.of("secrets") == [("error", says)]
    assert doctor.fix(says) == "create it, or correct the name in the plan"
    assert doctor.status == 1


def test_a_secret_may_be_an_environment_variable(doctor: Doctor, account: Account) -> None:
    with_secret(account, {"env": "SHOP_TOKEN"})
    account.function["Environment"] = {"Variables": {"SHOP_TOKEN": "hunter2"}}
    doctor()
    assert doctor.of("secrets") == [("ok", "1 secret of the plan found")]
    assert "hunter2" not in str(doctor.findings)

    account.function["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}}
    doctor()
    assert doctor.of("secrets")[0][0] == "unknown"


def test_a_secret_scheduled_for_deletion_is_an_error(doctor: Doctor, account: Account) -> None:
    with_secret(account, {"secretsmanager": SECRET_ARN})
    account.aws.answer("DescribeSecret", {"ARN": SECRET_ARN, "DeletedDate": datetime(2026, 11, 21, tzinfo=UTC)})
    doctor()
    assert doctor.of("secrets") == [("error", f"the secret {SECRET_ARN} is scheduled for deletion")]


def test_secrets_are_unknown_without_permission(doctor: Doctor, account: Account) -> None:
    account.plan(BY_NAME)
    account.aws.error("DescribeSecret", "AccessDeniedException")
    account.aws.error("DescribeParameters", "AccessDeniedException")
    doctor()

    assert [level for level, _ in doctor.of("secrets")] == ["unknown", "unknown"]
    assert doctor.of("permissions")[0] == (
        "unknown",
        "cannot determine the resources of secretsmanager:GetSecretValue: secretsmanager:DescribeSecret: AccessDeniedException",
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

    calls = account.aws.asked.get("DescribeParameters", [])
    assert [each["ParameterFilters"][0]["Values"] for each in calls] == names
    assert resources(account)["ssm:GetParameter"] == [resource]


def test_secrets_in_plain_text_are_warnings(doctor: Doctor, account: Account) -> None:
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
        text.partition(" is in plain text in hookDetails")[0]
        for level, text in doctor.of("secrets")
        if level == "warning"
    ]
    assert warned == [
        'http "a" auth.bearer.token',
        'http "b" headers.Authorization',
        "scenario secrets.password",
        "scenario requests[0].auth.basic.password",
        "scenario requests[1].auth.api_key.value",
        "scenario requests[2].auth.oauth2.client_secret",
        "scenario cleanup[0].auth.basic.password",
        "load requests[0].auth.api_key.value",
    ]
    assert "hunter2" not in str(doctor.findings)
    assert doctor.status == 0
