"""Whether a function in a VPC can call AWS: through a NAT gateway, or through VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from ecs_hooks.aws.call import call_aws_list, parsing
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS as DEPLOYMENTS
from ecs_hooks_cli.doctor import vpc
from ecs_hooks_cli.doctor.attached_hook import PlannedHook
from ecs_hooks_cli.doctor.finding import Finding, Subject
from ecs_hooks_cli.doctor.function import Function
from ecs_hooks_cli.doctor.permissions import WITHOUT_DEPLOYMENTS, required_actions

SUBJECT = Subject("AWS access")
_ENDPOINTS = "ec2:DescribeVpcEndpoints"
_HTTPS = 443
_ALLOW_OUTBOUND = "allow outbound TCP port 443"
_WITH_GATEWAY_ENDPOINT = "s3"
_ENDPOINT_NAMES = {"cloudwatch": "monitoring"}
"""Services whose endpoint has another name than their IAM actions."""


def examine(hook: PlannedHook) -> Iterator[Finding]:
    """Examine the routes of the function's subnets, and the endpoints of its VPC."""
    function = hook.function
    if not function.vpc:
        return
    region = hook.attached.examined.arn.region
    routes = vpc.internet_routes(region, function.vpc, function.subnets)
    if all(route is vpc.InternetRoute.NAT for route in routes.values()):
        yield _through_nat(function, region)
        return
    required = {action.partition(":")[0] for action in required_actions(hook)}
    wanted = required | {DEPLOYMENTS.partition(":")[0]}
    served = _endpoints(function, region)
    missing = sorted(wanted - set(served))
    if not missing:
        unclear = sorted(each for each in wanted if not served[each])
        if unclear:
            yield SUBJECT.unknown(
                f"cannot determine whether the VPC endpoints for {', '.join(unclear)} allow connections from the function",
                "allow inbound TCP port 443 from the function's security groups in those of the endpoints",
            )
        else:
            yield SUBJECT.ok(f"VPC endpoints exist for {', '.join(sorted(wanted))}")
        return
    services = ", ".join(missing)
    reason = vpc.routes_text(
        routes, vpc.InternetRoute.OTHER, vpc.InternetRoute.INTERNET_GATEWAY, vpc.InternetRoute.NONE
    )
    text = f"the function cannot call {services}: there is no usable VPC endpoint, and {reason}"
    names = ", ".join(f"com.amazonaws.{region}.{_ENDPOINT_NAMES.get(each, each)}" for each in missing)
    fix = f"route 0.0.0.0/0 of the subnets to a NAT gateway, or create interface endpoints with private DNS for {names}"
    if set(routes.values()) <= {vpc.InternetRoute.NAT, vpc.InternetRoute.OTHER}:
        yield SUBJECT.unknown(f"cannot determine whether the function can call {services}: {reason}", fix)
    elif required & set(missing):
        yield SUBJECT.error(text, fix)
    else:
        yield SUBJECT.warning(f"{text}. The plan does not require it, but {WITHOUT_DEPLOYMENTS}", fix)


def _through_nat(function: Function, region: str) -> Finding:
    match vpc.allow_outbound(region, function.groups, _HTTPS, vpc.ANYWHERE):
        case True:
            return SUBJECT.ok("the function's subnets route to a NAT gateway")
        case False:
            text = "the function's security groups do not allow outbound port 443"
            return SUBJECT.error(text, _ALLOW_OUTBOUND)
        case _:
            text = "cannot determine whether the function's security groups allow outbound port 443"
            return SUBJECT.unknown(text, _ALLOW_OUTBOUND)


def _endpoints(function: Function, region: str) -> dict[str, bool | None]:
    """Return the services, named as in IAM, with a usable endpoint: True, or None if that cannot be determined."""
    source: vpc.Peer | None = None
    found: dict[str, bool | None] = {}
    for each in call_aws_list(
        _ENDPOINTS, region, "VpcEndpoints", Filters=[{"Name": "vpc-id", "Values": [function.vpc]}]
    ):
        with parsing(_ENDPOINTS):
            name = str(each["ServiceName"]).rpartition(f".{region}.")[2]
            kind = each["VpcEndpointType"] if str(each["State"]).lower() == "available" else ""
        if kind == "Gateway" and name == _WITH_GATEWAY_ENDPOINT:
            if vpc.table_ids(region, function.vpc, function.subnets) <= set(each.get("RouteTableIds") or []):
                allowed = vpc.allow_outbound(region, function.groups, _HTTPS, vpc.ANYWHERE)
                if allowed is not False:
                    found[name] = allowed
        elif kind == "Interface" and each.get("PrivateDnsEnabled"):
            source = source or vpc.Peer(frozenset(function.groups), vpc.subnets(region, function.subnets).networks)
            groups = [group["GroupId"] for group in each.get("Groups") or []]
            allowed = vpc.allow_inbound(region, groups, _HTTPS, source)
            if allowed is not False:
                service = next((service for service, endpoint in _ENDPOINT_NAMES.items() if endpoint == name), name)
                found[service] = allowed
    return found
