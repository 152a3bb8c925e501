"""Blue and green of a Lambda function that CodeDeploy deploys."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.aws.errors import FactError
from ecs_hooks.codedeploy.deployment import LambdaDeployment
from ecs_hooks.codedeploy.description import describe
from ecs_hooks.deployment.base import NotApplicableError
from ecs_hooks.deployment.placeholders import NoBlueError, fill_placeholders
from tests.codedeploy.account import DEPLOYMENT, Account

HOOK = stage_hook(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT)


@pytest.fixture
def function(account: Account) -> Account:
    account.deploys_a_function()
    account.hook("BeforeAllowTraffic")
    return account


def made() -> LambdaDeployment:
    return LambdaDeployment(describe(DEPLOYMENT, "us-west-2"), "us-west-2")


def planned(monkeypatch: pytest.MonkeyPatch, *checks: dict[str, Any], **fields: Any) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN", json.dumps({"checks": checks, **fields}))


def test_contract_8_green_and_blue_are_versions(function: Account) -> None:
    deployment = made()
    assert (deployment.function, deployment.alias) == ("orders", "live")
    assert (deployment.blue_version, deployment.green_version) == ("6", "7")
    assert deployment.green_percent == 10
    assert not deployment.first
    assert fill_placeholders("{function}:{alias} {blue.version}->{green.version}", deployment) == "orders:live 6->7"


@pytest.mark.parametrize(("weight", "percent"), [(0.0, 0), (0.1, 10), (1.0, 100), (10.0, 10), (100.0, 100)])
def test_a_weight_is_a_fraction_or_a_percentage(function: Account, weight: float, percent: float) -> None:
    assert function.function is not None
    function.function["targetVersionWeight"] = weight
    assert made().green_percent == percent


def test_a_first_version(function: Account) -> None:
    assert function.function is not None
    for name in ("currentVersion", "targetVersionWeight"):
        del function.function[name]
    deployment = made()
    assert deployment.first
    assert deployment.green_percent is None
    with pytest.raises(NoBlueError, match="the first version behind the alias"):
        fill_placeholders("{blue.version}", deployment)


def test_a_target_without_a_version_is_an_error(function: Account) -> None:
    function.function = {}
    with pytest.raises(FactError, match="CodeDeploy reports no Lambda function and target version yet"):
        _ = made().green_version


@pytest.mark.parametrize(
    "name",
    ["cluster", "service", "green", "blue", "tasks", "stopped_tasks", "blue_tasks", "images", "task_counts"],
)
def test_properties_of_ecs_services_are_not_applicable(function: Account, name: str) -> None:
    with pytest.raises(NotApplicableError, match="a Lambda function has no "):
        getattr(made(), name)


def test_the_check_invoke_calls_the_new_version(function: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, {"type": "invoke", "payload": {"id": 1}, "expect": {"json": {"$.ok": True}}})
    function.aws.answer("Invoke", {"StatusCode": 200, "Payload": b'{"ok": true}'})
    assert function.invoke(HOOK)["reason"] == "SUCCEEDED pre_production_traffic_shift orders: 1 passed"
    (request,) = function.aws.asked["Invoke"]
    assert (request["FunctionName"], request["Qualifier"], json.loads(request["Payload"])) == ("orders", "7", {"id": 1})

    function.aws.answer("Invoke", {"StatusCode": 200, "Payload": b'{"ok": false}'})
    function.invoke(HOOK)
    assert function.reports == ["Succeeded", "Failed"]


def test_checks_of_ecs_services_are_skipped_beside_other_checks(
    function: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    function.aws.answer("Invoke", {"StatusCode": 200, "Payload": b"{}"})
    others = [{"type": "targets"}, {"type": "tasks"}, {"type": "drift"}, {"type": "golden_signals"}]
    planned(monkeypatch, {"type": "invoke"}, *others)
    assert function.invoke(HOOK)["reason"].endswith(": 1 passed, 4 skipped")


def test_a_plan_with_nothing_but_skipped_checks_fails(function: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, {"type": "targets"}, {"type": "tasks"})
    answer = function.invoke(HOOK)
    assert function.reports == ["Failed"]
    assert "no check applies to this deployment: targets a Lambda function has no" in answer["reason"]


def test_http_checks_need_a_base_url(function: Account, monkeypatch: pytest.MonkeyPatch, httpd: str) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    planned(monkeypatch, {"type": "http"})
    answer = function.invoke(HOOK)
    assert "a version of a Lambda function has no address of its own; set hookDetails.base_url" in answer["reason"]
    planned(monkeypatch, {"type": "http"}, base_url=httpd)
    function.invoke(HOOK)
    assert function.reports == ["Failed", "Succeeded"]


def test_http_checks_of_the_production_listener_need_a_url(function: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    function.hook("AfterAllowTraffic")
    planned(monkeypatch, {"type": "http", "listener": "production"})
    answer = function.invoke(stage_hook(Stage.POST_PRODUCTION_TRAFFIC_SHIFT))
    assert "has no address of its own; give the check a url" in answer["reason"]


def test_metrics_can_be_limited_to_the_new_version(function: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    dimensions = {"FunctionName": "{function}", "Resource": "{function}:{alias}", "ExecutedVersion": "{green.version}"}
    query = {"namespace": "AWS/Lambda", "metric": "Errors", "stat": "Sum", "dimensions": dimensions}
    planned(monkeypatch, {"type": "metric", "queries": {"a": query}, "fail_if": {"above": 1}})
    function.invoke(HOOK)
    (request,) = function.aws.asked["GetMetricData"]
    dimensions_sent = request["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert {each["Name"]: each["Value"] for each in dimensions_sent} == {
        "FunctionName": "orders",
        "Resource": "orders:live",
        "ExecutedVersion": "7",
    }


def test_steps_apply_by_the_weight_of_the_new_version(function: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    function.aws.answer("Invoke", {"StatusCode": 200, "LogResult": _report(80), "Payload": b"{}"})
    expect = {"max_latency_ms": 50}
    steps = [{"up_to_percent": 10, "expect": {"max_latency_ms": 100}}]
    planned(monkeypatch, {"type": "invoke", "expect": expect, "steps": steps})
    function.invoke(HOOK)
    assert function.function is not None
    function.function["targetVersionWeight"] = 0.5
    function.invoke(HOOK)
    assert function.reports == ["Succeeded", "Failed"]


def _report(milliseconds: float) -> str:
    line = f"REPORT RequestId: 1\tDuration: {milliseconds:.2f} ms\tBilled Duration: 81 ms\t"
    return base64.b64encode(f"secret log\n{line}\n".encode()).decode()
