"""Elastic Load Balancing: the routes of listeners and their rules, drift of these routes, and the health of targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.aws.call import call_aws_list, call_aws_one, call_aws_pages, parsing
from ecs_hooks.aws.errors import FactDeniedError, FactError, invalid_response
from ecs_hooks.core.arn import region_of
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS as SERVICE_REVISIONS

if TYPE_CHECKING:
    from ecs_hooks.deployment.revision import LoadBalancing

RULES = "elasticloadbalancing:DescribeRules"
LISTENERS = "elasticloadbalancing:DescribeListeners"
LOAD_BALANCERS = "elasticloadbalancing:DescribeLoadBalancers"
TARGET_HEALTH = "elasticloadbalancing:DescribeTargetHealth"

_MAX_PAGES = 50
"""Most pages of rules or listeners to read: several times as many as the quotas of a load balancer allow."""


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

    @property
    def has_rules(self) -> bool:
        """Whether the listener has rules, as that of an Application Load Balancer has; others have a default action."""
        return self.is_rule or ":listener/app/" in self.listener

    @classmethod
    def parse(cls, text: str) -> ListenerArn:
        """Parse an ARN; raise `ValueError` if it is of anything else."""
        prefix, _, path = text.rpartition(":")
        match path.split("/"):
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
    """The current action of a rule, or the default action of a listener.

    Parameters
    ----------
    target_groups
        ARNs of the target groups that get traffic.
    conditions
        The conditions of the rule, as DescribeRules returns them; empty for a default rule.
    obstacle
        Type of an action that keeps checks from the targets, such as `authenticate-oidc`; empty if there is none.
    """

    target_groups: tuple[str, ...]
    conditions: tuple[Mapping[str, Any], ...]
    obstacle: str


class Address(NamedTuple):
    """Protocol and port of a listener, and the DNS name of its load balancer."""

    protocol: str
    port: int
    host: str


class Rule(NamedTuple):
    """A rule of a listener.

    Parameters
    ----------
    arn
        Its ARN; that of the listener, for the default action of a Network Load Balancer.
    priority
        Its priority; None for the default rule, which is evaluated last.
    route
        Its action and its conditions.
    """

    arn: str
    priority: int | None
    route: Route


def describe_rules(arn: ListenerArn) -> tuple[Rule, ...]:
    """Return the rules of a listener in the order of their evaluation; not kept over IN_PROGRESS, since they may change."""
    if not arn.has_rules:
        listener = call_aws_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.listener])
        with parsing(LISTENERS):
            return (Rule(arn.listener, None, _route(listener["DefaultActions"], [])),)
    too_many = FactDeniedError(f"{RULES}: the listener has more rules than a load balancer may have")
    pages = call_aws_pages(
        RULES, arn.region, "NextMarker", too_many, most=_MAX_PAGES, marker="Marker", ListenerArn=arn.listener
    )
    with parsing(RULES):
        rules = [_rule(each) for page in pages for each in page["Rules"]]
    return tuple(sorted(rules, key=lambda rule: (rule.priority is None, rule.priority or 0)))


def _rule(described: Mapping[str, Any]) -> Rule:
    conditions = described.get("Conditions", [])
    priority = described.get("Priority", "" if conditions else "default")
    is_default = described.get("IsDefault", priority == "default")
    if not conditions and not is_default:
        raise invalid_response(RULES)  # only a default rule has none; without any, a request would match the default
    number = None if is_default else int(priority)
    return Rule(described["RuleArn"], number, _route(described["Actions"], conditions))


def find_rule(rules: Sequence[Rule], arn: ListenerArn) -> Rule:
    """Return the rule of an ARN; the default rule for that of a listener.

    Raises
    ------
    FactDeniedError
        If the listener does not have it.
    """
    for rule in rules:
        if rule.arn == arn.text if arn.is_rule else rule.priority is None:
            return rule
    raise FactDeniedError(f"{RULES}: listener rule not found: {short_arn(arn.text)}")


class ListenerPort(NamedTuple):
    """A listener of a load balancer, and its port."""

    arn: str
    port: int


def describe_ports(arn: ListenerArn) -> tuple[ListenerPort, ...]:
    """Return the ports of all listeners of a load balancer, by the ARN of one of its listeners or rules."""
    too_many = FactDeniedError(f"{LISTENERS}: the load balancer has more listeners than it may have")
    pages = call_aws_pages(
        LISTENERS,
        arn.region,
        "NextMarker",
        too_many,
        most=_MAX_PAGES,
        marker="Marker",
        LoadBalancerArn=arn.load_balancer,
    )
    with parsing(LISTENERS):
        return tuple(ListenerPort(each["ListenerArn"], each["Port"]) for page in pages for each in page["Listeners"])


def describe_address(arn: ListenerArn) -> Address:
    """Return the address of a listener."""
    listener = call_aws_one(LISTENERS, arn.region, "Listeners", "listener", ListenerArns=[arn.listener])
    balancer = call_aws_one(
        LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer]
    )
    with parsing(LISTENERS):
        protocol, port = listener["Protocol"], listener["Port"]
    with parsing(LOAD_BALANCERS):
        return Address(protocol, port, balancer["DNSName"])


def short_arn(arn: str) -> str:
    """Return the readable part of an ARN, such as `listener-rule/app/my-alb/...`."""
    return arn.rpartition(":")[2]


def _route(actions: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, Any]]) -> Route:
    obstacle = next((action["Type"] for action in actions if action["Type"] != "forward"), "")
    return Route(_active_target_groups(actions), tuple(conditions), obstacle)


def _active_target_groups(actions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the ARNs of the target groups that get traffic by the actions of a rule or listener."""
    weights: dict[str, int] = {}
    for action in actions:
        if action["Type"] != "forward":
            continue
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        for group in groups:
            # A single group needs no weight; among several the default is 1.
            weights[group["TargetGroupArn"]] = group.get("Weight", 1)
    return tuple(sorted(arn for arn, weight in weights.items() if weight > 0))


