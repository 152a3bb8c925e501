"""The deployment by which CodeDeploy rolls another one back.

"CodeDeploy rolls back deployments by redeploying a previously deployed revision of an application as a new deployment. These
rolled-back deployments are technically new deployments, with new deployment IDs" (CodeDeploy user guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_hooks_simulator.codedeploy import ids
from ecs_hooks_simulator.codedeploy.environment import DeploymentEndedError
from ecs_hooks_simulator.codedeploy.lifecycle import (
    AFTER_ALLOW_TRAFFIC,
    ALLOW_TRAFFIC,
    BEFORE_ALLOW_TRAFFIC,
    EVENTS,
    EventStatus,
    LifecycleEvent,
)
from ecs_hooks_simulator.codedeploy.lifecycle_run import LifecycleRun
from ecs_hooks_simulator.codedeploy.record import ROLLBACK, Deployment, DeploymentStatus
from ecs_hooks_simulator.codedeploy.undocumented import RollbackHooks

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.environment import Surroundings
    from ecs_hooks_simulator.codedeploy.platforms import Platform


def rollback_of(deployment: Deployment, surroundings: Surroundings) -> Deployment:
    """Return the deployment that is to roll another one back."""
    hooked = surroundings.behaviour.rollback_hooks is RollbackHooks.RUN
    wanted = {BEFORE_ALLOW_TRAFFIC, ALLOW_TRAFFIC, AFTER_ALLOW_TRAFFIC} if hooked else {ALLOW_TRAFFIC}
    now = surroundings.clock.now()
    return Deployment(
        id=ids.deployment_id(),
        group=deployment.group,
        service=deployment.service,
        target=deployment.sources[0],
        sources=(deployment.target,),
        created_at=now,
        updated_at=now,
        creator=ROLLBACK,
        events=[
            LifecycleEvent(name=name, status=EventStatus.PENDING if name in wanted else EventStatus.SKIPPED)
            for name in EVENTS[deployment.group.platform]
        ],
        rolled_back=deployment,
        weights=deployment.weights,
    )


class RollbackRun(LifecycleRun):
    """Plays the deployment that rolls another one back; must be made inside the event loop of the clock.

    Parameters
    ----------
    deployment
        Its record.
    platform
        Of the deployment that is rolled back.
    surroundings
        What it acts on.
    """

    def __init__(self, deployment: Deployment, platform: Platform, surroundings: Surroundings) -> None:
        super().__init__(deployment, surroundings)
        self._platform = platform

    async def play(self) -> None:
        """Play it to a terminal status."""
        self._create()
        self._set_status(DeploymentStatus.IN_PROGRESS)
        self.deployment.started_at = self._around.clock.now()
        try:
            for event in self.deployment.events:
                if event.status is EventStatus.PENDING:
                    await self._event(event)
        except DeploymentEndedError as ended:
            self._abandon(ended)
            self._finish(DeploymentStatus.FAILED)
            return
        self._finish(DeploymentStatus.SUCCEEDED)

    async def _work(self, event: LifecycleEvent) -> None:
        if event.name == ALLOW_TRAFFIC:
            await self._platform.roll_back(self.deployment.target)
