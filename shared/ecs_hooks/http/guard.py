"""The address guard: which addresses a hook may connect to.

A hook runs with an IAM role, next to Lambda's own runtime interface, and takes addresses from configuration, from DNS
and from redirects. Loopback, link-local (instance and task metadata), unspecified and multicast addresses are therefore
refused, in each of their IPv6 forms. Private addresses are allowed: services are there. The address is judged after DNS,
and the connection goes to the judged address.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from ecs_hooks.core.host import ascii_host
from ecs_hooks.http.errors import ForbiddenAddressError

VARIABLE = "ECS_HOOKS_ALLOWED_HOSTS"
"""Environment variable with hosts that are allowed nevertheless: names, addresses, networks, comma separated."""

Address = IPv4Address | IPv6Address

_METADATA = {
    IPv4Address("169.254.169.254"),  # EC2 instance metadata
    IPv4Address("169.254.170.2"),  # ECS task metadata and credentials
    IPv4Address("169.254.170.23"),  # EKS Pod Identity
}
_METADATA_V6 = IPv6Network("fd00:ec2::/32")
"""AWS's own services inside a VPC: instance metadata, Pod Identity, DNS, time."""
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_TRANSLATED_LOCAL = IPv6Network("64:ff9b:1::/48")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)


@lru_cache(maxsize=1024)  # the checks of a plan send requests to the same host
def parse_address(text: str) -> Address | None:
    """Return the address in a text, None if it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def danger(address: Address) -> str | None:
    """Return the kind of an address that a hook must not connect to, None if it may connect.

    Parameters
    ----------
    address
        An address, in any form. One that embeds an IPv4 address is also judged by that.
    """
    if address in _METADATA or address in _METADATA_V6:
        return "metadata"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_unspecified or address in _THIS_NETWORK:
        return "unspecified"
    if address.is_multicast or address == IPv4Address("255.255.255.255"):
        return "multicast"
    return next((found for inner in _embedded(address) if (found := danger(inner))), None)


class AllowedHosts(NamedTuple):
    """Hosts that are allowed, although the guard would refuse them.

    Parameters
    ----------
    names
        Host names, in lower case. A name allows every address that it resolves to.
    networks
        Addresses and networks.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    @lru_cache(maxsize=8)
    def parse(cls, text: str) -> AllowedHosts:
        """Read a comma separated list.

        Raises
        ------
        ForbiddenAddressError
            If an entry is neither a name nor an address nor a network.
        """
        names: set[str] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for number, entry in enumerate(text.split(","), start=1):
            host = entry.strip().removeprefix("[").removesuffix("]")
            if not host:
                continue
            try:
                host = host if ":" in host or "/" in host else ascii_host(host)
                networks.append(ip_network(host, strict=False))
            except ValueError:
                if not _NAME.fullmatch(host) or _is_numeric(host):
                    hint = "write names, addresses or networks such as localhost, 127.0.0.1, ::1 or 127.0.0.0/8"
                    raise ForbiddenAddressError(
                        f"{VARIABLE}: entry {number} is not a host; {hint}, without scheme, port or path"
                    ) from None
                names.add(_canonical(host))
        return cls(frozenset(names), tuple(networks))

    def admit(self, host: str, address: Address) -> bool:
        """Return whether the list has `host`, or this address of it."""
        if _canonical(host) in self.names:
            return True
        return any(address in network for network in self.networks)


@lru_cache(maxsize=1024)  # the checks of a plan send requests to the same host
def judge(host: str, address: Address, allowed: str) -> str | None:
    """Return why a hook must not connect to `host` at this address, None if it may.

    Parameters
    ----------
    host
        A name or an address.
    address
        The address that it resolves to.
    allowed
        The list in `ECS_HOOKS_ALLOWED_HOSTS`.

    Raises
    ------
    ForbiddenAddressError
        If an entry of the list is neither a name nor an address nor a network.
    """
    return None if AllowedHosts.parse(allowed).admit(host, address) else danger(address)


def refusal(host: str, address: Address, kind: str) -> ForbiddenAddressError:
    """Return the error for a refused address."""
    which = f"{host} is" if parse_address(host) else f"{host} resolves to {address},"
    article = "an" if kind[0] in "aeiou" else "a"
    return ForbiddenAddressError(
        f"refused: {which} {article} {kind} address; if that is meant, add {host} to {VARIABLE}"
    )


def _canonical(host: str) -> str:
    return host.lower().rstrip(".")


def _is_numeric(host: str) -> bool:
    """Return whether the C library reads a host as an address (`127.1`, `0x7f.1`), not as a name."""
    last = _canonical(host).rsplit(".", 1)[-1]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _embedded(address: Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address embeds."""
    if isinstance(address, IPv4Address):
        return []
    value = int(address)
    inner: list[IPv4Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _COMPATIBLE or address in _TRANSLATED or address in _TRANSLATED_LOCAL:
        inner.append(IPv4Address(value & 0xFFFFFFFF))
    if address in _TRANSLATED_LOCAL:
        # RFC 6052: after a prefix of 48 bits, the address is split around the zero octet.
        inner.append(IPv4Address((value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF))
    return [each for each in inner if each is not None]
