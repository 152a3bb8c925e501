"""From a host name to addresses, within a time limit."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from ecs_hooks.core.deadline import Deadline, run_with_deadline
from ecs_hooks.core.own_limits import OwnLimitError, has_no_descriptor, out_of_descriptors
from ecs_hooks.http.errors import FunctionLimitError, NameResolutionError
from ecs_hooks.http.guard import Address, parse_address


class Endpoint(NamedTuple):
    """One address to connect to.

    Parameters
    ----------
    address
        The IP address, for the guard.
    family
        `AF_INET` or `AF_INET6`.
    target
        The address for the socket, with the scope of an IPv6 address.
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
    FunctionLimitError
        If the process can start no thread or open no file.
    TimeoutError
        If the system's resolver takes too long. It can't be interrupted, so its thread is abandoned.
    """
    address = parse_address(host)
    if address is not None:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
        return [Endpoint(address, family, (host, port))]

    def look_up() -> list[Endpoint]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [Endpoint(ip_address(target[0]), family, target) for family, _, _, _, target in found]

    try:
        return run_with_deadline(look_up, deadline)
    except OwnLimitError as error:
        raise FunctionLimitError(str(error)) from error
    except socket.gaierror as error:
        if has_no_descriptor():
            raise FunctionLimitError(out_of_descriptors()) from error
        raise NameResolutionError(f"{host} can't be resolved: {error.strerror}") from error
    except UnicodeError:
        raise NameResolutionError(f"{host[:80]} can't be resolved: not a valid host name") from None


class CachingResolver:
    """Keeps the addresses of a name for some time, and returns them in rotation.

    A load balancer has an address in each of its zones; a client that always uses the first one loads a single zone.

    Parameters
    ----------
    resolver
        Looks up names.
    seconds
        How long addresses are kept; 60 is the DNS TTL of AWS load balancers.
    """

    def __init__(self, resolver: Resolver = resolve, seconds: float = 60) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._turns = itertools.count()
        self._known: dict[tuple[str, int], tuple[float, Sequence[Endpoint]]] = {}

    def __call__(self, host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        """Return the addresses; those of the first family in rotation.

        Raises
        ------
        NameResolutionError
            If it has no address.
        TimeoutError
            If the resolver takes too long.
        """
        until, found = self._known.get((host, port), (0.0, ()))
        if time.monotonic() >= until:
            found = self._resolver(host, port, deadline)
            self._known[host, port] = time.monotonic() + self._seconds, found
        # The system sorts the reachable family first.
        preferred = [each for each in found if each.family == found[0].family]
        turn = next(self._turns) % max(1, len(preferred))
        return [*preferred[turn:], *preferred[:turn], *(each for each in found if each.family != found[0].family)]
