"""CodeDeploy, played in virtual time.

Example
-------
A hook that says nothing, and what an hour later becomes of the deployment:

>>> from ecs_hooks_simulator import CallableTarget, Service
>>> from ecs_hooks_simulator.codedeploy import CodeDeployController, DeploymentGroup
>>> silent = CallableTarget(lambda event, context: None, name="silent")
>>> group = DeploymentGroup(hooks={"AfterAllowTestTraffic": silent})
>>> controller = CodeDeployController(Service(service="api"), group)
>>> blue = controller.adopt(image="api:1")
>>> deployment = controller.deploy(image="api:2")
>>> str(deployment.status), str(deployment.outcome)
('Failed', 'ROLLBACK_SUCCESSFUL')
>>> deployment.finished_at - deployment.created_at
3600.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy import ids
from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform
from ecs_hooks_simulator.codedeploy.deployment_run import DeploymentRun
from ecs_hooks_simulator.codedeploy.environment import Surroundings
from ecs_hooks_simulator.codedeploy.hooks import Hooks
from ecs_hooks_simulator.codedeploy.record import Deployment
from ecs_hooks_simulator.codedeploy.scheduler import Scheduler
from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
from ecs_hooks_simulator.core import ids as ecs_ids
from ecs_hooks_simulator.core.clock import SimulationClock, VirtualClock
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.environment import MemoryTasks, MemoryTraffic

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.model import DeploymentGroup
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import Service, ServiceRevision
    from ecs_hooks_simulator.core.protocols import Alarms, Tasks, Traffic

SCHEDULE_GROUP = "ecs-hooks"
"""The schedule group that hooks may use."""


class CodeDeployController(BaseController):
    """Deploys to one deployment group, one deployment after the other.

    Parameters
    ----------
    service
        The ECS service; for functions, its name is that of the function.
    group
        The deployment group. May be replaced between two deployments (`controller.group = ...`).
    alias
        Of a function: which one is shifted.
    traffic, tasks, alarms, clock, timeline
        As of a `DeploymentController`.
    behaviour
        How CodeDeploy and EventBridge Scheduler behave where their documentation is silent.

    Attributes
    ----------
    scheduler : Scheduler
        EventBridge Scheduler, by which hooks have themselves invoked again.
    hooks : Hooks
        The hooks of all deployments.
    """

    def __init__(  # noqa: PLR0913 - one parameter a choice
        self,
        service: Service,
        group: DeploymentGroup,
        *,
        alias: str = "live",
        traffic: Traffic | None = None,
        tasks: Tasks | None = None,
        alarms: Alarms | None = None,
        clock: SimulationClock | None = None,
        behaviour: CodeDeployBehaviour | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        super().__init__(
            service,
            traffic=traffic or MemoryTraffic(),
            tasks=tasks or MemoryTasks(),
            alarms=alarms,
            clock=clock or VirtualClock(),
            timeline=timeline or Timeline(),
        )
        self.group = group
        self.alias = alias
        self.behaviour = behaviour or CodeDeployBehaviour()
        self.hooks = Hooks(self.clock, self.behaviour, self.timeline)
        start = f"arn:{service.partition}:scheduler:{service.region}:{service.account}:schedule/"
        self.scheduler = Scheduler(self.clock, self.behaviour, groups=(SCHEDULE_GROUP,), arn=start)
        self.run: DeploymentRun | None = None
        self._deployments: list[Deployment] = []

    @property
    def history(self) -> Sequence[Deployment]:
        """All deployments but those that roll back, oldest first; the last may be running."""
        return tuple(self._deployments)

    @property
    def all(self) -> Sequence[Deployment]:
        """All deployments, those that roll back as well."""
        both = ((each, each.rollback) for each in self._deployments)
        return [deployment for pair in both for deployment in pair if deployment is not None]

    def deploy(
        self,
        *,
        image: str = "",
        task_definition: str = "",
        settings: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> Deployment:
        """Deploy a new task set or version, and return when the deployment is over, and what rolls it back.

        Parameters
        ----------
        image, task_definition, settings, faults
            As of a `DeploymentController`.

        Raises
        ------
        FaultError
            If the deployment never comes to where a fault begins.
        RuntimeError
            If a deployment is running, or this is called from a coroutine.
        """
        for fault in faults:
            fault.check(self.group)
        self._play(lambda: self._deploy(self._new_revision(image, task_definition, settings), faults))
        return self._deployments[-1]

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        now = self.clock.now()
        deployment = Deployment(
            id=ids.deployment_id(),
            group=self.group,
            service=self.service,
            target=target,
            sources=tuple(self._active),
            created_at=now,
            updated_at=now,
        )
        self.run = DeploymentRun(deployment, faults=faults, surroundings=self._surroundings)
        self._deployments.append(deployment)
        try:
            await self._beside(deployment, self.run.play(), self.scheduler.run(self.hooks.invoke))
        finally:
            self.run = None
            # Without a rollback, whoever has the traffic keeps it; the one with most of it comes first.
            share = deployment.weights["production"]
            left = [each for each in (*self._active, target) if each.arn in self._running]
            self._active = sorted(left, key=lambda revision: -share.get(revision.arn, 0))

    @property
    def _surroundings(self) -> Surroundings:
        return Surroundings(
            traffic=self._traffic,
            tasks=self._tasks,
            alarms=self._alarms,
            clock=self.clock,
            behaviour=self.behaviour,
            timeline=self.timeline,
            hooks=self.hooks,
            running=self._running,
            crashed=self.crashed,
        )

    def _named(self) -> tuple[str, str]:
        service = self.service
        if self.group.platform is ComputePlatform.LAMBDA:
            version = str(len(self._known) + 1)
            function = f"function:{service.service}:{version}"
            return f"arn:{service.partition}:lambda:{service.region}:{service.account}:{function}", version
        identifier = ecs_ids.revision_id()
        path = f"{service.cluster}/{service.service}/ecs-svc/{identifier}"
        return f"arn:{service.partition}:ecs:{service.region}:{service.account}:task-set/{path}", identifier
