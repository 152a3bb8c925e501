"""Where green answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from ecs_hooks.event import Stage
from ecs_hooks.outcome import ExplainedError

if TYPE_CHECKING:
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.listener import Address, Route
    from ecs_hooks.deployment.revision import LoadBalancing
    from ecs_hooks.deployment.task_definition import Port
    from ecs_hooks.deployment.tasks import Task

Listener = Literal["test", "production"]
"""Through which listener green is asked."""

BEFORE_GREEN_RUNS = {Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP}
BEFORE_TEST_TRAFFIC = {*BEFORE_GREEN_RUNS, Stage.POST_SCALE_UP, Stage.TEST_TRAFFIC_SHIFT}
"""Stages at which the test listener does not, or not for certain, lead to the new revision yet."""
BEFORE_PRODUCTION_TRAFFIC = {*BEFORE_TEST_TRAFFIC, Stage.POST_TEST_TRAFFIC_SHIFT}
"""Stages at which the production listener leads to the old revision."""

_OVERRIDE = "set hookDetails.base_url"
_OWN_URL = "give the check a url"
_WAIT_FOR_THE_SHIFT = "attach the check to POST_PRODUCTION_TRAFFIC_SHIFT"
_WEB = {"HTTP": "http", "HTTPS": "https", "TCP": "http", "TLS": "https"}
"""Protocols of listeners that a web server can be behind. Whether TCP carries TLS is not to be seen at the listener."""
REACH_TASKS = (
    "the address is that of a task: the function has to run in its VPC (VpcSubnetIds of the template), and the security "
    "group of the tasks has to let it in; or {}"
)


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
        What the conditions of the listener rule ask for; a request that has it otherwise would go to somebody else.
    methods
        The methods that the rule takes; any where there are none.
    host
        `Host` of requests that name none.
    advice
        What to do where there is no connection.
    """

    base_url: str
    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    methods: tuple[str, ...] = ()
    host: str = ""
    advice: str = ""

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers of a request that has none of its own."""
        return {**({"Host": self.host} if self.host else {}), **self.headers}

    def objection(self, method: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
        """Return why a request would miss the listener rule, and so green; empty where it would not.

        Parameters
        ----------
        method, headers, query
            What the request has of its own.
        """
        if self.methods and method not in self.methods:
            return f"the listener rule takes {', '.join(self.methods)} only, not {method}"
        own = {name.lower(): value.lower() for name, value in headers.items()}
        for name, value in self.headers.items():
            if own.get(name.lower(), value.lower()) != value.lower():
                return f"the listener rule asks for another header {name} than the request has"
        for name, value in self.query.items():
            if name in query and value not in _texts(query[name]):
                return f"the listener rule asks for another query parameter {name} than the request has"
        return ""


def _texts(values: Any) -> list[str]:
    return [
        str(each) for each in (values if isinstance(values, Sequence) and not isinstance(values, str) else [values])
    ]


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
        message = f"APP_URL does not lead to green at {stage} yet, it would test blue"
        raise EndpointError(message, _OVERRIDE)
    if urlsplit(app_url).scheme not in {"http", "https"}:
        message = "APP_URL of the function is no address"
        raise EndpointError(message, "it must begin with http:// or https://")
    return app_url


def _test_header(deployment: Deployment) -> dict[str, str]:
    header = deployment.green.test_header
    if header is None:
        message = "hookDetails.service_connect: the service offers nothing through Service Connect"
        raise EndpointError(message, "leave service_connect out of hookDetails")
    name, value = header
    return {name: value or "true"}


def _discovered(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    require_running(stage, f", or {_OVERRIDE}")
    deployment = find_deployment()
    _check_it_can_be_found(deployment, _OVERRIDE)
    found = with_listener(stage, deployment.green.load_balancing)
    if found is None:
        return _task_endpoint(deployment, host)
    return _listener_endpoint(deployment, *found, host, _OVERRIDE)


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
        message = f"the service has {len(tested)} load balancers with a test listener, which one is not clear"
        raise EndpointError(message, _OVERRIDE)
    if tested and stage in BEFORE_TEST_TRAFFIC:
        message = f"green has no test traffic yet at {stage}, the test listener would test blue"
        raise EndpointError(message, f"attach the check to POST_TEST_TRAFFIC_SHIFT, or {_OVERRIDE}")
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
        message = f"the service has {how_many} production listener, so which one to ask is not clear"
        raise EndpointError(message, _OWN_URL)
    return shifted[0], shifted[0].production


def _at_production(stage: str, host: str, find_deployment: Callable[[], Deployment]) -> Endpoint:
    if stage in BEFORE_PRODUCTION_TRAFFIC:
        message = f"green has no production traffic yet at {stage}, the production listener would test blue"
        raise EndpointError(message, _WAIT_FOR_THE_SHIFT)
    deployment = find_deployment()
    _check_it_can_be_found(deployment, _OWN_URL)
    each, _ = at_production(deployment.green.load_balancing)
    if stage != Stage.POST_PRODUCTION_TRAFFIC_SHIFT:
        from ecs_hooks.deployment.drift import led  # noqa: PLC0415 - only where AWS is asked

        groups = deployment.route(each.production).target_groups
        if each.target_group and groups != (each.target_group,):
            message = (
                f"the production listener leads to {led(groups)} at {stage}, not to green alone, so it could test blue"
            )
            raise EndpointError(message, _WAIT_FOR_THE_SHIFT)
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
    from ecs_hooks.deployment.drift import misdirected  # noqa: PLC0415 - only where AWS is asked

    route = deployment.route(arn)
    wrong = misdirected(route, load_balancing, arn)
    if wrong:
        raise EndpointError(wrong, override if route.obstacle else "")
    return derived_endpoint(route, lambda: deployment.address(arn), arn, host, override)


def derived_endpoint(
    route: Route,
    find_address: Callable[[], Address],
    arn: str,
    host: str = "",
    override: str = _OVERRIDE,
    *,
    whose: str = "green",
    host_field: str = "hookDetails.host",
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
    host
        `Host` that the plan gives, for which a certificate is valid; empty where it gives none.
    override
        What to do where the address can't be derived.
    whose
        Whose address it is.
    host_field
        What gives a name of its own.

    Raises
    ------
    EndpointError
        If it is not clear what such a request has to be like.
    """
    from ecs_hooks.deployment.conditions import UnderivableError, needed  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.listener import short  # noqa: PLC0415

    try:
        need = needed(route.conditions, host)
    except UnderivableError as error:
        message = f"the address of {whose} can't be derived from {short(arn)}: {error}"
        raise EndpointError(message, override) from None
    listener = find_address()
    scheme = _WEB.get(listener.protocol)
    if scheme is None:
        message = f"{short(arn)} speaks {listener.protocol}, not HTTP"
        raise EndpointError(message, override)
    if scheme == "https" and not need.host and not host:
        message = f"{short(arn)} speaks TLS, and its certificate is not made for {listener.host}"
        raise EndpointError(message, f"set {host_field} to the name it is made for")
    headers = {**need.headers, **({"Host": need.host} if need.host else {})}
    base_url = f"{scheme}://{listener.host}:{listener.port}{need.prefix}"
    return Endpoint(base_url, headers, need.query, need.methods, "" if need.host else host)


