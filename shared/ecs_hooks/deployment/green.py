"""How the address of green is found: from the plan, the function's environment, or AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.endpoint import (
    BEFORE_PRODUCTION_TRAFFIC,
    BEFORE_TEST_TRAFFIC,
    OVERRIDE,
    REACH_TASKS,
    Endpoint,
    EndpointError,
    Listener,
    require_running,
)

if TYPE_CHECKING:
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.revision import LoadBalancing
    from ecs_hooks.deployment.task_definition import Port
    from ecs_hooks.deployment.tasks import Task

_OWN_URL = "give the check a url"
_WAIT_FOR_THE_SHIFT = "attach the check to POST_PRODUCTION_TRAFFIC_SHIFT"


class Configured(NamedTuple):
    """What a plan says of the address.

    Parameters
    ----------
    base_url
        The address of the test side; None leaves it to `APP_URL`, and then to AWS.
    host
        `Host` of every request, and the name that a certificate must be valid for; None as the listener rule asks.
    service_connect
        Whether requests bear Service Connect's test header.
    """

    base_url: str | None = None
    host: str | None = None
    service_connect: bool = False


def green_endpoint(
    configured: Configured,
    stage: str,
    find_deployment: Callable[[], Deployment],
    listener: Listener = "test",
    environment: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Return where green answers: as the plan says, or the function's `APP_URL`, or as AWS tells.

    Parameters
    ----------
    configured
        What the plan says. `base_url` and `APP_URL` lead to the test side: for the production listener AWS is asked.
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment, where AWS has to be asked.
    listener
        Through which listener green is to be asked.
    environment
        The environment of the function.

    Raises
    ------
    EndpointError
        If nothing tells it, or if what AWS tells leads to blue.
    FactError
        If AWS does not answer.
    """
    host = configured.host or ""
    if listener == "production":
        return _at_production(stage, host, find_deployment)
    if configured.base_url:
        header = _test_header(find_deployment()) if configured.service_connect else {}
        return Endpoint(configured.base_url, header, host=host)
    app_url = app_url_of(environment)
    if app_url:
        return Endpoint(_checked(app_url, stage), host=host)
    return _discovered(stage, host, find_deployment)


def app_url_of(environment: Mapping[str, str]) -> str:
    """Return the `APP_URL` of a function's environment; empty where it has none."""
    return environment.get("APP_URL", "").strip()


def _checked(app_url: str, stage: str) -> str:
    if stage in BEFORE_TEST_TRAFFIC:
        raise EndpointError(f"APP_URL does not lead to green at {stage} yet, it would test blue", OVERRIDE)
    if urlsplit(app_url).scheme not in {"http", "https"}:
        raise EndpointError("APP_URL of the function is no address", "it must begin with http:// or https://")
    return app_url


def _test_header(deployment: Deployment) -> dict[str, str]:
    header = deployment.green.test_header
    if header is None:
        raise EndpointError(
            "hookDetails.service_connect: the service offers nothing through Service Connect",
            "leave service_connect out of hookDetails",
        )
    name, value = header
    return {name: value or "true"}


