from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from ecs_hooks.core.deadline import Deadline
from ecs_hooks.http import resolver
from ecs_hooks.http.errors import FunctionLimitError, NameResolutionError
from ecs_hooks.http.resolver import CachingResolver, Endpoint

A, B, SIX = "10.0.0.1", "10.0.0.2", "2001:db8::1"


class Names:
    """A resolver that counts lookups."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.lookups = 0

    def __call__(self, host: str, port: int, deadline: Deadline) -> Sequence[Endpoint]:
        self.lookups += 1
        if not self.addresses:
            message = "no such name"
            raise NameResolutionError(message)
        return [
            Endpoint(ip_address(each), socket.AF_INET6 if ":" in each else socket.AF_INET, (each, port))
            for each in self.addresses
        ]


def found(resolver: CachingResolver, port: int = 80) -> list[str]:
    return [str(each.address) for each in resolver("a.example.com", port, Deadline.after(5))]


def test_a_name_is_looked_up_once_and_its_addresses_take_turns() -> None:
    names = Names(A, B)
    resolver = CachingResolver(names)

    assert [found(resolver) for _ in range(3)] == [[A, B], [B, A], [A, B]]
    assert names.lookups == 1
    found(resolver, 81)
    assert names.lookups == 2


def test_the_family_that_the_system_prefers_stays_first() -> None:
    resolver = CachingResolver(Names(A, SIX, B))

    assert [found(resolver) for _ in range(2)] == [[A, B, SIX], [B, A, SIX]]


def test_an_address_is_not_remembered_for_ever() -> None:
    names = Names(A)
    resolver = CachingResolver(names, seconds=0)
    found(resolver)
    names.addresses = (B,)

    assert found(resolver) == [B]


def test_a_name_without_address_is_not_remembered() -> None:
    names = Names()
    resolver = CachingResolver(names)
    for _ in range(2):
        with pytest.raises(NameResolutionError):
            found(resolver)
    assert names.lookups == 2


def test_no_address_at_all() -> None:
    assert list(CachingResolver(lambda *_: [])("a", 80, Deadline.after(5))) == []


def test_a_lookup_without_a_file_descriptor_is_a_limit_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_SYSTEM, "System error")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(resolver, "has_no_descriptor", lambda: True)
    with pytest.raises(FunctionLimitError, match="ran out of file descriptors"):
        resolver.resolve("shop.example", 80, Deadline.after(5))
