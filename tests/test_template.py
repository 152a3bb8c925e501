"""The role of the functions allows what the code asks AWS for, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

import ecs_hooks
from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import AlarmCheck, DriftCheck, HttpCheck, LogsCheck, MetricCheck, TargetsCheck, TasksCheck
from tests.aws import AwsApi
from tests.conftest import load_event
from tests.layouts import load_balancer, running, task

ROOT = Path(__file__).resolve().parents[1]
LAYER = Path(ecs_hooks.__file__).parent
_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
_IAM = {"elbv2": "elasticloadbalancing"}


def allowed() -> set[str]:
    template: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
    (policy,) = template["Resources"]["FunctionRole"]["Properties"]["Policies"]
    actions: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
    return {str(action) for action in actions} - _LOG


def test_every_action_that_the_code_names_is_allowed_and_no_other() -> None:
    sources = [path for path in LAYER.rglob("*.py") if not {"simulator", "cli"} & set(path.parts)]
    named = re.compile(r'"((?:ecs|elasticloadbalancing|cloudwatch|logs):[A-Z]\w+)"')

    assert {action for path in sources for action in named.findall(path.read_text())} == allowed()


def test_every_operation_that_is_called_is_allowed_and_no_other(aws: AwsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    load_balancer(aws, "HTTP", 9, "127.0.0.1")
    running(aws, task("a"), task("b"))
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": []})
    aws.answer("DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []})
    aws.answer("GetMetricData", {"MetricDataResults": []})
    query = {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"}
    metric = MetricCheck.model_validate({"queries": {"a": query}, "fail_if": {"below": 1}})
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}
    containers = [{"name": "web", "logConfiguration": logging}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    aws.answer("FilterLogEvents", {"events": []})
    checks = [
        AlarmCheck(prefix="x"),
        DriftCheck(),
        HttpCheck(connect_retries=0),
        LogsCheck(pattern="ERROR"),
        metric,
        TargetsCheck(),
        TasksCheck(),
    ]
    stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, checks)(load_event(), None)

    assert {f"{_IAM.get(service, service)}:{operation}" for service, operation in aws.operations} == allowed()
