from __future__ import annotations

import pytest

from ecs_hooks.deployment.asking import ask
from ecs_hooks.deployment.clients import TIMEOUT_VARIABLE
from ecs_hooks.deployment.errors import FactDeniedError, FactError
from tests.aws import AwsApi


def test_a_call_is_tried_twice_unless_the_environment_says_otherwise(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.error("ListTasks", "ThrottlingException")
    for attempts in (2, 1):
        aws.calls.clear()
        with pytest.raises(FactError, match="ThrottlingException"):
            ask("ecs:ListTasks", "us-west-2", "taskArns")
        assert aws.calls["ListTasks"] == attempts
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "61"])
def test_a_time_out_that_is_none_is_named(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, seconds)
    with pytest.raises(FactDeniedError, match="ECS_HOOKS_AWS_TIMEOUT_SECONDS of the function must be a number"):
        ask("ecs:ListTasks", "us-west-2", "taskArns")
