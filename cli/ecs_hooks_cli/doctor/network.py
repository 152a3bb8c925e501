"""Whether the function's network reaches the targets of the plan's requests.

Only security groups, VPCs and routes to the internet are examined: not network ACLs, firewalls and routes between subnets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ecs_hooks.aws.call import call_aws_one, parsing
from ecs_hooks.deployment.baseline import blue_listener
from ecs_hooks.deployment.endpoint import EndpointError, Listener
from ecs_hooks.deployment.green import app_url_of, green_listener, production_listener
from ecs_hooks.deployment.listener import LOAD_BALANCERS, RULES, ListenerArn, describe_address, short_arn
from ecs_hooks.http.errors import ForbiddenAddressError, RequestError
from ecs_hooks.http.guard import VARIABLE, AllowedHosts, judge, parse_address, refusal
from ecs_hooks.http.url import Url
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.doctor import vpc
from ecs_hooks_cli.doctor.attached_hook import PlannedHook
from ecs_hooks_cli.doctor.endpoint import task_port
from ecs_hooks_cli.doctor.finding import Finding, Subject
from ecs_hooks_cli.doctor.function import Function

SUBJECT = Subject("network")
_TRY = "run `ecs-hooks check PLAN --url ADDRESS` on a machine in the function's subnets, or try it in a deployment that may fail"
_JOIN_VPC = "attach the function to that VPC (VpcSubnetIds and VpcSecurityGroupIds of the stack)"


class Target(NamedTuple):
    """A load balancer, or the tasks of the service.

    Parameters
    ----------
    name
        Its name in findings.
    port
        The port that requests go to.
    public
        Whether its addresses are public.
    groups, subnets
        Ids of its security groups and subnets.
    """

    name: str
    port: int
    public: bool
    groups: tuple[str, ...]
    subnets: tuple[str, ...]


def examine(hook: PlannedHook) -> Iterator[Finding]:
    """Examine the network path to every target of the plan."""
    region = hook.attached.examined.arn.region
    for target in _targets(hook):
        if isinstance(target, Url):
            yield _to_address(hook, target)
        elif target.public:
            yield from _to_public(hook.function, target, region)
        else:
            yield from _to_private(hook.function, target, region)


def _targets(hook: PlannedHook) -> Iterator[Target | Url]:
    """Yield the targets of requests, without duplicates and without those that `endpoint` reports as unknown.

    An address in the plan or in `APP_URL` is a `Url`; other targets are read from AWS.
    """
    addresses: dict[tuple[str, int | None], None] = {}
    discovered: dict[tuple[Listener, str, int | None], None] = {}
    for stage, plan in hook.plans.items():
        for check in plan.checks:
            required = check.requirements()
            listener = required.listener
            given = plan.policies.base_url or app_url_of(hook.environment) if listener == "test" else None
            if given:
                addresses[given, required.port] = None
            elif listener is not None:
                discovered[listener, stage, required.port] = None
            if required.blue:
                discovered |= dict.fromkeys((each, stage, None) for each in _listener_of_blue(hook, stage, plan))
            addresses |= dict.fromkeys((url, None) for url in required.urls)
    urls: dict[tuple[str, int], Url] = {}
    for text, port in addresses:
        with suppress(RequestError):
            url = Url.parse(text)
            url = url._replace(port=port or url.port)
            urls.setdefault((url.host, url.port), url)
    yield from urls.values()
    yield from dict.fromkeys(each for found in discovered for each in _discovered(hook, *found))


def _listener_of_blue(hook: PlannedHook, stage: str, plan: Plan) -> Iterator[Listener]:
    """Yield the listener whose target blue is; tasks of blue are found like those of green, by the test listener."""
    balancing = hook.attached.examined.service.load_balancing
    with suppress(EndpointError):
        at_listener = blue_listener(stage, balancing, balancing, is_given=hook.has_address(plan)) is not None
        yield "production" if at_listener else "test"


def _discovered(hook: PlannedHook, listener: Listener, stage: str, check_port: int | None) -> Iterator[Target]:
    service = hook.attached.examined.service
    try:
        balancing = service.load_balancing
        found = green_listener(stage, balancing) if listener == "test" else production_listener(balancing)
    except EndpointError:
        return
    if found is not None:
        yield _load_balancer(found[1])
    elif service.network is not None:
        port = check_port or task_port(service)
        if port is not None:
            groups, ids = (tuple(service.network.get(each) or ()) for each in ("securityGroups", "subnets"))
            yield Target("the service's tasks", port, public=False, groups=groups, subnets=ids)


def _load_balancer(listener: str) -> Target:
    with parsing(RULES):
        arn = ListenerArn.parse(listener)
    port = describe_address(arn).port
    found = call_aws_one(
        LOAD_BALANCERS, arn.region, "LoadBalancers", "load balancer", LoadBalancerArns=[arn.load_balancer]
    )
    with parsing(LOAD_BALANCERS):
        return Target(
            f"load balancer {short_arn(arn.load_balancer).split('/')[2]}",
            port,
            public=found["Scheme"] == "internet-facing",
            groups=tuple(found.get("SecurityGroups") or ()),
            subnets=tuple(each["SubnetId"] for each in found["AvailabilityZones"]),
        )


def _to_address(hook: PlannedHook, url: Url) -> Finding:
    """Examine an address in the plan. A name may resolve differently in the function's network, so it is not resolved."""
    ip = parse_address(url.host)
    allowed = hook.environment.get(VARIABLE, "")
    try:
        AllowedHosts.parse(allowed)
    except ForbiddenAddressError as invalid:
        return SUBJECT.error(str(invalid), f"correct {VARIABLE} of the function")
    kind = judge(url.host, ip, allowed) if ip else None
    if ip and kind:
        return SUBJECT.error(str(refusal(url.host, ip, kind)), "set hookDetails.base_url to an address of green")
    internal = url.host.startswith("internal-") and url.host.endswith(".elb.amazonaws.com")
    vpc = hook.function.vpc
    if not vpc and (internal or (ip and ip.is_private)):
        return SUBJECT.error(f"{url.authority} is inside a VPC, but the function is in no VPC", _JOIN_VPC)
    source = vpc or "outside a VPC"
    return SUBJECT.unknown(f"AWS does not show whether {url.authority} is reachable from {source}", _TRY)


