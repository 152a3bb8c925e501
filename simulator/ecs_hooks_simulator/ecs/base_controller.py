"""What every deployment controller has: revisions that serve, a clock, and what goes on beside a deployment."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks.core import clock as library_clock
from ecs_hooks_simulator.core.model import ServiceRevision, TargetGroup
from ecs_hooks_simulator.core.timeline import AlarmStateChanged, TasksChanged, TrafficShifted

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.protocols import Alarms, ListenerKind, Tasks, Traffic
    from ecs_hooks_simulator.core.timeline import Timeline

Action = Callable[[Any], object]
"""What is called with the deployment."""
EVALUATION = 60
"""Seconds between two evaluations of an alarm whose periods are minutes (CloudWatch user guide)."""
AFTER_THE_MINUTE = 5
"""Seconds: an evaluation is no race with users, steps and hooks, which come at full and half minutes."""


class BaseController:
    """The revisions of one service, and the playing of one deployment at a time.

    Parameters
    ----------
    service
        The service. May be replaced between two deployments, as UpdateService would (`controller.service = ...`).
    traffic, tasks, alarms, clock, timeline
        As the controllers have them.

    Attributes
    ----------
    timeline : Timeline
        What happened; `timeline.subscribe` to hear it as it happens.
    crashed : dict[str, float]
        When the tasks of a revision have crashed, by its ARN, for those that are started again and again in vain.
    """

    def __init__(
        self,
        service: Service,
        *,
        traffic: Traffic,
        tasks: Tasks,
        alarms: Alarms | None,
        clock: SimulationClock,
        timeline: Timeline,
    ) -> None:
        self.service = service
        self.clock = clock
        self.timeline = timeline
        self.crashed: dict[str, float] = {}
        self._traffic = traffic
        self._tasks = tasks
        self._alarms = alarms
        self._active: list[ServiceRevision] = []
        self._known: dict[str, ServiceRevision] = {}
        self._running: set[str] = set()
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
        return [revision for revision in self.revisions if revision.arn in self._running]

    def adopt(
        self, *, image: str = "", task_definition: str = "", settings: Mapping[str, Any] | None = None
    ) -> ServiceRevision:
        """Make a revision active without a deployment, as if it had been there before the story begins.

        The first one gets all traffic. Further ones get none, and make ECS's own next deployment begin with
        RECONCILE_SERVICE.
        """
        revision = self._new_revision(image, task_definition, settings)
        self._tasks.start(revision)
        self._running.add(revision.arn)
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
        if self._alarms is not None:
            actions.append(asyncio.create_task(self._evaluate(self._alarms, arn)))
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
            self._traffic.shift(kind, weights)
            self.timeline.emit(TrafficShifted(**moment, listener=kind, weights=weights))
