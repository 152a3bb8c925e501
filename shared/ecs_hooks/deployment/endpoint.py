"""Where green answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ecs_hooks.event import Stage
from ecs_hooks.outcome import ExplainedError

if TYPE_CHECKING:
    from ecs_hooks.deployment.listener import Route
    from ecs_hooks.deployment.revision import LoadBalancing
    from ecs_hooks.deployment.service_deployment import ServiceDeployment

BEFORE_GREEN_RUNS = {Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP}
BEFORE_TEST_TRAFFIC = {*BEFORE_GREEN_RUNS, Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT}
"""Stages at which the test listener does not, or not for certain, lead to the new revision yet."""

_OVERRIDE = "set hookDetails.base_url"
_WEB = {"HTTP": "http", "HTTPS": "https", "TCP": "http", "TLS": "https"}
"""Protocols of listeners that a web server can be behind. Whether TCP carries TLS is not to be seen at the listener."""


class EndpointError(ExplainedError):
    """Where green answers is not known, or what answers there is not green.

    Parameters
    ----------
    problem
        What is wrong.
    fix
        What to do about it; empty where the problem tells.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}: {fix}" if fix else problem)
        self.problem = problem
        self.fix = fix


def require_running(stage: str, otherwise: str = "") -> None:
    """Refuse a question about green at a stage at which it does not run yet.

    Parameters
    ----------
    stage
        The stage of the deployment.
    otherwise
        What else can be done, for the fix.

    Raises
    ------
    EndpointError
        If it does not run yet.
    """
    if stage in BEFORE_GREEN_RUNS:
        message = f"green does not run yet at {stage}"
        raise EndpointError(message, f"attach the check to a later stage{otherwise}")


class Endpoint(NamedTuple):
    """An address of green, and what every request to it has to have.

    Parameters
    ----------
    base_url
        What paths are appended to.
    headers, query
        What the conditions of the listener rule ask for.
    methods
        The methods that the rule takes; any where there are none.
    """

    base_url: str
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()


class Configured(NamedTuple):
    """What a plan says of the address.

    Parameters
    ----------
    base_url
        The address; None leaves it to `APP_URL`, and then to AWS.
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
    find_deployment: Callable[[], ServiceDeployment],
    environment: Mapping[str, str] = os.environ,
) -> Endpoint:
    """Return where green answers: as the plan says, or the function's `APP_URL`, or as AWS tells.

    Parameters
    ----------
    configured
        What the plan says.
    stage
        The stage of the deployment.
    find_deployment
        Makes the deployment, where AWS has to be asked.
    environment
        The environment of the function.

    Raises
    ------
    EndpointError
        If nothing tells it, or if what AWS tells leads to blue.
    FactError
        If AWS does not answer.
    """
    host = {"Host": configured.host} if configured.host else {}
    if configured.base_url:
        header = _test_header(find_deployment()) if configured.service_connect else {}
        return Endpoint(configured.base_url, {**header, **host})
    app_url = app_url_of(environment)
    if app_url:
        return Endpoint(_checked(app_url, stage), host)
    found = _discovered(configured, stage, find_deployment)
    return found._replace(headers={**found.headers, **host})


def app_url_of(environment: Mapping[str, str]) -> str:
    """Return the `APP_URL` of a function's environment; empty where it has none."""
    return environment.get("APP_URL", "").strip()


def _checked(app_url: str, stage: str) -> str:
    if stage in BEFORE_TEST_TRAFFIC:
        message = f"APP_URL does not lead to green at {stage} yet, it would test blue"
        raise EndpointError(message, _OVERRIDE)
    if urlsplit(app_url).scheme not in {"http", "https"}:
        message = "APP_URL of the function is no address"
        raise EndpointError(message, "it must begin with http:// or https://")
    return app_url


def _test_header(deployment: ServiceDeployment) -> dict[str, str]:
    header = deployment.green.test_header
    if header is None:
        message = "hookDetails.service_connect: the service offers nothing through Service Connect"
        raise EndpointError(message, "leave service_connect out of hookDetails")
    name, value = header
    return {name: value or "true"}


