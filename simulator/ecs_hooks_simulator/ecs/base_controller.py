"""The base of both deployment controllers: revisions, a clock, actions during a deployment, and tasks in memory."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ecs_hooks.core import clock as library_clock
from ecs_hooks_simulator.core.clock import Clock, VirtualClock
from ecs_hooks_simulator.core.faults import Fault, Stepped
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.protocols import Alarms, Deployed, ListenerKind, Tasks, Traffic
from ecs_hooks_simulator.core.service_deployment import ServiceRevision, TargetGroup
from ecs_hooks_simulator.core.timeline import AlarmStateChanged, TasksChanged, Timeline, TrafficShifted

D = TypeVar("D", bound=Deployed)

Action = Callable[[Any], object]
"""A function of the deployment."""
EVALUATION = 60
"""Seconds between two evaluations of an alarm whose periods are minutes (CloudWatch user guide)."""
FIRST_EVALUATION = 5
"""Seconds after the start of a deployment: users, steps and hooks act at full and half minutes, so none races with it."""


class MemoryTraffic:
    """A load balancer that only stores its weights."""

    def __init__(self) -> None:
        self.weights: dict[ListenerKind, Mapping[str, float]] = {}

    def shift(self, kind: ListenerKind, weights: Mapping[str, float]) -> None:
        """Store the weights of a listener."""
        self.weights[kind] = dict(weights)


class MemoryTasks:
    """Tasks that run nothing and are healthy at once."""

    def __init__(self) -> None:
        self.running: dict[str, ServiceRevision] = {}
        self.faults: list[tuple[str, Fault]] = []

    def start(self, revision: ServiceRevision) -> None:
        """Count the revision as running."""
        self.running[revision.arn] = revision

    def healthy(self, revision: ServiceRevision) -> bool:
        """Return whether the revision was started."""
        return revision.arn in self.running

    def inject(self, revision: ServiceRevision, fault: Fault) -> None:
        """Store the fault."""
        self.faults.append((revision.arn, fault))

    def stop(self, revision: ServiceRevision) -> None:
        """Count the revision as stopped."""
        self.running.pop(revision.arn, None)


class BaseController(ABC, Generic[D]):
    """The revisions of one service, and one deployment at a time.

    Parameters
    ----------
    service
        The service. May be replaced between two deployments, as by UpdateService (`controller.service = ...`).
    traffic, tasks
        The load balancer and the tasks; in memory only by default.
    alarms
        CloudWatch's alarms; none by default.
    clock
        A `VirtualClock` by default; a `RealClock` for hooks in other processes.
    timeline
        Receives the records of everything that happens.

    Attributes
    ----------
    crashed : dict[str, float]
        When the tasks of a revision crashed, by its ARN; the controller keeps starting them in vain.
    """

    def __init__(
        self,
        service: Service,
        *,
        traffic: Traffic | None = None,
        tasks: Tasks | None = None,
        alarms: Alarms | None = None,
        clock: Clock | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.service = service
        self.traffic: Traffic = traffic or MemoryTraffic()
        self.tasks: Tasks = tasks or MemoryTasks()
        self.alarms = alarms
        self.clock: Clock = clock or VirtualClock()
        self.timeline = timeline or Timeline()
        self.crashed: dict[str, float] = {}
        self.running_arns: set[str] = set()
        self._active: list[ServiceRevision] = []
        self._known: dict[str, ServiceRevision] = {}
        self._actions: list[tuple[float, Action, float]] = []
        self._repeated: list[tuple[float, Action, float]] = []
        self._playing = threading.Lock()

    @property
    def active(self) -> Sequence[ServiceRevision]:
        """The active revisions; the first has the production traffic."""
        return tuple(self._active)

    @property
    def revisions(self) -> Sequence[ServiceRevision]:
        """All revisions so far, oldest first."""
        return tuple(self._known.values())

    @property
    def running(self) -> Sequence[ServiceRevision]:
        """The revisions that have tasks."""
        return [revision for revision in self.revisions if revision.arn in self.running_arns]

    def adopt(
        self, *, image: str = "", task_definition: str = "", settings: Mapping[str, Any] | None = None
    ) -> ServiceRevision:
        """Make a revision active without a deployment: the state before the simulation begins.

        The first one gets all traffic. Further ones get none; with them, ECS's next deployment begins with
        RECONCILE_SERVICE.
        """
        revision = self._new_revision(image, task_definition, settings)
        self.tasks.start(revision)
        self.running_arns.add(revision.arn)
        moment: dict[str, Any] = {"time": self.clock.now(), "deployment": ""}
        self.timeline.emit(TasksChanged(**moment, revision=revision.arn, state="started"))
        if not self._active:
            weights = {revision.arn: 100.0}
            kinds: tuple[ListenerKind, ...] = ("production", "test")
            for kind in kinds:
                self.traffic.shift(kind, weights)
                self.timeline.emit(TrafficShifted(**moment, listener=kind, weights=weights))
        self._active.append(revision)
        return revision

    def at(self, seconds: float, action: Action) -> None:
        """Call `action(deployment)` that many seconds after the start of the next deployment.

        It runs in a thread of its own while virtual time stands still, and may call AWS's operations, over HTTP too.
        `deploy` raises its exceptions. An action after the end of the deployment is not called.
        """
        self._actions.append((seconds, action, 0))

    def every(self, seconds: float, action: Action, *, first: float | None = None) -> None:
        """Call `action(deployment)` repeatedly during each following deployment, like `at` otherwise.

        Parameters
        ----------
        seconds
            Between two calls.
        action
            The function.
        first
            Seconds from the start of a deployment to the first call; the same as between two by default.
        """
        self._repeated.append((seconds if first is None else first, action, seconds))

    def deploy(
        self,
        *,
        image: str = "",
        task_definition: str = "",
        settings: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> D:
        """Deploy a new revision and return the deployment when it is over, with its rollback.

        Parameters
        ----------
        image, task_definition
            Of the new revision; the ARN of the task definition is made up by default.
        settings
            Data for the implementation of `Tasks`, such as the command to run.
        faults
            Faults of its tasks, each with its beginning.

        Raises
        ------
        FaultError
            If a fault would never begin.
        RuntimeError
            If a deployment is running, or the caller is a coroutine.
        """
        for fault in faults:
            fault.check(self._stepped)
        if not self._playing.acquire(blocking=False):
            raise RuntimeError("a deployment of this service is running; the simulator plays one at a time")
        try:
            with library_clock.use(self.clock.now, is_exact=True):
                self.clock.run(self._deploy(self._new_revision(image, task_definition, settings), faults))
        finally:
            self._actions.clear()
            self._playing.release()
        return self.history[-1]

    @property
    @abstractmethod
    def history(self) -> Sequence[D]:
        """All deployments, oldest first; the last may be running."""

    @property
    @abstractmethod
    def _stepped(self) -> Stepped:
        """The configuration with the steps of production traffic."""

    @abstractmethod
    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        """Deploy a revision."""

    @abstractmethod
    def _new_ids(self) -> tuple[str, str]:
        """Return ARN and id of a new revision."""

    async def _run_with_actions(
        self, deployment: Any, played: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]
    ) -> None:
        """Play a deployment to its end, in parallel to the actions, CloudWatch and others."""
        parallel = [self._act(deployment, *planned) for planned in (*self._actions, *self._repeated)]
        parallel += others
        if self.alarms is not None:
            parallel.append(self._evaluate(self.alarms, deployment.arn))
        # Of tasks that are due at the same time, the first one created runs first: actions before the deployment.
        tasks = [asyncio.create_task(each) for each in (*parallel, played)]
        playing, pending = tasks[-1], set(tasks)
        try:
            while not playing.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _act(self, deployment: Any, seconds: float, action: Action, again: float) -> None:
        await asyncio.sleep(seconds)
        await self.clock.call(lambda: action(deployment))
        while again:
            await asyncio.sleep(again)
            await self.clock.call(lambda: action(deployment))

    async def _evaluate(self, alarms: Alarms, deployment: str) -> None:
        await asyncio.sleep(FIRST_EVALUATION)
        while True:
            for change in await self.clock.call(alarms.evaluate):
                moment: dict[str, Any] = {"time": self.clock.now(), "deployment": deployment}
                self.timeline.emit(AlarmStateChanged(**moment, **change._asdict()))
            await asyncio.sleep(EVALUATION)

    def _new_revision(self, image: str, task_definition: str, settings: Mapping[str, Any] | None) -> ServiceRevision:
        service = self.service
        arn, identifier = self._new_ids()
        family = f"arn:{service.partition}:ecs:{service.region}:{service.account}:task-definition/{service.service}"
        revision = ServiceRevision(
            arn=arn,
            id=identifier,
            image=image,
            task_definition=task_definition or f"{family}:{len(self._known) + 1}",
            target_group=self._active[0].target_group.other if self._active else TargetGroup.PRIMARY,
            created_at=self.clock.now(),
            settings=dict(settings or {}),
        )
        self._known[arn] = revision
        return revision
