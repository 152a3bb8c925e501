from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks_cli.common.credentials import Labels, without_credentials

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"password": "hunter2", "pin": 1234, "user": "me"}, {"password": "***", "pin": "***", "user": "me"}),
        (
            {"headers": {"X-Functions-Key": "abc", "Accept": "a/b"}},
            {"headers": {"X-Functions-Key": "***", "Accept": "a/b"}},
        ),
        (
            {"auth": {"basic": {"username": "me", "password": "hunter2"}}},
            {"auth": {"basic": {"username": "me", "password": "***"}}},
        ),
        (
            {"auth": {"api_key": {"header": "X-Api-Key", "value": "abc"}}},
            {"auth": {"api_key": {"header": "X-Api-Key", "value": "***"}}},
        ),
        (
            {"auth": {"oauth2": {"token_url": "https://idp/t", "client_id": "me", "client_secret": "abc"}}},
            {"auth": {"oauth2": {"token_url": "https://idp/t", "client_id": "me", "client_secret": "***"}}},
        ),
        ({"secrets": {"a": "abc", "b": ["def", {"c": "ghi"}]}}, {"secrets": {"a": "***", "b": ["***", {"c": "***"}]}}),
        (
            {"environment": [{"name": "DB_PASSWORD", "value": "abc"}]},
            {"environment": [{"name": "DB_PASSWORD", "value": "***"}]},
        ),
        ({"certificate": {"private_key": PEM}}, {"certificate": {"private_key": "***"}}),
        ({"body": PEM}, {"body": "***"}),
        ({"url": "https://me:hunter2@a/b"}, {"url": "https://***@a/b"}),
        ({"url": "https://token@a/b@c"}, {"url": "https://***@a/b@c"}),
        (
            {"url": "https://a/b?x=1&X-Amz-Signature=abc&sig=def&token=ghi#top"},
            {"url": "https://a/b?x=1&X-Amz-Signature=***&sig=***&token=***#top"},
        ),
        ({"note": "curl -H 'Authorization: Bearer abcdef123' x"}, {"note": "curl -H 'Authorization: Bearer ***' x"}),
        ({"note": "Basic dXNlcjpwYXNz"}, {"note": "Basic ***"}),
        ({"note": f"is {JWT}!"}, {"note": "is ***!"}),
        ({"note": "AKIAIOSFODNN7EXAMPLE and ghp_abcdefghijklmnopqrst"}, {"note": "*** and ***"}),
        ({"body": '{"password": "hunter2", "user": "me"}'}, {"body": '{"password": "***", "user": "me"}'}),
        ({"body": 'x {\\"password\\": \\"hunter2\\"}'}, {"body": 'x {\\"password\\": ***}'}),
        ({"body": "user=me&password=hunter2"}, {"body": "user=me&password=***"}),
        ({"body": '{"broken'}, {"body": '{"broken'}),
    ],
)
def test_credentials_are_masked(value: Any, shown: Any) -> None:
    before = json.dumps(value)
    assert without_credentials(value) == shown
    assert json.dumps(value) == before


@pytest.mark.parametrize(
    "value",
    [
        {"headers": {"Authorization": "Bearer {{token}}"}, "url": "https://a/b?token={{token}}"},
        {
            "secrets": {
                "token": {"secretsmanager": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a", "key": "k"}
            }
        },
        {"auth": {"bearer": {"token": {"ssm": "/shop/token"}}}},
        {"captures": {"token": {"query": "json", "path": "$.token", "secret": True}}},
        {"body": '{"user": "me"}', "count": 3, "on": True, "none": None, "text": "", "list": [1, "a"]},
        {"url": "https://a/b?page=2", "author": "me", "password": ""},
    ],
)
def test_what_is_no_credential_is_shown(value: Any) -> None:
    assert without_credentials(value) == value


def test_labels_are_equal_for_equal_credentials() -> None:
    labels = Labels()
    assert without_credentials([{"token": "a"}, {"token": "b"}, {"token": "a"}], labels) == [
        {"token": "*** (1)"},
        {"token": "*** (2)"},
        {"token": "*** (1)"},
    ]
