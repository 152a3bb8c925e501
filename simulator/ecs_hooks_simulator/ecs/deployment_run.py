"""One service deployment from its first stage to its last, and back where it has to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.race import race
from ecs_hooks_simulator.core.record import DeploymentStatus, Rollback
from ecs_hooks_simulator.core.strategy import Step
from ecs_hooks_simulator.core.timeline import StatusChanged
from ecs_hooks_simulator.ecs import reasons
from ecs_hooks_simulator.ecs.alarm_watch import AlarmWatch
from ecs_hooks_simulator.ecs.base_run import BaseRun
from ecs_hooks_simulator.ecs.eventbridge import deployment_event
from ecs_hooks_simulator.ecs.hooks import HooksRunner
from ecs_hooks_simulator.ecs.payload import weights_at
from ecs_hooks_simulator.ecs.reasons import RollbackNeededError
from ecs_hooks_simulator.ecs.undocumented import (
    FirstSteps,
    RollbackFailure,
    RollbackInvocation,
    ShiftOrder,
    StepRollback,
    StepWeights,
)

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.errors import TasksFailedError
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import ServiceRevision
    from ecs_hooks_simulator.core.protocols import ListenerKind
    from ecs_hooks_simulator.core.record import ServiceDeployment
    from ecs_hooks_simulator.ecs.controller import DeploymentController

LONGEST_DEPLOYMENT = 30 * 86_400
"""Seconds: a deployment lasts at most 30 days."""
LONGEST_STAGE = 86_400
"""Seconds: a stage lasts at most 24 hours."""
NLB_DELAY = 600
"""Seconds that a Network Load Balancer adds to each traffic shift."""
SCALE_UP, BAKE_TIME, CLEAN_UP = "SCALE_UP", "BAKE_TIME", "CLEAN_UP"
"""The three stages that accept no hook."""


class DeploymentRun(BaseRun):
    """Plays one deployment; must be made inside the event loop of the clock.

    Parameters
    ----------
    deployment
        Its record, PENDING. The first of its sources has the production traffic; RECONCILE_SERVICE ends the others.
    controller, faults
        As of `BaseRun`.

    Attributes
    ----------
    active
        The revisions that are active afterwards, the one with the production traffic (or the last that had it
        successfully) first.
    """

    deployment: ServiceDeployment
    _controller: DeploymentController
    longest_start = LONGEST_STAGE
    longest_poll = 600

    def __init__(
        self, deployment: ServiceDeployment, controller: DeploymentController, faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(deployment, controller, faults)
        self.active: list[ServiceRevision] = list(deployment.sources)
        self._others = deployment.sources[1:]
        self._alarms = AlarmWatch(deployment, controller)
        self._stop_asked = asyncio.Event()
        self._stop_status: DeploymentStatus | None = None
        self._reached: set[str] = set()
        self._before = 0.0
        self._shifted = [0.0]
        self.hooks = HooksRunner(
            deployment,
            clock=controller.clock,
            behaviour=controller.behaviour,
            timeline=controller.timeline,
            lock=controller.lock,
        )
        deployment.weights = {"test": {}, "production": self._split(0)}

    def stop(self, status: DeploymentStatus) -> None:
        """Ask the deployment to end, from any thread: ROLLBACK_REQUESTED or STOP_REQUESTED; once it ends, no effect."""
        with self._controller.lock:
            if self._stop_status or self.deployment.status not in {"PENDING", "IN_PROGRESS"}:
                return
            self._stop_status = self.deployment.status = status
        self._loop.call_soon_threadsafe(self._stop_asked.set)

    async def play(self) -> None:
        """Play the deployment to a terminal status."""
        deployment = self.deployment
        self._emit_status()
        deployment.started_at = self._controller.clock.now()
        with self._controller.lock:
            begin = self._stop_status is None
            if begin:
                deployment.status = DeploymentStatus.IN_PROGRESS
        try:
            if begin:
                self._emit_status()
                self._alarms.begin()
                await self._unless_stopped(self._forward())
            self._succeed()
        except RollbackNeededError as failure:
            if self._stop_status is not None:
                self._emit_status()
            await self._end_badly(failure)

    async def _forward(self) -> None:
        """All stages, the two about production traffic once for each step."""
        if self._others:
            await self._stage(Stage.RECONCILE_SERVICE)
            await self._reconcile()
        await self._stage(Stage.PRE_SCALE_UP)
        await self._stage(SCALE_UP, partial(self._start_tasks, self.deployment.target))
        await self._stage(Stage.POST_SCALE_UP)
        await self._shift(Stage.TEST_TRAFFIC_SHIFT, "test", 100)
        await self._stage(Stage.POST_TEST_TRAFFIC_SHIFT)
        for step in self._steps:
            after = self._controller.behaviour.step_weights is StepWeights.AFTER
            self._before = step.percent if after else self._shifted[-1]
            await self._stage(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT)
            self._alarms.shift()
            self._shifted.append(step.percent)
            await self._shift(Stage.PRODUCTION_TRAFFIC_SHIFT, "production", step.percent)
            await asyncio.sleep(step.bake_minutes * 60)
        await self._stage(Stage.POST_PRODUCTION_TRAFFIC_SHIFT)
        await self._stage(BAKE_TIME, partial(asyncio.sleep, self.deployment.service.bake_time_minutes * 60))
        await self._stage(CLEAN_UP, self._clean_up)

    @property
    def _steps(self) -> list[Step]:
        if self._blue is None and self._controller.behaviour.first_steps is FirstSteps.ONE:
            return [Step(100, 0)]
        return self.deployment.service.steps

    async def _end_badly(self, failure: RollbackNeededError) -> None:
        deployment, clock, reason = self.deployment, self._controller.clock, failure.reason
        self._alarms.end()
        aborted = self._stop_status is DeploymentStatus.STOP_REQUESTED
        if aborted or not failure.possible:
            self.active.append(deployment.target)
            deployment.stopped_at = clock.now()
            self._finish(DeploymentStatus.STOPPED, reasons.ABORTED if aborted else reason)
            return
        deployment.rollback = Rollback(reason=reason, started_at=clock.now(), service_revision_arn=self._blue_arn)
        if self._blue is None:
            await self._stop_tasks(deployment.target)
            self._finish(DeploymentStatus.ROLLBACK_FAILED, reasons.NO_CANDIDATE)
            return
        self._set_status(DeploymentStatus.ROLLBACK_IN_PROGRESS, reason)
        try:
            await self._roll_back(self._blue)
        except RollbackNeededError as another:
            self.active.append(deployment.target)
            self._finish(DeploymentStatus.ROLLBACK_FAILED, another.reason)
            return
        self._finish(DeploymentStatus.ROLLBACK_SUCCESSFUL, reason)

    async def _roll_back(self, blue: ServiceRevision) -> None:
        if CLEAN_UP in self._reached:
            await self._start_tasks(blue)
        always = self._controller.behaviour.rollback_invocation is RollbackInvocation.ALWAYS
        # Production first: every moment on green costs.
        if always or Stage.PRODUCTION_TRAFFIC_SHIFT in self._reached:
            for percent in self._way_back():
                await self._shift(Stage.PRODUCTION_TRAFFIC_SHIFT, "production", percent, rollback=True)
        if always or Stage.TEST_TRAFFIC_SHIFT in self._reached:
            await self._shift(Stage.TEST_TRAFFIC_SHIFT, "test", 0, rollback=True)
        if SCALE_UP in self._reached:
            self._enter(CLEAN_UP, rollback=True)
            await self._stop_tasks(self.deployment.target)

    def _way_back(self) -> list[float]:
        """Return green's shares of the production traffic on its way back to none."""
        if self._controller.behaviour.step_rollback is StepRollback.STEPWISE and len(self._shifted) > 1:
            return self._shifted[-2::-1]
        return [0]

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stop_asked.wait())
        alarmed = asyncio.create_task(self._alarms.triggered())
        over = await race(task, stopped, alarmed, seconds=LONGEST_DEPLOYMENT)
        if over and self._stop_status is None and not alarmed.cancelled():
            alarmed.result()
            raise self._alarms.failure
        if over:
            raise RollbackNeededError(reasons.STOPPED if self._stop_status else reasons.TOO_LONG)

    async def _stage(
        self,
        stage: str,
        work: Callable[[], Awaitable[None]] | None = None,
        *,
        rollback: bool = False,
        percent: float | None = None,
    ) -> None:
        """Enter a stage, do its work, and run its hooks to the end.

        `percent` is what green's share is shifted to, for the event.
        """
        self._enter(stage, rollback=rollback)
        if not rollback:
            await self._inject(stage)
        if work is not None:
            await work()
        await self._run_hooks(stage, rollback=rollback, percent=percent)

    async def _shift(self, stage: str, kind: ListenerKind, percent: float, *, rollback: bool = False) -> None:
        """Run a stage that shifts traffic, with its hooks before or after the weights are rewritten."""
        weights = self._split(percent)
        move = partial(self._shift_traffic, kind, weights)
        if rollback and stage not in self._reached:
            # Nothing was shifted that could be shifted back: the hooks are all there is.
            await self._stage(stage, rollback=True, percent=percent)
        elif self._controller.behaviour.shift_order is ShiftOrder.HOOK_BEFORE:
            await self._stage(stage, rollback=rollback, percent=percent)
            await move()
        else:
            await self._stage(stage, move, rollback=rollback, percent=percent)

    async def _run_hooks(self, stage: str, *, rollback: bool, percent: float | None) -> None:
        weights = weights_at(
            stage,
            green=self._green,
            blue=self._blue_arn,
            others=[revision.arn for revision in self._others],
            rollback=rollback,
            before=self._before,
            after=percent,
        )
        problems = await self.hooks.run(stage, weights, rollback=rollback)
        ignored = rollback and self._controller.behaviour.rollback_failure is RollbackFailure.IGNORED
        if problems and not ignored:
            raise RollbackNeededError(reasons.hooks_failed(stage, problems))

    async def _reconcile(self) -> None:
        """Leave one active revision: the one that a rollback would go to."""
        if self._blue is None:  # pragma: no cover - there are others only where there is one that serves
            return
        kinds: tuple[ListenerKind, ...] = ("production", "test")
        for kind in kinds:
            await self._shift_traffic(kind, {self._blue.arn: 100})
        for revision in self._others:
            await self._stop_tasks(revision)
        self.active = [self._blue]

    async def _clean_up(self) -> None:
        if self._blue is not None:
            await self._stop_tasks(self._blue)

    async def _shift_traffic(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        await super()._shift_traffic(kind, weights)
        if self.deployment.service.network_load_balancer:
            await asyncio.sleep(NLB_DELAY)

    def _succeed(self) -> None:
        with self._controller.lock:
            if self._stop_status is not None:
                raise RollbackNeededError(reasons.STOPPED)
            self.deployment.status = DeploymentStatus.SUCCESSFUL
        self.active = [self.deployment.target]
        self._alarms.end()
        self._finish(DeploymentStatus.SUCCESSFUL, None)

    def _finish(self, status: DeploymentStatus, reason: str | None) -> None:
        self.deployment.finished_at = self._controller.clock.now()
        self._set_status(status, reason)

    def _set_status(self, status: DeploymentStatus, reason: str | None) -> None:
        with self._controller.lock:
            self.deployment.status = status
            self.deployment.status_reason = reason
        self._emit_status()

    def _enter(self, stage: str, *, rollback: bool = False) -> None:
        if not rollback:
            self._reached.add(stage)
        self.deployment.lifecycle_stage = str(stage)
        super()._enter(stage, rollback=rollback)

    def _tasks_failed(self, revision: ServiceRevision, error: TasksFailedError | None) -> RollbackNeededError:
        problem = f"failed to start: {error}" if error else "were not healthy within 24 hours"
        return RollbackNeededError(reasons.tasks_failed(revision.arn, problem))

    def _emit_status(self) -> None:
        deployment = self.deployment
        event = deployment_event(deployment, self._controller.clock.now())
        self._emit(
            StatusChanged(**self._moment(), status=str(deployment.status), reason=deployment.status_reason, event=event)
        )
