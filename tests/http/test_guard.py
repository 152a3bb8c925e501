from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.http.errors import ForbiddenAddressError
from ecs_hooks.http.guard import AllowedHosts, danger, judge, refusal

FORBIDDEN = {
    "127.0.0.1": "loopback",
    "127.8.9.10": "loopback",
    "::1": "loopback",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "169.254.170.23": "metadata",
    "fd00:ec2::254": "metadata",
    "fd00:ec2::23": "metadata",
    "169.254.1.1": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "::": "unspecified",
    "224.0.0.1": "multicast",
    "255.255.255.255": "multicast",
    "ff02::1": "multicast",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata",
    "::169.254.169.254": "metadata",
    "64:ff9b::a9fe:a9fe": "metadata",
    "64:ff9b:1::a9fe:a9fe": "metadata",
    "64:ff9b:1:a9fe:a9:fe00::": "metadata",
    "2002:a9fe:a9fe::": "metadata",
    "2002:7f00:1::": "loopback",
    "2001:0:a9fe:a9fe::": "metadata",
}
NORMAL = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "fc00::1",
    "fd12:3456::1",
    "8.8.8.8",
    "2600::1",
    "::ffff:10.0.0.1",
    "64:ff9b::808:808",
    "100.64.0.1",
]


@pytest.mark.parametrize(("address", "kind"), FORBIDDEN.items())
def test_addresses_that_no_deployment_has_are_refused(address: str, kind: str) -> None:
    # How Python itself reads mapped addresses differs between versions; the kind may, the refusal may not.
    assert danger(ip_address(address)) in {kind, "loopback", "link-local", "unspecified"}


@pytest.mark.parametrize("address", NORMAL)
def test_private_and_public_addresses_are_normal_targets(address: str) -> None:
    assert danger(ip_address(address)) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_disguise(address: IPv4Address) -> None:
    value = int(address)
    disguises = [(0xFFFF << 32) | value, (0x64FF9B << 96) | value, (0x2002 << 112) | value << 80]
    for disguise in disguises:
        assert (danger(ip_address(address)) is None) == (danger(ip_address(disguise.to_bytes(16, "big"))) is None)


@pytest.mark.parametrize(
    ("allowed", "host", "address", "admitted"),
    [
        ("", "localhost", "127.0.0.1", False),
        ("localhost", "localhost", "127.0.0.1", True),
        ("localhost", "LOCALHOST.", "::1", True),
        ("localhost", "127.0.0.1", "127.0.0.1", False),
        ("localhost", "localhost.evil.example", "127.0.0.1", False),
        ("127.0.0.1", "localhost", "127.0.0.1", True),
        ("127.0.0.1", "localhost", "127.0.0.2", False),
        (" a.example , 127.0.0.0/8 ,", "x", "127.0.0.2", True),
        ("[::1]", "x", "::1", True),
        ("fe80::/10", "x", "169.254.0.1", False),
        ("10.0.0.1", "x", "169.254.169.254", False),
        ("b\xfccher.example", "xn--bcher-kva.example", "127.0.0.1", True),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "127.0.0.1", True),
        ("b\xfccher.example", "bucher.example", "127.0.0.1", False),
        ("my_service.local", "MY_service.local", "127.0.0.1", True),
        ("\uff11\uff12\uff17.0.0.1", "x", "127.0.0.1", True),
    ],
)
def test_the_list_admits_names_addresses_and_networks(allowed: str, host: str, address: str, admitted: bool) -> None:
    assert (judge(host, ip_address(address), allowed) is None) is admitted


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost",
        "localhost:80",
        "*.example.com",
        "a b",
        "127.1",
        "0x7f.1",
        "1.2.3.4/99",
        "2130706433",
        "\ufffd.x",
    ],
)
def test_an_entry_that_is_no_host_is_named_and_not_repeated(text: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="ECS_HOOKS_ALLOWED_HOSTS: entry 2 is not a host") as caught:
        AllowedHosts.parse(f"good.example,{text}")
    assert text not in str(caught.value)


def test_a_refusal_says_how_to_allow_the_host() -> None:
    by_name = str(refusal("meta.example", ip_address("169.254.169.254"), "metadata"))
    assert by_name == (
        "refused: meta.example resolves to 169.254.169.254, a metadata address; if that is meant, "
        "add meta.example to ECS_HOOKS_ALLOWED_HOSTS"
    )
    assert str(refusal("0.0.0.0", ip_address("0.0.0.0"), "unspecified")).startswith(
        "refused: 0.0.0.0 is an unspecified address"
    )