def _task_endpoint(deployment: Deployment, host: str) -> Endpoint:
    """Return the address of one of green's tasks, for a service without a test listener."""
    from ecs_hooks.deployment.errors import FactError  # noqa: PLC0415 - only where AWS is asked
    from ecs_hooks.deployment.tasks import DESCRIBE  # noqa: PLC0415

    port = deployment.port
    if port is None:
        message = "the service has no test listener, and no port at a load balancer or of Service Connect"
        raise EndpointError(message, _OVERRIDE)
    running = [task for task in deployment.tasks if task.status == "RUNNING"]
    if not running:
        raise FactError(f"{DESCRIBE}: no task of green runs yet, and the service has no test listener")
    header = _test_header(deployment) if deployment.green.test_header else {}
    address = task_address(running, port)
    if address:
        return Endpoint(address, header, host=host, advice=REACH_TASKS.format(_OVERRIDE))
    message = "the service has no test listener, and no task of green has an address of its own"
    raise EndpointError(message, _OVERRIDE)


def task_address(tasks: Sequence[Task], port: Port) -> str:
    """Return the address of the first task that has one of its own; empty where none has."""
    for task in tasks:
        for container in task.containers:
            if container.name == port.container and container.address:
                host = f"[{container.address}]" if ":" in container.address else container.address
                return f"http://{host}:{port.number}"
    return ""
