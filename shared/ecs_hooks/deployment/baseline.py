"""Where blue answers, for those who ask it beside green.

Before the production shift the production listener leads to blue alone; afterwards no address does. A service whose green
is asked at a task is asked at a task of blue, too, so that both are asked the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.endpoint import REACH_TASKS, Endpoint, EndpointError
from ecs_hooks.deployment.green import Configured, app_url_of, task_address, with_listener

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.listener import Address, Route
    from ecs_hooks.deployment.revision import LoadBalancing
    from ecs_hooks.http.request import Request

SHIFTING = {Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.POST_PRODUCTION_TRAFFIC_SHIFT}
"""Stages at which the production listener does not, or not for certain, lead to blue any more."""

OVERRIDE = "set blue_url of the check"
EARLIER = f"attach the check to POST_TEST_TRAFFIC_SHIFT, or {OVERRIDE}"
_OWN_HOST = "blue_host of the check"


class Blue(NamedTuple):
    """Where blue answers.

    Parameters
    ----------
    endpoint
        Its address.
    test_conditions
        The conditions of the rule, at the same listener, that leads to green; none where there is no such rule.
    """

    endpoint: Endpoint
    test_conditions: Sequence[Mapping[str, Any]] = ()

    def objection(self, request: Request) -> str:
        """Return why a request would reach green in blue's place; empty where it would not."""
        from ecs_hooks.deployment.conditions import could_meet  # noqa: PLC0415 - only where AWS was asked

        if not self.test_conditions or not could_meet(self.test_conditions, request):
            return ""
        return "the request to blue meets the conditions of the test listener rule, so it would reach green"


