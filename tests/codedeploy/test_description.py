from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactDeniedError
from ecs_hooks.codedeploy.description import Description, configuration, describe, parameter_names
from tests.codedeploy.account import DEPLOYMENT, Account

GROUP = "/ecs-hooks/orders/orders-prod"
HOOK = f"{GROUP}/AfterAllowTestTraffic"
DESCRIPTION = Description({"applicationName": "orders", "deploymentGroupName": "orders-prod"}, {})


@pytest.mark.parametrize("prefix", ["/ecs-hooks", "/ecs-hooks/"])
def test_a_hook_has_its_own_parameter_and_the_deployment_groups(prefix: str) -> None:
    assert parameter_names(prefix, DESCRIPTION, "AfterAllowTestTraffic") == [HOOK, GROUP]


def test_the_most_specific_plan_is_used(account: Account) -> None:
    environment = {"ECS_HOOKS_PLAN_PARAMETERS": "/ecs-hooks", "ECS_HOOKS_PLAN": '{"mode": "observe"}'}

    def found() -> object:
        return configuration(DESCRIPTION, "AfterAllowTestTraffic", "us-west-2", environment)

    assert found() == {"mode": "observe"}
    account.parameters[GROUP] = "{}"
    assert found() == {"plan": f"ssm:{GROUP}"}
    account.parameters[HOOK] = "{}"
    assert found() == {"plan": f"ssm:{HOOK}"}
    assert account.aws.calls == {"GetParameters": 3}


def test_an_error_of_systems_manager_is_not_an_empty_plan(account: Account) -> None:
    account.aws.error("GetParameters", "AccessDeniedException")
    with pytest.raises(FactDeniedError, match="ssm:GetParameters: AccessDeniedException; allow the action"):
        configuration(DESCRIPTION, "AfterInstall", "us-west-2", {"ECS_HOOKS_PLAN_PARAMETERS": "/ecs-hooks"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, {}),
        (" ", {}),
        ('{"checks": []}', {"checks": []}),
        ("s3://bucket/plan.json", {"plan": "s3://bucket/plan.json"}),
        ("ssm:/plan", {"plan": "ssm:/plan"}),
        ("{", "{"),
        ("[" * 100_000, "[" * 100_000),
        ("[1]", [1]),
    ],
)
def test_a_plan_in_the_environment_of_the_function(text: str | None, expected: object) -> None:
    environment = {} if text is None else {"ECS_HOOKS_PLAN": text}
    assert configuration(DESCRIPTION, "AfterInstall", "us-west-2", environment) == expected


def test_the_reason_and_the_log_have_the_origin_of_the_plan(
    account: Account, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    hook = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, ())

    def origin() -> str:
        answer = account.invoke(hook)
        verdict = next(line for line in lines() if "verdict" in line)
        assert answer["reason"].endswith(f"; {verdict['plan']}")
        return str(verdict["plan"])

    monkeypatch.setenv("ECS_HOOKS_PLAN", '{"mode": "observe"}')
    assert origin() == "default checks, since environment variable ECS_HOOKS_PLAN has no checks"
    monkeypatch.delenv("ECS_HOOKS_PLAN")
    unset = "ECS_HOOKS_PLAN is not set"
    assert origin() == f"default checks, since no plan was found: {unset}"
    monkeypatch.setenv("ECS_HOOKS_PLAN_PARAMETERS", "/ecs-hooks")
    assert origin() == (
        f"default checks, since no plan was found: parameter {HOOK} does not exist, parameter {GROUP} does not exist, {unset}"
    )
    monkeypatch.setenv("ECS_HOOKS_PLAN", '{"checks": []}')
    missing = f"parameter {HOOK} does not exist and parameter {GROUP} does not exist"
    assert origin() == f"plan environment variable ECS_HOOKS_PLAN, since {missing}"
    account.parameters[GROUP] = '{"checks": []}'
    assert origin() == f"plan ssm:{GROUP}"
    account.parameters[HOOK] = "{}"
    assert origin() == f"default checks, since ssm:{HOOK} has no checks"