def _discovered(configured: Configured, stage: str, find_deployment: Callable[[], ServiceDeployment]) -> Endpoint:
    require_running(stage, f", or {_OVERRIDE}")
    deployment = find_deployment()
    tested = with_test_listener(stage, deployment.green.load_balancing)
    if tested is None:
        return _task_endpoint(deployment)
    return listener_endpoint(deployment, tested, tested.test, named=bool(configured.host))


def with_test_listener(stage: str, load_balancing: Sequence[LoadBalancing]) -> LoadBalancing | None:
    """Return the load balancer whose test listener leads to green; None where there is no test listener.

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
        message = f"the service has {len(tested)} load balancers with a test listener, which one is not clear"
        raise EndpointError(message, _OVERRIDE)
    if tested and stage in BEFORE_TEST_TRAFFIC:
        message = f"green has no test traffic yet at {stage}, the test listener would test blue"
        raise EndpointError(message, f"attach the check to POST_TEST_TRAFFIC_SHIFT, or {_OVERRIDE}")
    return tested[0] if tested else None


def listener_endpoint(
    deployment: ServiceDeployment, load_balancing: LoadBalancing, arn: str, *, named: bool = False
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
    named
        Whether the plan gives the name that a certificate is valid for.
    """
    from ecs_hooks.deployment.drift import misdirected  # noqa: PLC0415 - only where AWS is asked

    route = deployment.route(arn)
    wrong = misdirected(route, load_balancing, arn)
    if wrong:
        raise EndpointError(wrong)
    return derived_endpoint(route, lambda: deployment.address(arn), arn, named=named)


def derived_endpoint(
    route: Route, find_address: Callable[[], Mapping[str, Any]], arn: str, *, named: bool = False
) -> Endpoint:
    """Return the address at which a request meets a listener (rule), whomever that leads to.

    Parameters
    ----------
    route
        The conditions of the rule.
    find_address
        Asks for protocol, port and host name of its listener.
    arn
        The rule or listener, for messages.
    named
        Whether the plan gives the name that a certificate is valid for.

    Raises
    ------
    EndpointError
        If it is not clear what such a request has to be like.
    """
    from ecs_hooks.deployment.conditions import UnderivableError, needed  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.listener import short  # noqa: PLC0415

    try:
        need = needed(route.conditions)
    except UnderivableError as error:
        message = f"the address of green can't be derived from {short(arn)}: {error}"
        raise EndpointError(message, _OVERRIDE) from None
    listener = find_address()
    scheme = _WEB.get(listener["protocol"])
    if scheme is None:
        message = f"{short(arn)} speaks {listener['protocol']}, not HTTP"
        raise EndpointError(message, _OVERRIDE)
    if scheme == "https" and not need.host and not named:
        message = f"{short(arn)} speaks TLS, and its certificate is not made for {listener['host']}"
        raise EndpointError(message, "set hookDetails.host to the name it is made for")
    headers = {**need.headers, **({"Host": need.host} if need.host else {})}
    base_url = f"{scheme}://{listener['host']}:{listener['port']}{need.prefix}"
    return Endpoint(base_url, headers, need.query, need.methods)


def _task_endpoint(deployment: ServiceDeployment) -> Endpoint:
    """Return the address of one of green's tasks, for a service without a test listener."""
    name, port = serving_container(deployment.green.load_balancing)
    for task in deployment.tasks:
        for container in task.containers:
            if task.status == "RUNNING" and container.name == name and container.address:
                address = f"[{container.address}]" if ":" in container.address else container.address
                return Endpoint(f"http://{address}:{port}")
    message = "the service has no test listener, and no task of green has an address of its own"
    raise EndpointError(message, _OVERRIDE)


def serving_container(load_balancing: Sequence[LoadBalancing]) -> tuple[str, int]:
    """Return the name and the port of the container that serves, for a service without a test listener.

    Raises
    ------
    EndpointError
        If there is none.
    """
    serving = [each for each in load_balancing if each.port]
    if not serving:
        message = "the service has neither a test listener nor a container port at a load balancer"
        raise EndpointError(message, _OVERRIDE)
    return serving[0].container, serving[0].port
