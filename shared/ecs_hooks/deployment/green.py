"""The endpoint of green: from the plan, the function's environment, or AWS."""

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
    from ecs_hooks.deployment.tasks import Port, Task

# Imports inside functions keep AWS clients out of a hook whose plan has the endpoint.

_SET_URL = "give the check a url"
_WAIT_FOR_THE_SHIFT = "attach the check to POST_PRODUCTION_TRAFFIC_SHIFT"


class EndpointConfig(NamedTuple):
    """The endpoint fields of a plan.

    Parameters
    ----------
    base_url
        URL for test traffic; None for `APP_URL`, or else the endpoint found at AWS.
    host
        `Host` of every request, and the name of the certificate; None for that of the listener rule.
    service_connect
        Whether requests have Service Connect's test header.
    """

    base_url: str | None = None
    host: str | None = None
    service_connect: bool = False


def green_endpoint(
    configured: EndpointConfig,
    stage: str,
    find_deployment: Callable[[], Deployment],
    listener: Listener = "test",
    environment: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Return the endpoint of green: from the plan, from `APP_URL` of the function, or from AWS.

    Parameters
    ----------
    configured
        The plan's fields. `base_url` and `APP_URL` are for test traffic: the production listener is always found at AWS.
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment, if AWS is needed.
    listener
        The listener for the requests.
    environment
        The environment of the function.

    Raises
    ------
    EndpointError
        If the endpoint is unknown, or forwards to blue.
    """
    host = configured.host or ""
    if listener == "production":
        return _production_endpoint(stage, host, find_deployment)
    if configured.base_url:
        header = _test_header(find_deployment()) if configured.service_connect else {}
        return Endpoint(configured.base_url, header, host=host)
    app_url = app_url_of(environment)
    if app_url:
        return Endpoint(_validated(app_url, stage), host=host)
    return _test_endpoint(stage, host, find_deployment)


def app_url_of(environment: Mapping[str, str]) -> str:
    """Return `APP_URL` of a function's environment; empty if it is not set."""
    return environment.get("APP_URL", "").strip()


def _validated(app_url: str, stage: str) -> str:
    if stage in BEFORE_TEST_TRAFFIC:
        raise EndpointError(f"APP_URL does not reach green yet at {stage}, it would test blue", OVERRIDE)
    if urlsplit(app_url).scheme not in {"http", "https"}:
        raise EndpointError(
            "environment variable APP_URL of the function is not a URL", "it must begin with http:// or https://"
        )
    return app_url


def _test_header(deployment: Deployment) -> dict[str, str]:
    header = deployment.green.test_header
    if header is None:
        raise EndpointError(
            "hookDetails.service_connect: the service has no Service Connect services",
            "remove service_connect from hookDetails",
        )
    name, value = header
    return {name: value or "true"}


def _test_endpoint(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    require_running(stage, f", or {OVERRIDE}")
    deployment = find_deployment()
    _require_discovery(deployment, OVERRIDE)
    found = green_listener(stage, deployment.green.load_balancing)
    if found is None:
        return _task_endpoint(deployment, host)
    return _listener_endpoint(deployment, *found, host, OVERRIDE)


def _require_discovery(deployment: Deployment, override: str) -> None:
    if deployment.endpoint_obstacle:
        raise EndpointError(deployment.endpoint_obstacle, override)


def green_listener(stage: str, load_balancing: Sequence[LoadBalancing]) -> tuple[LoadBalancing, str] | None:
    """Return the load balancer for test traffic, and the ARN of its listener (rule); None if there is none.

    After the production shift, that is the production listener if there is no test listener.

    Raises
    ------
    EndpointError
        If several have a test listener, or if it does not forward to green yet.
    """
    tested = [each for each in load_balancing if each.test]
    if len(tested) > 1:
        raise EndpointError(f"the service has {len(tested)} load balancers with a test listener, not one", OVERRIDE)
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


def production_listener(load_balancing: Sequence[LoadBalancing]) -> tuple[LoadBalancing, str]:
    """Return the only load balancer with a production listener, and the ARN of that listener (rule)."""
    shifted = [each for each in load_balancing if each.production]
    if len(shifted) != 1:
        found = (
            f"{len(shifted)} load balancers with a production listener, not one"
            if shifted
            else "no production listener"
        )
        raise EndpointError(f"the service has {found}", _SET_URL)
    return shifted[0], shifted[0].production


def _production_endpoint(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    if stage in BEFORE_PRODUCTION_TRAFFIC:
        raise EndpointError(
            f"green has no production traffic yet at {stage}, the production listener would test blue",
            _WAIT_FOR_THE_SHIFT,
        )
    deployment = find_deployment()
    _require_discovery(deployment, _SET_URL)
    each, arn = production_listener(deployment.green.load_balancing)
    if stage != Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
        from ecs_hooks.deployment.listener import target_group_names  # noqa: PLC0415

        groups = deployment.route(arn).target_groups
        if each.target_group and groups != (each.target_group,):
            raise EndpointError(
                f"the production listener forwards to {target_group_names(groups)} at {stage}, not to green alone, so it could test blue",
                _WAIT_FOR_THE_SHIFT,
            )
    return _listener_endpoint(deployment, each, arn, host, _SET_URL)


def _listener_endpoint(
    deployment: Deployment, load_balancing: LoadBalancing, arn: str, host: str, override: str
) -> Endpoint:
    """Return the endpoint of a listener (rule), which must forward to green alone."""
    from ecs_hooks.deployment.alb_address import derive_endpoint  # noqa: PLC0415
    from ecs_hooks.deployment.listener import route_error  # noqa: PLC0415

    route = deployment.route(arn)
    wrong = route_error(route, load_balancing, arn)
    if wrong:
        raise EndpointError(wrong, override if route.obstacle else "")
    endpoint = derive_endpoint(route, lambda: deployment.address(arn), arn, host, override)
    other = load_balancing.test if arn == load_balancing.production else load_balancing.production
    return deployment.routed(endpoint, arn, load_balancing.target_group, "green", apart=other)


def _task_endpoint(deployment: Deployment, host: str) -> Endpoint:
    """Return the endpoint of one of green's tasks, for a service without a test listener."""
    port = deployment.port
    if port is None:
        raise EndpointError(
            "the service has no test listener, and no container port at a load balancer or of Service Connect", OVERRIDE
        )
    header = _test_header(deployment) if deployment.green.test_header else {}
    address = task_address(deployment.tasks, port, "green", OVERRIDE)
    return Endpoint(address, header, host=host, advice=REACH_TASKS.format(OVERRIDE))


def task_address(tasks: Sequence[Task], port: Port, whose: str, override: str) -> str:
    """Return the URL of the first running task with an IP address; `whose` and `override` are for messages."""
    running = [task for task in tasks if task.status == "RUNNING"]
    if not running:
        from ecs_hooks.aws.errors import FactError  # noqa: PLC0415
        from ecs_hooks.deployment.tasks import DESCRIBE_TASKS  # noqa: PLC0415

        raise FactError(f"{DESCRIBE_TASKS}: no task of {whose} has the status RUNNING")
    for task in running:
        for container in task.containers:
            if container.name == port.container and container.address:
                host = f"[{container.address}]" if ":" in container.address else container.address
                return f"http://{host}:{port.number}"
    raise EndpointError(f"no task of {whose} has an IP address of its own, as network mode awsvpc gives", override)
