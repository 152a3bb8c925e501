"""The tasks of a service revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ecs_hooks.aws.call import ask, reading
from ecs_hooks.core.arn import EcsArn

LIST = "ecs:ListTasks"
DESCRIBE = "ecs:DescribeTasks"

MOST = 100
"""Tasks that one DescribeTasks takes, and one ListTasks gives."""


class Container(NamedTuple):
    """A container of a task.

    Parameters
    ----------
    name
        Its name in the task definition.
    health
        `HEALTHY`, `UNHEALTHY` or `UNKNOWN`; unknown also where it has no health check.
    digest
        Digest of the image it runs; empty where ECS does not say.
    exit_code
        Its exit code; None while it runs.
    address
        Its private IP address; empty where it has none of its own.
    """

    name: str
    health: str
    digest: str
    exit_code: int | None
    address: str


class Task(NamedTuple):
    """A task.

    Parameters
    ----------
    id
        Last part of its ARN.
    status
        `lastStatus`, such as `RUNNING`.
    health
        `healthStatus` over its containers.
    stop_code, stopped_reason
        Why it stopped; empty while it runs.
    started_by
        Which deployment started it, `ecs-svc/...`.
    stopped_at
        When it stopped, in seconds since the epoch; None while it runs.
    containers
        Its containers.
    """

    id: str
    status: str
    health: str
    stop_code: str
    stopped_reason: str
    started_by: str
    stopped_at: float | None
    containers: tuple[Container, ...]


def started_by(revision: EcsArn) -> str:
    """Return what ECS notes as `startedBy` in the tasks of a revision.

    Inferred, as other tools do it: "the deployment ID of that service", `ecs-svc/` and the id of the service revision.
    """
    return f"ecs-svc/{revision.id}"


def tasks(region: str, cluster: str, service: str, starter: str, status: str = "RUNNING") -> list[Task]:
    """Ask for the tasks that one deployment or task set of a service has started.

    Parameters
    ----------
    region
        Region of the service.
    cluster, service
        Their names.
    starter
        What ECS notes as `startedBy` in them.
    status
        Desired status: `RUNNING` (those that start, too) or `STOPPED`, which ECS remembers for about an hour.

    Raises
    ------
    FactError
        If ECS does not answer.
    """
    # "When you specify startedBy as the filter, it must be the only filter that you use" (botocore's model of ECS).
    which = {"startedBy": starter} if status == "RUNNING" else {"serviceName": service, "desiredStatus": status}
    # Only one page: of more tasks than that, a hundred are a sample that is large enough.
    arns = ask(LIST, region, "taskArns", cluster=cluster, maxResults=MOST, **which)
    if not arns:
        return []
    described = ask(DESCRIBE, region, "tasks", cluster=cluster, tasks=arns)
    with reading(DESCRIBE):
        found = [_task(each) for each in described]
    return [task for task in found if task.started_by == starter]


def _task(task: Mapping[str, Any]) -> Task:
    stopped_at = task.get("stoppedAt")
    return Task(
        task["taskArn"].rpartition("/")[2],
        task["lastStatus"],
        task.get("healthStatus", "UNKNOWN"),
        task.get("stopCode", ""),
        task.get("stoppedReason", ""),
        task.get("startedBy", ""),
        stopped_at.timestamp() if stopped_at else None,
        tuple(_containers(task)),
    )


def _containers(task: Mapping[str, Any]) -> Iterator[Container]:
    for each in task.get("containers", []):
        interfaces = each.get("networkInterfaces") or [{}]
        yield Container(
            each["name"],
            each.get("healthStatus", "UNKNOWN"),
            each.get("imageDigest", ""),
            each.get("exitCode"),
            interfaces[0].get("privateIpv4Address") or interfaces[0].get("ipv6Address", ""),
        )
