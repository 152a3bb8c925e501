"""The ECS service of a command, as DescribeServices returns it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click

from ecs_hooks.aws.call import call_aws_list, call_aws_one, parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.revision import LoadBalancing, parse_load_balancing, port_names

Hook = dict[str, Any]
"""An item of `deploymentConfiguration.lifecycleHooks`."""

C = TypeVar("C", bound=Callable[..., Any])

STAGES = click.Choice(list(Stage))


def aws_region(option: str | None) -> str:
    """Return the region: that of an option, or else that of the AWS configuration."""
    found = option or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        import boto3  # noqa: PLC0415 - slow to load

        found = boto3.session.Session().region_name
    if not found:
        raise click.UsageError("the AWS configuration has no region; give --region")
    return str(found)


class Service(NamedTuple):
    """A service.

    Parameters
    ----------
    cluster, name, region
        Its names and its region.
    described
        The service in the answer of DescribeServices.
    """

    cluster: str
    name: str
    region: str
    described: Mapping[str, Any]

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Its `deploymentConfiguration`."""
        return self.described.get("deploymentConfiguration") or {}

    @property
    def hooks(self) -> list[Hook]:
        """Its lifecycle hooks."""
        return list(self.configuration.get("lifecycleHooks") or [])

    @property
    def load_balancing(self) -> tuple[LoadBalancing, ...]:
        """Its load balancers, without the target group that green will have."""
        with parsing("ecs:DescribeServices"):
            return tuple(
                parse_load_balancing(each)
                for each in self.described.get("loadBalancers") or []
                if "targetGroupArn" in each
            )

    @property
    def port_names(self) -> tuple[str, ...]:
        """Names of its ports for Service Connect, VPC Lattice or an ECS gateway."""
        with parsing("ecs:DescribeServices"):
            return tuple(port_names((self.described.get("deployments") or [{}])[0]))

    @property
    def network(self) -> Mapping[str, Any] | None:
        """Subnets and security groups of its tasks; None without network mode awsvpc."""
        return (self.described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or None


def service_options(command: C) -> C:
    """Add the argument CLUSTER/SERVICE and the option --region to a command."""
    command = click.option("--region", help="Region of the service. Default: that of the AWS configuration.")(command)
    return click.argument("service", metavar="CLUSTER/SERVICE")(command)


def exit_on_aws_error(command: C) -> C:
    """Have a command print a failed AWS call as one line, and exit with status 1."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except FactError as error:
            sys.exit(f"ecs-hooks: {aws_error_text(error)}")

    return run  # type: ignore[return-value] # wraps keeps the signature


def aws_error_text(error: FactError) -> str:
    """Return the message of a failed AWS call, which concerns the caller's credentials, not a function's role."""
    if error.access_denied:
        return f"{error.action}: {error.code}; the AWS credentials used here do not allow the action {error.action}"
    return str(error)


def describe_service(service: str, region: str | None) -> Service:
    """Return the service CLUSTER/SERVICE, in a region or in that of the AWS configuration.

    Raises
    ------
    FactError
        If the call fails, or there is no such service.
    """
    cluster, name = cluster_and_name(service)
    where = aws_region(region)
    found = call_aws_one("ecs:DescribeServices", where, "services", "service", cluster=cluster, services=[name])
    return Service(cluster, name, where, found)


def cluster_and_name(service: str) -> tuple[str, str]:
    """Return cluster and service of CLUSTER/SERVICE; without a cluster it is `default`."""
    cluster, _, name = service.rpartition("/")
    return cluster or "default", name


def running_deployment(cluster: str, service: str, region: str) -> EcsArn | None:
    """Return the ARN of a service's deployment in progress; None if there is none.

    Raises
    ------
    FactError
        If the call fails.
    """
    status = ["PENDING", "IN_PROGRESS"]
    found = call_aws_list(
        "ecs:ListServiceDeployments", region, "serviceDeployments", cluster=cluster, service=service, status=status
    )
    with parsing("ecs:ListServiceDeployments"):
        return EcsArn.parse(found[0]["serviceDeploymentArn"], "service-deployment") if found else None


def describe_deployment(arn: EcsArn) -> dict[str, Any]:
    """Return a service deployment.

    Raises
    ------
    FactError
        If the call fails.
    """
    return call_aws_one(
        "ecs:DescribeServiceDeployments",
        arn.region,
        "serviceDeployments",
        "service deployment",
        serviceDeploymentArns=[str(arn)],
    )


def hook_event(deployment: str, revision: str, stage: str, hook_details: object = None) -> dict[str, Any]:
    """Return the event that ECS would send to a hook."""
    return {
        "lifecycleStage": stage,
        "resourceArn": deployment,
        "executionDetails": {"targetServiceRevisionArn": revision},
        "hookDetails": hook_details,
    }


def is_pause(hook: Hook) -> bool:
    """Return whether a hook is a PAUSE hook, which invokes no function."""
    # For PAUSE hooks, DescribeServices was observed to return only the stages.
    return hook.get("targetType") == "PAUSE" or not hook.get("hookTargetArn")
