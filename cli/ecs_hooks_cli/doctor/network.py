"""Security groups and subnets: what they let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, collapse_addresses
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask, reading

SUBNETS = "ec2:DescribeSubnets"
GROUPS = "ec2:DescribeSecurityGroups"

_TCP = {"tcp", "6", "-1"}


class Peer(NamedTuple):
    """The other end of a connection.

    Parameters
    ----------
    groups
        Ids of its security groups.
    networks
        Networks that its address is in one of.
    """

    groups: frozenset[str]
    networks: tuple[IPv4Network, ...]


ANYBODY = Peer(frozenset(), (IPv4Network("0.0.0.0/0"),))


class Subnets(NamedTuple):
    """Subnets of one VPC.

    Parameters
    ----------
    vpc
        Id of the VPC.
    networks
        Their networks.
    """

    vpc: str
    networks: tuple[IPv4Network, ...]


def subnets(region: str, ids: Sequence[str]) -> Subnets:
    """Ask for subnets.

    Raises
    ------
    FactError
        If EC2 does not answer.
    """
    found = ask(SUBNETS, region, "Subnets", SubnetIds=list(ids))
    with reading(SUBNETS):
        return Subnets(str(found[0]["VpcId"]), tuple(IPv4Network(each["CidrBlock"]) for each in found))


def ingress(region: str, groups: Sequence[str], port: int, peer: Peer) -> bool | None:
    """Return whether security groups let a peer in at a TCP port; None where that can't be told."""
    return _lets(region, groups, "IpPermissions", port, peer)


def egress(region: str, groups: Sequence[str], port: int, peer: Peer) -> bool | None:
    """Return whether security groups let connections out to a TCP port of a peer; None where that can't be told."""
    return _lets(region, groups, "IpPermissionsEgress", port, peer)


def _lets(region: str, groups: Sequence[str], member: str, port: int, peer: Peer) -> bool | None:
    if not groups:
        return None
    described = ask(GROUPS, region, "SecurityGroups", GroupIds=list(groups))
    with reading(GROUPS):
        return lets((rule for group in described for rule in group.get(member) or []), port, peer)


def lets(rules: Iterable[Mapping[str, Any]], port: int, peer: Peer) -> bool | None:
    """Return whether rules of security groups let a peer through; None where that can't be told."""
    open_networks: list[IPv4Network] = []
    lists = False
    for rule in rules:
        if rule["IpProtocol"] not in _TCP or not _has_port(rule, port):
            continue
        if peer.groups & {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs") or []}:
            return True
        open_networks += [IPv4Network(each["CidrIp"]) for each in rule.get("IpRanges") or []]
        lists = lists or bool(rule.get("PrefixListIds"))
    # Two halves of a subnet let all of it through.
    merged = list(collapse_addresses(open_networks))
    if peer.networks and all(any(each.subnet_of(network) for network in merged) for each in peer.networks):
        return True
    # What is in a prefix list is not looked up.
    return None if lists or not peer.networks else False


def _has_port(rule: Mapping[str, Any], port: int) -> bool:
    return rule["IpProtocol"] == "-1" or int(rule["FromPort"]) <= port <= int(rule["ToPort"])
