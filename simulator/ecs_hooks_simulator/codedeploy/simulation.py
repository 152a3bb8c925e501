"""A CodeDeploy deployment on this machine: two versions of an application, a load balancer, AWS, and CodeDeploy.

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

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.aws.elastic_load_balancing import BalancerMetrics, ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.aws.tasks import EcsTasks
from ecs_hooks_simulator.base_simulation import BaseSimulation, use_environment
from ecs_hooks_simulator.codedeploy.api import CodeDeployApi
from ecs_hooks_simulator.codedeploy.controller import SCHEDULE_GROUP, CodeDeployController
from ecs_hooks_simulator.codedeploy.deployment_group import DeploymentGroup
from ecs_hooks_simulator.codedeploy.deployment_targets import TaskSetTargets, VersionTargets
from ecs_hooks_simulator.codedeploy.lambda_functions.functions import FunctionMetrics, LambdaFunctions
from ecs_hooks_simulator.codedeploy.lifecycle import ComputePlatform, hooked_events
from ecs_hooks_simulator.core.model import Service

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.codedeploy.deployment import Deployment
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import Clock
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.hook_targets import HookTarget
    from ecs_hooks_simulator.core.timeline import Timeline

DEMO_FUNCTION = "ecs_hooks_simulator.codedeploy.lambda_functions.demo_function:lambda_handler"
PLAN_PARAMETERS = "/ecs-hooks"
"""The prefix of the SSM parameters with plans."""


def function(place: str, **environment: str) -> Application:
    """Return a version of a Lambda function, to run in a process of its own.

    Parameters
    ----------
    place
        `MODULE:FUNCTION` or `FILE.py:FUNCTION`.
    **environment
        Its environment variables.
    """
    command = (sys.executable, "-m", "ecs_hooks_simulator.codedeploy.lambda_functions.server", place)
    return Application(command=command, environment=environment)


def demo_function(version: str, **environment: str) -> Application:
    """Return the simulator's demo function (`ecs_hooks_simulator.codedeploy.lambda_functions.demo_function`).

    Parameters
    ----------
    version
        The version in its responses.
    **environment
        More environment variables, such as a `STORE` that does not exist.
    """
    return function(DEMO_FUNCTION, VERSION=version, **environment)


class Parameters:
    """Answers GetParameter and GetParameters of SSM.

    Attributes
    ----------
    values : dict of str to str
        Values by name.
    """

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def set_plan(self, application: str, group: str, event: str, plan: Any) -> None:
        """Set the plan for a lifecycle event of a deployment group; None deletes it."""
        name = f"{PLAN_PARAMETERS}/{application}/{group}/{event}"
        if plan is None:
            self.values.pop(name, None)
        else:
            self.values[name] = json.dumps(plan)

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer if the request is about one or more of these parameters."""
        match operation:
            case "GetParameter" if request.get("Name") in self.values:
                return {"Parameter": self._described(str(request["Name"]))}
            case "GetParameters" if set(request.get("Names") or ()) & set(self.values):
                found = [name for name in request["Names"] if name in self.values]
                missing = [name for name in request["Names"] if name not in self.values]
                return {"Parameters": [self._described(name) for name in found], "InvalidParameters": missing}
            case _:
                return None

    def _described(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Type": "String", "Value": self.values[name], "Version": 1, "DataType": "text"}


class CodeDeploySimulation(BaseSimulation):
    """An ECS service or a Lambda function that CodeDeploy deploys to; a context manager.

    Parameters
    ----------
    blue
        The version before the first deployment; None for no version. For Lambda, from `function` or `demo_function`.
    group
        The deployment group, of an ECS service by default; `deploy` sets its hooks.
    service
        The ECS service; for Lambda, it has the name, the region and the account of the function.
    behaviour
        Choices where AWS's documentation leaves the behaviour open.
    clock, timeline, host, requests_per_minute, app_url
        As of a `Simulation`. For Lambda, `APP_URL` is always set, to the new version: AWS has no address of a version.
    alarms
        CloudWatch alarms on the metrics of the load balancer or the function. They stop deployments, unless the deployment
        group has its own `alarms`.

    Raises
    ------
    AlarmError
        If two alarms have the same name.
    EcsError
        If the simulator does not support the metric of an alarm.
    """

    def __init__(  # noqa: PLR0913 - one parameter a choice
        self,
        blue: Application | None,
        *,
        group: DeploymentGroup | None = None,
        service: Service | None = None,
        behaviour: CodeDeployBehaviour | None = None,
        clock: Clock | None = None,
        timeline: Timeline | None = None,
        host: str = "127.0.0.1",
        requests_per_minute: int = 0,
        app_url: bool = False,
        alarms: Sequence[MetricAlarm] = (),
    ) -> None:
        # Moto takes a second to load: a user who waits for it has already seen output.
        from ecs_hooks_simulator.aws.endpoint import AwsEndpoint  # noqa: PLC0415

        group = group or DeploymentGroup()
        versions = group.platform is ComputePlatform.LAMBDA
        service = service or Service(service="my-function" if versions else "my-service")
        if not versions and not service.load_balancers:
            service = replace(service, load_balancers=load_balancers(service))
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
        handlers: list[Answers] = [self.alarms, self.parameters, controller.scheduler]
        if versions:
            targets: TaskSetTargets | VersionTargets = VersionTargets(controller)
            handlers += [
                LambdaFunctions(self.balancer, controller),
                self._measure(FunctionMetrics(controller), alarms),
            ]
        else:
            targets = task_sets = TaskSetTargets(controller)
            balancing = ElasticLoadBalancing(self.balancer, controller)
            handlers += [
                EcsTasks(controller),
                task_sets,
                balancing,
                self._measure(BalancerMetrics(balancing), alarms),
            ]
        self.endpoint = AwsEndpoint(None, host, [CodeDeployApi(controller, targets), *handlers])

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of a hook, as the template sets them for CodeDeploy."""
        service = self.controller.service
        return {
            **super().environment,
            "ECS_HOOKS_PLAN_PARAMETERS": PLAN_PARAMETERS,
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
        """Deploy a new version and return the deployment when it is over, with its rollback.

        `os.environ` has the variables of `environment` meanwhile.

        Parameters
        ----------
        green
            The new version.
        hooks
            Functions by lifecycle event.
        plans
            Plans by lifecycle event, for SSM parameters: the content of `hookDetails`.
        faults
            Faults to inject into green, each at a step of the deployment; they end when green is stopped.

        Raises
        ------
        EcsError
            If a lifecycle event does not support hooks.
        FaultError
            If the deployment never reaches the step at which a fault begins.
        """
        group = replace(self.controller.group, hooks=dict(hooks or {}))
        self.controller.group = group
        for event in hooked_events(group.platform):
            self.parameters.set_plan(group.application, group.name, event, (plans or {}).get(event))
        with use_environment(self.environment):
            return self.controller.deploy(settings={"application": green}, faults=faults)
