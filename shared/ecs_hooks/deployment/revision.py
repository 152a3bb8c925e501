"""A service revision: its task definition, load balancers, target groups and images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws_one, parsing
from ecs_hooks.aws.errors import invalid_response

DESCRIBE_REVISIONS = "ecs:DescribeServiceRevisions"

DEFAULT_TEST_HEADER = "x-amzn-ecs-blue-green-test"
"""Header of Service Connect's test traffic if no rule names another (ECS developer guide)."""


class LoadBalancing(NamedTuple):
    """One load balancer of a revision.

    Parameters
    ----------
    target_group
        ARN of the revision's target group; empty if ECS has not resolved it yet. `targetGroupArn` and
        `alternateTargetGroupArn` of the service are only a pair: ECS swaps them with each deployment.
    production, test
        ARN of the listener rule (Application Load Balancer) or listener (Network Load Balancer); empty if there is none.
    container, port
        Name and port of the container that gets the traffic.
    pair
        ARNs of both target groups, blue's and green's.
    """

    target_group: str
    production: str
    test: str
    container: str
    port: int
    pair: Sequence[str] = ()


class ServiceRevision(NamedTuple):
    """A service revision.

    Parameters
    ----------
    arn
        Its ARN.
    task_definition
        ARN of its task definition.
    load_balancing
        Its load balancers.
    images
        Resolved image and digest by container name; empty texts if ECS has not resolved them.
    test_header
        Name and value of the header of Service Connect's test traffic; an empty value matches any. None without Service
        Connect services.
    port_names
        Names of the ports that it offers through Service Connect, VPC Lattice or an ECS gateway.
    unread
        Its load balancers that no check can read, such as `Classic Load Balancer my-elb`.
    """

    arn: str
    task_definition: str
    load_balancing: tuple[LoadBalancing, ...]
    images: Mapping[str, tuple[str, str]]
    test_header: tuple[str, str] | None
    port_names: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def describe_revision(arn: str, region: str) -> ServiceRevision:
    """Return a service revision."""
    revision = call_aws_one(
        DESCRIBE_REVISIONS, region, "serviceRevisions", "service revision", serviceRevisionArns=[arn]
    )
    with parsing(DESCRIBE_REVISIONS):
        found = _revision(revision)
    if found.arn != arn:
        raise invalid_response(DESCRIBE_REVISIONS)
    return found


def _revision(revision: Mapping[str, Any]) -> ServiceRevision:
    resolved = revision.get("resolvedConfiguration", {}).get("loadBalancers", [])
    return ServiceRevision(
        revision["serviceRevisionArn"],
        revision.get("taskDefinition", ""),
        tuple(
            parse_load_balancing(each, resolved)
            for each in revision.get("loadBalancers", [])
            if "loadBalancerName" not in each  # a Classic Load Balancer, whose traffic ECS does not shift
        ),
        {
            each["containerName"]: (each.get("image", ""), each.get("imageDigest", ""))
            for each in revision.get("containerImages", [])
        },
        _test_header(revision.get("serviceConnectConfiguration", {})),
        tuple(port_names(revision)),
        tuple(unread_load_balancers(revision)),
    )


def unread_load_balancers(revision: Mapping[str, Any]) -> Iterator[str]:
    """Yield the load balancers of a revision or task set that no check can read."""
    for each in revision.get("loadBalancers", []):
        if "loadBalancerName" in each:
            yield f"Classic Load Balancer {each['loadBalancerName']}"
    for each in revision.get("vpcLatticeConfigurations", []):
        yield f"VPC Lattice target group {each['targetGroupArn'].rpartition('/')[2]}"


def parse_load_balancing(configured: Mapping[str, Any], resolved: Sequence[Mapping[str, Any]] = ()) -> LoadBalancing:
    """Return a load balancer of a service.

    Parameters
    ----------
    configured
        An item of `loadBalancers`.
    resolved
        `resolvedConfiguration.loadBalancers` of the revision; without it the target group is known only if there is no
        alternate.
    """
    advanced = configured.get("advancedConfiguration", {})
    pair = {configured["targetGroupArn"], *filter(None, [advanced.get("alternateTargetGroupArn")])}
    used = [each["targetGroupArn"] for each in resolved if each["targetGroupArn"] in pair]
    # Without an alternate there is only one target group, which ECS need not resolve.
    single = configured["targetGroupArn"] if not resolved and "alternateTargetGroupArn" not in advanced else ""
    return LoadBalancing(
        used[0] if used else single,
        advanced.get("productionListenerRule", ""),
        advanced.get("testListenerRule", ""),
        configured.get("containerName", ""),
        configured.get("containerPort", 0),
        sorted(pair),
    )


def _test_header(service_connect: Mapping[str, Any]) -> tuple[str, str] | None:
    if not service_connect.get("enabled"):
        return None
    services = service_connect.get("services", [])
    for service in services:
        for alias in service.get("clientAliases", []):
            header = alias.get("testTrafficRules", {}).get("header")
            if header:
                return header["name"], header.get("value", {}).get("exact", "")
    return (DEFAULT_TEST_HEADER, "") if services else None


def port_names(revision: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the ports that a revision, or a deployment of DescribeServices, offers without a load balancer."""
    service_connect = revision.get("serviceConnectConfiguration", {})
    services = service_connect.get("services", []) if service_connect.get("enabled") else []
    for each in (*services, *revision.get("vpcLatticeConfigurations", []), *revision.get("gatewayConnectors", [])):
        yield each["portName"]
