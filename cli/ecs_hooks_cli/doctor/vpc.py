"""What the security groups, subnets and route tables of a VPC allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network, collapse_addresses
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws_list, parsing

_SUBNETS, _GROUPS, _TABLES = "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables"
_TCP = {"tcp", "6", "-1"}


class Peer(NamedTuple):
    """The other end of a connection: ids of its security groups, and the networks one of which contains its address."""

    groups: frozenset[str]
    networks: tuple[IPv4Network, ...]


ANYWHERE = Peer(frozenset(), (IPv4Network("0.0.0.0/0"),))


class Subnets(NamedTuple):
    """The networks of some subnets, and the id of their VPC."""

    vpc: str
    networks: tuple[IPv4Network, ...]


def subnets(region: str, ids: Sequence[str]) -> Subnets:
    """Return the subnets with these ids.

    Raises
    ------
    FactError
        If the call fails.
    """
    found = call_aws_list(_SUBNETS, region, "Subnets", SubnetIds=list(ids))
    with parsing(_SUBNETS):
        return Subnets(str(found[0]["VpcId"]), tuple(IPv4Network(each["CidrBlock"]) for each in found))


def allow_inbound(region: str, groups: Sequence[str], port: int, source: Peer) -> bool | None:
    """Return whether security groups allow connections from a peer to a TCP port; None if that cannot be determined."""
    return _allow(region, groups, "IpPermissions", port, source)


def allow_outbound(region: str, groups: Sequence[str], port: int, target: Peer) -> bool | None:
    """Return whether security groups allow connections to a TCP port of a peer; None if that cannot be determined."""
    return _allow(region, groups, "IpPermissionsEgress", port, target)


def _allow(region: str, groups: Sequence[str], member: str, port: int, peer: Peer) -> bool | None:
    if not groups:
        return None
    described = call_aws_list(_GROUPS, region, "SecurityGroups", GroupIds=list(groups))
    with parsing(_GROUPS):
        return rules_allow((rule for group in described for rule in group.get(member) or []), port, peer)


def rules_allow(rules: Iterable[Mapping[str, Any]], port: int, peer: Peer) -> bool | None:
    """Return whether rules of security groups allow a peer; None if that cannot be determined."""
    networks: list[IPv4Network] = []
    has_prefix_list = False
    for rule in rules:
        if rule["IpProtocol"] not in _TCP or not _has_port(rule, port):
            continue
        if peer.groups & {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs") or []}:
            return True
        networks += [IPv4Network(each["CidrIp"]) for each in rule.get("IpRanges") or []]
        has_prefix_list = has_prefix_list or bool(rule.get("PrefixListIds"))
    # Rules for both halves of a subnet allow all of it.
    merged = list(collapse_addresses(networks))
    if peer.networks and all(any(each.subnet_of(network) for network in merged) for each in peer.networks):
        return True
    # The entries of prefix lists are not read.
    return None if has_prefix_list or not peer.networks else False


def _has_port(rule: Mapping[str, Any], port: int) -> bool:
    return rule["IpProtocol"] == "-1" or int(rule["FromPort"]) <= port <= int(rule["ToPort"])


class InternetRoute(StrEnum):
    """The route of a function's subnets to the internet, as a sentence."""

    NAT = "subnets of the function route to a NAT gateway"
    OTHER = "subnets of the function route to a target that may not reach the internet"
    INTERNET_GATEWAY = "subnets of the function route to an internet gateway, but functions have no public address"
    NONE = "subnets of the function have no route to the internet"


def routes_text(routes: Mapping[str, InternetRoute], *kinds: InternetRoute) -> str:
    """Return which subnets have a route of these kinds, such as `... have no route to the internet (subnet-a, subnet-b)`."""
    found = {kind: ", ".join(subnet for subnet, route in routes.items() if route is kind) for kind in kinds}
    return "; ".join(f"{kind} ({ids})" for kind, ids in found.items() if ids)


def internet_routes(region: str, vpc: str, ids: Sequence[str]) -> dict[str, InternetRoute]:
    """Return where the traffic of each subnet goes; one without a route table has the main one of the VPC.

    Raises
    ------
    FactError
        If the call fails.
    """
    found = _tables(region, vpc, ids)
    with parsing(_TABLES):
        return {subnet: _internet_route(table) for subnet, table in found.items()}


def table_ids(region: str, vpc: str, ids: Sequence[str]) -> frozenset[str]:
    """Return the ids of the route tables of subnets; see `internet_routes`."""
    found = _tables(region, vpc, ids)
    with parsing(_TABLES):
        return frozenset(str(table["RouteTableId"]) for table in found.values())


def _tables(region: str, vpc: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the route table of each subnet."""
    tables = call_aws_list(_TABLES, region, "RouteTables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    own: dict[str, Mapping[str, Any]] = {}
    main: Mapping[str, Any] = {}
    with parsing(_TABLES):
        for table in tables:
            for each in table.get("Associations") or []:
                if each.get("SubnetId"):
                    own[each["SubnetId"]] = table
                if each.get("Main"):
                    main = table
    return {subnet: own.get(subnet, main) for subnet in ids}


def _internet_route(table: Mapping[str, Any]) -> InternetRoute:
    for route in table.get("Routes") or []:
        cidr = route.get("DestinationCidrBlock")
        # VPNs route 0.0.0.0/1 and 128.0.0.0/1 in place of 0.0.0.0/0.
        if not cidr or IPv4Network(cidr).prefixlen > 1 or route.get("State") == "blackhole":
            continue
        if route.get("NatGatewayId"):
            return InternetRoute.NAT
        is_gateway = str(route.get("GatewayId")).startswith("igw-")
        return InternetRoute.INTERNET_GATEWAY if is_gateway else InternetRoute.OTHER
    return InternetRoute.NONE
