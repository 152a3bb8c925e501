"""What the requests of a plan go to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ecs_hooks.checks import HttpCheck
from ecs_hooks.cli.doctor.attached import Prepared
from ecs_hooks.deployment.asking import ask_one, reading
from ecs_hooks.deployment.endpoint import EndpointError, app_url_of, serving_container, with_test_listener
from ecs_hooks.deployment.listener import LOAD_BALANCERS, RULES, ListenerArn, address, short
from ecs_hooks.event import Stage
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Url


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
    addresses: dict[str, None] = {}
    discovered = False
    for plan in prepared.plans.values():
        for check in plan.checks:
            if check.asks_green:
                given = plan.policies.base_url or app_url_of(prepared.environment)
                discovered = discovered or not given
                addresses |= {given: None} if given else {}
            elif isinstance(check, HttpCheck):
                addresses[str(check.url)] = None
    urls: dict[tuple[str, int], Url] = {}
    for each in addresses:
        try:
            url = Url.parse(each)
        except RequestError:
            continue
        urls.setdefault((url.host, url.port), url)
    yield from urls.values()
    if discovered:
        yield from _discovered(prepared)


def _discovered(prepared: Prepared) -> Iterator[Destination]:
    service = prepared.hook.examined.service
    try:
        tested = with_test_listener(Stage.POST_TEST_TRAFFIC_SHIFT, service.load_balancing)
        if tested is not None:
            yield _load_balancer(tested.test)
        elif service.network is not None:
            _, port = serving_container(service.load_balancing)
            where = service.network
            groups, subnets = tuple(where.get("securityGroups") or ()), tuple(where.get("subnets") or ())
            yield Destination("the service's tasks", port, public=False, groups=groups, subnets=subnets)
    except EndpointError:
        return


def _load_balancer(text: str) -> Destination:
    with reading(RULES):
        arn = ListenerArn.parse(text)
    port = int(address(arn)["port"])
    found = ask_one(LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer])
    with reading(LOAD_BALANCERS):
        return Destination(
            f"the load balancer {short(arn.load_balancer).split('/')[2]}",
            port,
            public=found["Scheme"] == "internet-facing",
            groups=tuple(found.get("SecurityGroups") or ()),
            subnets=tuple(each["SubnetId"] for each in found["AvailabilityZones"]),
        )
