"""A whole deployment on this machine: two versions of an application, a load balancer, AWS, and ECS's controller.

Example
-------
>>> from ecs_hooks import stage_hook
>>> from ecs_hooks_simulator import CallableTarget, LifecycleHook
>>> from ecs_hooks_simulator.simulation import Simulation, demo_application
>>> hook = LifecycleHook(
...     target=CallableTarget(stage_hook("POST_TEST_TRAFFIC_SHIFT")),
...     lifecycle_stages=["POST_TEST_TRAFFIC_SHIFT"],
...     hook_details={"checks": [{"type": "http", "path": "/health"}]},
... )
>>> with Simulation(blue=demo_application("1")) as simulation:  # doctest: +SKIP
...     deployment = simulation.deploy(demo_application("2"), hooks=[hook])
>>> str(deployment.status)  # doctest: +SKIP
'SUCCESSFUL'
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.aws.elastic_load_balancing import BalancerMetrics, ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.aws.tasks import EcsTasks
from ecs_hooks_simulator.base_simulation import BaseSimulation
from ecs_hooks_simulator.core import aws_environment
from ecs_hooks_simulator.core.model import DeploymentAlarms, Service
from ecs_hooks_simulator.ecs.controller import DeploymentController

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.faults import Fault
    from ecs_hooks_simulator.core.model import LifecycleHook
    from ecs_hooks_simulator.core.record import ServiceDeployment
    from ecs_hooks_simulator.core.timeline import Timeline
    from ecs_hooks_simulator.ecs.undocumented import Behaviour


def demo_application(version: str, **environment: str) -> Application:
    """Return the application that comes with the simulator (`ecs_hooks_simulator.demo_app`).

    Parameters
    ----------
    version
        What it calls itself.
    **environment
        More of its environment variables, such as a `STORE` that does not exist.
    """
    command = (sys.executable, "-m", "ecs_hooks_simulator.demo_app")
    return Application(command=command, environment={"VERSION": version, **environment})


class Simulation(BaseSimulation):
    """A service that runs, and can be deployed to; a context manager.

    Parameters
    ----------
    blue
        The version that serves at first; None for a service whose first deployment is still to come.
    service
        The service; its hooks are those of `deploy`.
    behaviour
        How ECS behaves where its documentation is silent.
    clock
        Virtual time by default; a `RealClock` for hooks that run in other processes.
    timeline
        Where records of what happens go.
    host
        The address of listeners and endpoint: another than loopback only for hooks in containers of this machine.
    requests_per_minute
        How often users ask the production listener during a deployment, for the metrics of the load balancer.
    app_url
        Whether hooks find the test listener's address as `APP_URL`, as AWS's own sample wants it. Those of this
        library ask AWS.
    alarms
        CloudWatch alarms over the metrics of the load balancer. ECS watches all of them, unless the service has
        `alarms` of its own.

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
        service: Service | None = None,
        behaviour: Behaviour | None = None,
        clock: SimulationClock | None = None,
        timeline: Timeline | None = None,
        host: str = "127.0.0.1",
        requests_per_minute: int = 0,
        app_url: bool = False,
        alarms: Sequence[MetricAlarm] = (),
    ) -> None:
        # Moto takes a second to load; by now whoever waits has seen that something happens.
        from ecs_hooks_simulator.aws.endpoint import AwsEndpoint  # noqa: PLC0415

        service = service or Service(service="my-service")
        if not service.load_balancers:
            service = replace(service, load_balancers=load_balancers(service))
        if alarms and service.alarms is None:
            service = replace(service, alarms=DeploymentAlarms(alarm_names=[alarm.alarm_name for alarm in alarms]))
        super().__init__(
            blue,
            service=service,
            clock=clock,
            host=host,
            requests_per_minute=requests_per_minute,
            app_url=app_url,
            alarms=alarms,
        )
        self.controller: DeploymentController = DeploymentController(
            service,
            traffic=self.balancer,
            tasks=self._tasks,
            alarms=self.alarms if alarms else None,
            clock=self._clock,
            behaviour=behaviour,
            timeline=timeline,
        )
        balancing = ElasticLoadBalancing(self.balancer, self.controller)
        cloudwatch = self._measure(BalancerMetrics(balancing), alarms)
        others: list[Answers] = [EcsTasks(self.controller), balancing, cloudwatch, self.alarms]
        self.endpoint = AwsEndpoint(self.controller.deployments, host, others)

    def deploy(
        self, green: Application, *, hooks: Sequence[LifecycleHook] = (), faults: Sequence[Fault] = ()
    ) -> ServiceDeployment:
        """Deploy a new version and return when the deployment is over.

        Hooks in this process find `environment` in `os.environ` meanwhile.

        Parameters
        ----------
        green
            The new version.
        hooks
            The lifecycle hooks of the service.
        faults
            What goes wrong in green at which step; it ends when green's tasks are stopped.

        Raises
        ------
        FaultError
            If the deployment never comes to where a fault begins.
        """
        self.controller.service = replace(self.controller.service, lifecycle_hooks=tuple(hooks))
        with aws_environment.use(self.environment):
            return self.controller.deploy(settings={"application": green}, faults=faults)
