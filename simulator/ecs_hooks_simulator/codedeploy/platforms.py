"""What the lifecycle events of a deployment do by themselves: to task sets behind listeners, and to versions behind an alias."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform
from ecs_hooks_simulator.codedeploy.environment import DeploymentEndedError
from ecs_hooks_simulator.codedeploy.lifecycle import ALLOW_TEST_TRAFFIC, ALLOW_TRAFFIC, INSTALL
from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.invocation import uninterrupted
from ecs_hooks_simulator.core.timeline import TasksChanged, TrafficShifted
from ecs_hooks_simulator.ecs.payload import split

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.environment import Surroundings
    from ecs_hooks_simulator.codedeploy.record import Deployment
    from ecs_hooks_simulator.core.model import ServiceRevision
    from ecs_hooks_simulator.core.protocols import ListenerKind

LONGEST_INSTALL = 3600
"""Seconds that the tasks of a task set have to become healthy; not documented."""
_POLL = 15

Baked = Callable[[float], Awaitable[None]]
"""Waits so many seconds between two increments."""


class Platform:
    """What a deployment does, beside its hooks.

    Parameters
    ----------
    deployment
        Its record.
    surroundings
        What it acts on.
    shifted
        Called whenever green has another share of the production traffic, in per cent.
    baked
        Waits between two increments.
    """

    def __init__(
        self,
        deployment: Deployment,
        surroundings: Surroundings,
        shifted: Callable[[float], Awaitable[None]],
        baked: Baked,
    ) -> None:
        self.deployment = deployment
        self._around = surroundings
        self._shifted = shifted
        self._baked = baked
        self.blue = deployment.sources[0] if deployment.sources else None
        deployment.weights = {"test": {}, "production": split(self._green, self._blue_arn, 0)}

    @property
    def _green(self) -> str:
        return self.deployment.target.arn

    @property
    def _blue_arn(self) -> str | None:
        return self.blue.arn if self.blue else None

    async def begin(self) -> None:
        """Do what is there before the first lifecycle event."""

    async def work(self, event: str) -> None:
        """Do the work of a lifecycle event.

        Raises
        ------
        DeploymentEndedError
            If it fails.
        """
        if event == ALLOW_TRAFFIC:
            for step in self.deployment.group.steps:
                await self._move("production", split(self._green, self._blue_arn, step.percent))
                await self._baked(step.bake_minutes * 60)

    async def finish(self) -> None:
        """Clean up after all went well."""
        if self.blue is not None:
            await self._stop(self.blue)

    async def roll_back(self, blue: ServiceRevision) -> None:
        """Give all traffic back to blue, and end green."""
        kinds: tuple[ListenerKind, ...] = ("production", "test")
        for kind in kinds:
            if self.deployment.weights[kind].get(self._green):
                await self._move(kind, {blue.arn: 100.0})
        if self._green in self._around.running:
            await self._stop(self.deployment.target)

    async def _move(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        await uninterrupted(self._around.clock, partial(self._around.traffic.shift, kind, weights))
        self.deployment.weights[kind] = weights
        self._around.timeline.emit(TrafficShifted(**self._moment(), listener=kind, weights=weights))
        if kind == "production":
            await self._shifted(weights.get(self._green, 0))

    async def _start(self, revision: ServiceRevision) -> None:
        around = self._around
        try:
            await uninterrupted(around.clock, partial(around.tasks.start, revision))
        except TasksFailedError as error:
            self._tell(revision, "failed")
            raise DeploymentEndedError("ECS_UPDATE_ERROR", f"The tasks failed to start: {error}") from None
        around.running.add(revision.arn)
        self._tell(revision, "started")
        waited = 0
        while not await uninterrupted(around.clock, partial(around.tasks.healthy, revision)):
            if waited >= LONGEST_INSTALL:
                raise DeploymentEndedError(
                    "TIMEOUT", "The deployment timed out while waiting for the replacement task set to become healthy"
                )
            await asyncio.sleep(_POLL)
            waited += _POLL
        self._tell(revision, "healthy")

    async def _stop(self, revision: ServiceRevision) -> None:
        await uninterrupted(self._around.clock, partial(self._around.tasks.stop, revision))
        self._around.running.discard(revision.arn)
        self._around.crashed.pop(revision.arn, None)
        self._tell(revision, "stopped")

    def _tell(self, revision: ServiceRevision, state: str) -> None:
        self._around.timeline.emit(TasksChanged(**self._moment(), revision=revision.arn, state=state))

    def _moment(self) -> dict[str, Any]:
        self.deployment.updated_at = self._around.clock.now()
        return {"time": self.deployment.updated_at, "deployment": self.deployment.arn}


class TaskSets(Platform):
    """An ECS service: a replacement task set is created, takes the test traffic, then the production traffic."""

    async def work(self, event: str) -> None:
        """Do the work of a lifecycle event."""
        if event == INSTALL:
            await self._start(self.deployment.target)
        elif event == ALLOW_TEST_TRAFFIC and self.deployment.group.test_listener:
            await self._move("test", {self._green: 100.0})
        else:
            await super().work(event)

    async def finish(self) -> None:
        """Wait, and terminate blue."""
        if self.blue is not None:
            self.deployment.terminating = True
            await self._baked(self.deployment.group.termination_wait_minutes * 60)
        await super().finish()


class FunctionVersions(Platform):
    """A Lambda function: the new version is there already, and the alias gets it.

    What the test listener leads to is the new version, from the beginning: the one way to ask it over HTTP.
    """

    async def begin(self) -> None:
        """Have the new version answer."""
        await self._start(self.deployment.target)
        await self._move("test", {self._green: 100.0})


PLATFORMS: Mapping[ComputePlatform, type[Platform]] = {
    ComputePlatform.ECS: TaskSets,
    ComputePlatform.LAMBDA: FunctionVersions,
}
