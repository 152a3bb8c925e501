"""The tasks of a service revision, and the ports of its task definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import call_aws, call_aws_list, call_aws_pages, parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn

LIST_TASKS = "ecs:ListTasks"
DESCRIBE_TASKS = "ecs:DescribeTasks"
TASK_DEFINITION = "ecs:DescribeTaskDefinition"

_PAGE = 100
"""Most tasks in one ListTasks and in one DescribeTasks."""

_PAGES = 50
"""Most pages to read: a service has 5,000 tasks at most (ECS quota)."""


class Container(NamedTuple):
    """A container of a task.

    Parameters
    ----------
    name
        Its name in the task definition.
    health
        `HEALTHY`, `UNHEALTHY` or `UNKNOWN`; also `UNKNOWN` without a health check.
    digest
        Digest of its image; empty if ECS does not return it.
    exit_code
        Its exit code; None while it runs.
    address
        Its private IP address; empty if it has none of its own.
    reason
        ECS's reason why it stopped or did not start, such as `OutOfMemoryError: ...`; empty without one.
    """

    name: str
    health: str
    digest: str
    exit_code: int | None
    address: str
    reason: str = ""


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
        The deployment that started it, `ecs-svc/...`.
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
    """Return `startedBy` of the tasks of a revision.

    Inferred, as other tools do: "the deployment ID of that service" is `ecs-svc/` and the ID of the service revision.
    """
    return f"ecs-svc/{revision.id}"


def list_tasks(region: str, cluster: str, service: str, starter: str, status: str = "RUNNING") -> list[Task]:
    """Return the tasks that one deployment or task set of a service started.

    Parameters
    ----------
    region, cluster, service
        The service.
    starter
        `startedBy` of the tasks.
    status
        Desired status: `RUNNING`, which includes tasks that start, or `STOPPED`, which ECS returns for about an hour.
    """
    # "When you specify startedBy as the filter, it must be the only filter that you use" (botocore's model of ECS).
    which = {"startedBy": starter} if status == "RUNNING" else {"serviceName": service, "desiredStatus": status}
    too_many = FactError(f"{LIST_TASKS}: more than {_PAGES} pages of tasks", action=LIST_TASKS)
    pages = call_aws_pages(
        LIST_TASKS, region, "nextToken", too_many, most=_PAGES, cluster=cluster, maxResults=_PAGE, **which
    )
    found: list[Task] = []
    for page in pages:
        with parsing(LIST_TASKS):
            arns = page["taskArns"]
        if not arns:
            continue
        described = call_aws_list(DESCRIBE_TASKS, region, "tasks", cluster=cluster, tasks=arns)
        with parsing(DESCRIBE_TASKS):
            found += map(_task, described)
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
            each.get("reason", ""),
        )


class Port(NamedTuple):
    """Name of a container, and the port on which it listens."""

    container: str
    number: int


def container_definitions(task_definition: str, region: str) -> list[Mapping[str, Any]]:
    """Return the container definitions of a task definition."""
    response = call_aws(TASK_DEFINITION, region, taskDefinition=task_definition)
    with parsing(TASK_DEFINITION):
        found: list[Mapping[str, Any]] = response["taskDefinition"]["containerDefinitions"]
        return found


def named_port(containers: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Port | None:
    """Return the port of the first of these port mapping names that a container definition has; None if none has one."""
    with parsing(TASK_DEFINITION):
        ports = {
            mapping["name"]: Port(each["name"], mapping["containerPort"])
            for each in containers
            for mapping in each.get("portMappings", [])
            if "name" in mapping
        }
    return next((ports[name] for name in names if name in ports), None)
