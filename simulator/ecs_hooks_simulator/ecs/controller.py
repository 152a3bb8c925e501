"""ECS's deployment controller, played in virtual time.

Example
-------
A hook that waits once, and the deployment that it lets pass:

>>> from ecs_hooks_simulator import CallableTarget, DeploymentController, LifecycleHook, Service
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

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.core import ids
from ecs_hooks_simulator.core.clock import SimulationClock, VirtualClock
from ecs_hooks_simulator.core.record import ServiceDeployment, WatchedAlarms
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.api import DeploymentsApi
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.deployment_run import DeploymentRun
from ecs_hooks_simulator.ecs.environment import MemoryTasks, MemoryTraffic, Surroundings
from ecs_hooks_simulator.ecs.undocumented import Behaviour

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import Service, ServiceRevision
    from ecs_hooks_simulator.core.protocols import Alarms, ServiceDeployments, Tasks, Traffic


class DeploymentController(BaseController):
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
        self.behaviour = behaviour or Behaviour()
        lock = threading.RLock()
        self._around = Surroundings(
            traffic=traffic or MemoryTraffic(),
            tasks=tasks or MemoryTasks(),
            alarms=alarms,
            clock=clock or VirtualClock(),
            behaviour=self.behaviour,
            timeline=timeline or Timeline(),
            lock=lock,
        )
        super().__init__(
            service,
            traffic=self._around.traffic,
            tasks=self._around.tasks,
            alarms=alarms,
            clock=self._around.clock,
            timeline=self._around.timeline,
        )
        self._api = DeploymentsApi(lambda: self.service, self.behaviour, lock, self._running)
        self.deployments: ServiceDeployments = self._api

    @property
    def history(self) -> Sequence[ServiceDeployment]:
        """All deployments, oldest first; the last may be running."""
        return tuple(self._api.all())

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
        self._play(lambda: self._deploy(self._new_revision(image, task_definition, settings), faults))
        return self.history[-1]

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
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
        try:
            await self._beside(deployment, run.play())
        finally:
            self._active = run.active

    def _named(self) -> tuple[str, str]:
        identifier = ids.revision_id()
        return self.service.revision_arn(identifier), identifier

    def _new_revision(self, image: str, task_definition: str, settings: Mapping[str, Any] | None) -> ServiceRevision:
        revision = super()._new_revision(image, task_definition, settings)
        self._api.add_revision(revision)
        return revision
