"""ECS's deployment controller, in virtual time.

Example
-------
A hook that waits for an hour, then lets the deployment pass:

>>> from ecs_hooks_simulator import CallableTarget, DeploymentController, LifecycleHook, Service
>>> def lambda_handler(event, context):
...     if "waited" not in event.get("hookDetails", {}):
...         return {"hookStatus": "IN_PROGRESS", "callBackDelay": 3600, "hookDetails": {"waited": True}}
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

import secrets
import string
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ecs_hooks_simulator.core.clock import Clock, VirtualClock
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.protocols import Alarms, ServiceDeployments, Tasks, Traffic
from ecs_hooks_simulator.core.service_deployment import ServiceDeployment, ServiceRevision, WatchedAlarms
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.api import DeploymentsApi
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.deployment_run import DeploymentRun
from ecs_hooks_simulator.ecs.environment import DeploymentEnvironment, MemoryTasks, MemoryTraffic
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour

_BASE62 = string.ascii_letters + string.digits


def revision_id() -> str:
    """Return the id of a new service revision: a number of 19 digits."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


class DeploymentController(BaseController):
    """Deploys revisions of one service, one after the other.

    Parameters
    ----------
    service
        The service. May be replaced between two deployments, as by UpdateService (`controller.service = ...`).
    traffic, tasks
        The load balancer and the tasks; by default they exist only in memory.
    alarms
        CloudWatch's alarms; none by default.
    clock
        A `VirtualClock` by default; a `RealClock` for hooks in other processes.
    behaviour
        What ECS does where its documentation says nothing.
    timeline
        Receives the records of everything that happens.

    Attributes
    ----------
    deployments : ServiceDeployments
        The operations of the ECS API on these deployments; safe to call from hooks and other threads.
    """

    def __init__(
        self,
        service: Service,
        *,
        traffic: Traffic | None = None,
        tasks: Tasks | None = None,
        alarms: Alarms | None = None,
        clock: Clock | None = None,
        behaviour: EcsBehaviour | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.behaviour = behaviour or EcsBehaviour()
        super().__init__(
            service,
            traffic=traffic or MemoryTraffic(),
            tasks=tasks or MemoryTasks(),
            alarms=alarms,
            clock=clock or VirtualClock(),
            timeline=timeline or Timeline(),
        )
        self._environment = DeploymentEnvironment(
            traffic=self._traffic,
            tasks=self._tasks,
            alarms=alarms,
            clock=self.clock,
            behaviour=self.behaviour,
            timeline=self.timeline,
            lock=threading.RLock(),
        )
        self._api = DeploymentsApi(lambda: self.service, self.behaviour, self._environment.lock, self._running)
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
        """Deploy a new revision and return the deployment when it is over.

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
            If a deployment is running, or this is called from a coroutine.
        """
        for fault in faults:
            fault.check(self.service)
        self._play(lambda: self._deploy(self._new_revision(image, task_definition, settings), faults))
        return self.history[-1]

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        now = self.clock.now()
        deployment = ServiceDeployment(
            arn=self.service.deployment_arn("".join(secrets.choice(_BASE62) for _ in range(21))),
            service=self.service,
            target=target,
            sources=tuple(self._active),
            created_at=now,
            updated_at=now,
            running=self._running,
            crashed=self.crashed,
            alarms=WatchedAlarms(names=self.service.alarms.alarm_names if self.service.alarms else ()),
        )
        run = DeploymentRun(deployment, faults, self._environment)
        self._api.add_deployment(deployment, run)
        try:
            await self._run_with_actions(deployment, run.play())
        finally:
            self._active = run.active

    def _new_ids(self) -> tuple[str, str]:
        identifier = revision_id()
        return self.service.revision_arn(identifier), identifier

    def _new_revision(self, image: str, task_definition: str, settings: Mapping[str, Any] | None) -> ServiceRevision:
        revision = super()._new_revision(image, task_definition, settings)
        self._api.add_revision(revision)
        return revision
