"""The service that a command is about, as ECS describes it."""

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
"""A lifecycle hook, as in `deploymentConfiguration.lifecycleHooks`."""

C = TypeVar("C", bound=Callable[..., Any])

STAGES = click.Choice(list(Stage))


class Service(NamedTuple):
    """A service.

    Parameters
    ----------
    cluster, name, region
        Where it is.
    described
        What DescribeServices says.
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
        """Its load balancers; which target group will be green's is not known."""
        with reading("ecs:DescribeServices"):
            return tuple(
                load_balancing(each) for each in self.described.get("loadBalancers") or [] if "targetGroupArn" in each
            )

    @property
    def port_names(self) -> tuple[str, ...]:
        """Names of the ports that it offers through Service Connect, VPC Lattice or an ECS gateway."""
        with reading("ecs:DescribeServices"):
            return tuple(port_names((self.described.get("deployments") or [{}])[0]))

    @property
    def network(self) -> Mapping[str, Any] | None:
        """Subnets and security groups of its tasks; None where they have no address of their own."""
        return (self.described.get("networkConfiguration") or {}).get("awsvpcConfiguration") or None


def service_options(command: C) -> C:
    """Give a command the argument and the option that name a service."""
    command = click.option("--region", help="Region of the service. Default: that of the AWS configuration.")(command)
    return click.argument("service", metavar="CLUSTER/SERVICE")(command)


def reporting(command: C) -> C:
    """Let a command end with one line where AWS refuses."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except FactError as error:
            sys.exit(f"ecs-hooks: {explained(error)}")

    return run  # type: ignore[return-value] # wraps keeps the signature


def explained(error: FactError) -> str:
    """Return what AWS refused, for the person whose credentials were used; a function's role has no part in it."""
    if error.forbidden:
        return f"{error.action}: {error.code}; the AWS credentials used here do not allow the action {error.action}"
    return str(error)


def described(service: str, region: str | None) -> Service:
    """Ask ECS for a service.

    Parameters
    ----------
    service
        CLUSTER/SERVICE; without a cluster it is the default one.
    region
        Its region; None for that of the AWS configuration.

    Raises
    ------
    FactError
        If ECS does not answer.
    """
    cluster, name = names(service)
    where = region_of(region)
    found = ask_one("ecs:DescribeServices", where, "services", "service", cluster=cluster, services=[name])
    return Service(cluster, name, where, found)


def names(service: str) -> tuple[str, str]:
    """Return the cluster and the service that CLUSTER/SERVICE names."""
    cluster, _, name = service.rpartition("/")
    return cluster or "default", name


def running_deployment(cluster: str, service: str, region: str) -> EcsArn | None:
    """Return the deployment of a service that is going on; None where none is.

    Raises
    ------
    FactError
        If ECS does not answer.
    """
    found = ask(
        "ecs:ListServiceDeployments",
        region,
        "serviceDeployments",
        cluster=cluster,
        service=service,
        status=["PENDING", "IN_PROGRESS"],
    )
    with reading("ecs:ListServiceDeployments"):
        return EcsArn.parse(found[0]["serviceDeploymentArn"], "service-deployment") if found else None


def describe_deployment(arn: EcsArn) -> dict[str, Any]:
    """Ask ECS for a service deployment.

    Raises
    ------
    FactError
        If ECS does not answer.
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
    """Return whether a hook is a PAUSE hook, which invokes nothing."""
    # DescribeServices has been seen to show only the stages of a PAUSE hook.
    return hook.get("targetType") == "PAUSE" or not hook.get("hookTargetArn")
