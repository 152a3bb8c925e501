"""Whether somebody has led a listener elsewhere than ECS did.

Infrastructure as code that declares a listener rule sets it back to what it declares, in the middle of a deployment; the
traffic then goes to a target group without tasks, or a test reaches blue (containers-roadmap #2853, aws-cdk #36649).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks.aws.errors import FactError
from ecs_hooks.deployment.listener import short
from ecs_hooks.deployment.revision import ACTION

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Route
    from ecs_hooks.deployment.revision import LoadBalancing


def misdirected(route: Route, load_balancing: LoadBalancing, arn: str) -> str:
    """Return why a route does not lead to green alone; empty where it does.

    Parameters
    ----------
    route
        Where the rule leads.
    load_balancing
        The load balancer of green, with its target group.
    arn
        The rule or listener, for the message.

    Raises
    ------
    FactError
        If ECS does not say yet which target group green uses.
    """
    where = short(arn)
    if route.obstacle:
        then = "before it forwards" if route.target_groups else "and forwards to no target group"
        return f"{where} answers with {route.obstacle} {then}"
    if not load_balancing.target_group:
        raise FactError(f"{ACTION}: no target group of green is resolved yet, so what {where} leads to can't be told")
    if route.target_groups == (load_balancing.target_group,):
        return ""
    return (
        f"{where} leads to {led(route.target_groups)}, not to green's {_name(load_balancing.target_group)}: something other than ECS may have "
        f"changed it"
    )


def strangers(route: Route, load_balancing: LoadBalancing, arn: str) -> str:
    """Return why a route leads to somebody who is neither blue nor green, or to nobody; empty where it does not.

    Parameters
    ----------
    route
        Where the rule leads.
    load_balancing
        The load balancer of green, with the pair of target groups.
    arn
        The rule or listener, for the message.
    """
    others = [each for each in route.target_groups if each not in load_balancing.pair]
    if others:
        return f"{short(arn)} leads to {_name(others[0])}, which is neither blue's nor green's"
    if not route.target_groups:
        return f"{short(arn)} leads to no target group"
    return ""


def led(target_groups: Sequence[str]) -> str:
    """Return target groups as a reason names them."""
    return " and ".join(map(_name, target_groups)) or "no target group"


def _name(target_group: str) -> str:
    path = target_group.split("/")
    return f"target group {path[1]}" if len(path) > 1 else target_group
