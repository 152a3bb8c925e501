from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks.auth.secret_resolver import SecretResolver
from ecs_hooks.auth.secret_store import SECONDS, Reference, read_secret
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.core import clock
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.limits import Limits
from tests.support.aws import AwsApi

SECRET = "hunter2-hunter2"
_ARN = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:shop-AbCdEf"


def find(**fields: Any) -> str:
    return read_secret(Reference.model_validate(fields), lambda: "us-west-2")


def secret(aws: AwsApi, value: Any) -> None:
    aws.answer("GetSecretValue", {"SecretString": value if isinstance(value, str) else json.dumps(value)})


def test_each_place_of_a_secret(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    secret(aws, {"user": "smoke", "password": SECRET})
    aws.answer("GetParameter", {"Parameter": {"Name": "/shop/token", "Value": SECRET}})
    monkeypatch.setenv("SHOP_TOKEN", SECRET)

    assert find(secretsmanager="shop", key="password") == SECRET
    assert json.loads(find(secretsmanager="shop"))["user"] == "smoke"
    assert find(ssm="/shop/token") == SECRET
    assert find(env="SHOP_TOKEN") == SECRET
    assert aws.asked == {
        "GetSecretValue": [{"SecretId": "shop"}],
        "GetParameter": [{"Name": "/shop/token", "WithDecryption": True}],
    }


def test_a_secret_is_cached_and_read_again_after_a_rotation(aws: AwsApi) -> None:
    now = [1000.0]
    with clock.use(lambda: now[0]):
        secret(aws, "old one")
        assert find(secretsmanager="shop") == "old one"
        secret(aws, "new one")
        now[0] += SECONDS - 1
        assert find(secretsmanager="shop") == "old one"
        now[0] += 1
        assert find(secretsmanager="shop") == "new one"
    assert aws.calls["GetSecretValue"] == 2


def test_an_arn_names_the_region(aws: AwsApi) -> None:
    secret(aws, SECRET)

    def no_region() -> str:
        raise AssertionError

    assert read_secret(Reference(secretsmanager=_ARN), no_region) == SECRET


@pytest.mark.parametrize(
    ("value", "key", "problem"),
    [
        ("no json", "k", "the secret is not a JSON object, so it has no key 'k' .shop."),
        ("[" * 100_000, "k", "the secret is not a JSON object"),
        ('{"k": "s3cret", "n": NaN}', "k", "the secret is not a JSON object"),
        ([SECRET], "k", "the secret is not a JSON object"),
        ({"other": SECRET}, "k", "no key 'k' .shop."),
        ({"k": 5}, "k", "the value of key 'k' is not a text, or is empty .shop."),
        ({"k": ""}, "k", "the value of key 'k' is not a text, or is empty"),
    ],
)
def test_a_missing_or_invalid_key_is_a_failure(aws: AwsApi, value: Any, key: str, problem: str) -> None:
    secret(aws, value)
    with pytest.raises(FactDeniedError, match=problem) as caught:
        find(secretsmanager="shop", key=key)
    assert SECRET not in str(caught.value)


def test_a_binary_secret_is_a_failure(aws: AwsApi) -> None:
    aws.answer("GetSecretValue", {"SecretBinary": b"\x00\x01"})
    with pytest.raises(FactDeniedError, match="secretsmanager:GetSecretValue: the secret is binary; store it as text"):
        find(secretsmanager="shop")


def test_an_empty_secret_is_an_invalid_response(aws: AwsApi) -> None:
    secret(aws, "")
    with pytest.raises(FactError, match=r"secretsmanager:GetSecretValue: invalid response \(shop\)") as caught:
        find(secretsmanager="shop")
    assert not isinstance(caught.value, FactDeniedError)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_a_failure(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("SHOP_TOKEN", value)
    with pytest.raises(FactDeniedError, match="environment variable SHOP_TOKEN of the function: not set or empty"):
        find(env="SHOP_TOKEN")


@pytest.mark.parametrize(
    ("operation", "reference", "parameter"),
    [
        ("GetSecretValue", {"secretsmanager": "shop"}, "SecretArns"),
        ("GetParameter", {"ssm": "/shop"}, "ParameterArns"),
    ],
)
def test_a_missing_permission_names_the_parameter_of_the_stack(
    aws: AwsApi, operation: str, reference: dict[str, str], parameter: str
) -> None:
    aws.error(operation, "AccessDeniedException", 400)
    with pytest.raises(FactDeniedError, match=rf"in the function's role, as {parameter} of the stack does") as caught:
        find(**reference)
    assert caught.value.access_denied
    assert caught.value.action.endswith(operation)
    assert str(caught.value).endswith(f"({next(iter(reference.values()))})")


def test_a_resolved_secret_is_masked(aws: AwsApi) -> None:
    secret(aws, SECRET)
    aws.answer("GetParameter", {"Parameter": {"Name": "/user", "Value": "kept-user"}})
    redactor = Redactor()
    resolver = SecretResolver(redactor, lambda: "us-west-2", Limits(), Deadline.after(10))

    assert resolver.resolve(Reference(secretsmanager="shop")) == SECRET
    assert resolver.resolve_text(Reference(ssm="/user")) == "kept-user"
    assert resolver.resolve("plain-text") == "plain-text"
    assert resolver.resolve_text("plain-user") == "plain-user"
    assert redactor.mask(f"{SECRET} kept-user plain-text plain-user") == "*** *** *** plain-user"


@pytest.mark.parametrize(
    "text", ['\ufeff{{"k": "{}"}}', '{{"n": %s, "k": "{}"}}' % ("9" * 5000), '{{"k": "old", "k": "{}"}}']
)
def test_a_secret_in_unusual_json(aws: AwsApi, text: str) -> None:
    aws.answer("GetSecretValue", {"SecretString": text.format(SECRET)})
    assert read_secret(Reference(secretsmanager=_ARN, key="k"), lambda: "us-west-2") == SECRET
