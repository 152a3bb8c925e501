from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError

from ecs_hooks.aws.call import call_aws_list
from ecs_hooks.aws.clients import TIMEOUT_VARIABLE, client
from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.aws.session import fast_session
from tests.support.aws import AwsApi, Silence


def test_threads_share_a_client(aws: AwsApi) -> None:
    ready = Barrier(8)

    def make(number: int) -> object:
        ready.wait()
        return client(["ecs", "logs"][number % 2], "eu-south-2")

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))
    assert len({id(each) for each in made}) == 2
    assert client("ecs", "eu-south-1") is not client("ecs", "eu-south-2")


SERVICES = ["ecs", "elbv2", "cloudwatch", "logs", "s3", "secretsmanager", "ssm"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_the_fast_session_reads_the_same_data_as_botocore(service: str, kind: str) -> None:
    fast, slow = (each.get_component("data_loader") for each in (fast_session(), botocore.session.Session()))

    assert fast.load_service_model(service, kind) == slow.load_service_model(service, kind)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("region", ["us-west-2", "eu-south-2", "cn-north-1", "us-gov-west-1", "us-isob-east-1"])
def test_the_fast_session_sends_the_same_requests_as_botocore(
    service: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    operations: dict[str, tuple[str, dict[str, str]]] = {
        "ecs": ("list_clusters", {}),
        "logs": ("describe_log_groups", {}),
        "elbv2": ("describe_load_balancers", {}),
        "s3": ("get_object", {"Bucket": "plans", "Key": "a/b.json"}),
        "secretsmanager": ("get_secret_value", {"SecretId": "shop"}),
        "ssm": ("get_parameter", {"Name": "/shop"}),
    }
    operation, parameters = operations.get(service, ("describe_alarms", {}))
    sent: list[tuple[str, str]] = []

    def take(request: Any, **_: Any) -> None:
        # AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...
        signed_for = request.headers["Authorization"].decode().split("/")
        sent.append((request.url, "/".join(signed_for[2:4])))
        raise InterruptedError

    for session in (fast_session(), botocore.session.Session()):
        made = session.create_client(service, region_name=region)
        made.meta.events.register("before-send", take)
        with pytest.raises(InterruptedError):
            getattr(made, operation)(**parameters)
    fast, slow = sent
    assert fast == slow
    assert f".{region}." in fast[0]


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(UnknownServiceError):
        fast_session().create_client("nothing", region_name="us-west-2")


def test_a_call_is_tried_twice_unless_the_environment_says_otherwise(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.error("ListTasks", "ThrottlingException")
    for attempts in (2, 1):
        aws.calls.clear()
        with pytest.raises(FactError, match="ThrottlingException"):
            call_aws_list("ecs:ListTasks", "us-west-2", "taskArns")
        assert aws.calls["ListTasks"] == attempts
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_a_call_without_a_response_ends_after_the_time_in_the_environment(
    aws: AwsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.3")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    aws.answer("ListTasks", {"taskArns": []})
    aws.silence("ListTasks", Silence.HANG)  # longer than that it closes the connection, which is another error
    with pytest.raises(FactError, match="ReadTimeoutError"):
        call_aws_list("ecs:ListTasks", "us-west-2", "taskArns")


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan", "61"])
def test_an_invalid_timeout_is_named(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, seconds)
    with pytest.raises(FactDeniedError, match="ECS_HOOKS_AWS_TIMEOUT_SECONDS of the function: must be a number"):
        call_aws_list("ecs:ListTasks", "us-west-2", "taskArns")
