"""An AWS account in which CodeDeploy deploys a service or a function, and Scheduler invokes functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs_hooks.core import clock
from tests.support.aws import AwsApi
from tests.support.layouts import (
    BLUE_GROUP,
    DNS,
    GREEN_GROUP,
    LISTENER,
    default_rule,
    forward,
    running,
    target,
    task,
)

BEGAN = 1_800_000_000.0
"""When the hook began, in seconds since the epoch: a full minute."""
DEPLOYMENT = "d-ABCDEF123"
EXECUTION = "eyJlbmNyeXB0ZWREYXRhIjoiMSJ9"
EVENT = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": EXECUTION}
FUNCTION_ARN = "arn:aws:lambda:us-west-2:123456789012:function:CodeDeployHook_hooks_PostTestTrafficShift"
ROLE = "arn:aws:iam::123456789012:role/schedule"
PRODUCTION_LISTENER = f"{LISTENER[:-1]}1"
HOOKS = ["BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"]


class Context:
    """Lambda's context."""

    invoked_function_arn = FUNCTION_ARN

    def __init__(self, seconds: float = 120) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


class Schedule(NamedTuple):
    at: float
    event: dict[str, Any]
    parameters: dict[str, Any]


class Account:
    """The content of the account.

    Attributes
    ----------
    reports
        The reported statuses.
    schedules
        The schedules by name.
    now
        The time, in seconds since the epoch.
    """

    def __init__(self, aws: AwsApi, hook: str = "AfterAllowTestTraffic") -> None:
        self.aws = aws
        self.reports: list[str] = []
        self.schedules: dict[str, Schedule] = {}
        self.now = BEGAN
        self.deployment: dict[str, Any] = {
            "applicationName": "orders",
            "deploymentGroupName": "orders-prod",
            "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes",
            "deploymentId": DEPLOYMENT,
            "status": "InProgress",
            "creator": "user",
            "computePlatform": "ECS",
            "createTime": datetime.fromtimestamp(BEGAN - 700, UTC),
            "startTime": datetime.fromtimestamp(BEGAN - 600, UTC),
            "loadBalancerInfo": {
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": "primary"}, {"name": "alternate"}],
                        "prodTrafficRoute": {"listenerArns": [PRODUCTION_LISTENER]},
                        "testTrafficRoute": {"listenerArns": [LISTENER]},
                    }
                ]
            },
        }
        self.group: dict[str, Any] = {"applicationName": "orders", "deploymentGroupName": "orders-prod"}
        self.events: list[dict[str, Any]] = []
        self.sets: list[dict[str, Any]] = [
            _task_set("ecs-svc/1", "Blue", "primary", weight=100.0),
            _task_set("ecs-svc/2", "Green", "alternate", weight=0.0),
        ]
        self.function: dict[str, Any] | None = None
        self.parameters: dict[str, str] = {}
        self.hook(hook)
        self._answer()

    def hook(self, name: str, began: float = BEGAN) -> None:
        """Set the hook in progress."""
        self.events = [{"lifecycleEventName": "Install", "status": "Succeeded"}]
        if name:
            started = {"startTime": datetime.fromtimestamp(began, UTC)}
            self.events.append({"lifecycleEventName": name, "status": "InProgress", **started})

    def deploys_a_function(self) -> None:
        self.deployment["computePlatform"] = "Lambda"
        self.function = {
            "functionName": "orders",
            "functionAlias": "live",
            "currentVersion": "6",
            "targetVersion": "7",
            "targetVersionWeight": 0.1,
        }

    def _answer(self) -> None:
        answer = self.aws.answer
        answer("GetDeployment", lambda _: {"deploymentInfo": self.deployment})
        answer("GetDeploymentGroup", lambda _: {"deploymentGroupInfo": self.group})
        answer("ListDeploymentTargets", {"targetIds": ["my-cluster:my-service"]})
        answer("BatchGetDeploymentTargets", lambda _: {"deploymentTargets": [self._target]})
        answer("PutLifecycleEventHookExecutionStatus", self._reported)
        answer("CreateSchedule", self._scheduled)
        answer("UpdateSchedule", self._scheduled)
        answer("DeleteSchedule", lambda request: (self.schedules.pop(request["Name"], None) and {}) or {})
        answer(
            "GetParameters",
            lambda request: {"Parameters": [{"Name": n} for n in request["Names"] if n in self.parameters]},
        )
        answer("GetParameter", lambda request: {"Parameter": {"Value": self.parameters[request["Name"]]}})
        described = {each["identifer"]: _described(each) for each in self.sets}
        answer("DescribeTaskSets", lambda request: {"taskSets": [described[each] for each in request["taskSets"]]})
        containers = [{"name": "web", "image": "registry/web:7"}]
        answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": containers}})
        listeners = {PRODUCTION_LISTENER: BLUE_GROUP, LISTENER: GREEN_GROUP}
        answer(
            "DescribeListeners",
            lambda request: {
                "Listeners": [
                    {"ListenerArn": arn, "Protocol": "HTTP", "Port": 8080, "DefaultActions": forward(listeners[arn])}
                    for arn in request["ListenerArns"]
                ]
            },
        )
        answer("DescribeRules", lambda request: default_rule(request, listeners[request["ListenerArn"]]))
        answer("DescribeLoadBalancers", {"LoadBalancers": [{"DNSName": DNS}]})
        answer("DescribeTargetHealth", {"TargetHealthDescriptions": [target()]})
        answer("DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []})
        answer("GetMetricData", {"MetricDataResults": []})
        running(self.aws, task("a", startedBy="ecs-svc/2"), task("b", startedBy="ecs-svc/1"))

    @property
    def _target(self) -> dict[str, Any]:
        if self.function is not None:
            target = {"deploymentId": DEPLOYMENT, "targetId": "orders:live", "lifecycleEvents": self.events}
            return {
                "deploymentTargetType": "LambdaFunction",
                "lambdaTarget": {**target, "lambdaFunctionInfo": self.function},
            }
        target = {"deploymentId": DEPLOYMENT, "targetId": "my-cluster:my-service", "lifecycleEvents": self.events}
        return {"deploymentTargetType": "ECSTarget", "ecsTarget": {**target, "taskSetsInfo": self.sets}}

    def _reported(self, request: dict[str, Any]) -> dict[str, Any]:
        assert (request["deploymentId"], request["lifecycleEventHookExecutionId"]) == (DEPLOYMENT, EXECUTION)
        self.reports.append(request["status"])
        return {"lifecycleEventHookExecutionId": EXECUTION}

    def _scheduled(self, request: dict[str, Any]) -> dict[str, Any]:
        found = re.fullmatch(r"at\((.+)\)", request["ScheduleExpression"])
        assert found
        at = datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC).timestamp()
        # Scheduler refuses times in the past.
        assert at > self.now, (at, self.now)
        self.schedules[request["Name"]] = Schedule(at, json.loads(request["Target"]["Input"]), request)
        return {"ScheduleArn": f"arn:aws:scheduler:us-west-2:123456789012:schedule/hooks/{request['Name']}"}

    def invoke(self, handler: Callable[..., Any], event: Any = None, seconds: float = 120) -> dict[str, Any]:
        """Invoke the function now."""
        with clock.use(lambda: self.now):
            answer: dict[str, Any] = handler(EVENT if event is None else event, Context(seconds))
        return answer

    def next(self, handler: Callable[..., Any], *, late: float = 60, seconds: float = 120) -> dict[str, Any]:
        """Run the next schedule, as late as Scheduler may."""
        name, schedule = min(self.schedules.items(), key=lambda item: item[1].at)
        del self.schedules[name]
        self.now = max(self.now, schedule.at + late)
        return self.invoke(handler, schedule.event, seconds)

    def play(self, handler: Callable[..., Any]) -> dict[str, Any]:
        """Invoke the function, then run its schedules until none is left."""
        answer = self.invoke(handler)
        while self.schedules:
            answer = self.next(handler)
        return answer


def _task_set(identifier: str, label: str, group: str, weight: float) -> dict[str, Any]:
    return {
        "identifer": identifier,
        "desiredCount": 1,
        "pendingCount": 0,
        "runningCount": 1,
        "status": "ACTIVE",
        "trafficWeight": weight,
        "targetGroup": {"name": group},
        "taskSetLabel": label,
    }


def _described(task_set: dict[str, Any]) -> dict[str, Any]:
    group = GREEN_GROUP if task_set["taskSetLabel"] == "Green" else BLUE_GROUP
    return {
        "id": task_set["identifer"],
        "taskSetArn": f"arn:aws:ecs:us-west-2:123456789012:task-set/my-cluster/my-service/{task_set['identifer']}",
        "taskDefinition": f"arn:aws:ecs:us-west-2:123456789012:task-definition/my-app:{task_set['identifer'][-1]}",
        "loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}],
    }
