"""The endpoint of blue, for comparisons with green.

Before the production shift, the production listener forwards to blue alone; afterwards no listener does. If green's
endpoint is a task, blue's is a task, too, so that both are measured the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.endpoint import REACH_TASKS, Endpoint, EndpointError
from ecs_hooks.deployment.green import EndpointConfig, app_url_of, green_listener, task_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.listener import Address, Route
    from ecs_hooks.deployment.revision import LoadBalancing

# Imports inside functions keep AWS clients out of a hook whose check has blue_url.

SHIFTING = {Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.POST_PRODUCTION_TRAFFIC_SHIFT}
"""Stages at which the production listener does not, or not certainly, forward to blue."""

OVERRIDE = "set blue_url of the check"
EARLIER = f"attach the check to POST_TEST_TRAFFIC_SHIFT, or {OVERRIDE}"


def blue_endpoint(
    configured: EndpointConfig,
    stage: str,
    find_deployment: Callable[[], Deployment],
    url: str | None = None,
    host: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Return the endpoint of blue: the given URL, or the one found at AWS.

    Parameters
    ----------
    configured
        The plan's fields for green, which decide between listener and task for blue, too.
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment, if AWS is needed.
    url
        URL of blue; None to find it at AWS.
    host
        `Host` of every request to blue; None for that of the plan or of the listener rule.
    environment
        The environment of the function.

    Raises
    ------
    NoBlueError
        If this is the first deployment of the service.
    EndpointError
        If the endpoint is unknown, or does not forward to blue alone.
    """
    if url is not None:
        return Endpoint(url, host=host or configured.host or "")
    deployment = find_deployment()
    blue = deployment.blue
    if blue is None:
        from ecs_hooks.deployment.placeholders import NoBlueError  # noqa: PLC0415

        raise NoBlueError("this is the first deployment of the service, so there is no blue to compare with")
    is_given = bool(configured.base_url or app_url_of(environment))
    listener = blue_listener(stage, deployment.green.load_balancing, blue.load_balancing, is_given=is_given)
    if listener is None:
        return _task_endpoint(deployment, host or configured.host or "")
    return _listener_endpoint(deployment, listener, stage, host, configured.host)


def blue_listener(
    stage: str, of_green: Sequence[LoadBalancing], of_blue: Sequence[LoadBalancing], *, is_given: bool
) -> LoadBalancing | None:
    """Return the load balancer whose production listener is blue's endpoint; None if a task is.

    Parameters
    ----------
    stage
        The stage of the deployment.
    of_green, of_blue
        The load balancers of the two revisions.
    is_given
        Whether the plan or the function's environment has green's URL.

    Raises
    ------
    EndpointError
        If green has no endpoint at this stage, if the listener does not forward to blue any more, or if there are several.
    """
    found = None if is_given else green_listener(stage, of_green)
    listening = [each for each in of_blue if each.production]
    if not listening or not (is_given or found):
        return None
    if stage in SHIFTING:
        raise EndpointError(
            f"blue has no address of its own any more at {stage}: the production listener forwards to green, too",
            EARLIER,
        )
    if found and len(listening) > 1:
        listening = [each for each in listening if each.pair == found[0].pair]
    if len(listening) != 1:
        raise EndpointError(
            f"the service has {len(listening)} load balancers with a production listener for blue, not one", OVERRIDE
        )
    return listening[0]


def _listener_endpoint(
    deployment: Deployment, load_balancing: LoadBalancing, stage: str, host: str | None, plan_host: str | None
) -> Endpoint:
    from ecs_hooks.aws.errors import FactError  # noqa: PLC0415
    from ecs_hooks.deployment.listener import obstacle_text, short_arn, target_group_names  # noqa: PLC0415
    from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS  # noqa: PLC0415

    arn, group = load_balancing.production, load_balancing.target_group
    route = deployment.route(arn)
    if route.obstacle:
        raise EndpointError(f"{short_arn(arn)} {obstacle_text(route)}", OVERRIDE)
    if not group:
        raise FactError(
            f"{DESCRIBE_REVISIONS}: blue's target group is not resolved; cannot verify that {short_arn(arn)} forwards to it"
        )
    if route.target_groups != (group,):
        raise EndpointError(
            f"the production listener forwards to {target_group_names(route.target_groups)} at {stage}, not to blue's {target_group_names([group])} alone",
            EARLIER,
        )
    endpoint = derive_blue_endpoint(route, lambda: deployment.address(arn), arn, host, plan_host)
    return deployment.routed(endpoint, arn, group, "blue", apart=load_balancing.test)


def derive_blue_endpoint(
    route: Route, find_address: Callable[[], Address], arn: str, host: str | None, plan_host: str | None
) -> Endpoint:
    """Return the endpoint of the production listener (rule), whatever its target group; see `derive_endpoint`.

    The `Host` is `host`, or else `plan_host`, or else that of the rule, if the rule does not match `plan_host`: it may be a
    name for test traffic.
    """
    from ecs_hooks.deployment.alb_address import derive_endpoint  # noqa: PLC0415

    derive = partial(
        derive_endpoint,
        route,
        find_address,
        arn,
        override=OVERRIDE,
        whose="blue",
        host_field="blue_host of the check",
    )
    if plan_host and not host:
        with suppress(EndpointError):
            return derive(plan_host)
    return derive(host or "")


def _task_endpoint(deployment: Deployment, host: str) -> Endpoint:
    """Return the endpoint of one of blue's tasks."""
    port = deployment.blue_port
    if port is None:
        raise EndpointError(
            "blue has no production listener, and no container port at a load balancer or of Service Connect", OVERRIDE
        )
    address = task_address(deployment.blue_tasks, port, "blue", OVERRIDE)
    return Endpoint(address, host=host, advice=REACH_TASKS.format(OVERRIDE))
