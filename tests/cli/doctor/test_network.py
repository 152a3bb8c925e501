from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.doctor.network import Peer, lets
from tests.cli.account import EVERYTHING, Account, rules, table
from tests.cli.conftest import Doctor
from tests.support.layouts import revision

HTTP: dict[str, Any] = {"type": "http", "path": "/health"}
ALB = "the load balancer my-alb"
LET_IN = ("ok", f"the security groups let the function in at port 8080 of {ALB}")
NOT_SEEN = ("unknown", f"whether the function may connect to port 8080 of {ALB} is not to be seen")
FROM_HOOKS = rules(8080, group="sg-hooks")


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
def test_what_a_rule_lets_through(
    doctor: Doctor, account: Account, rule: dict[str, Any], expected: bool | None
) -> None:
    account.in_vpc()
    account.internal(rule)
    doctor()

    assert doctor.of("network") == {
        True: [LET_IN],
        None: [NOT_SEEN],
        False: [("error", f"security group sg-alb of {ALB} does not let the function in at port 8080")],
    }[expected]  # fmt: skip


def test_of_a_peer_without_an_address_nothing_is_known() -> None:
    assert lets([rules(8080, "10.0.0.0/8")], 8080, Peer(frozenset(), ())) is None


def test_contract_5_6_an_internal_load_balancer_and_a_function_outside_of_the_vpc(
    doctor: Doctor, account: Account
) -> None:
    account.internal(EVERYTHING)
    doctor()

    assert doctor.of("network") == [("error", f"{ALB} can be reached from vpc-1 only, and the function runs in no VPC")]
    assert "VpcSubnetIds" in doctor.fix("can be reached from vpc-1 only")


def test_an_internal_load_balancer_in_another_vpc(doctor: Doctor, account: Account) -> None:
    account.internal(EVERYTHING)
    account.in_vpc("vpc-2", "subnet-x")
    doctor()

    ((level, text),) = doctor.of("network")
    assert level == "warning"
    assert text.startswith(f"the function runs in vpc-2, and {ALB} is in vpc-1")


def test_a_function_that_is_not_let_out(doctor: Doctor, account: Account) -> None:
    account.internal(FROM_HOOKS)
    account.in_vpc()
    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0")])
    doctor()
    assert doctor.of("network") == [
        ("error", f"security group sg-hooks of the function does not let it out to port 8080 of {ALB}")
    ]

    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0"), rules(8080, prefix_list="pl-1")])
    doctor()
    assert doctor.of("network") == [NOT_SEEN]

    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0"), rules(8080, group="sg-alb")])
    doctor()
    assert doctor.of("network") == [LET_IN]


def test_a_network_load_balancer_without_security_groups(doctor: Doctor, account: Account) -> None:
    account.internal()
    account.in_vpc()
    account.balancer["SecurityGroups"] = []
    doctor()

    assert doctor.of("network") == [NOT_SEEN]


@pytest.mark.parametrize(
    ("incoming", "vpc", "expected"),
    [
        (EVERYTHING, False, ("ok", f"the security groups of {ALB} let everybody in at port 8080")),
        (EVERYTHING, True, ("ok", f"the security groups of {ALB} let everybody in at port 8080")),
        (
            rules(8080, "203.0.113.0/24"),
            False,
            (
                "error",
                f"{ALB} does not let everybody in at port 8080, and a function outside of a VPC has any address of AWS",
            ),
        ),
        (rules(8080, "203.0.113.0/24"), True, NOT_SEEN),
        (rules(8080, prefix_list="pl-1"), False, NOT_SEEN),
    ],
)
def test_an_internet_facing_load_balancer(
    doctor: Doctor, account: Account, incoming: dict[str, Any], *, vpc: bool, expected: tuple[str, str]
) -> None:
    account.groups["sg-alb"] = ([incoming], [EVERYTHING])
    if vpc:
        account.in_vpc()
    doctor()

    assert doctor.of("network") == [expected]


