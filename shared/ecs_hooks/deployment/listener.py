"""Listeners and their rules at Elastic Load Balancing: where traffic goes, and what a request must have to go there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask_one, reading
from ecs_hooks.aws.errors import unreadable
from ecs_hooks.core.arn import region_of

RULES = "elasticloadbalancing:DescribeRules"
LISTENERS = "elasticloadbalancing:DescribeListeners"
LOAD_BALANCERS = "elasticloadbalancing:DescribeLoadBalancers"


class ListenerArn(NamedTuple):
    """ARN of a listener rule of an Application Load Balancer, or of a listener of any load balancer.

    Parameters
    ----------
    text
        The ARN.
    region
        Region of the load balancer.
    is_rule
        Whether it is the ARN of a rule. A listener's default rule has one too.
    listener
        ARN of the listener.
    load_balancer
        ARN of the load balancer.
    """

    text: str
    region: str
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
                raise ValueError("not the ARN of a listener or of a listener rule")
        return cls(
            text,
            region_of(text),
            is_rule,
            f"{prefix}:listener/{kind}/{name}/{balancer}/{listener}",
            f"{prefix}:loadbalancer/{kind}/{name}/{balancer}",
        )


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


class Address(NamedTuple):
    """Where a listener listens.

    Parameters
    ----------
    protocol
        Such as `HTTPS`.
    port
        Its port.
    host
        DNS name of its load balancer.
    """

    protocol: str
    port: int
    host: str


def route(arn: ListenerArn) -> Route:
    """Ask where a listener rule or a listener leads to; never remembered, since somebody else may change it."""
    if arn.is_rule:
        rule = ask_one(RULES, arn.region, "Rules", "listener rule", RuleArns=[arn.text])
        with reading(RULES):
            conditions = rule.get("Conditions", [])
            if not conditions and rule.get("IsDefault") is False:
                raise unreadable(RULES)  # only a default rule has none; a request without any would go to that one
            return _route(rule["Actions"], conditions)
    listener = ask_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.text])
    with reading(LISTENERS):
        return _route(listener["DefaultActions"], [])


def address(arn: ListenerArn) -> Address:
    """Ask for protocol, port and name of a listener."""
    listener = ask_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.listener])
    balancer = ask_one(
        LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer]
    )
    with reading(LISTENERS):
        protocol, port = listener["Protocol"], listener["Port"]
    with reading(LOAD_BALANCERS):
        return Address(protocol, port, balancer["DNSName"])


def short(arn: str) -> str:
    """Return the part of an ARN that a person recognises, such as `listener-rule/app/my-alb/...`."""
    return arn.rpartition(":")[2]


def _route(actions: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, Any]]) -> Route:
    obstacle = next((action["Type"] for action in actions if action["Type"] != "forward"), "")
    return Route(forwards_to(actions), tuple(conditions), obstacle)


def forwards_to(actions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the ARNs of the target groups that the actions of a rule or listener lead to."""
    weights: dict[str, int] = {}
    for action in actions:
        if action["Type"] != "forward":
            continue
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        for group in groups:
            # One group without a weight gets everything; among several the default is 1.
            weights[group["TargetGroupArn"]] = group.get("Weight", 1)
    return tuple(sorted(arn for arn, weight in weights.items() if weight > 0))
