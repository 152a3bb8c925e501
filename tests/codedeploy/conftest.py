from __future__ import annotations

import pytest

from ecs_hooks.codedeploy.schedule import GROUP_VARIABLE, ROLE_VARIABLE
from tests.codedeploy.account import ROLE, Account
from tests.support.aws import AwsApi


@pytest.fixture
def account(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv(GROUP_VARIABLE, "hooks")
    monkeypatch.setenv(ROLE_VARIABLE, ROLE)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return Account(aws)