def _to_public(function: Function, target: Target, region: str) -> Iterator[Finding]:
    """Examine the path over the internet; that of a function in a VPC goes through a NAT gateway."""
    if function.vpc:
        routes = vpc.internet_routes(region, function.vpc, function.subnets)
        cut_off = vpc.routes_text(routes, vpc.InternetRoute.INTERNET_GATEWAY, vpc.InternetRoute.NONE)
        if cut_off:
            yield SUBJECT.error(
                f"{target.name} has public addresses, but {cut_off}",
                "route 0.0.0.0/0 of the function's subnets to a NAT gateway",
            )
    inbound = vpc.allow_inbound(region, target.groups, target.port, vpc.ANYWHERE)
    outbound = vpc.allow_outbound(region, function.groups, target.port, vpc.ANYWHERE) if function.vpc else True
    if outbound is False:
        yield _no_outbound_rule(function, target)
    elif inbound and outbound:
        yield SUBJECT.ok(f"the security groups of {target.name} allow port {target.port} from anywhere")
    elif inbound is False and not function.vpc:
        yield SUBJECT.error(
            f"{target.name} does not allow port {target.port} from anywhere, and the address of a function outside a VPC "
            "varies",
            f"attach the function to a VPC and allow the address of its NAT gateway, or open port {target.port} of "
            f"{_named(target.groups)}",
        )
    else:
        yield _undetermined(target)


def _to_private(function: Function, target: Target, region: str) -> Iterator[Finding]:
    place = vpc.subnets(region, target.subnets)
    if not function.vpc:
        yield SUBJECT.error(f"the function is in no VPC, but only {place.vpc} reaches {target.name}", _JOIN_VPC)
        return
    if function.vpc != place.vpc:
        yield SUBJECT.warning(
            f"the function is in {function.vpc}, not in the VPC of {target.name} ({place.vpc}): VPC peering or a transit "
            "gateway is required",
            f"verify that it exists, or attach the function to {place.vpc}",
        )
        return
    source = vpc.Peer(frozenset(function.groups), vpc.subnets(region, function.subnets).networks)
    inbound = vpc.allow_inbound(region, target.groups, target.port, source)
    outbound = vpc.allow_outbound(
        region, function.groups, target.port, vpc.Peer(frozenset(target.groups), place.networks)
    )
    if inbound and outbound:
        yield SUBJECT.ok(f"the security groups allow the function to connect to port {target.port} of {target.name}")
    if inbound is False:
        yield SUBJECT.error(
            f"no rule of {_named(target.groups)} of {target.name} allows port {target.port} from the function",
            f"allow inbound TCP port {target.port} from {_named(function.groups)}",
        )
    if outbound is False:
        yield _no_outbound_rule(function, target)
    if None in {inbound, outbound} and False not in {inbound, outbound}:
        yield _undetermined(target)


def _undetermined(target: Target) -> Finding:
    return SUBJECT.unknown(
        f"cannot determine whether the security groups allow the function to connect to port {target.port} of {target.name}",
        _TRY,
    )


def _no_outbound_rule(function: Function, target: Target) -> Finding:
    return SUBJECT.error(
        f"no rule of the function's {_named(function.groups)} allows outbound port {target.port} to {target.name}",
        f"allow outbound TCP port {target.port}",
    )


def _named(groups: tuple[str, ...]) -> str:
    return f"security group {' or '.join(groups)}"