def _discovered(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    require_running(stage, f", or {OVERRIDE}")
    deployment = find_deployment()
    _check_it_can_be_found(deployment, OVERRIDE)
    found = with_listener(stage, deployment.green.load_balancing)
    if found is None:
        return _task_endpoint(deployment, host)
    return _listener_endpoint(deployment, *found, host, OVERRIDE)


def _check_it_can_be_found(deployment: Deployment, override: str) -> None:
    if deployment.obstacle_to_an_address:
        raise EndpointError(deployment.obstacle_to_an_address, override)


def with_listener(stage: str, load_balancing: Sequence[LoadBalancing]) -> tuple[LoadBalancing, str] | None:
    """Return the load balancer at which green is asked, and the ARN of its listener (rule); None where there is none.

    That is the test listener, and after the production shift the production listener where there is no test listener.

    Parameters
    ----------
    stage
        The stage of the deployment.
    load_balancing
        The load balancers of the service.

    Raises
    ------
    EndpointError
        If several have one, or if it does not lead to green yet.
    """
    tested = [each for each in load_balancing if each.test]
    if len(tested) > 1:
        raise EndpointError(
            f"the service has {len(tested)} load balancers with a test listener, which one is not clear", OVERRIDE
        )
    if tested and stage in BEFORE_TEST_TRAFFIC:
        raise EndpointError(
            f"green has no test traffic yet at {stage}, the test listener would test blue",
            f"attach the check to POST_TEST_TRAFFIC_SHIFT, or {OVERRIDE}",
        )
    if tested:
        return tested[0], tested[0].test
    shifted = [each for each in load_balancing if each.production]
    if stage == Stage.POST_PRODUCTION_TRAFFIC_SHIFT and len(shifted) == 1:
        return shifted[0], shifted[0].production
    return None


def at_production(load_balancing: Sequence[LoadBalancing]) -> tuple[LoadBalancing, str]:
    """Return the load balancer with a production listener, and the ARN of that listener (rule).

    Raises
    ------
    EndpointError
        If there is not just one.
    """
    shifted = [each for each in load_balancing if each.production]
    if len(shifted) != 1:
        how_many = f"{len(shifted)} load balancers with a" if shifted else "no"
        raise EndpointError(
            f"the service has {how_many} production listener, so which one to ask is not clear", _OWN_URL
        )
    return shifted[0], shifted[0].production


def _at_production(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    if stage in BEFORE_PRODUCTION_TRAFFIC:
        raise EndpointError(
            f"green has no production traffic yet at {stage}, the production listener would test blue",
            _WAIT_FOR_THE_SHIFT,
        )
    deployment = find_deployment()
    _check_it_can_be_found(deployment, _OWN_URL)
    each, _ = at_production(deployment.green.load_balancing)
    if stage != Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
        from ecs_hooks.deployment.drift import led  # noqa: PLC0415 - only where AWS is asked

        groups = deployment.route(each.production).target_groups
        if each.target_group and groups != (each.target_group,):
            raise EndpointError(
                f"the production listener leads to {led(groups)} at {stage}, not to green alone, so it could test blue",
                _WAIT_FOR_THE_SHIFT,
            )
    return _listener_endpoint(deployment, each, each.production, host, _OWN_URL)


def _listener_endpoint(
    deployment: Deployment, load_balancing: LoadBalancing, arn: str, host: str, override: str
) -> Endpoint:
    """Return the address of a listener (rule) that leads to green, and to nobody else.

    Parameters
    ----------
    deployment
        The deployment.
    load_balancing
        The load balancer, with green's target group.
    arn
        The rule or listener.
    host
        `Host` that the plan gives; empty where it gives none.
    override
        What to do where the address can't be derived.
    """
    from ecs_hooks.deployment.alb_address import derived_endpoint  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.drift import misdirected  # noqa: PLC0415

    route = deployment.route(arn)
    wrong = misdirected(route, load_balancing, arn)
    if wrong:
        raise EndpointError(wrong, override if route.obstacle else "")
    return derived_endpoint(route, lambda: deployment.address(arn), arn, host, override)


def _task_endpoint(deployment: Deployment, host: str) -> Endpoint:
    """Return the address of one of green's tasks, for a service without a test listener."""
    from ecs_hooks.aws.errors import FactError  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.tasks import DESCRIBE  # noqa: PLC0415

    port = deployment.port
    if port is None:
        raise EndpointError(
            "the service has no test listener, and no port at a load balancer or of Service Connect", OVERRIDE
        )
    running = [task for task in deployment.tasks if task.status == "RUNNING"]
    if not running:
        raise FactError(f"{DESCRIBE}: no task of green runs yet, and the service has no test listener")
    header = _test_header(deployment) if deployment.green.test_header else {}
    address = task_address(running, port)
    if address:
        return Endpoint(address, header, host=host, advice=REACH_TASKS.format(OVERRIDE))
    raise EndpointError("the service has no test listener, and no task of green has an address of its own", OVERRIDE)


def task_address(tasks: Sequence[Task], port: Port) -> str:
    """Return the address of the first task that has one of its own; empty where none has."""
    for task in tasks:
        for container in task.containers:
            if container.name == port.container and container.address:
                host = f"[{container.address}]" if ":" in container.address else container.address
                return f"http://{host}:{port.number}"
    return ""
