"""Whether the function's network leads to where its requests go.

Security groups and VPCs are looked at. Network ACLs, firewalls and routes between subnets are not, so `ok` says no more
than that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks.http.errors import ForbiddenAddressError
from ecs_hooks.http.guard import VARIABLE, AllowedHosts, judge, parse_address, refusal
from ecs_hooks.http.url import Url
from ecs_hooks_cli.doctor.attached import Prepared
from ecs_hooks_cli.doctor.destination import Destination, destinations
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unknown, warning
from ecs_hooks_cli.doctor.function import Function
from ecs_hooks_cli.doctor.network import ANYBODY, Peer, egress, ingress, subnets
from ecs_hooks_cli.doctor.routes import Way, ways_out

SUBJECT = "network"
_TRY = "run the plan with `ecs-hooks check PLAN --url ADDRESS` on a machine in the function's subnets, or in a deployment that may fail"
_VPC = "give the function subnets and security groups there (VpcSubnetIds and VpcSecurityGroupIds of the stack)"


def examine(prepared: Prepared) -> Iterator[Finding]:
    """Look at the way to every destination of the plan."""
    region = prepared.hook.examined.arn.region
    for each in destinations(prepared):
        if isinstance(each, Url):
            yield _to_address(prepared, each)
        elif each.public:
            yield from _to_public(prepared.function, each, region)
        else:
            yield from _to_private(prepared.function, each, region)


def _to_address(prepared: Prepared, url: Url) -> Finding:
    """Judge an address that a plan gives; what a name resolves to in the function's network is not known here."""
    address = parse_address(url.host)
    allowed = prepared.environment.get(VARIABLE, "")
    try:
        AllowedHosts.parse(allowed)
    except ForbiddenAddressError as trouble:
        return error(SUBJECT, str(trouble), f"correct {VARIABLE} of the function")
    kind = judge(url.host, address, allowed) if address else None
    if address and kind:
        return error(SUBJECT, str(refusal(url.host, address, kind)), "name an address of green in hookDetails.base_url")
    internal = url.host.startswith("internal-") and url.host.endswith(".elb.amazonaws.com")
    if not prepared.function.vpc and (internal or (address and address.is_private)):
        return error(SUBJECT, f"{url.authority} is inside of a VPC, and the function runs in none", _VPC)
    where = f"from {prepared.function.vpc}" if prepared.function.vpc else "from outside of a VPC"
    return unknown(SUBJECT, f"whether {url.authority} can be reached {where} is not to be seen in AWS", _TRY)


def _to_public(function: Function, there: Destination, region: str) -> Iterator[Finding]:
    """Judge the way over the internet, which a function in a VPC goes through a NAT gateway."""
    if function.vpc:
        ways = ways_out(region, function.vpc, function.subnets)
        dead = [f"{subnet} leads to {way}" for subnet, way in ways.items() if way in {Way.INTERNET, Way.NOWHERE}]
        if dead:
            yield error(
                SUBJECT,
                f"{there.name} has public addresses, and {'; '.join(dead)}",
                "route 0.0.0.0/0 of the function's subnets to a NAT gateway",
            )
    let_in = ingress(region, there.groups, there.port, ANYBODY)
    let_out = egress(region, function.groups, there.port, ANYBODY) if function.vpc else True
    if let_out is False:
        yield _no_way_out(function, there)
    elif let_in and let_out:
        yield ok(SUBJECT, f"the security groups of {there.name} let everybody in at port {there.port}")
    elif let_in is False and not function.vpc:
        yield error(
            SUBJECT,
            f"{there.name} does not let everybody in at port {there.port}, and a function outside of a VPC has any "
            f"address of AWS",
            f"run the function in a VPC and let its NAT gateway's address in, or open port {there.port} of "
            f"{_named(there.groups)}",
        )
    else:
        yield _open_end(there)


def _to_private(function: Function, there: Destination, region: str) -> Iterator[Finding]:
    place = subnets(region, there.subnets)
    if not function.vpc:
        yield error(
            SUBJECT, f"{there.name} can be reached from {place.vpc} only, and the function runs in no VPC", _VPC
        )
        return
    if function.vpc != place.vpc:
        yield warning(
            SUBJECT,
            f"the function runs in {function.vpc}, and {there.name} is in {place.vpc}: peering or a transit gateway has to "
            f"lead there",
            f"make sure that it does, or run the function in {place.vpc}",
        )
        return
    here = Peer(frozenset(function.groups), subnets(region, function.subnets).networks)
    let_in = ingress(region, there.groups, there.port, here)
    let_out = egress(region, function.groups, there.port, Peer(frozenset(there.groups), place.networks))
    if let_in and let_out:
        yield ok(SUBJECT, f"the security groups let the function in at port {there.port} of {there.name}")
    if let_in is False:
        yield error(
            SUBJECT,
            f"{_named(there.groups)} of {there.name} does not let the function in at port {there.port}",
            f"let TCP port {there.port} in from {_named(function.groups)}",
        )
    if let_out is False:
        yield _no_way_out(function, there)
    if None in {let_in, let_out} and False not in {let_in, let_out}:
        yield _open_end(there)


def _open_end(there: Destination) -> Finding:
    return unknown(
        SUBJECT, f"whether the function may connect to port {there.port} of {there.name} is not to be seen", _TRY
    )


def _no_way_out(function: Function, there: Destination) -> Finding:
    return error(
        SUBJECT,
        f"{_named(function.groups)} of the function does not let it out to port {there.port} of {there.name}",
        f"let TCP port {there.port} out",
    )


def _named(groups: tuple[str, ...]) -> str:
    return f"security group {' and '.join(groups)}"
