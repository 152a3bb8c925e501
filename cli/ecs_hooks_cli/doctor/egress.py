"""Whether a function in a VPC can call AWS from there: through a NAT gateway, or through interface endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks.aws.call import ask, reading
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS
from ecs_hooks_cli.doctor.attached import Prepared
from ecs_hooks_cli.doctor.finding import Finding, error, ok, unknown, warning
from ecs_hooks_cli.doctor.function import Function
from ecs_hooks_cli.doctor.network import ANYBODY, Peer, egress, ingress, subnets
from ecs_hooks_cli.doctor.permissions import needed
from ecs_hooks_cli.doctor.routes import Way, table_ids, ways_out

SUBJECT = "AWS access"
_ENDPOINTS = "ec2:DescribeVpcEndpoints"
_HTTPS = 443
_OUT = "let TCP port 443 out"
_THROUGH_GATEWAY = "s3"
"""The service that functions call through an endpoint in their route tables, too."""
_NAMES = {"cloudwatch": "monitoring"}
"""Services whose endpoint has another name than IAM has for them."""


def examine(prepared: Prepared) -> Iterator[Finding]:
    """Look at the routes of the function's subnets, and at the interface endpoints of its VPC."""
    function = prepared.function
    if not function.vpc:
        return
    region = prepared.hook.examined.arn.region
    ways = ways_out(region, function.vpc, function.subnets)
    if all(way is Way.NAT for way in ways.values()):
        yield _through_nat(function, region)
        return
    required = {action.partition(":")[0] for action in needed(prepared)}
    wanted = required | {DEPLOYMENTS.partition(":")[0]}
    served = _served(function, region)
    missing = sorted(wanted - set(served))
    if not missing:
        open_end = sorted(each for each in wanted if not served[each])
        if open_end:
            text = f"whether the interface endpoints for {', '.join(open_end)} let the function in is not to be seen"
            yield unknown(SUBJECT, text, "let the function's security groups in at their port 443")
        else:
            yield ok(SUBJECT, f"interface endpoints serve {', '.join(sorted(wanted))}")
        return
    bad = {subnet: way for subnet, way in ways.items() if way is not Way.NAT}
    led = "; ".join(f"{subnet} leads to {way}" for subnet, way in bad.items())
    endpoints = ", ".join(f"com.amazonaws.{region}.{_NAMES.get(each, each)}" for each in missing)
    fix = (
        f"route 0.0.0.0/0 of the subnets to a NAT gateway, or make interface endpoints with private DNS for {endpoints}"
    )
    if all(way in {Way.NAT, Way.ELSEWHERE} for way in ways.values()):
        yield unknown(SUBJECT, f"whether the function can call {', '.join(missing)} is not to be seen: {led}", fix)
    elif required & set(missing):
        yield error(
            SUBJECT,
            f"the function can't call {', '.join(missing)}: no interface endpoint that it may use is there, and {led}",
            fix,
        )
    else:
        yield warning(
            SUBJECT,
            f"the function can't call {', '.join(missing)}: no interface endpoint that it may use is there, and {led}. "
            f"The plan does not need it, but the hook can't ask when ECS gives up on it, or whether ECS rolls back",
            fix,
        )


def _through_nat(function: Function, region: str) -> Finding:
    match egress(region, function.groups, _HTTPS, ANYBODY):
        case True:
            return ok(SUBJECT, "the function's subnets lead to a NAT gateway")
        case False:
            return error(SUBJECT, "the function's security groups do not let it out to port 443", _OUT)
        case _:
            return unknown(
                SUBJECT, "whether the function's security groups let it out to port 443 is not to be seen", _OUT
            )


def _served(function: Function, region: str) -> dict[str, bool | None]:
    """Return the services, as IAM calls them, with an endpoint: true, or none where that can't be told."""
    here: Peer | None = None
    found: dict[str, bool | None] = {}
    for each in ask(_ENDPOINTS, region, "VpcEndpoints", Filters=[{"Name": "vpc-id", "Values": [function.vpc]}]):
        with reading(_ENDPOINTS):
            name = str(each["ServiceName"]).rpartition(f".{region}.")[2]
            available = str(each["State"]).lower() == "available"
            usable = available and each["VpcEndpointType"] == "Interface"
            gateway = available and each["VpcEndpointType"] == "Gateway" and name == _THROUGH_GATEWAY
        if gateway and table_ids(region, function.vpc, function.subnets) <= set(each.get("RouteTableIds") or []):
            let_out = egress(region, function.groups, _HTTPS, ANYBODY)
            if let_out is not False:
                found[name] = let_out
        if not usable or not each.get("PrivateDnsEnabled"):
            continue
        here = here or Peer(frozenset(function.groups), subnets(region, function.subnets).networks)
        let_in = ingress(region, [group["GroupId"] for group in each.get("Groups") or []], _HTTPS, here)
        if let_in is not False:
            found[next((service for service, endpoint in _NAMES.items() if endpoint == name), name)] = let_in
    return found
