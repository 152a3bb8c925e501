"""The ECS service of a command, as DescribeServices returns it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click

from ecs_hooks.aws.call import ask, ask_one, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.core.event import Stage
from ecs_hooks.deployment.revision import LoadBalancing, load_balancing, port_names
from ecs_hooks_cli.common.region import region_of

Hook = dict[str, Any]
"""An item of `deploymentConfiguration.lifecycleHooks`."""

C = TypeVar("C", bound=Callable[..., Any])

STAGES = click.Choice(list(Stage))


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
        with reading("ecs:DescribeServices"):
            return tuple(
                load_balancing(each) for each in self.described.get("loadBalancers") or [] if "targetGroupArn" in each
            )

    @property
    def port_names(self) -> tuple[str, ...]:
        """Names of its ports for Service Connect, VPC Lattice or an ECS gateway."""
        with reading("ecs:DescribeServices"):
            return tuple(port_names((self.described.get("deployments") or [{}])[0]))

    @property
    def network(self) -> Mapping[str, Any] | None:
        """Subnets and security groups of its tasks; None without network mode awsvpc."""
        return (self.described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or None


def service_options(command: C) -> C:
    """Add the argument CLUSTER/SERVICE and the option --region to a command."""
    command = click.option("--region", help="Region of the service. Default: that of the AWS configuration.")(command)
    return click.argument("service", metavar="CLUSTER/SERVICE")(command)


def reporting(command: C) -> C:
    """Have a command print a failed AWS call as one line, and exit with status 1."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except FactError as error:
            sys.exit(f"ecs-hooks: {explained(error)}")

    return run  # type: ignore[return-value] # wraps keeps the signature


def explained(error: FactError) -> str:
    """Return the message of a failed AWS call, which concerns the caller's credentials, not a function's role."""
    if error.forbidden:
        return f"{error.action}: {error.code}; the AWS credentials used here do not allow the action {error.action}"
    return str(error)


def described(service: str, region: str | None) -> Service:
    """Return the service CLUSTER/SERVICE, in a region or in that of the AWS configuration.

    Raises
    ------
    FactError
        If the call fails, or there is no such service.
    """
    cluster, name = names(service)
    where = region_of(region)
    found = ask_one("ecs:DescribeServices", where, "services", "service", cluster=cluster, services=[name])
    return Service(cluster, name, where, found)


def names(service: str) -> tuple[str, str]:
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
    found = ask(
        "ecs:ListServiceDeployments", region, "serviceDeployments", cluster=cluster, service=service, status=status
    )
    with reading("ecs:ListServiceDeployments"):
        return EcsArn.parse(found[0]["serviceDeploymentArn"], "service-deployment") if found else None


def describe_deployment(arn: EcsArn) -> dict[str, Any]:
    """Return a service deployment.

    Raises
    ------
    FactError
        If the call fails.
    """
    return ask_one(
        "ecs:DescribeServiceDeployments",
        arn.region,
        "serviceDeployments",
        "service deployment",
        serviceDeploymentArns=[str(arn)],
    )


def event(deployment: str, revision: str, stage: str, hook_details: object = None) -> dict[str, Any]:
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
