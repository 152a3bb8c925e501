"""The simulator's Application Load Balancer in the APIs of Elastic Load Balancing and of CloudWatch."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks.deployment.listener import ListenerArn
from ecs_hooks_simulator.aws.cloudwatch import Counted, Measure
from ecs_hooks_simulator.aws.metric_alarm import NAMESPACE
from ecs_hooks_simulator.aws.metric_data import dimensions_of
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.service_deployment import TargetGroup
from ecs_hooks_simulator.traffic.load_balancer import LISTENERS

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.protocols import Controller, ListenerKind
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer


def load_balancers(service: Service) -> list[dict[str, Any]]:
    """Return the `loadBalancers` of a service: one production and one test listener, each with its default rule."""
    prefix = f"arn:{service.partition}:elasticloadbalancing:{service.region}:{service.account}"
    balancer = f"app/{service.service}/{secrets.token_hex(8)}"
    production, test = (f"{prefix}:listener-rule/{balancer}/{_id()}/{_id()}" for _ in LISTENERS)
    primary, alternate = (f"{prefix}:targetgroup/{service.service}-{number}/{_id()}" for number in (1, 2))
    advanced = {
        "alternateTargetGroupArn": alternate,
        "productionListenerRule": production,
        "testListenerRule": test,
        "roleArn": f"arn:{service.partition}:iam::{service.account}:role/ecsInfrastructureRole",
    }
    return [
        {
            "targetGroupArn": primary,
            "containerName": service.service,
            "containerPort": 80,
            "advancedConfiguration": advanced,
        }
    ]


class ElasticLoadBalancing:
    """Answers the operations of Elastic Load Balancing about the load balancer of a simulation."""

    def __init__(self, balancer: LoadBalancer, controller: Controller) -> None:
        self._balancer = balancer
        self._controller = controller

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer if the request is about this load balancer, its listeners, rules or target groups."""
        match operation:
            case "DescribeRules" if "ListenerArn" in request:
                rules = {ListenerArn.parse(arn).listener: rule for arn, rule in self._rules().items()}
                return self._found("Rules", [request["ListenerArn"]], rules)
            case "DescribeRules":
                return self._found("Rules", request.get("RuleArns"), self._rules())
            case "DescribeListeners":
                listeners = self._listeners()
                is_known = request.get("LoadBalancerArn") in self._load_balancer()
                return self._found("Listeners", listeners if is_known else request.get("ListenerArns"), listeners)
            case "DescribeLoadBalancers":
                return self._found("LoadBalancers", request.get("LoadBalancerArns"), self._load_balancer())
            case "DescribeTargetHealth":
                group = str(request.get("TargetGroupArn"))
                return {"TargetHealthDescriptions": self._targets(group)} if group in self.target_groups else None
            case _:
                return None

    @property
    def target_groups(self) -> dict[str, str]:
        """The revision in each target group, by the ARN of the group; empty for none."""
        configured = self._controller.service.load_balancers[0]
        groups = (configured["targetGroupArn"], configured["advancedConfiguration"]["alternateTargetGroupArn"])
        found = dict.fromkeys(groups, "")
        for revision in self._controller.revisions:
            if revision.arn in self._balancer.targets:
                found[revision.target_group.of(configured)] = revision.arn
        return found

    def revisions_of(self, group: str | None) -> set[str]:
        """Return all revisions that a target group has had; those of both groups for None."""
        configured = self._controller.service.load_balancers[0]
        return {each.arn for each in self._controller.revisions if group in {None, each.target_group.of(configured)}}

    def group(self, *, green: bool) -> str:
        """Return the value of the dimension `TargetGroup` of green, or of blue, in the latest deployment."""
        controller = self._controller
        # Before the first deployment, green is in the group without blue.
        blue = controller.active[0].target_group if controller.active else TargetGroup.ALTERNATE
        greens = controller.history[-1].target.target_group if controller.history else blue.other
        group = greens if green else greens.other
        return group.of(controller.service.load_balancers[0]).rpartition(":")[2]

    @property
    def name(self) -> str:
        """The value of the dimension `LoadBalancer`."""
        return self._arn("production").load_balancer.partition("loadbalancer/")[2]

    def _found(self, member: str, arns: Any, known: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
        if not arns or not set(arns) <= set(known):
            return None
        return {member: [known[arn] for arn in arns]}

    def _arn(self, kind: ListenerKind) -> ListenerArn:
        advanced = self._controller.service.load_balancers[0]["advancedConfiguration"]
        return ListenerArn.parse(advanced[f"{kind}ListenerRule"])

    def _rules(self) -> dict[str, dict[str, Any]]:
        return {
            self._arn(kind).text: {
                "RuleArn": self._arn(kind).text,
                "Priority": "default",
                "Conditions": [],
                "Actions": self._forward(kind),
                "IsDefault": True,
            }
            for kind in LISTENERS
        }

    def _listeners(self) -> dict[str, dict[str, Any]]:
        return {
            self._arn(kind).listener: {
                "ListenerArn": self._arn(kind).listener,
                "LoadBalancerArn": self._arn(kind).load_balancer,
                "Port": self._balancer.port(kind),
                "Protocol": "HTTP",
                "Certificates": [],
                "DefaultActions": self._forward(kind),
            }
            for kind in LISTENERS
        }

    def _load_balancer(self) -> dict[str, dict[str, Any]]:
        arn = self._arn("production").load_balancer
        described = {
            "LoadBalancerArn": arn,
            "LoadBalancerName": self._controller.service.service,
            "DNSName": self._balancer.host,
            "Scheme": "internal",
            "Type": "application",
            "State": {"Code": "active"},
        }
        return {arn: described}

    def _forward(self, kind: ListenerKind) -> list[dict[str, Any]]:
        shares = self._balancer.weights(kind)
        weights = {group: round(shares.get(revision, 0)) for group, revision in self.target_groups.items()}
        if not any(weights.values()):  # before the first deployment: a rule needs a target group
            weights[next(iter(weights))] = 1
        groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
        return [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]

    def _targets(self, group: str) -> list[dict[str, Any]]:
        revision = self.target_groups[group]
        if not revision:
            return []
        host, _, port = self._balancer.targets[revision].rpartition(":")
        target = {"Id": host, "Port": int(port)}
        problem = self._balancer.unhealthy(revision)
        health = {"State": "unhealthy", **problem.to_dict()} if problem else {"State": "healthy"}
        return [{"Target": target, "HealthCheckPort": port, "TargetHealth": health}]


class BalancerMetrics:
    """The metrics of the load balancer and its target groups; implements `Metrics`."""

    namespace = NAMESPACE

    def __init__(self, balancing: ElasticLoadBalancing) -> None:
        self._balancing = balancing

    def owns(self, metric: Mapping[str, Any]) -> bool:
        """Return whether a metric is this load balancer's."""
        return metric["Namespace"] == NAMESPACE and dimensions_of(metric).get("LoadBalancer") == self._balancing.name

    def counted(self, name: str, dimensions: Mapping[str, str]) -> Counted | None:
        """Return the requests that a metric counts."""
        measure = _measure_of(name)
        if name.startswith("HTTPCode_ELB_") and "TargetGroup" in dimensions:
            return None  # only the load balancer as a whole has these metrics
        groups = {arn.rpartition(":")[2]: arn for arn in self._balancing.target_groups}
        named = dimensions.get("TargetGroup")
        revisions = self._balancing.revisions_of(None if named is None else groups.get(named, named))
        return Counted(measure, frozenset(LISTENERS), frozenset(revisions))

    def filled(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """Return the dimensions of an alarm's metric: `TargetGroup` is green's or blue's in the latest deployment."""
        filled = {"LoadBalancer": self._balancing.name}
        if "TargetGroup" in dimensions:
            filled["TargetGroup"] = self._balancing.group(green="green" in dimensions["TargetGroup"])
        return filled


def _measure_of(name: str) -> Measure:
    match name:
        case "RequestCount":
            return lambda _: 1.0
        case "TargetConnectionErrorCount":
            return lambda request: 1.0 if request.origin == "connection" else None
        case "TargetResponseTime":
            return lambda request: request.seconds if request.origin == "target" else None
    found = re.fullmatch(r"HTTPCode_(?:(ELB)_([45])|Target_([2-5]))XX_Count", name)
    if not found:
        raise EcsError(
            "ValidationError",
            f"metric {name} is not supported by the simulator; use RequestCount, TargetConnectionErrorCount, "
            "TargetResponseTime, HTTPCode_ELB_4XX_Count, HTTPCode_ELB_5XX_Count or HTTPCode_Target_2XX_Count to _5XX_Count",
        )
    of_target, hundreds = not found.group(1), int(found.group(2) or found.group(3))
    return lambda request: (
        1.0 if (request.origin == "target") is of_target and request.status // 100 == hundreds else None
    )


def _id() -> str:
    return secrets.token_hex(8)
