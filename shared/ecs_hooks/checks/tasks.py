"""The tasks check: green's tasks run, are healthy, and have the image that was deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS
from ecs_hooks.deployment.tasks import DESCRIBE_TASKS, LIST_TASKS, Container, Task

_FAILURES = {"TaskFailedToStart", "EssentialContainerExited"}
"""`stopCode`s of a task that stopped by itself."""
_FROM_OUTSIDE = {"UserInitiated", "SpotInterruption", "TerminationNotice"}
"""`stopCode`s of a task that was stopped by something else. Other codes are unknown; the reason of a pass has them."""

_BY_ECS = "ServiceSchedulerInitiated"
"""`stopCode` of a task that ECS stopped: to scale in, or because it was unhealthy. Only `stoppedReason` differs."""

_UNHEALTHY = re.compile(r"health checks?\b|\bunhealthy\b", re.IGNORECASE)
_SCALING = "Scaling activity"
_MAX_REASONS = 3
_MAX_CONTAINERS = 5
_MAX_LENGTH = 200

_BY_AWS = ("ecs-service-connect-", "aws-guardduty-agent-")
"""Beginnings of the names of containers that AWS adds to a task: Service Connect's proxy, and GuardDuty's agent."""


class TasksCheck(Check):
    """Compares green's tasks with its desired count.

    The check waits for tasks that are not running yet, and for containers of unknown health. ECS's API does not show how
    often a container was restarted within its task (`restartPolicy`).
    """

    type: Literal["tasks"] = "tasks"
    max_failed: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Maximum number of green's tasks that stopped by themselves, such as after a crash, or that ECS replaced after failed
    health checks."""
    digest: bool = True
    """Whether containers must run the image digest that ECS resolved for the revision."""

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        images = {DESCRIBE_REVISIONS} if self.digest else set()
        actions = frozenset({LIST_TASKS, DESCRIBE_TASKS, DESCRIBE_DEPLOYMENTS, *images})
        return super().requirements()._replace(running=True, actions=actions)

    def run(self, context: CheckContext) -> Outcome:
        """Read green's tasks, and compare them with the revision."""
        require_running(context.stage)
        deployment = context.deployment
        every_stopped = deployment.stopped_tasks
        stopped = [task for task in every_stopped if _has_failed(task)]
        failed = {"failed_tasks": len(stopped), "failed_tasks_limit": self.max_failed}
        if len(stopped) > self.max_failed:
            return Outcome.failed(f"{counted(len(stopped), 'task')} of green stopped: {_reasons(stopped)}", failed)
        (count, desired), tasks = deployment.task_counts, deployment.tasks
        evidence = {
            "running_tasks": count,
            "running_tasks_lower_limit": desired,
            "desired_tasks": desired,
            **failed,
        }
        containers = [each for task in tasks for each in task.containers]
        expected = {name: digest for name, (_, digest) in deployment.images.items() if digest} if self.digest else {}
        problem = _problem(containers, expected)
        if problem:
            return Outcome.failed(problem, evidence)
        summary = f"{count} of {counted(desired, 'task')} of green run"
        starting = sum(task.status != "RUNNING" or not _has_known_health(task) for task in tasks)
        if starting:
            return Outcome.wait(f"{summary}, {starting} not yet healthy", evidence)
        unknown = {each.name for each in containers if each.name in expected and not each.digest}
        if unknown:
            reason = f"{summary}, ECS does not know the image digest of container {min(unknown)} yet"
            return Outcome.wait(reason, evidence)
        # ListTasks may lag behind: a task that only the count has is not known to be healthy.
        if count < desired or len(tasks) < count:
            listed_tasks = f", {len(tasks)} listed" if len(tasks) < count else ""
            return Outcome.wait(f"{summary}{listed_tasks}", evidence)
        unverified = _unverified(containers, expected) if self.digest else []
        exits = sorted({_exit(each) for each in containers if each.exit_code or each.reason})
        named = [task for task in every_stopped if task in stopped or _has_unknown_code(task)]
        notes = [f"stopped: {_reasons(named)}"] if named else []
        notes += [listed(exits, _MAX_CONTAINERS, ", ", " and ")] if exits else []
        return Outcome.passed("; ".join([summary, *notes]), evidence).leaving_out(unverified)


def _problem(containers: Sequence[Container], expected: Mapping[str, str]) -> str:
    """Return which containers are unhealthy, or else which one does not run the expected digest; empty without any."""
    unhealthy = Counter(each.name for each in containers if each.health == "UNHEALTHY")
    if unhealthy:
        return ", ".join(f"container {name} is UNHEALTHY in {counted(n, 'task')}" for name, n in unhealthy.items())
    others = (each for each in containers if each.digest and each.digest != expected.get(each.name, each.digest))
    return next((f"container {each.name} runs {each.digest}, expected {expected[each.name]}" for each in others), "")


def _unverified(containers: Sequence[Container], expected: Mapping[str, str]) -> list[str]:
    names = sorted({each.name for each in containers} - set(expected))
    # The revision does not have the containers that AWS adds to a task.
    return [f"image digest of container {name}" for name in names if not name.startswith(_BY_AWS)]


def _has_known_health(task: Task) -> bool:
    # A task without health checks stays UNKNOWN, as its containers do; a task with them is UNKNOWN at first only.
    unchecked = all(container.health == "UNKNOWN" for container in task.containers)
    return bool(task.containers) and (task.health != "UNKNOWN" or unchecked)


def _has_failed(task: Task) -> bool:
    if task.stop_code == _BY_ECS:
        return bool(_UNHEALTHY.search(task.stopped_reason))
    if not task.stop_code:
        return task.status == "STOPPED" and not task.stopped_reason.startswith(_SCALING)
    return task.stop_code in _FAILURES


def _has_unknown_code(task: Task) -> bool:
    return bool(task.stop_code) and task.stop_code not in {_BY_ECS, *_FAILURES, *_FROM_OUTSIDE}


def _reasons(stopped: list[Task]) -> str:
    """Return why tasks stopped: the most frequent reasons first, with their counts where there are several."""
    reasons = Counter(map(_reason, stopped))
    if len(reasons) == 1:
        return next(iter(reasons))
    return listed([f"{count} {reason}" for reason, count in reasons.most_common()], _MAX_REASONS)


def _reason(task: Task) -> str:
    containers = listed(list(filter(None, map(_exit, task.containers))), _MAX_CONTAINERS, ", ", " and ")
    known = [task.stop_code, task.stopped_reason[:_MAX_LENGTH], containers]
    return ", ".join(filter(None, known)) or "reason unknown"


def _exit(container: Container) -> str:
    """Return why a container stopped; empty if ECS does not report it."""
    # Exit code 0 counts, too: it ends the task of an essential container.
    code = "" if container.exit_code is None else f"exit code {container.exit_code}"
    details = ", ".join(filter(None, [code, " ".join(container.reason.split())[:_MAX_LENGTH]]))
    return details and f"container {container.name} {details}"
