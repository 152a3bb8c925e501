"""ECS's own look at the alarms of a service's deployment configuration (docs/contract.md, 4.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks_simulator.core.record import AlarmsStatus
from ecs_hooks_simulator.ecs.reasons import ALARMS, ALARMS_NO_ROLLBACK, RollbackNeededError
from ecs_hooks_simulator.ecs.undocumented import AlarmsWatched

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import Alarms
    from ecs_hooks_simulator.core.record import ServiceDeployment
    from ecs_hooks_simulator.ecs.controller import DeploymentController

POLL = 20
"""Seconds between two looks. Not documented; once, ECS was seen to roll back 21 seconds after an alarm."""
ALARM = "ALARM"


class AlarmWatch:
    """Watches the alarms of one deployment, and tells of it in the deployment's record.

    Parameters
    ----------
    deployment
        The deployment.
    controller
        CloudWatch's alarms, and from when on ECS looks at them.
    """

    def __init__(self, deployment: ServiceDeployment, controller: DeploymentController) -> None:
        self._configured = deployment.service.alarms
        self._watched = deployment.alarms
        self._controller = controller
        self._looks = asyncio.Event()

    def begin(self) -> None:
        """Decide at the beginning of the deployment whether to watch at all.

        "If an alarm is in the ALARM state at the beginning of a deployment, Amazon ECS will not monitor alarms for the
        duration of that deployment" (developer guide): none of them.
        """
        enabled = self._configured is not None and self._configured.enable
        if enabled and self._watched.names and not self._alarming():
            self._watched.status = AlarmsStatus.MONITORING
        if self._controller.behaviour.alarms_watched is AlarmsWatched.DEPLOYMENT:
            self._looks.set()

    def shift(self) -> None:
        """Take notice that production traffic is shifted."""
        self._looks.set()

    async def triggered(self) -> None:
        """Return when an alarm is in ALARM; never where nothing is watched."""
        await self._looks.wait()
        # Not at the very moments at which CloudWatch evaluates or a hook is asked, so that it is plain who was first.
        await asyncio.sleep(POLL / 2)
        while not (self._watched.status is AlarmsStatus.MONITORING and self._alarming()):  # noqa: ASYNC110 - so does ECS
            await asyncio.sleep(POLL)
        self._watched.status = AlarmsStatus.TRIGGERED
        self._watched.triggered = self._alarming()

    @property
    def failure(self) -> RollbackNeededError:
        """What ends the deployment when an alarm was triggered."""
        possible = self._configured is not None and self._configured.rollback
        return RollbackNeededError(ALARMS if possible else ALARMS_NO_ROLLBACK, possible=possible)

    def end(self) -> None:
        """Stop watching: the deployment is over, or rolls back."""
        if self._watched.status is AlarmsStatus.MONITORING:
            self._watched.status = AlarmsStatus.MONITORING_COMPLETE

    def _alarming(self) -> list[str]:
        return alarming(self._controller.alarms, self._watched.names)


def alarming(alarms: Alarms | None, names: Sequence[str]) -> list[str]:
    """Return the names of the alarms that are in ALARM."""
    states = {} if alarms is None else alarms.states(names)
    return [name for name in names if states.get(name) == ALARM]
