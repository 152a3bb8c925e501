"""Runs a deployment of CodeDeploy from its first lifecycle event to its last, and its rollback.

Source: CodeDeploy user guide, "AppSpec 'hooks' section", "Deployments on an Amazon ECS compute platform", "Redeploy and
roll back a deployment".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.deployment import ROLLBACK, Deployment, DeploymentStatus, deployment_id
from ecs_hooks_simulator.codedeploy.deployment_group import RollbackEvent
from ecs_hooks_simulator.codedeploy.lifecycle import (
    AFTER_ALLOW_TRAFFIC,
    ALLOW_TEST_TRAFFIC,
    ALLOW_TRAFFIC,
    BEFORE_ALLOW_TRAFFIC,
    BEFORE_INSTALL,
    EVENTS,
    INSTALL,
    STAGES,
    ComputePlatform,
    EventStatus,
    LifecycleEvent,
)
from ecs_hooks_simulator.codedeploy.lifecycle_run import DeploymentEndedError, LifecycleRun
from ecs_hooks_simulator.core.clock import race
from ecs_hooks_simulator.core.faults import STAGES as FAULT_STAGES
from ecs_hooks_simulator.ecs.alarm_watch import POLL, in_alarm

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.protocols import ListenerKind
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision

_EARLY = tuple(str(each) for each in FAULT_STAGES[: FAULT_STAGES.index(STAGES[BEFORE_ALLOW_TRAFFIC]) + 1])
"""Stages of faults that begin at the first lifecycle event of a function, whose new version exists from the start."""


class DeploymentRun(LifecycleRun):
    """Runs one deployment, its record with the status Created; must be made inside the event loop of the clock."""

    def __init__(self, deployment: Deployment, controller: CodeDeployController, faults: Sequence[Fault] = ()) -> None:
        super().__init__(deployment, controller, faults)
        deployment.events = [LifecycleEvent(name=name) for name in EVENTS[deployment.group.platform]]
        deployment.weights = {"test": {}, "production": self._split(0)}
        self._is_lambda = deployment.group.platform is ComputePlatform.LAMBDA
        self._stopped = asyncio.Event()
        self._stop_rolls_back = False
        self._continued = asyncio.Event()

    def stop(self, *, rolls_back: bool) -> None:
        """Stop the deployment, from any thread."""
        self._stop_rolls_back = rolls_back
        self._loop.call_soon_threadsafe(self._stopped.set)

    def continue_(self) -> None:
        """End the current wait, from any thread."""
        self._loop.call_soon_threadsafe(self._continued.set)

    async def play(self) -> None:
        """Run the deployment to a terminal status, and its rollback."""
        self._create()
        for status in (DeploymentStatus.CREATED, DeploymentStatus.QUEUED, DeploymentStatus.IN_PROGRESS):
            self._set_status(status)
        self.deployment.started_at = self._controller.clock.now()
        try:
            await self._unless_stopped(self._forward())
        except DeploymentEndedError as ended:
            await self._fail(ended)
            return
        self._finish(DeploymentStatus.SUCCEEDED)

    async def _forward(self) -> None:
        deployment = self.deployment
        if self._is_lambda:
            # The new version exists before the deployment. The test listener is the only way to reach it over HTTP.
            await self._start_tasks(deployment.target)
            await self._shift_traffic("test", {self._green: 100.0})
        for event in deployment.events:
            if event.name == BEFORE_ALLOW_TRAFFIC and deployment.group.ready_wait_minutes is not None:
                await self._wait_until_continued(deployment.group.ready_wait_minutes)
            await self._run_event(event)
        await self._inject("BAKE_TIME")
        if self._blue is not None:
            if not self._is_lambda:
                deployment.terminating = True
                await self._bake(deployment.group.termination_wait_minutes)
            await self._stop_tasks(self._blue)

    async def _work(self, event: LifecycleEvent) -> None:
        first = self._is_lambda and event.name == BEFORE_ALLOW_TRAFFIC
        await self._inject(*(_EARLY if first else (STAGES[event.name],)))
        if event.name == INSTALL:
            await self._start_tasks(self.deployment.target)
        elif event.name == ALLOW_TEST_TRAFFIC and self.deployment.group.test_listener:
            await self._shift_traffic("test", {self._green: 100.0})
        elif event.name == ALLOW_TRAFFIC:
            for step in self.deployment.group.steps:
                await self._shift_traffic("production", self._split(step.percent))
                await self._bake(step.bake_minutes)

    async def _wait_until_continued(self, minutes: int) -> None:
        self._set_status(DeploymentStatus.READY)
        self._continued.clear()
        try:
            async with asyncio.timeout(minutes * 60):
                await self._continued.wait()
        except TimeoutError:
            raise DeploymentEndedError(
                "TIMEOUT",
                "The deployment was stopped because it was not continued within its wait time.",
                status=DeploymentStatus.STOPPED,
                rollback_event=RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST,
            ) from None
        self._set_status(DeploymentStatus.IN_PROGRESS)

    async def _bake(self, minutes: float) -> None:
        """Wait for the next increment, or for the end of blue."""
        if not minutes:
            return
        self._continued.clear()
        baking = self._controller.behaviour.increments == "baking"
        if baking:
            self._set_status(DeploymentStatus.BAKING)
        with suppress(TimeoutError):
            async with asyncio.timeout(minutes * 60):
                await self._continued.wait()
        if baking:
            self._set_status(DeploymentStatus.IN_PROGRESS)

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the deployment until it ends, or an alarm or a request stops it."""
        task = asyncio.create_task(work)
        if not await race(task, asyncio.create_task(self._stopped.wait()), asyncio.create_task(self._alarmed())):
            return
        if self._stopped.is_set():
            raise DeploymentEndedError(
                "MANUAL_STOP",
                "The deployment has been stopped by a StopDeployment request.",
                status=DeploymentStatus.STOPPED,
                rollback_event=RollbackEvent.DEPLOYMENT_STOP_ON_REQUEST,
            )
        # CodeDeploy user guide, "Monitoring deployments".
        raise DeploymentEndedError(
            "ALARM_ACTIVE",
            "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
            f"affected deployments have been stopped. Activated alarms: {', '.join(self.deployment.triggered)}",
            status=DeploymentStatus.STOPPED,
            rollback_event=RollbackEvent.DEPLOYMENT_STOP_ON_ALARM,
        )

    async def _alarmed(self) -> None:
        """Return when an alarm of the deployment group is in ALARM, also one that was so before the deployment."""
        # Between the evaluations of alarms and the calls of hooks, so that their order is always the same.
        await asyncio.sleep(POLL / 2)
        while True:
            self.deployment.triggered = in_alarm(self._controller.alarms, self.deployment.group.alarms)
            if self.deployment.triggered:
                return
            await asyncio.sleep(POLL)

    async def _fail(self, ended: DeploymentEndedError) -> None:
        deployment = self.deployment
        self._abandon(ended)
        wanted = ended.rollback_event in deployment.group.rollback_events or (
            self._stopped.is_set() and self._stop_rolls_back
        )
        # "A rollback is not possible at this point": before Install, there is nothing to roll back.
        if wanted and self._blue is not None and self._current_stage not in {"", BEFORE_INSTALL}:
            deployment.rollback = self._rollback(self._blue)
        self._finish(ended.status)
        if deployment.rollback is not None:
            await RollbackRun(deployment.rollback, self._controller, self._roll_back).play()

    def _rollback(self, blue: ServiceRevision) -> Deployment:
        """Return the record of the rollback.

        "CodeDeploy rolls back deployments by redeploying a previously deployed revision of an application as a new
        deployment" (CodeDeploy user guide).
        """
        hooked = self._controller.behaviour.rollback_hooks == "run"
        played = {BEFORE_ALLOW_TRAFFIC, ALLOW_TRAFFIC, AFTER_ALLOW_TRAFFIC} if hooked else {ALLOW_TRAFFIC}
        deployment, now = self.deployment, self._controller.clock.now()
        return Deployment(
            id=deployment_id(),
            group=deployment.group,
            service=deployment.service,
            target=blue,
            sources=(deployment.target,),
            created_at=now,
            updated_at=now,
            creator=ROLLBACK,
            events=[
                LifecycleEvent(
                    name=each.name, status=EventStatus.PENDING if each.name in played else EventStatus.SKIPPED
                )
                for each in deployment.events
            ],
            rolled_back=deployment,
            weights=deployment.weights,
        )

    async def _roll_back(self, blue: ServiceRevision) -> None:
        """Shift all traffic back to blue, and stop green."""
        kinds: tuple[ListenerKind, ...] = ("production", "test")
        for kind in kinds:
            if self.deployment.weights[kind].get(self._green):
                await self._shift_traffic(kind, {blue.arn: 100.0})
        if self._green in self._controller.running_arns:
            await self._stop_tasks(self.deployment.target)


class RollbackRun(LifecycleRun):
    """Runs a rollback; `roll_back` shifts the traffic of the failed deployment back to a revision."""

    def __init__(
        self,
        deployment: Deployment,
        controller: CodeDeployController,
        roll_back: Callable[[ServiceRevision], Awaitable[None]],
    ) -> None:
        super().__init__(deployment, controller)
        self._roll_back = roll_back

    async def play(self) -> None:
        """Run it to a terminal status."""
        self._create()
        self._set_status(DeploymentStatus.IN_PROGRESS)
        self.deployment.started_at = self._controller.clock.now()
        try:
            for event in self.deployment.events:
                if event.status is EventStatus.PENDING:
                    await self._run_event(event)
        except DeploymentEndedError as ended:
            self._abandon(ended)
            self._finish(DeploymentStatus.FAILED)
            return
        self._finish(DeploymentStatus.SUCCEEDED)

    async def _work(self, event: LifecycleEvent) -> None:
        if event.name == ALLOW_TRAFFIC:
            await self._roll_back(self.deployment.target)
