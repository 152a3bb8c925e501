"""Names and ARNs of AWS in a plan: those that AWS refuses are refused by `validate`."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.plan.model import Plan, PlanError

ARN = "arn:aws:{}:us-west-2:123456789012:{}"


def is_valid(fields: dict[str, Any]) -> bool:
    try:
        Plan.parse(fields)
    except PlanError:
        return False
    return True


def secret(**reference: str) -> dict[str, Any]:
    return {"checks": [{"type": "http", "auth": {"bearer": {"token": reference}}}]}


def invoked(**fields: str) -> dict[str, Any]:
    return {"checks": [{"type": "invoke", **fields}]}


def role(arn: str) -> dict[str, Any]:
    return {"checks": [{"type": "http", "auth": {"sigv4": {"service": "lambda", "role_arn": arn}}}]}


VALID = (
    secret(ssm="token"),
    secret(ssm="/shop/token"),
    secret(ssm="/shop/token:3"),
    secret(ssm="token:live"),
    secret(ssm=ARN.format("ssm", "parameter/shop/token")),
    secret(ssm=ARN.format("ssm", "parameter/token:3")),
    secret(secretsmanager="shop/token"),
    secret(secretsmanager=ARN.format("secretsmanager", "secret:shop/token-AbCdEf")),
    secret(secretsmanager="arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a-AbCdEf"),
    invoked(function="smoke-test"),
    invoked(function="smoke-test:live"),
    invoked(function="smoke-test", qualifier="$LATEST"),
    invoked(function="123456789012:function:smoke-test"),
    invoked(function="function:smoke-test", qualifier="7"),
    invoked(function=ARN.format("lambda", "function:smoke-test")),
    invoked(function=ARN.format("lambda", "function:smoke-test:$LATEST")),
    role("arn:aws:iam::123456789012:role/path/to/caller"),
    role("arn:aws-cn:iam::123456789012:role/caller"),
    {"plan": "s3://my-bucket/plans/shop.json"},
    {"plan": "s3://my.bucket.1/a b"},
    {"plan": "ssm:/shop/plan"},
    {"plan": "ssm:plan:7"},
    {"plan": "ssm:" + ARN.format("ssm", "parameter/shop/plan")},
)
INVALID = (
    secret(ssm="shop/token"),
    secret(ssm="ssm:/shop/token"),
    secret(ssm="/shop/token:a:b"),
    secret(ssm=ARN.format("secretsmanager", "secret:token-AbCdEf")),
    secret(ssm=ARN.format("ssm", "document/token")),
    secret(ssm=ARN.format("ssm", "parametertoken")),
    secret(secretsmanager=ARN.format("ssm", "parameter/token")),
    secret(secretsmanager=ARN.format("secretsmanager", "token")),
    secret(secretsmanager="arn:azure:secretsmanager:us-west-2:123456789012:secret:a"),
    secret(secretsmanager=ARN.format("secretsmanager", "secret:a-AbCdEf:key::")),
    invoked(function="smoke test"),
    invoked(function="smoke.test"),
    invoked(function="a" * 65),
    invoked(function=ARN.format("lambda", "layer:smoke-test:1")),
    invoked(function=ARN.format("states", "stateMachine:smoke-test")),
    invoked(function="arn:aws:lambda:us-west-2:12345:function:smoke-test"),
    invoked(function=ARN.format("lambda", "function:a:b:c")),
    invoked(function="smoke-test:live", qualifier="live"),
    invoked(function=ARN.format("lambda", "function:a:7"), qualifier="7"),
    invoked(function="smoke-test", qualifier="a b"),
    invoked(function="smoke-test", qualifier="$NEWEST"),
    role("arn:aws:iam::123456789012:user/caller"),
    role("arn:aws:sts::123456789012:assumed-role/caller/session"),
    role("arn:aws:iam::12345:role/caller"),
    role("arn:azure:iam::123456789012:role/caller"),
    role("caller"),
    {"plan": "s3://My-Bucket/plan"},
    {"plan": "s3://my..bucket/plan"},
    {"plan": "s3://192.168.0.1/plan"},
    {"plan": "s3://xn--bucket/plan"},
    {"plan": "s3://bucket-s3alias/plan"},
    {"plan": "s3://ab/plan"},
    {"plan": "s3://my-bucket/"},
    {"plan": "s3://my-bucket/" + "a" * 1025},
    {"plan": "s3://my-bucket/" + "ä" * 513},
    {"plan": "ssm:shop/plan"},
    {"plan": "ssm:/shop/plan:a:b"},
    {"plan": "ssm:" + ARN.format("s3", "parameter/shop/plan")},
    {"plan": "arn:aws:s3:::my-bucket/plan"},
)


@pytest.mark.parametrize("fields", VALID, ids=str)
def test_names_of_the_right_kind_are_valid(fields: dict[str, Any]) -> None:
    assert is_valid(fields)


@pytest.mark.parametrize("fields", INVALID, ids=str)
def test_names_of_other_kinds_are_refused(fields: dict[str, Any]) -> None:
    assert not is_valid(fields)
