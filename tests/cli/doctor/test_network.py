from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import EVERYTHING, Account, rules, table
from tests.cli.conftest import Doctor
from tests.support.layouts import revision

HTTP: dict[str, Any] = {"type": "http", "path": "/health"}
ALB = "load balancer my-alb"
LET_IN = ("ok", f"the security groups allow the function to connect to port 8080 of {ALB}")
NOT_SEEN = (
    "unknown",
    f"cannot determine whether the security groups allow the function to connect to port 8080 of {ALB}",
)
FROM_HOOKS = rules(8080, group="sg-hooks")


def test_contract_5_6_a_function_outside_the_vpc_cannot_reach_an_internal_load_balancer(
    doctor: Doctor, account: Account
) -> None:
    account.internal(EVERYTHING)
    doctor()

    assert doctor.of("network") == [("error", f"the function is in no VPC, but only vpc-1 reaches {ALB}")]
    assert "VpcSubnetIds" in doctor.fix("only vpc-1 reaches")


def test_another_vpc_requires_peering(doctor: Doctor, account: Account) -> None:
    account.internal(EVERYTHING)
    account.in_vpc("vpc-2", "subnet-x")
    doctor()

    ((level, text),) = doctor.of("network")
    assert level == "warning"
    assert text.startswith(f"the function is in vpc-2, not in the VPC of {ALB} (vpc-1)")


def test_the_function_requires_an_outbound_rule(doctor: Doctor, account: Account) -> None:
    account.internal(FROM_HOOKS)
    account.in_vpc()
    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0")])
    doctor()
    assert doctor.of("network") == [
        ("error", f"no rule of the function's security group sg-hooks allows outbound port 8080 to {ALB}")
    ]

    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0"), rules(8080, prefix_list="pl-1")])
    doctor()
    assert doctor.of("network") == [NOT_SEEN]

    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0"), rules(8080, group="sg-alb")])
    doctor()
    assert doctor.of("network") == [LET_IN]


def test_a_load_balancer_without_security_groups_is_unknown(doctor: Doctor, account: Account) -> None:
    account.internal()
    account.in_vpc()
    account.balancer["SecurityGroups"] = []
    doctor()

    assert doctor.of("network") == [NOT_SEEN]


@pytest.mark.parametrize(
    ("incoming", "vpc", "expected"),
    [
        (EVERYTHING, False, ("ok", f"the security groups of {ALB} allow port 8080 from anywhere")),
        (EVERYTHING, True, ("ok", f"the security groups of {ALB} allow port 8080 from anywhere")),
        (
            rules(8080, "203.0.113.0/24"),
            False,
            (
                "error",
                f"{ALB} does not allow port 8080 from anywhere, and the address of a function outside a VPC varies",
            ),
        ),
        (rules(8080, "203.0.113.0/24"), True, NOT_SEEN),
        (rules(8080, prefix_list="pl-1"), False, NOT_SEEN),
    ],
)
def test_an_internet_facing_load_balancer_requires_an_inbound_rule(
    doctor: Doctor, account: Account, incoming: dict[str, Any], *, vpc: bool, expected: tuple[str, str]
) -> None:
    account.groups["sg-alb"] = ([incoming], [EVERYTHING])
    if vpc:
        account.in_vpc()
    doctor()

    assert doctor.of("network") == [expected]


