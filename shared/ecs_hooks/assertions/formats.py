"""Formats of strings, for predicates and for JSON Schema."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from ecs_hooks.assertions.dates import is_iso_date

_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID, in the usual form with hyphens."""
    return _UUID.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    """Return whether a text is an IPv4 address: four decimal numbers without leading zeros."""
    try:
        return text.isascii() and bool(ipaddress.IPv4Address(text))
    except ValueError:
        return False


def is_ipv6(text: str) -> bool:
    """Return whether a text is an IPv6 address, without brackets and zone."""
    try:
        return text.isascii() and "%" not in text and bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


FORMATS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "is_uuid": ("a UUID", is_uuid),
    "is_iso_date": ("a date with time and offset (RFC 3339)", is_iso_date),
    "is_ipv4": ("an IPv4 address", is_ipv4),
    "is_ipv6": ("an IPv6 address", is_ipv6),
}
"""The predicates of formats: each with its noun and its function."""
