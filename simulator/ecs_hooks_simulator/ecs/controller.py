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

from ecs_hooks_simulator.core.clock import Clock
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.protocols import Alarms, ServiceDeployments, Tasks, Traffic
from ecs_hooks_simulator.core.service_deployment import ServiceDeployment, ServiceRevision, WatchedAlarms
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.api import DeploymentsApi
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.deployment_run import DeploymentRun
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour

_BASE62 = string.ascii_letters + string.digits


def revision_id() -> str:
    """Return the id of a new service revision: a number of 19 digits."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


class DeploymentController(BaseController[ServiceDeployment]):
    """Deploys revisions of one service, one after the other.

    Parameters
    ----------
    service, traffic, tasks, alarms, clock, timeline
        As of `BaseController`.
    behaviour
        What ECS does where its documentation says nothing.

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
        super().__init__(service, traffic=traffic, tasks=tasks, alarms=alarms, clock=clock, timeline=timeline)
        self.behaviour = behaviour or EcsBehaviour()
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
            arn=self.service.deployment_arn("".join(secrets.choice(_BASE62) for _ in range(21))),
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
