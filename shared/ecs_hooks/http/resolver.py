"""From a host name to addresses, within a time limit."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from ecs_hooks.bounded import call_within
from ecs_hooks.deadline import Deadline
from ecs_hooks.http.errors import NameResolutionError
from ecs_hooks.http.guard import Address, parse_address


class Endpoint(NamedTuple):
    """One place to connect to.

    Parameters
    ----------
    address
        The IP address, which the guard judges.
    family
        `AF_INET` or `AF_INET6`.
    target
        What the socket connects to; an IPv6 address may need its scope there.
    """

    address: Address
    family: int
    target: tuple[Any, ...]


Resolver = Callable[[str, int, Deadline], Sequence[Endpoint]]
"""Looks up the addresses of a host and port; raises `TimeoutError` or `NameResolutionError`."""


def resolve(host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
    """Look up a host with the system's resolver.

    Raises
    ------
    NameResolutionError
        If it has no address.
    TimeoutError
        If the system's resolver does not answer in time; it can't be interrupted, so its thread is left behind.
    """
    address = parse_address(host)
    if address is not None:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
        return [Endpoint(address, family, (host, port))]

    def look_up() -> list[Endpoint]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [Endpoint(ip_address(target[0]), family, target) for family, _, _, _, target in found]

    try:
        return call_within(look_up, deadline)
    except socket.gaierror as error:
        message = f"{host} can't be resolved: {error.strerror}"
        raise NameResolutionError(message) from error
    except UnicodeError:
        message = f"{host[:80]} can't be resolved: no valid host name"
        raise NameResolutionError(message) from None