def test_an_internet_facing_load_balancer_needs_a_way_to_the_internet(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    account.tables = [table()]
    account.groups["sg-hooks"] = ([], [rules(443, "0.0.0.0/0")])
    doctor()

    assert doctor.of("network") == [
        ("error", f"{ALB} has public addresses, and subnet-a leads to nowhere; subnet-b leads to nowhere"),
        ("error", f"security group sg-hooks of the function does not let it out to port 8080 of {ALB}"),
    ]


def test_the_tasks_of_a_service_without_a_test_listener(doctor: Doctor, account: Account) -> None:
    account.without_test_listener()
    doctor()
    assert doctor.of("network") == [
        ("error", "the service's tasks can be reached from vpc-1 only, and the function runs in no VPC")
    ]

    account.in_vpc()
    doctor()
    assert doctor.of("network") == [
        ("ok", "the security groups let the function in at port 8080 of the service's tasks")
    ]

    account.groups["sg-tasks"] = ([rules(8080, group="sg-alb")], [EVERYTHING])
    doctor()
    assert doctor.of("network") == [
        ("error", "security group sg-tasks of the service's tasks does not let the function in at port 8080")
    ]


@pytest.mark.parametrize(
    ("url", "allowed", "vpc", "level", "text"),
    [
        ("http://10.1.2.3:8080", "", "", "error", "10.1.2.3:8080 is inside of a VPC, and the function runs in none"),
        (
            "http://internal-x-1.us-west-2.elb.amazonaws.com",
            "",
            "",
            "error",
            "internal-x-1.us-west-2.elb.amazonaws.com is inside of a VPC, and the function runs in none",
        ),
        (
            "http://10.1.2.3",
            "",
            "vpc-1",
            "unknown",
            "whether 10.1.2.3 can be reached from vpc-1 is not to be seen in AWS",
        ),
        (
            "https://green.example.com",
            "",
            "",
            "unknown",
            "whether green.example.com can be reached from outside of a VPC is not to be seen in AWS",
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
            "whether 169.254.9.9 can be reached from vpc-1 is not to be seen in AWS",
        ),
        (
            "http://green",
            "http://x",
            "",
            "error",
            (
                "ECS_HOOKS_ALLOWED_HOSTS: entry 1 is no host: write names, addresses or networks such as localhost, "
                "127.0.0.1, ::1 or 127.0.0.0/8, without scheme, port or path"
            ),
        ),
    ],
)
def test_an_address_that_the_plan_gives(
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


def test_what_this_machine_allows_does_not_count(
    doctor: Doctor, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "169.254.169.254")
    account.plan(HTTP, base_url="http://169.254.169.254")
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["error"]


def test_addresses_are_judged_once_each(doctor: Doctor, account: Account) -> None:
    elsewhere = [{"type": "http", "url": f"http://elsewhere.example.com/{path}"} for path in ("a", "b")]
    account.plan(HTTP, HTTP, *elsewhere)
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown", "ok"]


def test_a_load_may_go_to_green_and_elsewhere(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "load", "requests": [{"path": "/"}, {"url": "http://elsewhere.example.com/"}]})
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown", "ok"]


def test_an_address_that_is_none_has_no_network(doctor: Doctor, account: Account) -> None:
    account.function["Environment"] = {"Variables": {"APP_URL": "green"}}
    doctor()

    assert doctor.of("network") == []


@pytest.mark.parametrize("operation", ["DescribeSecurityGroups", "DescribeLoadBalancers"])
def test_what_the_caller_may_not_see_is_unknown(doctor: Doctor, account: Account, operation: str) -> None:
    account.aws.error(operation, "UnauthorizedOperation", 403)
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown"]
    assert doctor.status == 0


def test_an_answer_that_can_not_be_read_is_unknown(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    account.internal(FROM_HOOKS)
    account.aws.answer("DescribeSubnets", {"Subnets": []})
    doctor()

    assert doctor.of("network") == [
        ("unknown", "whether requests get there is not known: ec2:DescribeSubnets: invalid response")
    ]


def test_a_listener_that_is_none(doctor: Doctor, account: Account) -> None:
    account.service["loadBalancers"] = revision(test="arn:of:nothing")["loadBalancers"]
    doctor()

    assert [level for level, _ in doctor.of("network")] == ["unknown"]
    assert [level for level, _ in doctor.of("endpoint")] == ["unknown"]


def test_a_connection_goes_to_its_own_port_or_address(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "tcp", "port": 6379}, {"type": "tcp", "address": "10.0.0.9:5432"}, base_url="http://10.1.2.3")
    doctor()
    assert doctor.of("network") == [
        ("error", f"{where} is inside of a VPC, and the function runs in none")
        for where in ("10.1.2.3:6379", "10.0.0.9:5432")
    ]

    account.without_test_listener()
    account.in_vpc()
    account.groups["sg-tasks"] = ([rules(8080, "0.0.0.0/0")], [EVERYTHING])
    account.plan({"type": "tcp", "port": 6379})
    doctor()
    assert doctor.of("network") == [
        ("error", "security group sg-tasks of the service's tasks does not let the function in at port 6379")
    ]
