"""The lifecycle events of a deployment, one after the other: their hooks, their statuses, and what the timeline hears."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.environment import DeploymentEndedError, hooks_failed
from ecs_hooks_simulator.codedeploy.hooks import HookFailedError
from ecs_hooks_simulator.codedeploy.lifecycle import WITHOUT_HOOK, EventStatus
from ecs_hooks_simulator.codedeploy.undocumented import Unscripted
from ecs_hooks_simulator.core.timeline import DeploymentCreated, StageEntered, StatusChanged

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.environment import Surroundings
    from ecs_hooks_simulator.codedeploy.lifecycle import LifecycleEvent
    from ecs_hooks_simulator.codedeploy.record import Deployment, DeploymentStatus
    from ecs_hooks_simulator.core.timeline import Record


class LifecycleRun:
    """Plays lifecycle events of one deployment.

    Parameters
    ----------
    deployment
        Its record.
    surroundings
        What it acts on.
    """

    def __init__(self, deployment: Deployment, surroundings: Surroundings) -> None:
        self.deployment = deployment
        self._around = surroundings

    @abstractmethod
    async def _work(self, event: LifecycleEvent) -> None:
        """Do the work of a lifecycle event, before its hook."""

    async def _event(self, event: LifecycleEvent) -> None:
        """Play a lifecycle event.

        Raises
        ------
        DeploymentEndedError
            If it fails, and the deployment with it.
        """
        event.status, event.started_at = EventStatus.IN_PROGRESS, self._around.clock.now()
        rollback = self.deployment.rolled_back is not None
        self._emit(StageEntered(**self._moment(), stage=event.name, rollback=rollback))
        try:
            await self._work(event)
            scripted = await self._hook(event)
        except DeploymentEndedError as ended:
            self._end(event, EventStatus.FAILED, code="UnknownError", message=ended.message)
            raise
        nothing = not scripted and event.name not in WITHOUT_HOOK
        skipped = nothing and self._around.behaviour.unscripted is Unscripted.SKIPPED
        self._end(event, EventStatus.SKIPPED if skipped else EventStatus.SUCCEEDED)

    async def _hook(self, event: LifecycleEvent) -> bool:
        """Run the hook of a lifecycle event; return whether there is one."""
        target = self.deployment.group.hooks.get(event.name)
        if target is None:
            return False
        try:
            await self._around.hooks.run(self.deployment.id, event.name, target)
        except HookFailedError as error:
            self._end(event, EventStatus.FAILED, code=error.code, script=target.arn, message=str(error))
            raise hooks_failed() from None
        return True

    def _end(
        self, event: LifecycleEvent, status: EventStatus, *, code: str = "", script: str = "", message: str = ""
    ) -> None:
        """End a lifecycle event that is in progress."""
        if event.status is EventStatus.IN_PROGRESS:
            event.ended_at = self._around.clock.now()
            event.error_code, event.script, event.message = code, script, message
            event.status = status

    def _abandon(self, ended: DeploymentEndedError) -> None:
        """Note why the deployment ends, and that what is left of it will not be."""
        self.deployment.error_code, self.deployment.error_message = ended.code, ended.message
        for event in self.deployment.events:
            self._end(event, EventStatus.SKIPPED)
            if event.status is EventStatus.PENDING:
                event.status = EventStatus.SKIPPED

    def _create(self) -> None:
        """Tell that the deployment is there."""
        deployment = self.deployment
        created = DeploymentCreated(
            **self._moment(),
            green=deployment.target.arn,
            blue=deployment.sources[0].arn if deployment.sources else "",
            configuration=deployment.group.configuration.words,
            rolls_back=deployment.rolled_back.id if deployment.rolled_back else "",
        )
        self._emit(created)

    def _finish(self, status: DeploymentStatus) -> None:
        self.deployment.finished_at = self._around.clock.now()
        self._set_status(status)

    def _set_status(self, status: DeploymentStatus) -> None:
        self.deployment.status = status
        self._emit(StatusChanged(**self._moment(), status=str(status), reason=self.deployment.status_reason))

    def _moment(self) -> dict[str, Any]:
        self.deployment.updated_at = self._around.clock.now()
        return {"time": self.deployment.updated_at, "deployment": self.deployment.arn}

    def _emit(self, record: Record) -> None:
        self._around.timeline.emit(record)
