"""A deployment of the ECS service `my-service` by CodeDeploy, as AWS describes it while one of its hooks runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.support.aws import AwsApi
from tests.support.layouts import BLUE_GROUP, GREEN_GROUP, LISTENER, default_rule, forward, healthy, task

FUNCTION_OF = {
    "BeforeInstall": "PreScaleUp",
    "AfterInstall": "PostScaleUp",
    "AfterAllowTestTraffic": "PostTestTrafficShift",
    "BeforeAllowTraffic": "PreProductionTrafficShift",
    "AfterAllowTraffic": "PostProductionTrafficShift",
}
"""The function for each lifecycle event."""

GROUP = "/ecs-hooks/orders/production"
"""The parameter with the plan of all hooks."""

_SETS = {"Blue": ("ecs-svc/1111111111111111111", BLUE_GROUP), "Green": ("ecs-svc/2222222222222222222", GREEN_GROUP)}
_PRODUCTION = LISTENER.replace("f2f7dc8efc522ab2", "aaaaaaaaaaaaaaaa")
_STEPS = list(FUNCTION_OF)


def deployed_by_codedeploy(aws: AwsApi, event: str, port: int, host: str = "127.0.0.1") -> None:
    """Have AWS answer like for a service that is well, whose deployment by CodeDeploy is at a lifecycle event."""
    healthy(aws, port, host)
    green_has = 100.0 if event == "AfterAllowTraffic" else 0.0
    weights = {"Blue": 100.0 - green_has, "Green": green_has}
    there = ["Blue"] if event == "BeforeInstall" else ["Blue", "Green"]
    now = datetime.now(UTC)
    described = {
        "applicationName": "orders",
        "deploymentGroupName": "production",
        "deploymentId": "d-7M6ZLDC2K",
        "status": "InProgress",
        "creator": "user",
        "computePlatform": "ECS",
        "createTime": now,
        "startTime": now,
    }
    done = [{"lifecycleEventName": each, "status": "Succeeded"} for each in _STEPS[: _STEPS.index(event)]]
    target = {
        "deploymentId": "d-7M6ZLDC2K",
        "targetId": "my-cluster:my-service",
        "lifecycleEvents": [*done, {"lifecycleEventName": event, "status": "InProgress", "startTime": now}],
        "status": "InProgress",
        "taskSetsInfo": [
            {
                "identifer": _SETS[label][0],  # as AWS spells it
                "taskSetLabel": label,
                "desiredCount": 2,
                "runningCount": 2,
                "pendingCount": 0,
                "status": "ACTIVE" if label == "Green" else "PRIMARY",
                "trafficWeight": weights[label],
            }
            for label in there
        ],
    }
    routes = {
        "targetGroups": [{"name": "primary"}, {"name": "alternate"}],
        "prodTrafficRoute": {"listenerArns": [_PRODUCTION]},
        "testTrafficRoute": {"listenerArns": [LISTENER]},
    }
    group = {
        "applicationName": "orders",
        "deploymentGroupName": "production",
        "alarmConfiguration": {"enabled": True, "alarms": [{"name": "api-5xx"}]},
        "loadBalancerInfo": {"targetGroupPairInfoList": [routes]},
    }
    aws.answer("GetDeployment", {"deploymentInfo": described})
    aws.answer("ListDeploymentTargets", {"targetIds": ["my-cluster:my-service"]})
    targets = [{"deploymentTargetType": "ECSTarget", "ecsTarget": target}]
    aws.answer("BatchGetDeploymentTargets", {"deploymentTargets": targets})
    aws.answer("GetDeploymentGroup", {"deploymentGroupInfo": group})
    aws.answer("PutLifecycleEventHookExecutionStatus", lambda asked: {"x": asked["lifecycleEventHookExecutionId"]})
    aws.answer("DescribeTaskSets", lambda asked: {"taskSets": [_task_set(each) for each in asked["taskSets"]]})
    aws.answer("DescribeListeners", lambda asked: {"Listeners": [_listener(asked["ListenerArns"][0], event, port)]})
    aws.answer("DescribeRules", lambda asked: default_rule(asked, _group(asked["ListenerArn"], event)))
    containers = [{"name": "web", "image": "my-app:7"}]
    aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
    alarm = {"AlarmName": "api-5xx", "StateValue": "OK", "StateUpdatedTimestamp": now}
    aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
    tasks = [task(each, host, startedBy=_SETS["Green"][0]) for each in ("a", "b")]
    aws.answer("DescribeTasks", {"tasks": tasks, "failures": []})
    aws.answer("GetParameters", {"Parameters": [], "InvalidParameters": []})
    aws.answer("CreateSchedule", {"ScheduleArn": "arn:aws:scheduler:us-west-2:123456789012:schedule/ScheduleGroup/a"})
    aws.answer("UpdateSchedule", aws.asking("CreateSchedule"))
    aws.answer("DeleteSchedule", {})


def planned(aws: AwsApi, name: str, plan: str) -> None:
    """Have a parameter of Systems Manager hold a plan."""
    parameter = {"Name": name, "Type": "String", "Value": plan}
    aws.answer("GetParameters", {"Parameters": [parameter], "InvalidParameters": []})
    aws.answer("GetParameter", {"Parameter": parameter})


def statuses(aws: AwsApi) -> list[str]:
    """Return what CodeDeploy was told."""
    return [each["status"] for each in aws.asked.get("PutLifecycleEventHookExecutionStatus", [])]


def _task_set(identifier: str) -> dict[str, Any]:
    (label,) = [label for label, (known, _) in _SETS.items() if known == identifier]
    return {
        "id": identifier,
        "taskSetArn": f"arn:aws:ecs:us-west-2:123456789012:task-set/my-cluster/my-service/{identifier}",
        "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/my-app:7",
        "loadBalancers": [{"targetGroupArn": _SETS[label][1], "containerName": "web", "containerPort": 8080}],
    }


def _listener(arn: str, event: str, port: int) -> dict[str, Any]:
    return {"ListenerArn": arn, "Protocol": "HTTP", "Port": port, "DefaultActions": forward(_group(arn, event))}


def _group(arn: str, event: str) -> str:
    return GREEN_GROUP if arn == LISTENER or event == "AfterAllowTraffic" else BLUE_GROUP
