"""Runs the lifecycle events of a deployment with their hooks, one after the other."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from ecs_hooks_simulator.codedeploy.deployment import DeploymentStatus
from ecs_hooks_simulator.codedeploy.deployment_group import RollbackEvent
from ecs_hooks_simulator.codedeploy.hooks import HookFailedError
from ecs_hooks_simulator.codedeploy.lifecycle import WITHOUT_HOOK, EventStatus
from ecs_hooks_simulator.core.timeline import DeploymentCreated, StatusChanged
from ecs_hooks_simulator.ecs.base_run import BaseRun

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.codedeploy.deployment import Deployment
    from ecs_hooks_simulator.codedeploy.lifecycle import LifecycleEvent
    from ecs_hooks_simulator.core.errors import TasksFailedError
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision


class DeploymentEndedError(Exception):
    """The deployment failed or was stopped.

    Parameters
    ----------
    code, message
        Its `errorInformation`.
    status
        Failed or Stopped.
    rollback_event
        The reason for an automatic rollback.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: DeploymentStatus = DeploymentStatus.FAILED,
        rollback_event: RollbackEvent = RollbackEvent.DEPLOYMENT_FAILURE,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.rollback_event = rollback_event


class LifecycleRun(BaseRun):
    """Runs lifecycle events of one deployment; `deployment`, `controller` and `faults` are as of `BaseRun`."""

    deployment: Deployment
    _controller: CodeDeployController
    longest_start = 3600  # not documented
    longest_poll = 15

    @abstractmethod
    async def _work(self, event: LifecycleEvent) -> None:
        """Do the work of a lifecycle event, before its hook."""

    async def _run_event(self, event: LifecycleEvent) -> None:
        """Run a lifecycle event.

        Raises
        ------
        DeploymentEndedError
            If the event fails.
        """
        event.status, event.started_at = EventStatus.IN_PROGRESS, self._controller.clock.now()
        self._enter(event.name, rollback=self.deployment.rolled_back is not None)
        try:
            await self._work(event)
            hooked = await self._run_hook(event)
        except DeploymentEndedError as ended:
            self._end(event, EventStatus.FAILED, code="UnknownError", message=ended.message)
            raise
        empty = not hooked and event.name not in WITHOUT_HOOK
        skipped = empty and self._controller.behaviour.unscripted == "skipped"
        self._end(event, EventStatus.SKIPPED if skipped else EventStatus.SUCCEEDED)

    async def _run_hook(self, event: LifecycleEvent) -> bool:
        """Run the hook of a lifecycle event; return whether it has one."""
        target = self.deployment.group.hooks.get(event.name)
        if target is None:
            return False
        try:
            await self._controller.hooks.run(self.deployment.id, event.name, target)
        except HookFailedError as error:
            self._end(event, EventStatus.FAILED, code=error.code, script=target.arn, message=str(error))
            # The text is not documented.
            raise DeploymentEndedError(
                "HOOK_EXECUTION_FAILURE", "One or more of the lifecycle event validation functions failed."
            ) from None
        return True

    def _end(
        self, event: LifecycleEvent, status: EventStatus, *, code: str = "", script: str = "", message: str = ""
    ) -> None:
        """End a lifecycle event, unless it has ended already."""
        if event.status is EventStatus.IN_PROGRESS:
            event.ended_at = self._controller.clock.now()
            event.error_code, event.script, event.message = code, script, message
            event.status = status

    def _abandon(self, ended: DeploymentEndedError) -> None:
        """Record why the deployment ends, and skip its remaining lifecycle events."""
        self.deployment.error_code, self.deployment.error_message = ended.code, ended.message
        for event in self.deployment.events:
            self._end(event, EventStatus.SKIPPED)
            if event.status is EventStatus.PENDING:
                event.status = EventStatus.SKIPPED

    def _tasks_failed(self, revision: ServiceRevision, error: TasksFailedError | None) -> DeploymentEndedError:  # noqa: ARG002 - of BaseRun
        if error is not None:
            return DeploymentEndedError("ECS_UPDATE_ERROR", f"The tasks failed to start: {error}")
        return DeploymentEndedError(
            "TIMEOUT", "The deployment timed out while waiting for the replacement task set to become healthy"
        )

    def _create(self) -> None:
        deployment = self.deployment
        self._emit(
            DeploymentCreated(
                **self._moment(),
                green=deployment.target.arn,
                blue=self._blue_arn or "",
                configuration=deployment.group.configuration.words,
                rolls_back=deployment.rolled_back.id if deployment.rolled_back else "",
            )
        )

    def _finish(self, status: DeploymentStatus) -> None:
        self.deployment.finished_at = self._controller.clock.now()
        self._set_status(status)

    def _set_status(self, status: DeploymentStatus) -> None:
        self.deployment.status = status
        self._emit(StatusChanged(**self._moment(), status=str(status), reason=self.deployment.status_reason))
