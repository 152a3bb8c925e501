from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.doctor.vpc import Peer, rules_allow
from tests.cli.account import EVERYTHING, Account, rules
from tests.cli.conftest import Doctor

ALB = "load balancer my-alb"
LET_IN = ("ok", f"the security groups allow the function to connect to port 8080 of {ALB}")
NOT_SEEN = (
    "unknown",
    f"cannot determine whether the security groups allow the function to connect to port 8080 of {ALB}",
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (rules(8080, "0.0.0.0/0"), True),
        (rules(8080, "10.0.0.0/23"), True),
        (rules(8080, "10.0.0.0/24", "10.0.1.0/24"), True),
        (rules(8080, "10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24"), True),
        (rules(8080, "10.0.0.0/24"), False),
        (rules(8080, "192.168.0.0/16"), False),
        (rules(8080, group="sg-hooks"), True),
        (rules(8080, group="sg-other"), False),
        (rules(8080, prefix_list="pl-1"), None),
        (rules(443, "0.0.0.0/0"), False),
        ({"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 9000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, True),
        ({"IpProtocol": "udp", "FromPort": 8000, "ToPort": 9000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, False),
        (EVERYTHING, True),
    ],
)
def test_what_a_rule_allows(doctor: Doctor, account: Account, rule: dict[str, Any], expected: bool | None) -> None:
    account.in_vpc()
    account.internal(rule)
    doctor()

    assert doctor.of("network") == {
        True: [LET_IN],
        None: [NOT_SEEN],
        False: [("error", f"no rule of security group sg-alb of {ALB} allows port 8080 from the function")],
    }[expected]  # fmt: skip


def test_a_peer_without_a_network_is_unknown() -> None:
    assert rules_allow([rules(8080, "10.0.0.0/8")], 8080, Peer(frozenset(), ())) is None
