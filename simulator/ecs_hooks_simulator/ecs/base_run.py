"""The steps that deployments by ECS and by CodeDeploy share: tasks, traffic, faults, and their records."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from ecs_hooks_simulator.core.clock import shielded_call
from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.faults import Fault, FaultKind, FaultSchedule
from ecs_hooks_simulator.core.protocols import ListenerKind
from ecs_hooks_simulator.core.service_deployment import ServiceRevision
from ecs_hooks_simulator.core.timeline import FaultInjected, Record, StageEntered, TasksChanged, TrafficShifted
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.events import traffic_weights

T = TypeVar("T")

_FIRST_POLL = 15
"""Seconds between the first two health checks."""


class BaseRun(ABC):
    """Plays one deployment; must be created inside the event loop of the clock.

    Parameters
    ----------
    deployment
        The deployment.
    controller
        The controller with the traffic, the tasks, the clock and the timeline.
    faults
        Faults of green, each with its beginning.
    """

    longest_start: ClassVar[int]
    """Seconds until tasks must be healthy."""
    longest_poll: ClassVar[int]
    """Longest time between two health checks, in seconds."""

    def __init__(self, deployment: Any, controller: BaseController[Any], faults: Sequence[Fault] = ()) -> None:
        self.deployment = deployment
        self._controller = controller
        self._faults = FaultSchedule(faults)
        self._loop = asyncio.get_running_loop()
        self._current_stage = ""
        self._blue: ServiceRevision | None = deployment.sources[0] if deployment.sources else None

    @property
    def _green(self) -> str:
        arn: str = self.deployment.target.arn
        return arn

    @property
    def _blue_arn(self) -> str | None:
        return self._blue.arn if self._blue else None

    def _split(self, percent: float) -> dict[str, float]:
        """Return weights with a percentage for green, and the rest for blue."""
        return traffic_weights(self._green, self._blue_arn, percent)

    @abstractmethod
    def _tasks_failed(self, revision: ServiceRevision, error: TasksFailedError | None) -> Exception:
        """Return the exception for tasks that did not start or, without an error, were not healthy in time."""

    async def _start_tasks(self, revision: ServiceRevision) -> None:
        tasks = self._controller.tasks
        try:
            await self._call(partial(tasks.start, revision))
        except TasksFailedError as error:
            self._emit_tasks(revision, "failed")
            raise self._tasks_failed(revision, error) from None
        self._controller.running_arns.add(revision.arn)
        self._emit_tasks(revision, "started")
        waited, delay = 0, _FIRST_POLL
        while not await self._call(partial(tasks.healthy, revision)):
            if waited >= self.longest_start:
                raise self._tasks_failed(revision, None)
            delay = min(delay, self.longest_poll, self.longest_start - waited)
            await asyncio.sleep(delay)
            waited += delay
            delay *= 2
        self._emit_tasks(revision, "healthy")

    async def _stop_tasks(self, revision: ServiceRevision) -> None:
        await self._call(partial(self._controller.tasks.stop, revision))
        self._controller.running_arns.discard(revision.arn)
        self._controller.crashed.pop(revision.arn, None)
        self._emit_tasks(revision, "stopped")

    async def _shift_traffic(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        await self._call(partial(self._controller.traffic.shift, kind, weights))
        self.deployment.weights[kind] = weights
        self._emit(TrafficShifted(**self._moment(), listener=kind, weights=weights))
        if kind == "production":
            await self._inject(percent=weights.get(self._green, 0))

    async def _inject(self, *stages: str, percent: float = 0) -> None:
        """Inject the faults that begin at one of the stages, or at a percentage of the production traffic."""
        controller, green = self._controller, self.deployment.target
        due = [fault for stage in stages or (None,) for fault in self._faults.due(stage=stage, percent=percent)]
        for fault in due:
            await self._call(partial(controller.tasks.inject, green, fault))
            if fault.kind is FaultKind.CRASH:
                controller.crashed[green.arn] = controller.clock.now()
            self._emit(
                FaultInjected(
                    **self._moment(),
                    fault=fault.what,
                    planned=str(fault),
                    stage=self._current_stage,
                    revision=green.arn,
                    percent=self.deployment.weights["production"].get(green.arn, 0),
                )
            )

    async def _call(self, function: Callable[[], T]) -> T:
        return await shielded_call(self._controller.clock, function)

    def _enter(self, stage: str, *, rollback: bool = False) -> None:
        self._current_stage = str(stage)
        self._emit(StageEntered(**self._moment(), stage=self._current_stage, rollback=rollback))

    def _emit_tasks(self, revision: ServiceRevision, state: str) -> None:
        self._emit(TasksChanged(**self._moment(), revision=revision.arn, state=state))

    def _moment(self) -> dict[str, Any]:
        """Return the time and the deployment of a record."""
        self.deployment.updated_at = self._controller.clock.now()
        return {"time": self.deployment.updated_at, "deployment": self.deployment.arn}

    def _emit(self, record: Record) -> None:
        self._controller.timeline.emit(record)