def blue_endpoint(
    configured: Configured,
    stage: str,
    find_deployment: Callable[[], Deployment],
    url: str | None = None,
    host: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Blue:
    """Return where blue answers: at the address that is given, or as AWS tells.

    Parameters
    ----------
    configured
        What the plan says of green's address, which decides how blue is asked, too.
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment, where AWS has to be asked.
    url
        The address; None leaves it to AWS.
    host
        `Host` of every request to blue; None as the plan has it for green, or as the listener rule asks.
    environment
        The environment of the function.

    Raises
    ------
    NoBlueError
        If AWS was asked, and this is the first deployment of the service.
    EndpointError
        If nothing tells it, or if what AWS tells does not lead to blue alone.
    FactError
        If AWS does not answer.
    """
    if url is not None:
        return Blue(Endpoint(url, host=host or configured.host or ""))
    deployment = find_deployment()
    blue = deployment.blue
    if blue is None:
        from ecs_hooks.deployment.dimensions import NoBlueError  # noqa: PLC0415 - AWS is asked, so it is loaded

        raise NoBlueError("this is the first deployment of the service, so there is no blue to compare with")
    is_given = bool(configured.base_url or app_url_of(environment))
    listener = blue_listener(stage, deployment.green.load_balancing, blue.load_balancing, is_given=is_given)
    if listener is None:
        return Blue(_task_endpoint(deployment, host or configured.host or ""))
    return _listener_endpoint(deployment, listener, stage, host, configured.host)


def blue_listener(
    stage: str, of_green: Sequence[LoadBalancing], of_blue: Sequence[LoadBalancing], *, is_given: bool
) -> LoadBalancing | None:
    """Return the load balancer at whose production listener blue is asked; None where a task is asked.

    Parameters
    ----------
    stage
        The stage of the deployment.
    of_green, of_blue
        The load balancers of the two revisions.
    is_given
        Whether the plan or the function says where green answers; else it is to be found.

    Raises
    ------
    EndpointError
        If green can't be asked at this stage, if that listener does not lead to blue any more, or if it is not clear
        which one it is.
    """
    found = None if is_given else with_listener(stage, of_green)
    listening = [each for each in of_blue if each.production]
    if not listening or not (is_given or found):
        return None
    if stage in SHIFTING:
        raise EndpointError(
            f"blue has no address of its own any more at {stage}: the production listener leads to green, too", EARLIER
        )
    if found and len(listening) > 1:
        listening = [each for each in listening if each.pair == found[0].pair]
    if len(listening) != 1:
        raise EndpointError(
            f"the service has {len(listening)} load balancers at which blue could be asked, which one is not clear",
            OVERRIDE,
        )
    return listening[0]


def _listener_endpoint(
    deployment: Deployment, load_balancing: LoadBalancing, stage: str, host: str | None, plan_host: str | None
) -> Blue:
    from ecs_hooks.aws.errors import FactError  # noqa: PLC0415
    from ecs_hooks.deployment.drift import led  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.listener import short  # noqa: PLC0415
    from ecs_hooks.deployment.revision import ACTION  # noqa: PLC0415

    arn, group = load_balancing.production, load_balancing.target_group
    route = deployment.route(arn)
    if route.obstacle:
        raise EndpointError(f"{short(arn)} answers with {route.obstacle} before it forwards", OVERRIDE)
    if not group:
        raise FactError(
            f"{ACTION}: no target group of blue is resolved, so whether {short(arn)} leads to it can't be told"
        )
    if route.target_groups != (group,):
        raise EndpointError(
            f"the production listener leads to {led(route.target_groups)} at {stage}, not to blue's {led([group])} alone",
            EARLIER,
        )
    endpoint = derived_blue(route, lambda: deployment.address(arn), arn, host, plan_host)
    return Blue(endpoint, _test_conditions(deployment, load_balancing))


def derived_blue(
    route: Route, find_address: Callable[[], Address], arn: str, host: str | None, plan_host: str | None
) -> Endpoint:
    """Return the address at which a request meets the production listener (rule), whomever that leads to.

    Parameters
    ----------
    route, find_address, arn
        See `derived_endpoint`.
    host
        `Host` for blue; None leaves it to the plan, and to the rule where that does not take the one of the plan, which
        may be a name of the test side.
    plan_host
        `Host` of the plan; None where it has none.

    Raises
    ------
    EndpointError
        If it is not clear what such a request has to be like.
    """
    from ecs_hooks.deployment.alb_address import derived_endpoint  # noqa: PLC0415 - only where AWS is asked

    derive = partial(derived_endpoint, route, find_address, arn, override=OVERRIDE, whose="blue", host_field=_OWN_HOST)
    if plan_host and not host:
        with suppress(EndpointError):
            return derive(plan_host)
    return derive(host or "")


def _test_conditions(deployment: Deployment, load_balancing: LoadBalancing) -> Sequence[Mapping[str, Any]]:
    """Return the conditions of the test listener rule, where it belongs to the listener at which blue is asked."""
    if not same_listener(load_balancing):
        return ()
    return deployment.route(load_balancing.test).conditions


def same_listener(load_balancing: LoadBalancing) -> bool:
    """Return whether production and test traffic come in at one listener, and a rule tells them apart."""
    front, slash, _ = load_balancing.production.rpartition("/")
    return bool(slash) and ":listener-rule/" in front and load_balancing.test.rpartition("/")[0] == front


def _task_endpoint(deployment: Deployment, host: str) -> Endpoint:
    """Return the address of one of blue's tasks."""
    from ecs_hooks.aws.errors import FactError  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.tasks import DESCRIBE  # noqa: PLC0415

    port = deployment.blue_port
    if port is None:
        raise EndpointError(
            "blue has no production listener, and no port at a load balancer or of Service Connect", OVERRIDE
        )
    running = [task for task in deployment.blue_tasks if task.status == "RUNNING"]
    if not running:
        raise FactError(f"{DESCRIBE}: no task of blue runs")
    address = task_address(running, port)
    if not address:
        raise EndpointError("no task of blue has an address of its own", OVERRIDE)
    return Endpoint(address, host=host, advice=REACH_TASKS.format(OVERRIDE))
