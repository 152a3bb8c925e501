from __future__ import annotations

import errno
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, SSOTokenLoadError, UnauthorizedSSOTokenError

from ecs_hooks.aws.call import call_aws
from ecs_hooks.aws.errors import FactDeniedError, FactError, aws_error
from ecs_hooks.core.outcome import Status
from tests.support.aws import AwsApi

ECS = "ecs:UpdateService"


def failed(aws: AwsApi, code: str, message: str, status: int = 400, **parameters: Any) -> str:
    aws.error("UpdateService", code, status, message=message)
    with pytest.raises(FactError) as raised:
        call_aws(ECS, "us-west-2", service="web", **parameters)
    return str(raised.value)


@pytest.mark.parametrize("code", ["InvalidParameterException", "ClientException", "ValidationException"])
def test_a_message_about_the_input_is_shown(aws: AwsApi, code: str) -> None:
    text = "bakeTimeInMinutes must be set\nwith BLUE_GREEN."
    assert failed(aws, code, text) == f"{ECS}: {code}: bakeTimeInMinutes must be set with BLUE_GREEN."


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 400), ("ThrottlingException", 400), ("ServerException", 500), ("Other", 400)],
)
def test_other_messages_are_not_shown(aws: AwsApi, code: str, status: int) -> None:
    assert "user arn" not in failed(aws, code, "the user arn:aws:iam::123456789012:user/a is not", status)


def test_a_message_has_no_secret_of_the_call_and_a_limit(aws: AwsApi) -> None:
    hook = {"lifecycleStages": ["PRE_SCALE_UP"], "hookDetails": {"auth": {"password": "hunter2-hunter2"}}}
    configuration = {"lifecycleHooks": [hook]}
    found = failed(
        aws,
        "InvalidParameterException",
        "hookDetails {password=hunter2-hunter2} are not valid " + "x" * 1000,
        deploymentConfiguration=configuration,
    )
    assert found.startswith(f"{ECS}: InvalidParameterException: hookDetails {{password=***}} are not valid xxx")
    assert len(found) < 400
    assert "hunter2" not in found


@pytest.mark.parametrize("error", [UnauthorizedSSOTokenError(), SSOTokenLoadError(error_msg="secret path")])
def test_an_expired_sso_session_has_its_command(error: Exception) -> None:
    found = aws_error(ECS, error)
    assert isinstance(found, FactDeniedError)
    assert str(found) == f"{ECS}: no valid SSO session ({type(error).__name__}); run `aws sso login`"


def test_the_functions_own_limit_is_named() -> None:
    cause = OSError(errno.EMFILE, "Too many open files")
    wrapped = EndpointConnectionError(endpoint_url="http://a", error=cause)
    wrapped.__cause__ = cause
    error = aws_error("ecs:DescribeTasks", wrapped)
    assert str(error).startswith("ecs:DescribeTasks: the function ran out of file descriptors; at most ")
    assert error.outcome.status is Status.ERROR
