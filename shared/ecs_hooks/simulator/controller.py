"""ECS's deployment controller, played in virtual time.

Example
-------
A hook that waits once, and the deployment that it lets pass:

>>> from ecs_hooks.simulator import CallableTarget, DeploymentController, LifecycleHook, Service
>>> def lambda_handler(event, context):
...     if "asked" not in event.get("hookDetails", {}):
...         return {"hookStatus": "IN_PROGRESS", "callBackDelay": 3600, "hookDetails": {"asked": True}}
...     return {"hookStatus": "SUCCEEDED"}
>>> hook = LifecycleHook(target=CallableTarget(lambda_handler), lifecycle_stages=["POST_TEST_TRAFFIC_SHIFT"])
>>> controller = DeploymentController(Service(service="api", lifecycle_hooks=[hook]))
>>> blue = controller.adopt(image="api:1")
>>> deployment = controller.deploy(image="api:2")
>>> str(deployment.status)
'SUCCESSFUL'
>>> deployment.finished_at - deployment.created_at == 3600 + 15 * 60
True
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks import clock as library_clock
from ecs_hooks.simulator import ids
from ecs_hooks.simulator.api import DeploymentsApi
from ecs_hooks.simulator.behaviour import Behaviour
from ecs_hooks.simulator.clock import SimulationClock, VirtualClock
from ecs_hooks.simulator.deployment_run import DeploymentRun
from ecs_hooks.simulator.model import ServiceRevision, TargetGroup
from ecs_hooks.simulator.record import ServiceDeployment, WatchedAlarms
from ecs_hooks.simulator.surroundings import MemoryTasks, MemoryTraffic, Surroundings
from ecs_hooks.simulator.timeline import AlarmStateChanged, TasksChanged, Timeline, TrafficShifted

if TYPE_CHECKING:
    from ecs_hooks.simulator.faults import Fault
    from ecs_hooks.simulator.model import Service
    from ecs_hooks.simulator.protocols import Alarms, ListenerKind, ServiceDeployments, Tasks, Traffic

Action = Callable[[ServiceDeployment], object]
EVALUATION = 60
"""Seconds between two evaluations of an alarm whose periods are minutes (CloudWatch user guide)."""
AFTER_THE_MINUTE = 5
"""Seconds: an evaluation is no race with users, steps and hooks, which come at full and half minutes."""


class DeploymentController:
    """Deploys revisions of one service, one after the other.

    Parameters
    ----------
    service
        The service. May be replaced between two deployments, as UpdateService would (`controller.service = ...`).
    traffic, tasks
        The load balancer and the tasks; by default they exist only in memory.
    alarms
        CloudWatch's alarms; none by default.
    clock
        A `VirtualClock` by default; a `RealClock` for hooks in other processes.
    behaviour
        How ECS behaves where its documentation is silent.
    timeline
        Where records of what happens go.

    Attributes
    ----------
    deployments : ServiceDeployments
        The operations of the ECS API on these deployments; safe to call from hooks and other threads.
    timeline : Timeline
        What happened; `timeline.subscribe` to hear it as it happens.
    crashed : dict[str, float]
        When the tasks of a revision have crashed, by its ARN, for those that ECS tries to start again and again.
    """

    def __init__(
        self,
        service: Service,
        *,
        traffic: Traffic | None = None,
        tasks: Tasks | None = None,
        alarms: Alarms | None = None,
        clock: SimulationClock | None = None,
        behaviour: Behaviour | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.service = service
        self.clock: SimulationClock = clock or VirtualClock()
        self.behaviour = behaviour or Behaviour()
        self.timeline = timeline or Timeline()
        lock = threading.RLock()
        self._around = Surroundings(
            traffic=traffic or MemoryTraffic(),
            tasks=tasks or MemoryTasks(),
            alarms=alarms,
            clock=self.clock,
            behaviour=self.behaviour,
            timeline=self.timeline,
            lock=lock,
        )
        self._active: list[ServiceRevision] = []
        self._running: set[str] = set()
        self.crashed: dict[str, float] = {}
        self._actions: list[tuple[float, Action]] = []
        self._habits: list[tuple[float, float, Action]] = []
        self._versions = 0
        self._playing = threading.Lock()
        self._api = DeploymentsApi(lambda: self.service, self.behaviour, lock, self._running)
        self.deployments: ServiceDeployments = self._api

    @property
    def active(self) -> Sequence[ServiceRevision]:
        """The active revisions; the first has the production traffic."""
        return tuple(self._active)

    @property
    def revisions(self) -> Sequence[ServiceRevision]:
        """Every revision that there ever was, oldest first."""
        return self._api.revisions

    @property
    def running(self) -> Sequence[ServiceRevision]:
        """The revisions that have tasks."""
        return [revision for revision in self.revisions if revision.arn in self._running]

    @property
    def history(self) -> Sequence[ServiceDeployment]:
        """All deployments, oldest first; the last may be running."""
        return tuple(self._api.all())

    def adopt(
        self, *, image: str = "", task_definition: str = "", settings: Mapping[str, Any] | None = None
    ) -> ServiceRevision:
        """Make a revision active without a deployment, as if it had been there before the story begins.

        The first one gets all traffic. Further ones get none, and make the next deployment begin with
        RECONCILE_SERVICE.
        """
        revision = self._new_revision(image, task_definition, settings)
        self._around.tasks.start(revision)
        self._running.add(revision.arn)
        self._emit_adopted(revision)
        self._active.append(revision)
        return revision

    def at(self, seconds: float, action: Action) -> None:
        """Call `action(deployment)` so many seconds after the start of the next deployment.

        It runs in a thread of its own while virtual time stands still, and may call the ECS operations, over HTTP too.
        What it raises is raised by `deploy`. Nothing happens where the deployment ends earlier.
        """
        self._actions.append((seconds, action))

    def every(self, seconds: float, action: Action, *, first: float | None = None) -> None:
        """Call `action(deployment)` again and again during each deployment from now on, like `at` otherwise.

        Parameters
        ----------
        seconds
            Between two calls.
        action
            What to call.
        first
            Seconds from the start of a deployment to the first call; as many as between two where None is given.
        """
        self._habits.append((seconds if first is None else first, seconds, action))

    def deploy(
        self,
        *,
        image: str = "",
        task_definition: str = "",
        settings: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> ServiceDeployment:
        """Deploy a new revision and return when the deployment is over.

        Parameters
        ----------
        image, task_definition
            Of the new revision; a task definition ARN is made up where none is given.
        settings
            For `Tasks`, such as the command to run.
        faults
            What goes wrong in its tasks at which step of the deployment.

        Returns
        -------
        The deployment, in a terminal status.

        Raises
        ------
        FaultError
            If the deployment never comes to where a fault begins.
        RuntimeError
            If a deployment is running, or this is called from a coroutine.
        """
        for fault in faults:
            fault.check(self.service)
        if not self._playing.acquire(blocking=False):
            message = "a deployment of this service is running; the simulator plays one at a time"
            raise RuntimeError(message)
        try:
            with library_clock.use(self.clock.now):
                return self.clock.run(self._deploy(self._new_revision(image, task_definition, settings), faults))
        finally:
            self._actions.clear()
            self._playing.release()

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> ServiceDeployment:
        now = self.clock.now()
        deployment = ServiceDeployment(
            arn=self.service.deployment_arn(ids.deployment_id()),
            service=self.service,
            target=target,
            sources=tuple(self._active),
            created_at=now,
            updated_at=now,
            running=self._running,
            crashed=self.crashed,
            alarms=WatchedAlarms(names=self.service.alarms.alarm_names if self.service.alarms else ()),
        )
        blue = self._active[0] if self._active else None
        others = self._active[1:]
        run = DeploymentRun(deployment, blue=blue, others=others, faults=faults, surroundings=self._around)
        self._api.add_deployment(deployment, run)
        actions = [asyncio.create_task(self._act(deployment, *planned)) for planned in self._actions]
        actions += [
            asyncio.create_task(self._act(deployment, first, action, again=again))
            for first, again, action in self._habits
        ]
        if self._around.alarms is not None:
            actions.append(asyncio.create_task(self._evaluate(self._around.alarms, deployment)))
        playing = asyncio.create_task(run.play())
        try:
            await self._until_played(playing, actions)
        finally:
            self._active = run.active
            for task in (*actions, playing):
                task.cancel()
            await asyncio.wait({playing, *actions})
        return deployment

    async def _until_played(self, playing: asyncio.Task[None], actions: Sequence[asyncio.Task[None]]) -> None:
        pending: set[asyncio.Task[None]] = {playing, *actions}
        while not playing.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _act(self, deployment: ServiceDeployment, seconds: float, action: Action, again: float = 0) -> None:
        await asyncio.sleep(seconds)
        await self.clock.call(lambda: action(deployment))
        while again:
            await asyncio.sleep(again)
            await self.clock.call(lambda: action(deployment))

    async def _evaluate(self, alarms: Alarms, deployment: ServiceDeployment) -> None:
        await asyncio.sleep(AFTER_THE_MINUTE)
        while True:
            for change in await self.clock.call(alarms.evaluate):
                moment: dict[str, Any] = {"time": self.clock.now(), "deployment": deployment.arn}
                self.timeline.emit(AlarmStateChanged(**moment, **change._asdict()))
            await asyncio.sleep(EVALUATION)

    def _new_revision(self, image: str, task_definition: str, settings: Mapping[str, Any] | None) -> ServiceRevision:
        self._versions += 1
        service = self.service
        identifier = ids.revision_id()
        family = f"arn:{service.partition}:ecs:{service.region}:{service.account}:task-definition/{service.service}"
        revision = ServiceRevision(
            arn=service.revision_arn(identifier),
            id=identifier,
            image=image,
            task_definition=task_definition or f"{family}:{self._versions}",
            target_group=self._active[0].target_group.other if self._active else TargetGroup.PRIMARY,
            created_at=self.clock.now(),
            settings=dict(settings or {}),
        )
        self._api.add_revision(revision)
        return revision

    def _emit_adopted(self, revision: ServiceRevision) -> None:
        moment: dict[str, Any] = {"time": self.clock.now(), "deployment": ""}
        self.timeline.emit(TasksChanged(**moment, revision=revision.arn, state="started"))
        if self._active:
            return
        weights = {revision.arn: 100.0}
        kinds: tuple[ListenerKind, ...] = ("production", "test")
        for kind in kinds:
            self._around.traffic.shift(kind, weights)
            self.timeline.emit(TrafficShifted(**moment, listener=kind, weights=weights))
