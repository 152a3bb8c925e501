"""How ECS watches the alarms of a service's deployment configuration (docs/contract.md, 4.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks_simulator.core.protocols import Alarms
from ecs_hooks_simulator.core.service_deployment import AlarmsStatus, ServiceDeployment
from ecs_hooks_simulator.ecs.status_reasons import ALARMS, ALARMS_NO_ROLLBACK, DeploymentFailedError

if TYPE_CHECKING:
    from ecs_hooks_simulator.ecs.controller import DeploymentController

POLL = 20
"""Seconds between two checks. Not documented; ECS was once seen to roll back 21 seconds after an alarm."""


class AlarmWatch:
    """Watches the alarms of one deployment, and updates the deployment's `alarms`."""

    def __init__(self, deployment: ServiceDeployment, controller: DeploymentController) -> None:
        self._configured = deployment.service.alarms
        self._watched = deployment.alarms
        self._controller = controller
        self._started = asyncio.Event()

    def begin(self) -> None:
        """Decide at the beginning of the deployment whether to watch at all.

        "If an alarm is in the ALARM state at the beginning of a deployment, Amazon ECS will not monitor alarms for the
        duration of that deployment" (developer guide): none of them.
        """
        enabled = self._configured is not None and self._configured.enable
        if enabled and self._watched.names and not self._in_alarm():
            self._watched.status = AlarmsStatus.MONITORING
        if self._controller.behaviour.alarms_watched == "deployment":
            self._start()

    def production_shifts(self) -> None:
        """Start watching, if the first shift of production traffic is the beginning."""
        self._start()

    def _start(self) -> None:
        if self._watched.status is AlarmsStatus.MONITORING:
            self._started.set()

    async def triggered(self) -> None:
        """Return when an alarm is in ALARM; never while none is watched."""
        await self._started.wait()
        # Off the seconds at which CloudWatch evaluates and hooks are invoked, so that the order is unambiguous.
        await asyncio.sleep(POLL / 2)
        while not self._in_alarm():  # noqa: ASYNC110 - ECS polls, too
            await asyncio.sleep(POLL)
        self._watched.status = AlarmsStatus.TRIGGERED
        self._watched.triggered = self._in_alarm()

    @property
    def failure(self) -> DeploymentFailedError:
        """The end of a deployment whose alarm was triggered."""
        rollback = self._configured is not None and self._configured.rollback
        return DeploymentFailedError(ALARMS if rollback else ALARMS_NO_ROLLBACK, rollback=rollback)

    def end(self) -> None:
        """Stop watching: the deployment is over, or rolls back."""
        if self._watched.status is AlarmsStatus.MONITORING:
            self._watched.status = AlarmsStatus.MONITORING_COMPLETE

    def _in_alarm(self) -> list[str]:
        return in_alarm(self._controller.alarms, self._watched.names)


def in_alarm(alarms: Alarms | None, names: Sequence[str]) -> list[str]:
    """Return the names of the alarms that are in ALARM."""
    states = {} if alarms is None else alarms.states(names)
    return [name for name in names if states.get(name) == "ALARM"]
