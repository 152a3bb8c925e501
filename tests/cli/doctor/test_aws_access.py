from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import EVERYTHING, Account, rules, table
from tests.cli.conftest import Doctor

SUBJECT = "AWS access"
NAT = ("ok", "the function's subnets route to a NAT gateway")


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


def test_a_function_outside_a_vpc_has_no_finding(doctor: Doctor, account: Account) -> None:
    del account.function["VpcConfig"]
    doctor()

    assert doctor.of(SUBJECT) == []


def test_a_nat_gateway_requires_outbound_port_443(doctor: Doctor, account: Account) -> None:
    doctor()
    assert doctor.of(SUBJECT) == [NAT]
    assert account.aws.asked["DescribeRouteTables"] == [{"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}]

    account.groups["sg-hooks"] = ([], [rules(8080, "0.0.0.0/0")])
    doctor()
    assert doctor.of(SUBJECT) == [("error", "the function's security groups do not allow outbound port 443")]

    account.groups["sg-hooks"] = ([], [rules(443, prefix_list="pl-1")])
    doctor()
    assert doctor.of(SUBJECT)[0][0] == "unknown"


@pytest.mark.parametrize(
    ("route", "way"),
    [
        ({"GatewayId": "igw-1"}, "route to an internet gateway, but functions have no public address"),
        ({"NatGatewayId": "nat-1", "State": "blackhole"}, "have no route to the internet"),
        ({"NatGatewayId": "nat-1", "DestinationCidrBlock": "172.16.0.0/12"}, "have no route to the internet"),
        (
            {"DestinationCidrBlock": "", "DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
            "have no route to the internet",
        ),
    ],
)
def test_a_subnet_without_a_route_to_the_internet_is_an_error(
    doctor: Doctor, account: Account, route: dict[str, Any], way: str
) -> None:
    account.tables = [table({"NatGatewayId": "nat-1"}), table(route, subnet="subnet-b")]
    doctor()

    assert doctor.of(SUBJECT) == [
        (
            "error",
            (
                "the function cannot call ecs, elasticloadbalancing: there is no usable VPC endpoint, and "
                f"subnets of the function {way} (subnet-b)"
            ),
        )
    ]
    assert doctor.fix("the function cannot call").endswith(
        "interface endpoints with private DNS for com.amazonaws.us-west-2.ecs, com.amazonaws.us-west-2.elasticloadbalancing"
    )


@pytest.mark.parametrize(
    "route",
    [{"TransitGatewayId": "tgw-1"}, {"DestinationCidrBlock": "0.0.0.0/1", "GatewayId": "vgw-1"}],
)
def test_another_target_of_the_route_is_unknown(doctor: Doctor, account: Account, route: dict[str, Any]) -> None:
    account.tables = [table(route)]
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "unknown"
    assert "route to a target that may not reach the internet (subnet-a, subnet-b)" in text


def test_interface_endpoints_replace_a_nat_gateway(doctor: Doctor, account: Account) -> None:
    account.tables = [table()]
    account.plan({"type": "http"}, {"type": "alarm", "names": ["a"]})
    account.endpoints = [endpoint("ecs"), endpoint("elasticloadbalancing"), endpoint("monitoring")]
    doctor()
    assert doctor.of(SUBJECT) == [("ok", "VPC endpoints exist for cloudwatch, ecs, elasticloadbalancing")]

    account.groups["sg-endpoint"] = ([rules(443, prefix_list="pl-1")], [])
    doctor()
    assert doctor.of(SUBJECT) == [
        (
            "unknown",
            (
                "cannot determine whether the VPC endpoints for cloudwatch, ecs, elasticloadbalancing allow connections from "
                "the function"
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
def test_an_endpoint_that_the_function_cannot_use_does_not_count(
    doctor: Doctor, account: Account, fields: dict[str, Any]
) -> None:
    account.tables = [table()]
    account.endpoints = [endpoint("ecs"), endpoint("elasticloadbalancing", **fields)]
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "error"
    assert text.startswith("the function cannot call elasticloadbalancing: there is no usable VPC endpoint")


def test_missing_access_is_a_warning_if_the_plan_calls_no_aws(doctor: Doctor, account: Account) -> None:
    account.tables = [table()]
    account.plan({"type": "http"}, base_url="http://10.0.0.9")
    doctor()

    ((level, text),) = doctor.of(SUBJECT)
    assert level == "warning"
    assert text.startswith("the function cannot call ecs: ")


def test_an_unreadable_route_is_unknown(doctor: Doctor, account: Account) -> None:
    account.tables = [table({"DestinationCidrBlock": "nonsense"})]
    doctor()

    assert doctor.of(SUBJECT) == [
        (
            "unknown",
            "cannot determine whether the function can call AWS: ec2:DescribeRouteTables: invalid response",
        )
    ]


def test_routes_are_unknown_without_permission(doctor: Doctor, account: Account) -> None:
    account.aws.error("DescribeRouteTables", "UnauthorizedOperation", 403)
    doctor()

    assert doctor.of(SUBJECT) == [
        (
            "unknown",
            "cannot determine whether the function can call AWS: ec2:DescribeRouteTables: UnauthorizedOperation",
        )
    ]


@pytest.mark.parametrize(
    ("fields", "outbound", "level"),
    [
        ({}, [EVERYTHING], "ok"),
        ({"RouteTableIds": []}, [EVERYTHING], "error"),
        ({"State": "pending"}, [EVERYTHING], "error"),
        ({}, [], "error"),
        ({}, [rules(443, prefix_list="pl-1")], "unknown"),
        ({"VpcEndpointType": "Interface", "PrivateDnsEnabled": True}, [EVERYTHING], "ok"),
    ],
)
def test_s3_may_have_a_gateway_endpoint(
    doctor: Doctor, account: Account, fields: dict[str, Any], outbound: list[Any], level: str
) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    plan = b'{"checks": [{"type": "http", "url": "https://shop.example/"}]}'
    account.aws.answer("GetObject", {"Body": plan})
    account.tables = [table()]
    account.groups["sg-hooks"] = ([], outbound)
    gateway = {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False, "RouteTableIds": ["rtb-1"]}
    account.endpoints = [endpoint("ecs"), endpoint("s3", **{**gateway, **fields})]
    doctor()

    assert [each for each, _ in doctor.of(SUBJECT)] == [level]