def test_a_plan_in_a_parameter(
    account: Account, httpd: str, monkeypatch: pytest.MonkeyPatch, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN_PARAMETERS", "/ecs-hooks")
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    check = {"type": "http", "expect": {"json": {"$": {"length": 0}}}}
    account.parameters[HOOK] = json.dumps({"base_url": httpd, "checks": [check]})
    answer = account.invoke(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT))
    assert answer["reason"] == f"SUCCEEDED post_test_traffic_shift my-service: 1 passed; plan ssm:{HOOK}"
    assert lines()[-2]["plan"] == f"plan ssm:{HOOK}"

    account.parameters[HOOK] = json.dumps({"base_url": httpd, "checks": [{"type": "htp"}]})
    answer = account.invoke(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT))
    assert f"ssm:{HOOK}: checks[0].type: is not one of the allowed values" in answer["reason"]
    assert account.reports == ["Succeeded", "Failed"]


@pytest.mark.parametrize("kind", ["targetId", "targetArn", "deploymentId"])
def test_responses_about_another_deployment_or_service_are_refused(account: Account, kind: str) -> None:
    described: dict[str, str] = {
        "deploymentId": DEPLOYMENT,
        "targetId": "my-cluster:my-service",
        "targetArn": "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service",
    }
    account.aws.answer(
        "BatchGetDeploymentTargets",
        lambda _: {"deploymentTargets": [{"deploymentTargetType": "ECSTarget", "ecsTarget": described}]},
    )
    deployed = describe(DEPLOYMENT, "us-west-2").deployed("", "us-west-2")
    assert str(deployed) == described["targetArn"]

    described[kind] = described[kind].replace("my-service", "other").replace("ABC", "XYZ")
    with pytest.raises(
        FactDeniedError, match=r"codedeploy:BatchGetDeploymentTargets: (targetArn|deploymentId) is"
    ) as raised:
        describe(DEPLOYMENT, "us-west-2")
    for each in ("d-XYZ", DEPLOYMENT) if kind == "deploymentId" else ("'other'", "'my-service'"):
        assert each in str(raised.value)


def test_a_response_about_another_region_or_deployment_is_refused(account: Account) -> None:
    arn = "arn:aws:ecs:eu-west-1:123456789012:service/my-service"
    account.aws.answer("BatchGetDeploymentTargets", {"deploymentTargets": [{"ecsTarget": {"targetArn": arn}}]})
    with pytest.raises(FactDeniedError, match="is of region 'eu-west-1', but CodeDeploy is of region 'us-west-2'"):
        describe(DEPLOYMENT, "us-west-2")
    account.deployment["deploymentId"] = "d-XYZ"
    with pytest.raises(
        FactDeniedError, match=f"GetDeployment: deploymentId is d-XYZ, but event.DeploymentId is {DEPLOYMENT}"
    ):
        describe(DEPLOYMENT, "us-west-2")


@pytest.mark.parametrize(
    ("service", "status"), [("my-service", "Succeeded"), ("my-cluster/my-service", "Succeeded"), ("other", "Failed")]
)
def test_a_plan_for_another_service_fails(
    account: Account, monkeypatch: pytest.MonkeyPatch, service: str, status: str
) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", json.dumps({"service": service, "checks": []}))
    answer = account.invoke(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT))
    assert account.reports == [status]
    arn = "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/my-service"
    assert status == "Succeeded" or f"for service other, but this is a deployment of service {arn}" in answer["reason"]


def test_a_plan_for_a_function(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.deploys_a_function()
    monkeypatch.setenv("ECS_HOOKS_PLAN", json.dumps({"service": "other", "checks": []}))
    answer = account.invoke(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT))
    assert "for service other, but this is a deployment of Lambda function orders" in answer["reason"]


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_an_invalid_plan_fails(account: Account, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", text)
    answer = account.invoke(stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT))
    assert account.reports == ["Failed"]
    assert "the plan is not valid" in answer["reason"]


def test_the_compute_platform_server_is_refused(account: Account) -> None:
    account.deployment["computePlatform"] = "Server"
    with pytest.raises(FactDeniedError, match="compute platform Server has no Lambda hooks"):
        describe(DEPLOYMENT, "us-west-2")


def test_a_deployment_without_a_target(account: Account) -> None:
    account.aws.answer("ListDeploymentTargets", {"targetIds": []})
    found = describe(DEPLOYMENT, "us-west-2")
    assert (found.running_hook, found.service_name, found.began("AfterInstall")) == ("", "", None)
    account.aws.answer("ListDeploymentTargets", {"targetIds": ["a"]})
    account.aws.answer("BatchGetDeploymentTargets", {"deploymentTargets": []})
    assert describe(DEPLOYMENT, "us-west-2").target == {}
