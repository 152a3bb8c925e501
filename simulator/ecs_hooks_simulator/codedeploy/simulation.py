"""A whole deployment by CodeDeploy on this machine: two versions, a load balancer, AWS, and CodeDeploy itself.

Example
-------
>>> from ecs_hooks import stage_hook
>>> from ecs_hooks_simulator import CallableTarget
>>> from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation
>>> from ecs_hooks_simulator.simulation import demo_application
>>> hook = CallableTarget(stage_hook("POST_TEST_TRAFFIC_SHIFT"))
>>> plan = {"checks": [{"type": "http", "path": "/health"}]}
>>> with CodeDeploySimulation(demo_application("1")) as simulation:  # doctest: +SKIP
...     hooks, plans = {"AfterAllowTestTraffic": hook}, {"AfterAllowTestTraffic": plan}
...     deployment = simulation.deploy(demo_application("2"), hooks=hooks, plans=plans)
>>> str(deployment.status)  # doctest: +SKIP
'Succeeded'
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.base_simulation import BaseSimulation
from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform
from ecs_hooks_simulator.codedeploy.controller import SCHEDULE_GROUP, CodeDeployController
from ecs_hooks_simulator.codedeploy.lifecycle import hooked_events
from ecs_hooks_simulator.codedeploy.model import DeploymentGroup
from ecs_hooks_simulator.codedeploy.parameters import PREFIX, Parameters
from ecs_hooks_simulator.codedeploy.shapes import TaskSetShapes, VersionShapes
from ecs_hooks_simulator.core import aws_environment
from ecs_hooks_simulator.core.model import Service

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.codedeploy.record import Deployment
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.protocols import HookTarget
    from ecs_hooks_simulator.core.timeline import Timeline

DEMO_FUNCTION = "ecs_hooks_simulator.codedeploy.lambda_functions.demo_function:lambda_handler"


def function(place: str, **environment: str) -> Application:
    """Return a version of a Lambda function, which runs in a process of its own.

    Parameters
    ----------
    place
        `MODULE:FUNCTION` or `FILE.py:FUNCTION`, which takes an event and a context.
    **environment
        Its environment variables.
    """
    command = (sys.executable, "-m", "ecs_hooks_simulator.codedeploy.lambda_functions.server", place)
    return Application(command=command, environment=environment)


def demo_function(version: str, **environment: str) -> Application:
    """Return the function that comes with the simulator (`ecs_hooks_simulator.codedeploy.lambda_functions.demo_function`).

    Parameters
    ----------
    version
        What it calls itself.
    **environment
        More of its environment variables, such as a `STORE` that does not exist.
    """
    return function(DEMO_FUNCTION, VERSION=version, **environment)


class CodeDeploySimulation(BaseSimulation):
    """An ECS service or a Lambda function that CodeDeploy deploys to; a context manager.

    Parameters
    ----------
    blue
        The version that serves at first; None where the first deployment is still to come. For Lambda one that `function`
        or `demo_function` returns.
    group
        The deployment group; its hooks are those of `deploy`. One of an ECS service by default.
    service
        The ECS service; of a function only the name, the region and the account count.
    behaviour
        How CodeDeploy and EventBridge Scheduler behave where their documentation is silent.
    clock, timeline, host, requests_per_minute, app_url
        As of a `Simulation`. Hooks of a function always find the address of its new version as `APP_URL`, which ends
        at the function as a function URL does: AWS knows of none for a version.
    alarms
        CloudWatch alarms over the metrics of the load balancer, or of the function. They stop deployments, unless the
        deployment group has `alarms` of its own.

    Raises
    ------
    AlarmError
        If two alarms have the same name.
    EcsError
        If an alarm asks for what the simulator does not measure.
    """

    def __init__(  # noqa: PLR0913 - one parameter a choice
        self,
        blue: Application | None,
        *,
        group: DeploymentGroup | None = None,
        service: Service | None = None,
        behaviour: CodeDeployBehaviour | None = None,
        clock: SimulationClock | None = None,
        timeline: Timeline | None = None,
        host: str = "127.0.0.1",
        requests_per_minute: int = 0,
        app_url: bool = False,
        alarms: Sequence[MetricAlarm] = (),
    ) -> None:
        # Moto takes a second to load; by now whoever waits has seen that something happens.
        from ecs_hooks_simulator import aws  # noqa: PLC0415
        from ecs_hooks_simulator.codedeploy.api import CodeDeployApi  # noqa: PLC0415
        from ecs_hooks_simulator.codedeploy.lambda_functions.functions import LambdaFunctions  # noqa: PLC0415
        from ecs_hooks_simulator.codedeploy.lambda_functions.metrics import FunctionMetrics  # noqa: PLC0415
        from ecs_hooks_simulator.codedeploy.task_sets import EcsTaskSets  # noqa: PLC0415

        group = group or DeploymentGroup()
        versions = group.platform is ComputePlatform.LAMBDA
        service = service or Service(service="my-function" if versions else "my-service")
        if not versions and not service.load_balancers:
            service = replace(service, load_balancers=aws.load_balancers(service))
        if alarms and not group.alarms:
            group = replace(group, alarms=[alarm.alarm_name for alarm in alarms])
        super().__init__(
            blue,
            service=service,
            clock=clock,
            host=host,
            requests_per_minute=requests_per_minute,
            app_url=app_url or versions,
            alarms=alarms,
        )
        self.parameters = Parameters()
        self.controller: CodeDeployController = CodeDeployController(
            service,
            group,
            traffic=self.balancer,
            tasks=self._tasks,
            alarms=self.alarms if alarms else None,
            clock=self._clock,
            behaviour=behaviour,
            timeline=timeline,
        )
        controller = self.controller
        balancing = aws.ElasticLoadBalancing(self.balancer, controller)
        metrics = FunctionMetrics(controller) if versions else aws.BalancerMetrics(balancing)
        cloudwatch = self._measuring(metrics, alarms)
        others: list[Answers] = [cloudwatch, aws.AlarmStates(self.alarms), self.parameters, controller.scheduler]
        if versions:
            shapes: TaskSetShapes | VersionShapes = VersionShapes(controller)
            others.append(LambdaFunctions(self.balancer, controller))
        else:
            shapes = TaskSetShapes(controller)
            others += [aws.EcsTasks(controller), EcsTaskSets(controller), balancing]
        self.endpoint = aws.AwsEndpoint(None, host, [CodeDeployApi(controller, shapes), *others])

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of a hook, as the template sets them for CodeDeploy."""
        service = self.controller.service
        return {
            **super().environment,
            "ECS_HOOKS_PLAN_PARAMETERS": PREFIX,
            "ECS_HOOKS_SCHEDULE_GROUP": SCHEDULE_GROUP,
            "ECS_HOOKS_SCHEDULE_ROLE": f"arn:{service.partition}:iam::{service.account}:role/ecs-hooks-scheduler",
        }

    def deploy(
        self,
        green: Application,
        *,
        hooks: Mapping[str, HookTarget] | None = None,
        plans: Mapping[str, Any] | None = None,
        faults: Sequence[Fault] = (),
    ) -> Deployment:
        """Deploy a new version and return when the deployment is over, and what rolls it back.

        Hooks in this process find `environment` in `os.environ` meanwhile.

        Parameters
        ----------
        green
            The new version.
        hooks
            The function of each lifecycle event that has one.
        plans
            What the hooks find in SSM for their lifecycle event: what `hookDetails` would be.
        faults
            What goes wrong in green at which step; it ends when green is stopped.

        Raises
        ------
        EcsError
            If a lifecycle event takes no hook.
        FaultError
            If the deployment never comes to where a fault begins.
        """
        group = replace(self.controller.group, hooks=dict(hooks or {}))
        self.controller.group = group
        for event in hooked_events(group.platform):
            self.parameters.keep_plan(group.application, group.name, event, (plans or {}).get(event))
        with aws_environment.use(self.environment):
            return self.controller.deploy(settings={"application": green}, faults=faults)
