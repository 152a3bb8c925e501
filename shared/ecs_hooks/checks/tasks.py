"""The tasks check: green's tasks run, are healthy, and run what was deployed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS
from ecs_hooks.deployment.tasks import DESCRIBE, LIST, MOST, Task

_FAILURES = {"TaskFailedToStart", "EssentialContainerExited"}
"""`stopCode`s of a task that did not end because somebody wanted it to."""

_BY_ECS = "ServiceSchedulerInitiated"
"""`stopCode` of a task that ECS itself has stopped: to scale in, or since it was not healthy. Only the reason tells."""

_UNHEALTHY = re.compile(r"health checks?\b|\bunhealthy\b", re.IGNORECASE)
_SCALING = "Scaling activity"
_NAMED = 3


class TasksCheck(Check):
    """Compares green's tasks with what ECS was asked for.

    Tasks that are still to start, and containers whose health is not known yet, are waited for. ECS's API does not show
    how often a container was restarted inside its task (`restartPolicy`).
    """

    type: Literal["tasks"] = "tasks"
    max_failed: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Tasks of green that may have stopped by themselves, such as through a crash, or that ECS has replaced since they
    failed health checks."""
    digest: bool = True
    """Whether containers must run the image digest that ECS resolved for the revision."""

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        images = {REVISIONS} if self.digest else set()
        return super().requirements()._replace(running=True, actions=frozenset({LIST, DESCRIBE, DEPLOYMENTS, *images}))

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        require_running(context.stage)
        deployment = context.deployment
        stopped = [task for task in deployment.stopped_tasks if _has_failed(task)]
        failed = {"failed_tasks": len(stopped), "failed_tasks_limit": self.max_failed}
        if len(stopped) > self.max_failed:
            return Outcome.failed(f"{counted(len(stopped), 'task')} of green stopped: {_why(stopped)}", failed)
        (count, wanted), seen = deployment.task_counts, deployment.tasks
        evidence = {
            "running_tasks": count,
            "running_tasks_lower_limit": wanted,
            "desired_tasks": wanted,
            **failed,
        }
        images = deployment.images if self.digest else {}
        expected = {name: digest for name, (_, digest) in images.items()}
        problem = self._unhealthy(seen) or self._other_image(expected, seen)
        if problem:
            return Outcome.failed(problem, evidence)
        told = f"{count} of {counted(wanted, 'task')} of green run"
        starting = sum(task.status != "RUNNING" or not _known(task) for task in seen)
        if starting:
            return Outcome.wait(f"{told}, {starting} not yet healthy", evidence)
        untold = {each.name for task in seen for each in task.containers if expected.get(each.name) and not each.digest}
        if untold:
            reason = f"{told}, ECS does not tell yet which image digest container {min(untold)} runs"
            return Outcome.wait(reason, evidence)
        # Tasks that ECS counts and nobody has looked at are no pass either.
        if count < wanted or len(seen) < min(count, MOST):
            return Outcome.wait(told, evidence)
        return Outcome.passed(told, evidence)

    def _unhealthy(self, running: list[Task]) -> str:
        names = Counter(
            container.name for task in running for container in task.containers if container.health == "UNHEALTHY"
        )
        return ", ".join(f"container {name} is UNHEALTHY in {counted(count, 'task')}" for name, count in names.items())

    def _other_image(self, expected: Mapping[str, str], running: list[Task]) -> str:
        for task in running:
            for container in task.containers:
                digest = expected.get(container.name)
                if digest and container.digest not in {"", digest}:
                    return f"container {container.name} runs {container.digest}, expected {digest}"
        return ""


def _known(task: Task) -> bool:
    # A task without a health check is UNKNOWN for ever, one with it is UNKNOWN at first; its containers tell which.
    unchecked = all(container.health == "UNKNOWN" for container in task.containers)
    return bool(task.containers) and (task.health != "UNKNOWN" or unchecked)


def _has_failed(task: Task) -> bool:
    if task.stop_code == _BY_ECS:
        return bool(_UNHEALTHY.search(task.stopped_reason))
    if not task.stop_code:
        return task.status == "STOPPED" and not task.stopped_reason.startswith(_SCALING)
    return task.stop_code in _FAILURES


def _why(stopped: list[Task]) -> str:
    """Return the reasons, the most frequent ones first, with their counts where there are several."""
    reasons = Counter(map(_reason, stopped))
    if len(reasons) == 1:
        return next(iter(reasons))
    return listed([f"{count} {reason}" for reason, count in reasons.most_common()], _NAMED)


def _reason(task: Task) -> str:
    exits = [f"container {each.name} exit code {each.exit_code}" for each in task.containers if each.exit_code]
    told = [task.stop_code, task.stopped_reason[:200], *exits]
    return ", ".join(filter(None, told)) or "no reason known"
