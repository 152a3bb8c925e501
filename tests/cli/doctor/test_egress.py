"""A function in a VPC has to reach AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import EVERYTHING, Account, rules, table
from tests.cli.conftest import Doctor

SUBJECT = "AWS access"
NAT = ("ok", "the function's subnets lead to a NAT gateway")


@pytest.fixture(autouse=True)
def _in_vpc(account: Account) -> None:
    account.internal(EVERYTHING)
    account.in_vpc()


def endpoint(service: str, **fields: Any) -> dict[str, Any]:
    return {
        "VpcEndpointId": f"vpce-{service}",
        "VpcEndpointType": "Interface",
        "VpcId": "vpc-1",
        "ServiceName": f"com.amazonaws.us-west-2.{service}",
        "State": "available",
        "PrivateDnsEnabled": True,
        "Groups": [{"GroupId": "sg-endpoint"}],
        **fields,
    }


def test_outside_of_a_vpc_there_is_nothing_to_see(doctor: Doctor, account: Account) -> None:
    del account.function["VpcConfig"]
    doctor()

    assert doctor.of(SUBJECT) == []


def test_a_nat_gateway(doctor: Doctor, account: Account) -> None:
    doctor()
    assert doctor.of(SUBJECT) == [NAT]
    assert account.aws.asked["DescribeRouteTables"] == [{"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}]

    account.groups["sg-hooks"] = ([], [rules(8080, "0.0.0.0/0")])
    doctor()
    assert doctor.of(SUBJECT) == [("error", "the function's security groups do not let it out to port 443")]

    account.groups["sg-hooks"] = ([], [rules(443, prefix_list="pl-1")])
    doctor()
    assert doctor.of(SUBJECT)[0][0] == "unknown"


@pytest.mark.parametrize(
    ("route", "way"),
    [
        ({"GatewayId": "igw-1"}, "an internet gateway (a function has no public address)"),
        ({"NatGatewayId": "nat-1", "State": "blackhole"}, "nowhere"),
        ({"NatGatewayId": "nat-1", "DestinationCidrBlock": "172.16.0.0/12"}, "nowhere"),
        ({"DestinationCidrBlock": "", "DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"}, "nowhere"),
    ],
)
def test_subnets_that_lead_nowhere(doctor: Doctor, account: Account, route: dict[str, Any], way: str) -> None:
    account.tables = [table({"NatGatewayId": "nat-1"}), table(route, subnet="subnet-b")]
    doctor()

    assert doctor.of(SUBJECT) == [
        (
            "error",
            (
                "the function can't call ecs, elasticloadbalancing: no interface endpoint that it may use is there, and "
                f"subnet-b leads to {way}"
            ),
        )
    ]
    assert doctor.fix("the function can't call").endswith(
        "interface endpoints with private DNS for com.amazonaws.us-west-2.ecs, com.amazonaws.us-west-2.elasticloadbalancing"
    )


@pytest.mark.parametrize(
    "route",
    [{"TransitGatewayId": "tgw-1"}, {"DestinationCidrBlock": "0.0.0.0/1", "GatewayId": "vgw-1"}],
)
def test_what_may_lead_on_is_unknown(doctor: Doctor, account: Account, route: dict[str, Any]) -> None:
    account.tables = [table(route)]
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "unknown"
    assert "subnet-a leads to something that may lead on" in text


def test_interface_endpoints(doctor: Doctor, account: Account) -> None:
    account.tables = [table()]
    account.plan({"type": "http"}, {"type": "alarm", "names": ["a"]})
    account.endpoints = [endpoint("ecs"), endpoint("elasticloadbalancing"), endpoint("monitoring")]
    doctor()
    assert doctor.of(SUBJECT) == [("ok", "interface endpoints serve cloudwatch, ecs, elasticloadbalancing")]

    account.groups["sg-endpoint"] = ([rules(443, prefix_list="pl-1")], [])
    doctor()
    assert doctor.of(SUBJECT) == [
        (
            "unknown",
            (
                "whether the interface endpoints for cloudwatch, ecs, elasticloadbalancing let the function in is not to be "
                "seen"
            ),
        )
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"PrivateDnsEnabled": False},
        {"State": "pending"},
        {"VpcEndpointType": "Gateway"},
        {"Groups": [{"GroupId": "sg-tasks"}]},
    ],
)
def test_endpoints_that_are_of_no_use(doctor: Doctor, account: Account, fields: dict[str, Any]) -> None:
    account.tables = [table()]
    account.endpoints = [endpoint("ecs"), endpoint("elasticloadbalancing", **fields)]
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "error"
    assert text.startswith("the function can't call elasticloadbalancing: no interface endpoint that it may use")


def test_a_plan_that_needs_no_aws(doctor: Doctor, account: Account) -> None:
    account.tables = [table()]
    account.plan({"type": "http"}, base_url="http://10.0.0.9")
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "warning"
    assert text.startswith("the function can't call ecs: ")


def test_a_route_that_can_not_be_read_is_unknown(doctor: Doctor, account: Account) -> None:
    account.tables = [table({"DestinationCidrBlock": "nonsense"})]
    doctor()

    assert doctor.of(SUBJECT) == [
        ("unknown", "whether the function can call AWS is not known: ec2:DescribeRouteTables: invalid response")
    ]


def test_what_the_caller_may_not_see_is_unknown(doctor: Doctor, account: Account) -> None:
    account.aws.error("DescribeRouteTables", "UnauthorizedOperation", 403)
    doctor()

    assert doctor.of(SUBJECT) == [
        (
            "unknown",
            "whether the function can call AWS is not known: ec2:DescribeRouteTables: UnauthorizedOperation",
        )
    ]
