"""Listeners and their rules at Elastic Load Balancing: where traffic goes, and what a request must have to go there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.deployment.asking import ask_one, reading

RULES = "elasticloadbalancing:DescribeRules"
LISTENERS = "elasticloadbalancing:DescribeListeners"
LOAD_BALANCERS = "elasticloadbalancing:DescribeLoadBalancers"


class ListenerArn(NamedTuple):
    """ARN of a listener rule of an Application Load Balancer, or of a listener of any load balancer.

    Parameters
    ----------
    text
        The ARN.
    is_rule
        Whether it is the ARN of a rule. A listener's default rule has one too.
    listener
        ARN of the listener.
    load_balancer
        ARN of the load balancer.
    """

    text: str
    is_rule: bool
    listener: str
    load_balancer: str

    @classmethod
    def parse(cls, text: str) -> ListenerArn:
        """Take an ARN apart.

        Raises
        ------
        ValueError
            If it is neither.
        """
        prefix, _, path = text.rpartition(":")
        parts = path.split("/")
        match parts:
            case ["listener-rule", kind, name, balancer, listener, _]:
                is_rule = True
            case ["listener", kind, name, balancer, listener]:
                is_rule = False
            case _:
                message = "not the ARN of a listener or of a listener rule"
                raise ValueError(message)
        return cls(
            text,
            is_rule,
            f"{prefix}:listener/{kind}/{name}/{balancer}/{listener}",
            f"{prefix}:loadbalancer/{kind}/{name}/{balancer}",
        )

    @property
    def region(self) -> str:
        """Region of the load balancer."""
        return self.text.split(":")[3]


class Route(NamedTuple):
    """Where a rule, or the default action of a listener, leads to just now.

    Parameters
    ----------
    target_groups
        ARNs of the target groups that get traffic.
    conditions
        The conditions of the rule, as DescribeRules has them; none for a default.
    obstacle
        An action before the forwarding that a check can't pass, such as `authenticate-oidc`; empty where there is none.
    """

    target_groups: tuple[str, ...]
    conditions: tuple[Mapping[str, Any], ...]
    obstacle: str


def route(arn: ListenerArn) -> Route:
    """Ask where a listener rule or a listener leads to; never remembered, since somebody else may change it."""
    if arn.is_rule:
        rule = ask_one(RULES, arn.region, "Rules", "listener rule", RuleArns=[arn.text])
        with reading(RULES):
            return _route(rule["Actions"], rule.get("Conditions") or [])
    listener = ask_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.text])
    with reading(LISTENERS):
        return _route(listener["DefaultActions"], [])


def address(arn: ListenerArn) -> dict[str, Any]:
    """Ask for protocol, port and name of a listener, as a fact."""
    listener = ask_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.listener])
    balancer = ask_one(
        LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer]
    )
    with reading(LISTENERS):
        found = {"protocol": str(listener["Protocol"]), "port": int(listener["Port"])}
    with reading(LOAD_BALANCERS):
        return {**found, "host": str(balancer["DNSName"])}


def short(arn: str) -> str:
    """Return the part of an ARN that a person recognises, such as `listener-rule/app/my-alb/...`."""
    return arn.rpartition(":")[2]


def _route(actions: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, Any]]) -> Route:
    weights: dict[str, int] = {}
    obstacle = ""
    for action in actions:
        if action["Type"] != "forward":
            obstacle = obstacle or str(action["Type"])
            continue
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [
            {"TargetGroupArn": action["TargetGroupArn"]}
        ]
        for group in groups:
            # One group without a weight gets everything; among several the default is 1.
            weights[str(group["TargetGroupArn"])] = int(group.get("Weight", 1))
    return Route(tuple(sorted(arn for arn, weight in weights.items() if weight > 0)), tuple(conditions), obstacle)
