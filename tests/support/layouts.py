"""A service behind a load balancer, as AWS describes it in each of the layouts that ECS documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ecs_hooks.deployment.listener import ListenerArn
from tests.conftest import BLUE, GREEN
from tests.support.aws import AwsApi

_ELB = "arn:aws:elasticloadbalancing:us-west-2:123456789012"
_ECS = "arn:aws:ecs:us-west-2:123456789012"
GREEN_GROUP = f"{_ELB}:targetgroup/alternate/2222222222222222"
BLUE_GROUP = f"{_ELB}:targetgroup/primary/1111111111111111"
BALANCER = f"{_ELB}:loadbalancer/app/my-alb/50dc6c495c0c9188"
LISTENER = f"{_ELB}:listener/app/my-alb/50dc6c495c0c9188/f2f7dc8efc522ab2"
TEST_RULE = f"{_ELB}:listener-rule/app/my-alb/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
PRODUCTION_RULE = f"{_ELB}:listener-rule/app/my-alb/50dc6c495c0c9188/aaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbb"
NLB_LISTENER = f"{_ELB}:listener/net/my-nlb/60dc6c495c0c9188/e2f7dc8efc522ab2"
DNS = "my-alb-1234567890.us-west-2.elb.amazonaws.com"


def forward(*groups: str) -> list[dict[str, Any]]:
    """Return the actions that forward to these groups alone."""
    both = [BLUE_GROUP, GREEN_GROUP]
    weights = [{"TargetGroupArn": each, "Weight": 100 if each in groups else 0} for each in both]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]


def rule(
    *conditions: dict[str, Any], to: tuple[str, ...] = (GREEN_GROUP,), arn: str = TEST_RULE, priority: int = 10
) -> dict[str, Any]:
    """Return the answer of DescribeRules with a rule of these conditions, and with a default rule to blue."""
    if not conditions:
        return {"Rules": [{"RuleArn": arn, "Priority": "default", "Actions": forward(*to), "IsDefault": True}]}
    described = {
        "RuleArn": arn,
        "Priority": str(priority),
        "Conditions": list(conditions),
        "Actions": forward(*to),
        "IsDefault": False,
    }
    default = rule(to=(BLUE_GROUP,), arn=f"{arn.rpartition('/')[0]}/dddddddddddddddd")
    return {"Rules": [described, *default["Rules"]]}


def default_rule(asked: dict[str, Any], group: str) -> dict[str, Any]:
    """Return the answer of DescribeRules with the default rule of a listener, which forwards to a target group."""
    return rule(to=(group,), arn=f"{asked['ListenerArn'].replace(':listener/', ':listener-rule/')}/dddddddddddddddd")


def by_listener(rules: Mapping[str, dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the answer of DescribeRules for a listener or for rules, from answers for each rule by its ARN."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for arn, described in rules.items():
            if ListenerArn.parse(arn).listener == asked.get("ListenerArn") or arn in asked.get("RuleArns", ()):
                first, *others = described["Rules"]
                found |= {arn: {**first, "RuleArn": arn}} | {each["RuleArn"]: each for each in others}
        return {"Rules": list(found.values())}

    return answer


def revision(arn: str = GREEN, test: str = TEST_RULE, group: str = GREEN_GROUP, **fields: Any) -> dict[str, Any]:
    """Return a service revision behind an Application Load Balancer."""
    advanced = {"alternateTargetGroupArn": GREEN_GROUP, "productionListenerRule": PRODUCTION_RULE}
    return {
        "serviceRevisionArn": arn,
        "taskDefinition": "arn:aws:ecs:us-west-2:123456789012:task-definition/my-app:7",
        "loadBalancers": [
            {
                "targetGroupArn": BLUE_GROUP,
                "containerName": "web",
                "containerPort": 8080,
                "advancedConfiguration": {**advanced, **({"testListenerRule": test} if test else {})},
            }
        ],
        "resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": group}] if group else []},
        "containerImages": [{"containerName": "web", "image": "my-app:7", "imageDigest": "sha256:abc"}],
        **fields,
    }


ADMIN_GROUP = f"{_ELB}:targetgroup/admin/3333333333333333"


def several_load_balancers(**fields: Any) -> dict[str, Any]:
    """Return a revision behind the usual load balancer, and before it a Network, a Classic and a VPC Lattice one."""
    described = revision(**fields)
    network = {
        "targetGroupArn": ADMIN_GROUP,
        "containerName": "admin",
        "containerPort": 9090,
        "advancedConfiguration": {"productionListenerRule": NLB_LISTENER},
    }
    classic = {"loadBalancerName": "old", "containerName": "web", "containerPort": 8080}
    described["loadBalancers"] = [network, classic, *described["loadBalancers"]]
    described["resolvedConfiguration"]["loadBalancers"].append({"targetGroupArn": ADMIN_GROUP})
    lattice = "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789"
    described["vpcLatticeConfigurations"] = [{"roleArn": "r", "targetGroupArn": lattice, "portName": "http"}]
    return described


UNREAD = "Classic Load Balancer old, VPC Lattice target group tg-0123456789"
"""The load balancers of `several_load_balancers` that no check can read."""


def load_balancer(aws: AwsApi, protocol: str = "HTTP", port: int = 8080, host: str = DNS) -> None:
    """Have AWS answer like for a service with an Application Load Balancer whose test listener leads to green."""
    described = {arn: revision(arn, group=group) for arn, group in ((GREEN, GREEN_GROUP), (BLUE, BLUE_GROUP))}
    aws.answer(
        "DescribeServiceRevisions",
        lambda asked: {"serviceRevisions": [described[arn] for arn in asked["serviceRevisionArns"]], "failures": []},
    )
    aws.answer(
        "DescribeServiceDeployments",
        {
            "serviceDeployments": [
                {
                    "status": "IN_PROGRESS",
                    "sourceServiceRevisions": [{"arn": BLUE}],
                    "startedAt": datetime(2026, 11, 21, 12, tzinfo=UTC),
                    "targetServiceRevision": {"arn": GREEN, "requestedTaskCount": 2, "runningTaskCount": 2},
                    "deploymentConfiguration": {"strategy": "BLUE_GREEN"},
                }
            ],
            "failures": [],
        },
    )
    aws.answer("DescribeRules", by_listener({TEST_RULE: rule(), PRODUCTION_RULE: rule()}))
    listener = {"ListenerArn": LISTENER, "Protocol": protocol, "Port": port, "DefaultActions": forward(GREEN_GROUP)}
    aws.answer("DescribeListeners", {"Listeners": [listener]})
    aws.answer("DescribeLoadBalancers", {"LoadBalancers": [{"LoadBalancerArn": BALANCER, "DNSName": host}]})


def brief(revision: str = BLUE, finished: datetime | None = None) -> dict[str, Any]:
    """Return a successful deployment of a revision, blue by default, as ListServiceDeployments has it."""
    return {
        "serviceDeploymentArn": f"{_ECS}:service-deployment/my-cluster/my-service/A{revision[-4:]}",
        "targetServiceRevisionArn": revision,
        "status": "SUCCESSFUL",
        "finishedAt": finished or datetime(2026, 11, 20, 12, tzinfo=UTC),
    }


def task(identifier: str, address: str = "10.0.0.7", **fields: Any) -> dict[str, Any]:
    """Return a task of green."""
    interface = {"privateIpv4Address": address} if address else {}
    return {
        "taskArn": f"arn:aws:ecs:us-west-2:123456789012:task/my-cluster/{identifier}",
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "startedBy": "ecs-svc/9313423515462893900",
        "containers": [
            {
                "name": "web",
                "healthStatus": "HEALTHY",
                "imageDigest": "sha256:abc",
                "networkInterfaces": [interface] if interface else [],
            }
        ],
        **fields,
    }


def running(aws: AwsApi, *tasks: dict[str, Any]) -> None:
    """Have ECS answer that these tasks are there."""
    aws.answer("ListTasks", {"taskArns": [each["taskArn"] for each in tasks]})
    aws.answer("DescribeTasks", {"tasks": list(tasks), "failures": []})


def healthy(aws: AwsApi, port: int, host: str = "127.0.0.1") -> None:
    """Have AWS answer like for a service that is well in every respect, and whose listeners are at this address."""
    load_balancer(aws, "HTTP", port, host)
    running(aws, task("a", host), task("b", host))
    aws.answer(
        "ListTasks", lambda asked: {"taskArns": [] if asked.get("desiredStatus") == "STOPPED" else _arns("a", "b")}
    )
    aws.answer("DescribeTargetHealth", {"TargetHealthDescriptions": [target(), target()]})
    aws.answer("DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": []})
    aws.answer("GetMetricData", {"MetricDataResults": []})


def _arns(*identifiers: str) -> list[str]:
    return [task(each)["taskArn"] for each in identifiers]


def target(state: str = "healthy") -> dict[str, Any]:
    """Return a target of green's target group."""
    return {"Target": {"Id": "10.0.0.7", "Port": 8080}, "TargetHealth": {"State": state}}
