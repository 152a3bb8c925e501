"""One deployment of CodeDeploy from its first lifecycle event to its last, and back where it has to.

Source: CodeDeploy user guide, "AppSpec 'hooks' section", "Deployments on an Amazon ECS compute platform", "Redeploy and
roll back a deployment".
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform
from ecs_hooks_simulator.codedeploy.environment import DeploymentEndedError, alarmed, not_continued, stopped
from ecs_hooks_simulator.codedeploy.lifecycle import (
    BEFORE_ALLOW_TRAFFIC,
    BEFORE_INSTALL,
    EVENTS,
    STAGES,
    LifecycleEvent,
)
from ecs_hooks_simulator.codedeploy.lifecycle_run import LifecycleRun
from ecs_hooks_simulator.codedeploy.platforms import PLATFORMS
from ecs_hooks_simulator.codedeploy.record import DeploymentStatus
from ecs_hooks_simulator.codedeploy.rollback_run import RollbackRun, rollback_of
from ecs_hooks_simulator.codedeploy.undocumented import Increments
from ecs_hooks_simulator.core.faults import STAGES as FAULT_STAGES
from ecs_hooks_simulator.core.faults import FaultKind, FaultSchedule
from ecs_hooks_simulator.core.invocation import uninterrupted
from ecs_hooks_simulator.core.race import race
from ecs_hooks_simulator.core.timeline import FaultInjected

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.environment import Surroundings
    from ecs_hooks_simulator.codedeploy.record import Deployment
    from ecs_hooks_simulator.core.faults import Fault

POLL = 20
"""Seconds between two looks at the alarms; not documented."""
_EARLY = tuple(str(each) for each in FAULT_STAGES[: FAULT_STAGES.index(STAGES[BEFORE_ALLOW_TRAFFIC]) + 1])
"""Stages at which a fault can begin that are all one to a function: its new version is there from the beginning."""


class DeploymentRun(LifecycleRun):
    """Plays one deployment; must be made inside the event loop of the clock.

    Parameters
    ----------
    deployment
        Its record, Created.
    faults
        What goes wrong in green on the way.
    surroundings
        What it acts on.
    """

    def __init__(self, deployment: Deployment, *, faults: Sequence[Fault] = (), surroundings: Surroundings) -> None:
        super().__init__(deployment, surroundings)
        deployment.events = [LifecycleEvent(name=name) for name in EVENTS[deployment.group.platform]]
        self._faults = FaultSchedule(faults)
        self._loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        self._stop_rolls_back = False
        self._continued = asyncio.Event()
        kind = PLATFORMS[deployment.group.platform]
        self._platform = kind(deployment, surroundings, lambda percent: self._inject(percent=percent), self._bake)
        self._reached = ""

    def stop(self, *, rolls_back: bool) -> None:
        """Stop the deployment, from any thread."""
        self._stop_rolls_back = rolls_back
        self._loop.call_soon_threadsafe(self._stop_asked.set)

    def go_on(self) -> None:
        """End the wait that the deployment is in, from any thread."""
        self._loop.call_soon_threadsafe(self._continued.set)

    async def play(self) -> None:
        """Play the deployment to a terminal status, and the one that rolls it back."""
        self._create()
        for status in (DeploymentStatus.CREATED, DeploymentStatus.QUEUED, DeploymentStatus.IN_PROGRESS):
            self._set_status(status)
        self.deployment.started_at = self._around.clock.now()
        try:
            await self._unless_ended(self._forward())
        except DeploymentEndedError as ended:
            await self._fail(ended)
            return
        self._finish(DeploymentStatus.SUCCEEDED)

    async def _forward(self) -> None:
        await self._platform.begin()
        for event in self.deployment.events:
            self._reached = event.name
            if event.name == BEFORE_ALLOW_TRAFFIC and self.deployment.group.ready_wait_minutes is not None:
                await self._be_ready(self.deployment.group.ready_wait_minutes)
            await self._event(event)
        await self._inject("BAKE_TIME")
        await self._platform.finish()

    async def _work(self, event: LifecycleEvent) -> None:
        await self._inject(STAGES[event.name])
        await self._platform.work(event.name)

    async def _be_ready(self, minutes: int) -> None:
        """Wait for somebody to have the traffic shifted."""
        self._set_status(DeploymentStatus.READY)
        self._continued.clear()
        try:
            async with asyncio.timeout(minutes * 60):
                await self._continued.wait()
        except TimeoutError:
            raise not_continued() from None
        self._set_status(DeploymentStatus.IN_PROGRESS)

    async def _bake(self, seconds: float) -> None:
        """Wait between two increments, or until blue may be terminated."""
        if not seconds:
            return
        self._continued.clear()
        baking = self._around.behaviour.increments is Increments.BAKING
        if baking:
            self._set_status(DeploymentStatus.BAKING)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._continued.wait()
        if baking:
            self._set_status(DeploymentStatus.IN_PROGRESS)

    async def _unless_ended(self, work: Coroutine[Any, Any, None]) -> None:
        """Play, unless an alarm or somebody stops the deployment."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._stop_asked.wait())
        alarm = asyncio.create_task(self._alarmed())
        if await race(task, asked, alarm):
            raise stopped() if self._stop_asked.is_set() else alarmed(self.deployment.triggered)

    async def _alarmed(self) -> None:
        """Return when an alarm of the deployment group is in ALARM; one that was so before stops a deployment, too."""
        # Not at the very moments at which CloudWatch evaluates or a hook is asked, so that it is plain who was first.
        await asyncio.sleep(POLL / 2)
        names, alarms = self.deployment.group.alarms, self._around.alarms
        while not self.deployment.triggered:
            states = {} if alarms is None else alarms.states(names)
            self.deployment.triggered = [name for name in names if states.get(name) == "ALARM"]
            if not self.deployment.triggered:
                await asyncio.sleep(POLL)

    async def _fail(self, ended: DeploymentEndedError) -> None:
        deployment, group = self.deployment, self.deployment.group
        self._abandon(ended)
        wanted = ended.because in group.rollback_events or (self._stop_asked.is_set() and self._stop_rolls_back)
        # "A rollback is not possible at this point": nothing was made yet that could be taken back.
        possible = deployment.sources and self._reached not in {"", BEFORE_INSTALL}
        if wanted and possible:
            deployment.rollback = rollback_of(deployment, self._around)
        self._finish(ended.status)
        if deployment.rollback is not None:
            await RollbackRun(deployment.rollback, self._platform, self._around).play()

    async def _inject(self, stage: str | None = None, percent: float = 0) -> None:
        """Begin with the faults whose time has come."""
        versions = self.deployment.group.platform is ComputePlatform.LAMBDA
        stages = _EARLY if versions and stage == STAGES[BEFORE_ALLOW_TRAFFIC] else (stage,)
        due = [fault for each in stages for fault in self._faults.due(stage=each, percent=percent)]
        around, green = self._around, self.deployment.target
        for fault in due:
            await uninterrupted(around.clock, partial(around.tasks.inject, green, fault))
            if fault.kind is FaultKind.CRASH:
                around.crashed[green.arn] = around.clock.now()
            share = self.deployment.weights["production"].get(green.arn, 0)
            told: dict[str, Any] = {"fault": fault.what, "planned": str(fault), "stage": self._reached}
            self._emit(FaultInjected(**self._moment(), **told, revision=green.arn, percent=share))