# Infrastructure as code that declares a listener rule resets it to the declared action in the middle of a deployment;
# traffic then goes to a target group without tasks, or a test reaches blue (containers-roadmap #2853, aws-cdk #36649).


def route_error(route: Route, load_balancing: LoadBalancing, arn: str) -> str:
    """Return why a route does not forward to green alone; empty if it does.

    Raises
    ------
    FactError
        If ECS has not resolved green's target group yet.
    """
    if route.obstacle:
        return f"{short_arn(arn)} {obstacle_text(route)}"
    green = load_balancing.target_group
    if not green:
        raise FactError(
            f"{SERVICE_REVISIONS}: green's target group is not resolved yet; cannot verify that {short_arn(arn)} forwards to it"
        )
    if route.target_groups == (green,):
        return ""
    return (
        f"{short_arn(arn)} forwards to {target_group_names(route.target_groups)}, not to green's {target_group_names([green])} alone; something other than "
        "ECS may have changed it"
    )


def obstacle_text(route: Route) -> str:
    """Return the text of a route's obstacle, after the name of its rule or listener."""
    before = "before it forwards" if route.target_groups else "and does not forward to a target group"
    return f"has the action {route.obstacle} {before}"


def foreign_target_group(route: Route, load_balancing: LoadBalancing, arn: str) -> str:
    """Return why a route forwards to a target group of neither revision, or to none; empty if it does not."""
    others = [each for each in route.target_groups if each not in load_balancing.pair]
    if others:
        return f"{short_arn(arn)} forwards to {target_group_names(others[:1])}, which is neither blue's nor green's"
    return "" if route.target_groups else f"{short_arn(arn)} forwards to no target group"


def target_group_names(target_groups: Sequence[str]) -> str:
    """Return the names of target groups for a reason."""
    paths = [each.split("/") for each in target_groups]
    names = [f"target group {path[1]}" if len(path) > 1 else path[0] for path in paths]
    return " and ".join(names) or "no target group"


class RegisteredTarget(NamedTuple):
    """A target of a target group.

    Parameters
    ----------
    id
        IP address or instance ID.
    state
        `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    why
        Reason code such as `Target.ResponseCodeMismatch`; the state if there is none.
    """

    id: str
    state: str
    why: str


def target_health(group: str) -> list[RegisteredTarget]:
    """Return the health of all targets of a target group."""
    with parsing(SERVICE_REVISIONS):
        region = region_of(group)
    described = call_aws_list(TARGET_HEALTH, region, "TargetHealthDescriptions", TargetGroupArn=group)
    with parsing(TARGET_HEALTH):
        return [
            RegisteredTarget(each["Target"]["Id"], health["State"], health.get("Reason") or health["State"])
            for each in described
            for health in [each["TargetHealth"]]
        ]
