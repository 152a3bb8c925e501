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
from ecs_hooks_simulator.core.record import ServiceDeployment, WatchedAlarms
from ecs_hooks_simulator.ecs.api import DeploymentsApi
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.deployment_run import DeploymentRun
from ecs_hooks_simulator.ecs.undocumented import Behaviour

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import Service, ServiceRevision
    from ecs_hooks_simulator.core.protocols import Alarms, ServiceDeployments, Tasks, Traffic
    from ecs_hooks_simulator.core.timeline import Timeline


class DeploymentController(BaseController[ServiceDeployment]):
    """Deploys revisions of one service, one after the other.

    Parameters
    ----------
    service, traffic, tasks, alarms, clock, timeline
        As of `BaseController`.
    behaviour
        Choices where ECS's documentation leaves the behaviour open.

    Attributes
    ----------
    deployments : ServiceDeployments
        The operations of the ECS API on these deployments; thread-safe.
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
        super().__init__(service, traffic=traffic, tasks=tasks, alarms=alarms, clock=clock, timeline=timeline)
        self.behaviour = behaviour or Behaviour()
        self.lock = threading.RLock()
        self._api = DeploymentsApi(lambda: self.service, self.behaviour, self.lock, self.running_arns)
        self.deployments: ServiceDeployments = self._api

    @property
    def history(self) -> Sequence[ServiceDeployment]:
        """All deployments, oldest first; the last may be running."""
        return tuple(self._api.all())

    @property
    def _stepped(self) -> Service:
        return self.service

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        now = self.clock.now()
        deployment = ServiceDeployment(
            arn=self.service.deployment_arn(ids.deployment_id()),
            service=self.service,
            target=target,
            sources=tuple(self._active),
            created_at=now,
            updated_at=now,
            running=self.running_arns,
            crashed=self.crashed,
            alarms=WatchedAlarms(names=self.service.alarms.alarm_names if self.service.alarms else ()),
        )
        run = DeploymentRun(deployment, self, faults)
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
