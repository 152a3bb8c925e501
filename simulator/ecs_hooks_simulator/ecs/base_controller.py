"""The parts that the controllers of ECS and CodeDeploy share: revisions, a clock, and actions during a deployment."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ecs_hooks.core import clock as library_clock
from ecs_hooks_simulator.core.clock import SimulationClock, VirtualClock
from ecs_hooks_simulator.core.model import ServiceRevision, TargetGroup
from ecs_hooks_simulator.core.protocols import Deployed
from ecs_hooks_simulator.core.timeline import AlarmStateChanged, TasksChanged, Timeline, TrafficShifted
from ecs_hooks_simulator.ecs.environment import MemoryTasks, MemoryTraffic

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.faults import Fault, Stepped
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.protocols import Alarms, ListenerKind, Tasks, Traffic

D = TypeVar("D", bound=Deployed)

Action = Callable[[Any], object]
"""What is called with the deployment."""
EVALUATION = 60
"""Seconds between two evaluations of an alarm whose periods are minutes (CloudWatch user guide)."""
AFTER_THE_MINUTE = 5
"""Seconds: an evaluation is no race with users, steps and hooks, which come at full and half minutes."""


class BaseController(ABC, Generic[D]):
    """The revisions of one service, and the playing of one deployment at a time.

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
        Receives the records.

    Attributes
    ----------
    timeline : Timeline
        The records; `timeline.subscribe` to get them as they are made.
    crashed : dict[str, float]
        Time of the crash by revision ARN, for tasks that are restarted in vain.
    """

    def __init__(
        self,
        service: Service,
        *,
        traffic: Traffic | None = None,
        tasks: Tasks | None = None,
        alarms: Alarms | None = None,
        clock: SimulationClock | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.service = service
        self.traffic: Traffic = traffic or MemoryTraffic()
        self.tasks: Tasks = tasks or MemoryTasks()
        self.alarms = alarms
        self.clock: SimulationClock = clock or VirtualClock()
        self.timeline = timeline or Timeline()
        self.crashed: dict[str, float] = {}
        self.running_arns: set[str] = set()
        self._active: list[ServiceRevision] = []
        self._known: dict[str, ServiceRevision] = {}
        self._actions: list[tuple[float, Action]] = []
        self._habits: list[tuple[float, float, Action]] = []
        self._playing = threading.Lock()

    @property
    def active(self) -> Sequence[ServiceRevision]:
        """The active revisions; the first has the production traffic."""
        return tuple(self._active)

    @property
    def revisions(self) -> Sequence[ServiceRevision]:
        """Every revision that there ever was, oldest first."""
        return tuple(self._known.values())

    @property
    def running(self) -> Sequence[ServiceRevision]:
        """The revisions that have tasks."""
        return [revision for revision in self.revisions if revision.arn in self.running_arns]

    def adopt(
        self, *, image: str = "", task_definition: str = "", settings: Mapping[str, Any] | None = None
    ) -> ServiceRevision:
        """Make a revision active without a deployment, as if it had been there before the story begins.

        The first one gets all traffic. Further ones get none, and make ECS's own next deployment begin with
        RECONCILE_SERVICE.
        """
        revision = self._new_revision(image, task_definition, settings)
        self.tasks.start(revision)
        self.running_arns.add(revision.arn)
        self._emit_adopted(revision)
        self._active.append(revision)
        return revision

    def at(self, seconds: float, action: Action) -> None:
        """Call `action(deployment)` so many seconds after the start of the next deployment.

        It runs in a thread of its own while virtual time stands still, and may call AWS's operations, over HTTP too.
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
    ) -> D:
        """Deploy a new revision and return the deployment when it is over, with its rollback.

        Parameters
        ----------
        image, task_definition
            Of the new revision; a task definition ARN is made up by default.
        settings
            For `Tasks`, such as the command to run.
        faults
            Faults to inject into its tasks, each at a step of the deployment.

        Raises
        ------
        FaultError
            If the deployment never reaches the step at which a fault begins.
        RuntimeError
            If a deployment is running, or the caller is a coroutine.
        """
        for fault in faults:
            fault.check(self._stepped)
        self._play(lambda: self._deploy(self._new_revision(image, task_definition, settings), faults))
        return self.history[-1]

    @property
    @abstractmethod
    def history(self) -> Sequence[D]:
        """All deployments, oldest first; the last may be running."""

    @property
    @abstractmethod
    def _stepped(self) -> Stepped:
        """The configuration with the traffic steps."""

    @abstractmethod
    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        """Deploy a revision."""

    @abstractmethod
    def _named(self) -> tuple[str, str]:
        """Return ARN and id of a new revision."""

    def _play(self, playing: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Play a deployment, in the simulation's time.

        Raises
        ------
        RuntimeError
            If a deployment is running, or this is called from a coroutine.
        """
        if not self._playing.acquire(blocking=False):
            raise RuntimeError("a deployment of this service is running; the simulator plays one at a time")
        try:
            with library_clock.use(self.clock.now):
                self.clock.run(playing())
        finally:
            self._actions.clear()
            self._playing.release()

    async def _beside(
        self, deployment: Any, played: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]
    ) -> None:
        """Play a deployment to its end, with actions, habits, CloudWatch and others beside it."""
        arn = deployment.arn
        actions = [asyncio.create_task(self._act(deployment, *planned)) for planned in self._actions]
        actions += [
            asyncio.create_task(self._act(deployment, first, action, again=again))
            for first, again, action in self._habits
        ]
        actions += [asyncio.create_task(each) for each in others]
        if self.alarms is not None:
            actions.append(asyncio.create_task(self._evaluate(self.alarms, arn)))
        playing = asyncio.create_task(played)
        try:
            await self._until_played(playing, actions)
        finally:
            for task in (*actions, playing):
                task.cancel()
            await asyncio.wait({playing, *actions})

    async def _until_played(self, playing: asyncio.Task[None], actions: Sequence[asyncio.Task[None]]) -> None:
        pending: set[asyncio.Task[None]] = {playing, *actions}
        while not playing.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _act(self, deployment: Any, seconds: float, action: Action, again: float = 0) -> None:
        await asyncio.sleep(seconds)
        await self.clock.call(lambda: action(deployment))
        while again:
            await asyncio.sleep(again)
            await self.clock.call(lambda: action(deployment))

    async def _evaluate(self, alarms: Alarms, deployment: str) -> None:
        await asyncio.sleep(AFTER_THE_MINUTE)
        while True:
            for change in await self.clock.call(alarms.evaluate):
                moment: dict[str, Any] = {"time": self.clock.now(), "deployment": deployment}
                self.timeline.emit(AlarmStateChanged(**moment, **change._asdict()))
            await asyncio.sleep(EVALUATION)

    def _new_revision(self, image: str, task_definition: str, settings: Mapping[str, Any] | None) -> ServiceRevision:
        service = self.service
        arn, identifier = self._named()
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

    def _emit_adopted(self, revision: ServiceRevision) -> None:
        moment: dict[str, Any] = {"time": self.clock.now(), "deployment": ""}
        self.timeline.emit(TasksChanged(**moment, revision=revision.arn, state="started"))
        if self._active:
            return
        weights = {revision.arn: 100.0}
        kinds: tuple[ListenerKind, ...] = ("production", "test")
        for kind in kinds:
            self.traffic.shift(kind, weights)
            self.timeline.emit(TrafficShifted(**moment, listener=kind, weights=weights))
