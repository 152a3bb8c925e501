"""What the requests of a plan go to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ecs_hooks.aws.call import ask_one, reading
from ecs_hooks.deployment.baseline import blue_listener
from ecs_hooks.deployment.endpoint import EndpointError, Listener
from ecs_hooks.deployment.green import app_url_of, at_production, with_listener
from ecs_hooks.deployment.listener import LOAD_BALANCERS, RULES, ListenerArn, address, short
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.doctor.attached import Prepared
from ecs_hooks_cli.doctor.endpoint import task_port


class Destination(NamedTuple):
    """A load balancer, or the tasks of the service.

    Parameters
    ----------
    name
        What it is called in findings.
    port
        The port that requests go to.
    public
        Whether its addresses are public ones.
    groups
        Ids of its security groups.
    subnets
        Ids of its subnets.
    """

    name: str
    port: int
    public: bool
    groups: tuple[str, ...]
    subnets: tuple[str, ...]


def destinations(prepared: Prepared) -> Iterator[Destination | Url]:
    """Yield what requests go to, each once: an address where the plan names it, or else what AWS knows.

    What can't be said is left out: the examination of the endpoint tells why.

    Raises
    ------
    FactError
        If AWS does not answer.
    """
    addresses: dict[tuple[str, int | None], None] = {}
    discovered: dict[tuple[Listener, str, int | None], None] = {}
    for stage, plan in prepared.plans.items():
        for check in plan.checks:
            required = check.requirements()
            listener = required.listener
            given = plan.policies.base_url or app_url_of(prepared.environment) if listener == "test" else None
            if given:
                addresses[given, required.port] = None
            elif listener is not None:
                discovered[listener, stage, required.port] = None
            if required.blue:
                discovered |= dict.fromkeys((each, stage, None) for each in _of_blue(prepared, stage, plan))
            addresses |= dict.fromkeys((url, None) for url in required.urls)
    urls: dict[tuple[str, int], Url] = {}
    for each, port in addresses:
        try:
            url = Url.parse(each)
        except RequestError:
            continue
        url = url._replace(port=port or url.port)
        urls.setdefault((url.host, url.port), url)
    yield from urls.values()
    yield from dict.fromkeys(each for found in discovered for each in _discovered(prepared, *found))


def _of_blue(prepared: Prepared, stage: str, plan: Plan) -> Iterator[Listener]:
    """Yield the listener that leads to where blue is asked; tasks are found where green's are."""
    balancing = prepared.hook.examined.service.load_balancing
    is_given = bool(plan.policies.base_url or app_url_of(prepared.environment))
    with suppress(EndpointError):
        at_listener = blue_listener(stage, balancing, balancing, is_given=is_given) is not None
        yield "production" if at_listener else "test"


def _discovered(prepared: Prepared, listener: Listener, stage: str, asked_port: int | None) -> Iterator[Destination]:
    service = prepared.hook.examined.service
    try:
        balancing = service.load_balancing
        found = with_listener(stage, balancing) if listener == "test" else at_production(balancing)
    except EndpointError:
        return
    if found is not None:
        yield _load_balancer(found[1])
    elif service.network is not None:
        port = asked_port or task_port(service)
        if port is not None:
            where = service.network
            groups, subnets = tuple(where.get("securityGroups") or ()), tuple(where.get("subnets") or ())
            yield Destination("the service's tasks", port, public=False, groups=groups, subnets=subnets)


def _load_balancer(text: str) -> Destination:
    with reading(RULES):
        arn = ListenerArn.parse(text)
    port = address(arn).port
    found = ask_one(LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer])
    with reading(LOAD_BALANCERS):
        return Destination(
            f"the load balancer {short(arn.load_balancer).split('/')[2]}",
            port,
            public=found["Scheme"] == "internet-facing",
            groups=tuple(found.get("SecurityGroups") or ()),
            subnets=tuple(each["SubnetId"] for each in found["AvailabilityZones"]),
        )
