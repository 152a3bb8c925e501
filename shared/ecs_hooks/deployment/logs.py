"""The log streams of a revision's tasks, and how often something is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.aws.call import pages, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.deployment.task_definition import ACTION as TASK_DEFINITION

FILTER = "logs:FilterLogEvents"

_PAGES = 20
"""Pages read; CloudWatch may answer with empty ones while it searches."""


class LogConfiguration(NamedTuple):
    """Where a container logs with the `awslogs` driver.

    Parameters
    ----------
    container
        Name of the container.
    group
        Log group.
    prefix
        `awslogs-stream-prefix`.
    region
        Region of the group.
    """

    container: str
    group: str
    prefix: str
    region: str

    def stream(self, task: str) -> str:
        """Return the log stream of a task: `prefix/container/task id` (ECS developer guide, awslogs driver)."""
        return f"{self.prefix}/{self.container}/{task}"


class Matches(NamedTuple):
    """Events that a pattern matches.

    Parameters
    ----------
    number
        How many there are.
    first
        Log stream of the first; empty where there is none. Its text is not kept: it could hold anything.
    """

    number: int
    first: str


def log_configurations(containers: Sequence[Mapping[str, Any]], region: str) -> list[LogConfiguration]:
    """Return where containers log to CloudWatch.

    Parameters
    ----------
    containers
        Container definitions.
    region
        Region of the service.

    Raises
    ------
    FactError
        If the task definition does not say what it must.
    """
    found = []
    with reading(TASK_DEFINITION):
        for each in containers:
            logging = each.get("logConfiguration", {})
            options = logging.get("options", {})
            # Without a prefix streams are named after containers of Docker, which nobody knows.
            if logging.get("logDriver") == "awslogs" and options.get("awslogs-stream-prefix"):
                prefix, where = options["awslogs-stream-prefix"], options.get("awslogs-region") or region
                found.append(LogConfiguration(each["name"], options["awslogs-group"], prefix, where))
    return found


def count_matches(where: LogConfiguration, tasks: Sequence[str], pattern: str, begin: float, limit: int) -> Matches:
    """Count the events in the log streams of some tasks that a filter pattern matches.

    All streams of the container are searched, and events of other tasks are passed over: a stream that is not there yet,
    named in the question, would be an error and hide the others.

    Parameters
    ----------
    where
        Where the container logs.
    tasks
        Ids of the tasks.
    pattern
        Filter pattern of CloudWatch Logs.
    begin
        Since when, in seconds since the epoch.
    limit
        How many are enough.

    Raises
    ------
    FactError
        If CloudWatch Logs does not answer, or does not come to an end.
    """
    streams = {where.stream(task) for task in tasks}
    count, first = 0, ""
    asked: dict[str, Any] = {
        "logGroupName": where.group,
        "logStreamNamePrefix": where.stream(""),
        "filterPattern": pattern,
        "startTime": int(begin * 1000),
    }
    endless = FactError(f"{FILTER}: more than {_PAGES} pages of events; use a pattern that fewer of them match")
    for answer in pages(FILTER, where.region, "nextToken", endless, most=_PAGES, **asked):
        with reading(FILTER):
            found = [each["logStreamName"] for each in answer["events"] if each["logStreamName"] in streams]
        count, first = count + len(found), first or (found[0] if found else "")
        if count >= limit:
            break
    return Matches(count, first)
