"""Where the subnets of a function lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any

from ecs_hooks.aws.call import ask, reading

_TABLES = "ec2:DescribeRouteTables"


class Way(StrEnum):
    """Where a subnet's traffic to the internet goes."""

    NAT = "a NAT gateway"
    ELSEWHERE = "something that may lead on"
    INTERNET = "an internet gateway (a function has no public address)"
    NOWHERE = "nowhere"


def ways_out(region: str, vpc: str, ids: Sequence[str]) -> dict[str, Way]:
    """Return where each subnet's traffic to the internet goes.

    Parameters
    ----------
    region
        Region of the subnets.
    vpc
        Their VPC, whose main route table counts for subnets that have none of their own.
    ids
        Their ids.

    Raises
    ------
    FactError
        If EC2 does not answer.
    """
    found = _tables(region, vpc, ids)
    with reading(_TABLES):
        return {subnet: _way(table) for subnet, table in found.items()}


def table_ids(region: str, vpc: str, ids: Sequence[str]) -> frozenset[str]:
    """Return the ids of the route tables of subnets; see `ways_out`."""
    found = _tables(region, vpc, ids)
    with reading(_TABLES):
        return frozenset(str(table["RouteTableId"]) for table in found.values())


def _tables(region: str, vpc: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the route table of each subnet."""
    tables = ask(_TABLES, region, "RouteTables", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    with reading(_TABLES):
        return _by_subnet(tables, ids)


def _by_subnet(tables: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    own: dict[str, Mapping[str, Any]] = {}
    main: Mapping[str, Any] = {}
    for table in tables:
        for each in table.get("Associations") or []:
            if each.get("SubnetId"):
                own[each["SubnetId"]] = table
            if each.get("Main"):
                main = table
    return {subnet: own.get(subnet, main) for subnet in ids}


def _way(table: Mapping[str, Any]) -> Way:
    for route in table.get("Routes") or []:
        cidr = route.get("DestinationCidrBlock")
        # Half of the internet is as good as all of it: VPNs route so.
        if not cidr or IPv4Network(cidr).prefixlen > 1 or route.get("State") == "blackhole":
            continue
        if route.get("NatGatewayId"):
            return Way.NAT
        return Way.INTERNET if str(route.get("GatewayId")).startswith("igw-") else Way.ELSEWHERE
    return Way.NOWHERE
