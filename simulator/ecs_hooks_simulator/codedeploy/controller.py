"""CodeDeploy's deployments in virtual time.

Example
-------
A hook that reports nothing, and the deployment an hour later:

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

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks_simulator.codedeploy.deployment import Deployment, deployment_id
from ecs_hooks_simulator.codedeploy.deployment_run import DeploymentRun
from ecs_hooks_simulator.codedeploy.hooks import Hooks
from ecs_hooks_simulator.codedeploy.lifecycle import ComputePlatform
from ecs_hooks_simulator.codedeploy.scheduler import Scheduler
from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.ecs.controller import revision_id

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.deployment_group import DeploymentGroup
    from ecs_hooks_simulator.core.clock import Clock
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.protocols import Alarms, Tasks, Traffic
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision
    from ecs_hooks_simulator.core.timeline import Timeline

SCHEDULE_GROUP = "ecs-hooks"
"""The schedule group of the hooks."""


class CodeDeployController(BaseController[Deployment]):
    """Deploys to one deployment group, one deployment after the other.

    Parameters
    ----------
    service
        The ECS service; for Lambda, it has the name of the function.
    group
        The deployment group. May be replaced between two deployments (`controller.group = ...`).
    alias
        The alias that is shifted, for Lambda.
    behaviour
        Choices where AWS's documentation leaves the behaviour open.
    traffic, tasks, alarms, clock, timeline
        As of `BaseController`.

    Attributes
    ----------
    scheduler : Scheduler
        EventBridge Scheduler, which invokes hooks again.
    hooks : Hooks
        The hooks of all deployments.
    run : DeploymentRun or None
        The running deployment.
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
        clock: Clock | None = None,
        behaviour: CodeDeployBehaviour | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        super().__init__(service, traffic=traffic, tasks=tasks, alarms=alarms, clock=clock, timeline=timeline)
        self.group = group
        self.alias = alias
        self.behaviour = behaviour or CodeDeployBehaviour()
        self.hooks = Hooks(self.clock, self.behaviour, self.timeline)
        arn = f"arn:{service.partition}:scheduler:{service.region}:{service.account}:schedule/"
        self.scheduler = Scheduler(self.clock, self.behaviour, groups=(SCHEDULE_GROUP,), arn=arn)
        self.run: DeploymentRun | None = None
        self._deployments: list[Deployment] = []

    @property
    def history(self) -> Sequence[Deployment]:
        """All deployments without rollbacks, oldest first; the last may be running."""
        return tuple(self._deployments)

    @property
    def all(self) -> Sequence[Deployment]:
        """All deployments, each followed by its rollback."""
        both = ((each, each.rollback) for each in self._deployments)
        return [deployment for pair in both for deployment in pair if deployment is not None]

    @property
    def _stepped(self) -> DeploymentGroup:
        return self.group

    async def _deploy(self, target: ServiceRevision, faults: Sequence[Fault]) -> None:
        now = self.clock.now()
        deployment = Deployment(
            id=deployment_id(),
            group=self.group,
            service=self.service,
            target=target,
            sources=tuple(self._active),
            created_at=now,
            updated_at=now,
        )
        self.run = DeploymentRun(deployment, self, faults)
        self._deployments.append(deployment)
        try:
            await self._run_with_actions(deployment, self.run.play(), self.scheduler.run(self.hooks.invoke))
        finally:
            self.run = None
            # Without a rollback, revisions keep their traffic; the one with the largest share comes first.
            share = deployment.weights["production"]
            left = [each for each in (*self._active, target) if each.arn in self.running_arns]
            self._active = sorted(left, key=lambda revision: -share.get(revision.arn, 0))

    def _new_ids(self) -> tuple[str, str]:
        service = self.service
        if self.group.platform is ComputePlatform.LAMBDA:
            version = str(len(self._known) + 1)
            function = f"function:{service.service}:{version}"
            return f"arn:{service.partition}:lambda:{service.region}:{service.account}:{function}", version
        identifier = revision_id()
        path = f"{service.cluster}/{service.service}/ecs-svc/{identifier}"
        return f"arn:{service.partition}:ecs:{service.region}:{service.account}:task-set/{path}", identifier
