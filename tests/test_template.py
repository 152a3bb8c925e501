"""The role of each function allows what its code can ask AWS for at its stage, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

import ecs_hooks
from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import (
    CHECKS,
    AlarmCheck,
    Check,
    CompareCheck,
    ComparisonCheck,
    DigestCheck,
    DriftCheck,
    GoldenSignalsCheck,
    HttpCheck,
    LogsCheck,
    MetricCheck,
    TargetsCheck,
    TasksCheck,
)
from tests.aws import AwsApi
from tests.conftest import load_event
from tests.layouts import NLB_LISTENER, brief, load_balancer, revision, running, task

ROOT = Path(__file__).resolve().parents[1]
LAYER = Path(ecs_hooks.__file__).parent
_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
_IAM = {"elbv2": "elasticloadbalancing"}
TEMPLATE: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))["Resources"]


def function(stage: Stage) -> str:
    return stage.title().replace("_", "")


def statements(stage: Stage) -> Iterator[Mapping[str, Any]]:
    """Return what the role of a stage's function is allowed."""
    role = TEMPLATE[f"{function(stage)}Role"]["Properties"]
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]
    for managed in role["ManagedPolicyArns"]:
        if "Ref" in managed:
            yield from TEMPLATE[managed["Ref"]]["Properties"]["PolicyDocument"]["Statement"]


def allowed(stage: Stage) -> set[str]:
    actions: set[str] = set()
    for statement in statements(stage):
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    return {str(action) for action in actions}


def checks() -> list[Check]:
    """Return a check of every kind."""
    query = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
    return [
        AlarmCheck(),
        AlarmCheck(prefix="x"),
        CompareCheck(connect_retries=0),
        ComparisonCheck.model_validate({"metrics": [{"metric": "TargetResponseTime"}]}),
        ComparisonCheck.model_validate({"metrics": [{"metric": "TargetResponseTime"}], "baseline": "previous"}),
        DigestCheck(header="X-Version"),
        DriftCheck(),
        GoldenSignalsCheck(),
        HttpCheck(connect_retries=0),
        LogsCheck(pattern="ERROR"),
        LogsCheck(query="filter level = 'error'", lag_seconds=0),
        MetricCheck.model_validate({"queries": {"a": query}, "fail_if": {"below": 1}}),
        TargetsCheck(),
        TasksCheck(),
    ]


@pytest.fixture
def everything(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> AwsApi:
    """AWS, as it answers everything that checks ask."""
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    load_balancer(aws, "HTTP", 9, "127.0.0.1")
    running(aws, task("a", "127.0.0.1"), task("b"))
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": []})
    aws.answer("DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []})
    aws.answer("GetMetricData", {"MetricDataResults": []})
    aws.answer("ListServiceDeployments", {"serviceDeployments": [brief()]})
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}
    containers = [{"name": "web", "logConfiguration": logging}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    aws.answer("FilterLogEvents", {"events": []})
    aws.answer("StartQuery", {"queryId": "1"})
    aws.answer("GetQueryResults", {"status": "Complete", "results": []})
    return aws


def test_a_check_of_every_kind_is_tried() -> None:
    assert {check.type for check in checks()} == set(CHECKS)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_operation_that_is_called_is_allowed_and_no_other(everything: AwsApi, stage: Stage) -> None:
    event = load_event(lifecycleStage=stage)
    network = revision(test=NLB_LISTENER)
    network["loadBalancers"][0]["advancedConfiguration"]["productionListenerRule"] = NLB_LISTENER
    without_test_listener = revision(test="")
    stage_hook(stage, checks())(event, None)
    for described in (network, without_test_listener):
        everything.answer("DescribeServiceRevisions", {"serviceRevisions": [described], "failures": []})
        stage_hook(stage, checks())(event, None)

    called = {f"{_IAM.get(service, service)}:{operation}" for service, operation in everything.operations}
    assert called == allowed(stage) - _LOG


def test_every_action_that_the_code_names_is_allowed_somewhere_and_no_other() -> None:
    sources = [path for path in LAYER.rglob("*.py") if not {"simulator", "cli"} & set(path.parts)]
    named = re.compile(r'"((?:ecs|elasticloadbalancing|cloudwatch|logs):[A-Z]\w+)"')

    code = {action for path in sources for action in named.findall(path.read_text())}
    assert code == set().union(*map(allowed, Stage)) - _LOG


@pytest.mark.parametrize("stage", list(Stage))
def test_each_function_has_a_role_of_its_own_that_writes_its_own_log_alone(stage: Stage) -> None:
    name = function(stage)

    assert TEMPLATE[name]["Properties"]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
    writing = [statement for statement in statements(stage) if _LOG & set(statement["Action"])]
    assert [statement["Resource"] for statement in writing] == [{"Fn::GetAtt": [f"{name}Log", "Arn"]}]
    assert all(statement["Effect"] == "Allow" for statement in statements(stage))
