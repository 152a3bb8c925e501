"""The tasks check: green's tasks run, are healthy, and run what was deployed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.deployment.endpoint import require_running
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS
from ecs_hooks.deployment.tasks import DESCRIBE, LIST, MOST, Task, tasks
from ecs_hooks.outcome import Outcome

if TYPE_CHECKING:
    from ecs_hooks.deployment.actions import SharedActions

_FAILURES = {"TaskFailedToStart", "EssentialContainerExited"}
"""`stopCode`s of a task that did not end because somebody wanted it to."""


class TasksCheck(Check):
    """Compares green's tasks with what ECS was asked for.

    Tasks that are still to start, and containers whose health is not known yet, are waited for.
    """

    type: Literal["tasks"] = "tasks"
    max_failed: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Tasks of green that may have stopped by themselves, such as through a crash."""
    digest: bool = True
    """Whether containers must run the image digest that ECS resolved for the revision."""

    @property
    def needs_running(self) -> bool:
        """Always."""
        return True

    def actions(self, shared: SharedActions) -> frozenset[str]:
        """Return those for tasks and how many there should be, and for green's images where they are compared."""
        return frozenset(
            {LIST, DESCRIBE, DEPLOYMENTS, *([REVISIONS] if self.digest else [])} if shared.green_runs else ()
        )

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        require_running(context.stage)
        deployment = context.deployment
        stopped = [task for task in tasks(deployment.target, "STOPPED") if task.stop_code in _FAILURES]
        if len(stopped) > self.max_failed:
            return Outcome.failed(
                f"{_tasks(len(stopped))} of green stopped: {_why(stopped)}", {"failed_tasks": len(stopped)}
            )
        (count, wanted), seen = deployment.task_counts, deployment.tasks
        evidence = {"running_tasks": count, "desired_tasks": wanted, "failed_tasks": len(stopped)}
        problem = self._unhealthy(seen) or (self._other_image(context, seen) if self.digest else "")
        if problem:
            return Outcome.failed(problem, evidence)
        told = f"{count} of {_tasks(wanted)} of green run"
        starting = sum(task.status != "RUNNING" or not _known(task) for task in seen)
        if starting:
            return Outcome.wait(f"{told}, {starting} not yet healthy", evidence)
        # Tasks that ECS counts and nobody has looked at are no pass either.
        if count < wanted or len(seen) < min(count, MOST):
            return Outcome.wait(told, evidence)
        return Outcome.passed(told, evidence)

    def _unhealthy(self, running: list[Task]) -> str:
        names = Counter(
            container.name for task in running for container in task.containers if container.health == "UNHEALTHY"
        )
        return ", ".join(f"container {name} is UNHEALTHY in {_tasks(count)}" for name, count in names.items())

    def _other_image(self, context: CheckContext, running: list[Task]) -> str:
        images = context.deployment.green.images
        for task in running:
            for container in task.containers:
                _, expected = images.get(container.name, ("", ""))
                if expected and container.digest and container.digest != expected:
                    return f"container {container.name} runs {container.digest}, expected {expected}"
        return ""


def _known(task: Task) -> bool:
    # A task without a health check is UNKNOWN for ever, one with it is UNKNOWN at first; its containers tell which.
    return task.health != "UNKNOWN" or all(container.health == "UNKNOWN" for container in task.containers)


def _why(stopped: list[Task]) -> str:
    task = stopped[0]
    exits = [f"container {each.name} exit code {each.exit_code}" for each in task.containers if each.exit_code]
    return ", ".join([task.stop_code, task.stopped_reason[:200], *exits])


def _tasks(count: int) -> str:
    return f"{count} task{'' if count == 1 else 's'}"
