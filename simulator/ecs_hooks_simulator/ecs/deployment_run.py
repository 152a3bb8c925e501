"""One service deployment from its first stage to its last, and its rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.clock import race
from ecs_hooks_simulator.core.errors import TasksFailedError
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.model import Step
from ecs_hooks_simulator.core.protocols import ListenerKind
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, Rollback, ServiceDeployment, ServiceRevision
from ecs_hooks_simulator.core.timeline import StatusChanged
from ecs_hooks_simulator.ecs import status_reasons as reasons
from ecs_hooks_simulator.ecs.alarm_watch import AlarmWatch
from ecs_hooks_simulator.ecs.base_run import BaseRun
from ecs_hooks_simulator.ecs.events import deployment_state_change, stage_weights
from ecs_hooks_simulator.ecs.hooks import HookRunner
from ecs_hooks_simulator.ecs.status_reasons import DeploymentFailedError

if TYPE_CHECKING:
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
    """Plays one deployment; must be created inside the event loop of the clock.

    Parameters
    ----------
    deployment
        The deployment, PENDING. The first of its sources has the production traffic; RECONCILE_SERVICE stops the others.
    controller, faults
        As of `BaseRun`.

    Attributes
    ----------
    active
        The revisions that are active afterwards; first the one with the production traffic, or the last that had it
        successfully.
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
        self._behaviour = controller.behaviour
        self._others = deployment.sources[1:]
        self._alarms = AlarmWatch(deployment, controller)
        self._stop_requested = asyncio.Event()
        self._stop_status: DeploymentStatus | None = None
        self._reached: set[str] = set()
        self._before = 0.0
        self._shifted = [0.0]
        self.hooks = HookRunner(deployment, controller)
        deployment.weights = {"test": {}, "production": self._split(0)}

    def stop(self, status: DeploymentStatus) -> None:
        """Request the end, from any thread: ROLLBACK_REQUESTED or STOP_REQUESTED; no effect once the deployment ends."""
        with self._controller.lock:
            if self._stop_status or self.deployment.status not in {"PENDING", "IN_PROGRESS"}:
                return
            self._stop_status = self.deployment.status = status
        self._loop.call_soon_threadsafe(self._stop_requested.set)

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
        except DeploymentFailedError as failure:
            if self._stop_status is not None:
                self._emit_status()
            await self._fail(failure)

    async def _forward(self) -> None:
        """Play all stages, the two about production traffic once for each step."""
        if self._others:
            await self._stage(Stage.RECONCILE_SERVICE)
            await self._reconcile()
        await self._stage(Stage.PRE_SCALE_UP)
        await self._stage(SCALE_UP, partial(self._start_tasks, self.deployment.target))
        await self._stage(Stage.POST_SCALE_UP)
        await self._shift(Stage.TEST_TRAFFIC_SHIFT, "test", 100)
        await self._stage(Stage.POST_TEST_TRAFFIC_SHIFT)
        for step in self._steps:
            after = self._behaviour.step_weights == "after"
            self._before = step.percent if after else self._shifted[-1]
            await self._stage(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT)
            self._alarms.production_shifts()
            self._shifted.append(step.percent)
            await self._shift(Stage.PRODUCTION_TRAFFIC_SHIFT, "production", step.percent)
            await asyncio.sleep(step.bake_minutes * 60)
        await self._stage(Stage.POST_PRODUCTION_TRAFFIC_SHIFT)
        await self._stage(BAKE_TIME, partial(asyncio.sleep, self.deployment.service.bake_time_minutes * 60))
        await self._stage(CLEAN_UP, self._clean_up)

    @property
    def _steps(self) -> list[Step]:
        if self._blue is None and self._behaviour.first_steps == "one":
            return [Step(100, 0)]
        return self.deployment.service.steps

    async def _fail(self, failure: DeploymentFailedError) -> None:
        deployment, now, reason = self.deployment, self._controller.clock.now(), failure.reason
        self._alarms.end()
        aborted = self._stop_status is DeploymentStatus.STOP_REQUESTED
        if aborted or not failure.rollback:
            self.active.append(deployment.target)
            deployment.stopped_at = now
            self._finish(DeploymentStatus.STOPPED, reasons.ABORTED if aborted else reason)
            return
        deployment.rollback = Rollback(reason=reason, started_at=now, service_revision_arn=self._blue_arn)
        if self._blue is None:
            await self._stop_tasks(deployment.target)
            self._finish(DeploymentStatus.ROLLBACK_FAILED, reasons.NO_CANDIDATE)
            return
        self._set_status(DeploymentStatus.ROLLBACK_IN_PROGRESS, reason)
        try:
            await self._roll_back(self._blue)
        except DeploymentFailedError as another:
            self.active.append(deployment.target)
            self._finish(DeploymentStatus.ROLLBACK_FAILED, another.reason)
            return
        self._finish(DeploymentStatus.ROLLBACK_SUCCESSFUL, reason)

    async def _roll_back(self, blue: ServiceRevision) -> None:
        if CLEAN_UP in self._reached:
            await self._start_tasks(blue)
        always = self._behaviour.rollback_invocation == "always"
        # Production first: users suffer until it is back on blue.
        if always or Stage.PRODUCTION_TRAFFIC_SHIFT in self._reached:
            stepwise = self._behaviour.step_rollback == "stepwise" and len(self._shifted) > 1
            for percent in self._shifted[-2::-1] if stepwise else [0]:
                await self._shift(Stage.PRODUCTION_TRAFFIC_SHIFT, "production", percent, rollback=True)
        if always or Stage.TEST_TRAFFIC_SHIFT in self._reached:
            await self._shift(Stage.TEST_TRAFFIC_SHIFT, "test", 0, rollback=True)
        if SCALE_UP in self._reached:
            self._enter(CLEAN_UP, rollback=True)
            await self._stop_tasks(self.deployment.target)

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Play until a stop request, an alarm, or the longest duration ends the deployment.

        Raises
        ------
        DeploymentFailedError
            If one of them does, or the work fails.
        """
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stop_requested.wait())
        alarm = asyncio.create_task(self._alarms.triggered())
        ended = await race(task, stopped, alarm, seconds=LONGEST_DEPLOYMENT)
        if ended and self._stop_status is None and not alarm.cancelled():
            alarm.result()
            raise self._alarms.failure
        if ended:
            raise DeploymentFailedError(reasons.STOPPED if self._stop_status else reasons.TOO_LONG)

    async def _stage(
        self,
        stage: str,
        work: Callable[[], Awaitable[None]] | None = None,
        *,
        rollback: bool = False,
        percent: float | None = None,
    ) -> None:
        """Enter a stage, do its work, and run its hooks to the end; `percent` is green's share after the shift."""
        self._enter(stage, rollback=rollback)
        if not rollback:
            await self._inject(stage)
        if work is not None:
            await work()
        weights = stage_weights(
            stage,
            green=self._green,
            blue=self._blue_arn,
            others=[revision.arn for revision in self._others],
            rollback=rollback,
            before=self._before,
            after=percent,
        )
        failures = await self.hooks.run(stage, weights, rollback=rollback)
        ignored = rollback and self._behaviour.rollback_failure == "ignored"
        if failures and not ignored:
            raise DeploymentFailedError(reasons.hooks_failed(stage, failures))

    async def _shift(self, stage: str, kind: ListenerKind, percent: float, *, rollback: bool = False) -> None:
        """Run a stage that shifts traffic, with its hooks before or after the shift."""
        move = partial(self._shift_traffic, kind, self._split(percent))
        if rollback and stage not in self._reached:
            # Without a shift there is none to revert: only the hooks run.
            await self._stage(stage, rollback=True, percent=percent)
        elif self._behaviour.shift_order == "hook-before":
            await self._stage(stage, rollback=rollback, percent=percent)
            await move()
        else:
            await self._stage(stage, move, rollback=rollback, percent=percent)

    async def _reconcile(self) -> None:
        """Leave one active revision: the target of a rollback."""
        if self._blue is None:  # pragma: no cover - there are others only beside a blue
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
                raise DeploymentFailedError(reasons.STOPPED)
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

    def _tasks_failed(self, revision: ServiceRevision, error: TasksFailedError | None) -> DeploymentFailedError:
        problem = f"failed to start: {error}" if error else "were not healthy within 24 hours"
        return DeploymentFailedError(reasons.tasks_failed(revision.arn, problem))

    def _emit_status(self) -> None:
        deployment = self.deployment
        event = deployment_state_change(deployment, self._controller.clock.now())
        self._emit(
            StatusChanged(**self._moment(), status=str(deployment.status), reason=deployment.status_reason, event=event)
        )
