"""Elastic Load Balancing over the simulator's own load balancer: one Application Load Balancer with two listeners."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks.deployment.listener import ListenerArn
from ecs_hooks_simulator.core.model import TargetGroup
from ecs_hooks_simulator.traffic.load_balancer import LISTENERS

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.protocols import Controller, ListenerKind
    from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer


def load_balancers(service: Service) -> list[dict[str, Any]]:
    """Return the `loadBalancers` of a service with a production and a test listener, each with its default rule."""
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
    """Answers for the load balancer of a simulation.

    Parameters
    ----------
    balancer
        What forwards.
    controller
        Knows the service and its revisions.
    """

    def __init__(self, balancer: LoadBalancer, controller: Controller) -> None:
        self._balancer = balancer
        self._controller = controller

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about this load balancer, its listeners, rules and target groups."""
        match operation:
            case "DescribeRules" if "ListenerArn" in asked:
                rules = {ListenerArn.parse(arn).listener: rule for arn, rule in self._rules().items()}
                return self._found("Rules", [asked["ListenerArn"]], rules)
            case "DescribeRules":
                return self._found("Rules", asked.get("RuleArns"), self._rules())
            case "DescribeListeners":
                return self._found("Listeners", asked.get("ListenerArns"), self._listeners())
            case "DescribeLoadBalancers":
                return self._found("LoadBalancers", asked.get("LoadBalancerArns"), self._load_balancer())
            case "DescribeTargetHealth":
                group = str(asked.get("TargetGroupArn"))
                return {"TargetHealthDescriptions": self._targets(group)} if group in self.target_groups else None
            case _:
                return None

    @property
    def target_groups(self) -> dict[str, str]:
        """The revision in each target group, by the ARN of the group; empty where there is none."""
        configured = self._controller.service.load_balancers[0]
        groups = (configured["targetGroupArn"], configured["advancedConfiguration"]["alternateTargetGroupArn"])
        found = dict.fromkeys(groups, "")
        for revision in self._controller.revisions:
            if revision.arn in self._balancer.targets:
                found[revision.target_group.of(configured)] = revision.arn
        return found

    def revisions_of(self, group: str | None) -> set[str]:
        """Return the revisions that a target group belongs to, or belonged to; all where None is given."""
        configured = self._controller.service.load_balancers[0]
        return {each.arn for each in self._controller.revisions if group in {None, each.target_group.of(configured)}}

    def group(self, *, green: bool) -> str:
        """Return the value of the dimension `TargetGroup` of green, or of blue, in the latest deployment."""
        controller = self._controller
        # Before the first deployment, green will be in the group that blue is not in.
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
        if not any(weights.values()):  # before the first deployment: a rule has to lead somewhere
            weights[next(iter(weights))] = 1
        groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
        return [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]

    def _targets(self, group: str) -> list[dict[str, Any]]:
        revision = self.target_groups[group]
        if not revision:
            return []
        host, _, port = self._balancer.targets[revision].rpartition(":")
        target = {"Id": host, "Port": int(port)}
        why = self._balancer.unhealthy(revision)
        health = {"State": "unhealthy", **why.to_dict()} if why else {"State": "healthy"}
        return [{"Target": target, "HealthCheckPort": port, "TargetHealth": health}]


def _id() -> str:
    return secrets.token_hex(8)
