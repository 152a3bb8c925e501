from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from ecs_hooks.aws.errors import FactDeniedError, FactError, aws_error
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Status
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests.conftest import EcsApi, load_event

EVENT = LifecycleEvent.parse(load_event())
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:hook"


@pytest.mark.parametrize(
    ("fields", "rolling_back"),
    [
        ({"status": "IN_PROGRESS"}, False),
        ({"status": "ROLLBACK_REQUESTED"}, True),
        ({"status": "ROLLBACK_IN_PROGRESS"}, True),
        ({"status": "IN_PROGRESS", "rollback": {"reason": "x"}}, True),
        ({"status": "SUCCESSFUL"}, False),
    ],
)
def test_a_rollback_is_detected_by_status(ecs: EcsApi, fields: dict[str, Any], *, rolling_back: bool) -> None:
    ecs.deployment(**fields)

    assert ServiceDeployment(EVENT).rolling_back is rolling_back


def test_the_first_deployment_has_no_source(ecs: EcsApi) -> None:
    assert not ServiceDeployment(EVENT).first
    ecs.deployment(sourceServiceRevisions=[])
    assert ServiceDeployment(EVENT).first


def test_without_the_sources_first_is_unknown(ecs: EcsApi) -> None:
    ecs.answer({"serviceDeployments": [{"status": "IN_PROGRESS"}]})

    with pytest.raises(FactError, match="no sourceServiceRevisions"):
        _ = ServiceDeployment(EVENT).first


def test_a_response_about_another_deployment_is_invalid(ecs: EcsApi) -> None:
    ecs.deployment(serviceDeploymentArn=str(EVENT.deployment))
    assert not ServiceDeployment(EVENT).first
    ecs.deployment(serviceDeploymentArn=f"{EVENT.deployment}x")
    with pytest.raises(FactError, match=r"^ecs:DescribeServiceDeployments: invalid response$"):
        _ = ServiceDeployment(EVENT).first


def test_the_strategy_may_be_unknown(ecs: EcsApi) -> None:
    assert ServiceDeployment(EVENT).strategy == "BLUE_GREEN"
    ecs.answer({"serviceDeployments": [{"status": "IN_PROGRESS"}]})
    assert ServiceDeployment(EVENT).strategy == ""


def test_all_facts_need_one_call(ecs: EcsApi) -> None:
    deployment = ServiceDeployment(EVENT)
    threads = [threading.Thread(target=lambda: deployment.first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (deployment.rolling_back, deployment.strategy, deployment.expires_at("")) == (False, "BLUE_GREEN", None)
    assert ecs.calls == 1


def hook(expires: Any, **fields: Any) -> dict[str, Any]:
    return {"hookId": "x", "targetType": "AWS_LAMBDA", "status": "IN_PROGRESS", "expiresAt": expires, **fields}


@pytest.mark.parametrize(
    ("hooks", "expires_at"),
    [
        ([], None),
        ([hook(500), hook(400)], 400),
        ([hook(500, targetArn=FUNCTION), hook(400, targetArn="other")], 500),
        ([hook(500), hook(100, targetType="PAUSE")], 500),
        ([hook(500), hook(100, status="SUCCEEDED")], 500),
        ([{"status": "IN_PROGRESS"}], None),
    ],
)
def test_the_timeout_of_the_hook(ecs: EcsApi, hooks: list[dict[str, Any]], expires_at: float | None) -> None:
    ecs.deployment(lifecycleHookDetails=hooks)

    assert ServiceDeployment(EVENT).expires_at(FUNCTION) == expires_at


def test_times_are_times() -> None:
    assert datetime.fromtimestamp(400, UTC).timestamp() == 400


@pytest.mark.parametrize(
    ("code", "http", "kind", "says"),
    [
        ("ThrottlingException", 400, FactError, "ecs:DescribeServiceDeployments: ThrottlingException"),
        ("ServerException", 500, FactError, "ServerException"),
        (
            "AccessDeniedException",
            400,
            FactDeniedError,
            "allow the action ecs:DescribeServiceDeployments in the function's role",
        ),
        ("ClusterNotFoundException", 400, FactDeniedError, "ClusterNotFoundException"),
    ],
)
def test_errors_of_the_api_are_transient_or_not(ecs: EcsApi, code: str, http: int, kind: type, says: str) -> None:
    ecs.error(code, http)

    with pytest.raises(FactError, match=says) as raised:
        _ = ServiceDeployment(EVENT).rolling_back

    assert type(raised.value) is kind
    assert raised.value.outcome.status is (Status.ERROR if kind is FactError else Status.FAIL)


def test_a_missing_deployment_is_a_failure(ecs: EcsApi) -> None:
    ecs.answer({"serviceDeployments": [], "failures": [{"arn": str(EVENT.deployment), "reason": "MISSING"}]})

    with pytest.raises(FactDeniedError, match="service deployment not found"):
        _ = ServiceDeployment(EVENT).first


def test_no_connection_and_a_malformed_body_are_errors(ecs: EcsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    ecs.body = b"<html>"
    with pytest.raises(FactError) as raised:
        _ = ServiceDeployment(EVENT).first
    assert type(raised.value) is FactError

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(FactError, match="EndpointConnectionError"):
        _ = ServiceDeployment(EVENT).first


def test_an_error_without_a_response_is_named_by_its_type() -> None:
    assert str(aws_error("ecs:X", ReadTimeoutError(endpoint_url="secret"))) == "ecs:X: ReadTimeoutError"
    assert str(aws_error("ecs:X", ValueError("secret"))) == "ecs:X: invalid response"


@pytest.mark.parametrize("details", ["a text", '{"checks": []}', {"checks": [1]}, ["a"], 5, True])
def test_hook_details_may_be_any_json(ecs: EcsApi, details: object) -> None:
    hook = {"hookTargetArn": FUNCTION, "hookDetails": details}
    ecs.deployment(status="ROLLBACK_IN_PROGRESS", deploymentConfiguration={"lifecycleHooks": [hook]})

    assert ServiceDeployment(EVENT).rolling_back
