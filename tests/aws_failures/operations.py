"""Every AWS operation of the layer, with a plan that requires it, and AWS without failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ecs_hooks import LifecycleEvent, Stage, stage_hook
from ecs_hooks.auth import secret_store, sigv4
from ecs_hooks.core.state import State, step_of, with_state
from tests.conftest import BLUE, GREEN, load_event
from tests.fuzz.test_events import valid
from tests.support.aws import AwsApi, role_keys
from tests.support.layouts import brief, load_balancer, rule, running, task

HEADER = {"HttpHeaderName": "X-Environment", "Values": ["test"]}
SECRET = "hunter2"
"""Text in responses that must not be shown."""

NOW = 1_800_000_000.0
BEGAN = NOW - 600
"""Time of the first invocation, so that the windows of metric checks are over."""

HTTP = {"type": "http", "connect_retries": 0}
LOGS = {"type": "logs", "pattern": "ERROR"}
QUERY = {"type": "logs", "name": "query", "query": "filter level = 'error'", "max_matches": 1}
TARGETS = {"type": "targets"}
TASKS = {"type": "tasks"}
ALARM = {"type": "alarm"}
METRIC = {
    "type": "metric",
    "queries": {"a": {"namespace": "AWS/ECS", "metric": "CPUUtilization"}},
    "fail_if": {"above": 90},
}

COMPARISON = {
    "type": "comparison",
    "metrics": [{"metric": "TargetResponseTime"}],
    "baseline": "previous",
    "window_minutes": 5,
}

SECRET_BY_NAME = {
    **HTTP,
    "name": "secret",
    "auth": {"bearer": {"token": {"secretsmanager": "shop", "key": "token"}}},
}
PARAMETER = {**HTTP, "name": "parameter", "headers": {"X-Key": {"ssm": "/shop/key"}}}
SIGNED = {
    **HTTP,
    "name": "signed",
    "auth": {"sigv4": {"service": "execute-api", "role_arn": "arn:aws:iam::123456789012:role/smoke-tests"}},
}
PLAN = {"plan": "s3://plans/shop.json"}
"""The place of a plan."""

OPERATIONS: dict[str, dict[str, Any]] = {
    "cloudwatch:DescribeAlarms": ALARM,
    "cloudwatch:GetMetricData": METRIC,
    "ecs:DescribeServiceDeployments": TASKS,
    "ecs:DescribeServiceRevisions": TASKS,
    "ecs:DescribeTaskDefinition": LOGS,
    "ecs:DescribeTasks": TASKS,
    "ecs:ListServiceDeployments": COMPARISON,
    "ecs:ListTasks": TASKS,
    "elasticloadbalancing:DescribeListeners": HTTP,
    "elasticloadbalancing:DescribeLoadBalancers": HTTP,
    "elasticloadbalancing:DescribeRules": HTTP,
    "elasticloadbalancing:DescribeTargetHealth": TARGETS,
    "logs:FilterLogEvents": LOGS,
    "logs:GetQueryResults": QUERY,
    "logs:StartQuery": QUERY,
    "s3:GetObject": PLAN,
    "secretsmanager:GetSecretValue": SECRET_BY_NAME,
    "ssm:GetParameter": PARAMETER,
    "sts:AssumeRole": SIGNED,
}
"""Each IAM action, and a check that requires it."""

CONTENT = {"s3:GetObject"}
"""Operations that return content of the user, whose errors are errors of the plan."""


MISSING = {
    "cloudwatch:DescribeAlarms": "ResourceNotFound",
    "cloudwatch:GetMetricData": "ResourceNotFound",
    "ecs:DescribeServiceDeployments": "ServiceDeploymentNotFoundException",
    "ecs:DescribeServiceRevisions": "ServiceNotFoundException",
    "ecs:DescribeTaskDefinition": "ClientException",
    "ecs:DescribeTasks": "ClusterNotFoundException",
    "ecs:ListServiceDeployments": "ServiceNotFoundException",
    "ecs:ListTasks": "ClusterNotFoundException",
    "elasticloadbalancing:DescribeListeners": "ListenerNotFound",
    "elasticloadbalancing:DescribeLoadBalancers": "LoadBalancerNotFound",
    "elasticloadbalancing:DescribeRules": "RuleNotFound",
    "elasticloadbalancing:DescribeTargetHealth": "TargetGroupNotFound",
    "logs:FilterLogEvents": "ResourceNotFoundException",
    "logs:GetQueryResults": "ResourceNotFoundException",
    "logs:StartQuery": "ResourceNotFoundException",
    "s3:GetObject": "NoSuchKey",
    "secretsmanager:GetSecretValue": "ResourceNotFoundException",
    "ssm:GetParameter": "ParameterNotFound",
    "sts:AssumeRole": "RegionDisabledException",
}
"""The error of each operation if the resource does not exist."""

NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    "cloudwatch:DescribeAlarms": (
        {"MetricAlarms": [], "CompositeAlarms": []},
        "not found in CloudWatch: alarm api-5xx",
    ),
    "cloudwatch:GetMetricData": ({"MetricDataResults": []}, "0 datapoints"),
    "ecs:DescribeServiceDeployments": (
        {"serviceDeployments": [], "failures": [{"reason": "MISSING"}]},
        "ecs:DescribeServiceDeployments: service deployment not found",
    ),
    "ecs:DescribeServiceRevisions": (
        {"serviceRevisions": [], "failures": [{"reason": "MISSING"}]},
        "ecs:DescribeServiceRevisions: service revision not found",
    ),
    "ecs:ListServiceDeployments": ({"serviceDeployments": []}, "no successful deployment of blue found"),
    "elasticloadbalancing:DescribeListeners": ({"Listeners": []}, "listener not found"),
    "elasticloadbalancing:DescribeLoadBalancers": ({"LoadBalancers": []}, "load balancer not found"),
    "elasticloadbalancing:DescribeRules": ({"Rules": []}, "listener rule not found"),
}
"""Empty responses that are failures, and their reason."""

NOT_YET: dict[str, dict[str, Any]] = {
    "ecs:DescribeTasks": {"tasks": [], "failures": [{"reason": "MISSING"}]},
    "ecs:ListTasks": {"taskArns": []},
    "elasticloadbalancing:DescribeTargetHealth": {"TargetHealthDescriptions": []},
}
"""Empty responses that may be filled later: waited for."""

ALWAYS_SOMETHING = {
    "ecs:DescribeTaskDefinition",
    "logs:FilterLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "sts:AssumeRole",
}
"""Operations whose responses are never empty."""


def event(check: dict[str, Any], **plan: Any) -> dict[str, Any]:
    """Return an event whose plan has this check, and whose hook was invoked before."""
    bare = load_event()
    state = State(step_of(LifecycleEvent.parse(bare)), int(BEGAN), expires_at=-1)
    plan_ = check if "plan" in check else {"checks": [check]}
    return {**bare, "hookDetails": with_state({**plan_, "error_limit": 2, **plan}, state)}


def operation(action: str) -> str:
    """Return the operation of an IAM action."""
    return action.partition(":")[2]


def answer(event: dict[str, Any]) -> dict[str, Any]:
    """Return the response of a hook, after assertions that it is valid and reports no exception of the library.

    The function is cold: no secret is cached.
    """
    secret_store.cached_secrets.clear()
    sigv4.cached_roles.clear()
    answered = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)(event)
    assert valid(answered), answered
    assert "raised " not in answered["reason"], answered
    assert "ecs-hooks; see the log" not in answered["reason"], answered
    assert SECRET not in str(answered), answered
    return answered


def without_failures(aws: AwsApi, port: int) -> None:
    """Set AWS responses with which each plan passes; green listens on this port of the machine."""
    load_balancer(aws, "HTTP", port, "127.0.0.1")
    aws.answer("DescribeRules", rule({"Field": "http-header", "HttpHeaderConfig": HEADER}))
    running(aws, task("a", "127.0.0.2"), task("b", "127.0.0.2"))
    listed = {"taskArns": [task(name)["taskArn"] for name in ("a", "b")]}
    aws.answer(
        "ListTasks", lambda parameters: {"taskArns": []} if parameters.get("desiredStatus") == "STOPPED" else listed
    )
    healthy = [{"Target": {"Id": "10.0.0.7", "Port": 8080}, "TargetHealth": {"State": "healthy"}}]
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": healthy})
    logging = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "ecs"}}
    containers = [{"name": "web", "logConfiguration": logging}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    aws.answer("FilterLogEvents", {"events": [{"logStreamName": "ecs/web/of-blue", "message": SECRET}]})
    aws.answer("StartQuery", {"queryId": "12ab"})
    aws.answer("GetQueryResults", {"status": "Complete", "results": [[{"field": "level", "value": "error"}]]})
    aws.answer("GetSecretValue", {"SecretString": json.dumps({"token": SECRET})})
    aws.answer("GetParameter", {"Parameter": {"Value": SECRET}})
    aws.answer("GetObject", {"Body": json.dumps({"checks": [HTTP]}).encode()})
    aws.answer("AssumeRole", role_keys(secret_key=SECRET, token=SECRET, expires=NOW + 900))
    stamp = datetime.fromtimestamp(BEGAN + 120, UTC)
    before = BEGAN - 86_400
    stamps = {
        "c0_Result": [stamp],
        "c0_green0": [datetime.fromtimestamp(BEGAN + 60 * minute, UTC) for minute in range(5)],
        "c_blue0": [datetime.fromtimestamp(before + 60 * minute, UTC) for minute in range(5)],
    }
    results = [
        {"Id": name, "Timestamps": each, "Values": [5.0] * len(each), "StatusCode": "Complete"}
        for name, each in stamps.items()
    ]
    aws.answer("GetMetricData", {"MetricDataResults": results})
    finished = datetime.fromtimestamp(before, UTC)
    aws.answer("ListServiceDeployments", {"serviceDeployments": [brief(finished=finished)]})
    alarm = {"AlarmName": "api-5xx", "StateValue": "OK", "StateTransitionedTimestamp": stamp}
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
    deployment = {
        "status": "IN_PROGRESS",
        "sourceServiceRevisions": [{"arn": BLUE}],
        "startedAt": datetime.fromtimestamp(BEGAN, UTC),
        "targetServiceRevision": {"arn": GREEN, "requestedTaskCount": 2, "runningTaskCount": 2},
        "deploymentConfiguration": {
            "strategy": "BLUE_GREEN",
            "alarms": {"alarmNames": ["api-5xx"], "enable": True, "rollback": True},
        },
    }
    aws.answer("DescribeServiceDeployments", {"serviceDeployments": [deployment], "failures": []})