def test_an_internet_facing_load_balancer_requires_a_route_to_the_internet(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    account.tables = [table()]
    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0")])
    doctor()

    assert doctor.of("network") == [
        (
            "error",
            f"{ALB} has public addresses, but subnets of the function have no route to the internet (subnet-a, subnet-b)",
        ),
        ("error", f"no rule of the function's security group sg-hooks allows outbound port 8080 to {ALB}"),
    ]


def test_tasks_require_the_vpc_and_an_inbound_rule(doctor: Doctor, account: Account) -> None:
    account.without_test_listener()
    doctor()
    assert doctor.of("network") == [("error", "the function is in no VPC, but only vpc-1 reaches the service's tasks")]

    account.in_vpc()
    doctor()
    assert doctor.of("network") == [
        ("ok", "the security groups allow the function to connect to port 8080 of the service's tasks")
    ]

    account.groups["sg-tasks"] = ([rules(8080, group="sg-alb")], [EVERYTHING])
    doctor()
    assert doctor.of("network") == [
        ("error", "no rule of security group sg-tasks of the service's tasks allows port 8080 from the function")
    ]


@pytest.mark.parametrize(
    ("url", "allowed", "vpc", "level", "text"),
    [
        ("http://10.1.2.3:8080", "", "", "error", "10.1.2.3:8080 is inside a VPC, but the function is in no VPC"),
        (
            "http://internal-x-1.us-west-2.elb.amazonaws.com",
            "",
            "",
            "error",
            "internal-x-1.us-west-2.elb.amazonaws.com is inside a VPC, but the function is in no VPC",
        ),
        (
            "http://10.1.2.3",
            "",
            "vpc-1",
            "unknown",
            "AWS does not show whether 10.1.2.3 is reachable from vpc-1",
        ),
        (
            "https://green.example.com",
            "",
            "",
            "unknown",
            "AWS does not show whether green.example.com is reachable from outside a VPC",
        ),
        (
            "http://169.254.169.254",
            "",
            "",
            "error",
            (
                "refused: 169.254.169.254 is a metadata address; if that is meant, add 169.254.169.254 to "
                "ECS_HOOKS_ALLOWED_HOSTS"
            ),
        ),
        (
            "http://169.254.9.9",
            "169.254.9.9",
            "vpc-1",
            "unknown",
            "AWS does not show whether 169.254.9.9 is reachable from vpc-1",
        ),
        (
            "http://green",
            "http://x",
            "",
            "error",
            (
                "ECS_HOOKS_ALLOWED_HOSTS: entry 1 is not a host; write names, addresses or networks such as localhost, "
                "127.0.0.1, ::1 or 127.0.0.0/8, without scheme, port or path"
            ),
        ),
    ],
)
def test_an_address_in_the_plan(
    doctor: Doctor,
    account: Account,
    url: str,
    allowed: str,
    vpc: str,
    level: str,
    text: str,
) -> None:
    account.function["Environment"] = {"Variables": {"ECS_HOOKS_ALLOWED_HOSTS": allowed}}
    if vpc:
        account.in_vpc(vpc)
    account.plan(HTTP, base_url=url)
    doctor()

    assert doctor.of("network") == [(level, text)]


def test_the_allowed_hosts_of_this_machine_do_not_count(
    doctor: Doctor, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "169.254.169.254")
    account.plan(HTTP, base_url="http://169.254.169.254")
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["error"]


def test_every_target_has_one_finding(doctor: Doctor, account: Account) -> None:
    elsewhere = [{"type": "http", "url": f"http://elsewhere.example.com/{path}"} for path in ("a", "b")]
    account.plan(HTTP, HTTP, *elsewhere)
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown", "ok"]


def test_a_load_check_may_have_several_targets(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "load", "requests": [{"path": "/"}, {"url": "http://elsewhere.example.com/"}]})
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown", "ok"]


def test_an_invalid_address_has_no_finding(doctor: Doctor, account: Account) -> None:
    account.function["Environment"] = {"Variables": {"APP_URL": "green"}}
    doctor()

    assert doctor.of("network") == []


@pytest.mark.parametrize("operation", ["DescribeSecurityGroups", "DescribeLoadBalancers"])
def test_the_network_is_unknown_without_permission(doctor: Doctor, account: Account, operation: str) -> None:
    account.aws.error(operation, "UnauthorizedOperation", 403)
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown"]
    assert doctor.status == 0


def test_unreadable_subnets_are_unknown(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    account.internal(FROM_HOOKS)
    account.aws.answer("DescribeSubnets", {"Subnets": []})
    doctor()

    assert doctor.of("network") == [
        (
            "unknown",
            "cannot determine whether requests reach their targets: ec2:DescribeSubnets: invalid response",
        )
    ]


def test_an_invalid_listener_arn_is_unknown(doctor: Doctor, account: Account) -> None:
    account.service["loadBalancers"] = revision(test="arn:of:nothing")["loadBalancers"]
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown"]
    assert [level for level, _ in doctor.of("endpoint")] == ["unknown"]


def test_a_tcp_check_has_its_own_port_or_address(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "tcp", "port": 6379}, {"type": "tcp", "address": "10.0.0.9:5432"}, base_url="http://10.1.2.3")
    doctor()
    assert doctor.of("network") == [
        ("error", f"{where} is inside a VPC, but the function is in no VPC")
        for where in ("10.1.2.3:6379", "10.0.0.9:5432")
    ]

    account.without_test_listener()
    account.in_vpc()
    account.groups["sg-tasks"] = ([rules(8080, "0.0.0.0/0")], [EVERYTHING])
    account.plan({"type": "tcp", "port": 6379})
    doctor()
    assert doctor.of("network") == [
        ("error", "no rule of security group sg-tasks of the service's tasks allows port 6379 from the function")
    ]
