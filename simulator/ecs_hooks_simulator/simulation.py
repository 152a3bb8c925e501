"""Whole deployments on this machine: two versions of an application, a load balancer, AWS, and ECS's controller.

Example
-------
>>> from ecs_hooks import stage_hook
>>> from ecs_hooks_simulator import demo_application, simulate
>>> result = simulate(  # doctest: +SKIP
...     stage_hook("POST_TEST_TRAFFIC_SHIFT"),
...     hook_details={"checks": [{"type": "http", "path": "/health"}]},
...     green=demo_application("2"),
... )
>>> str(result.status), result.reasons  # doctest: +SKIP
('SUCCESSFUL', ['SUCCEEDED post_test_traffic_shift my-service: 1 passed'])
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.aws.elastic_load_balancing import BalancerMetrics, ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
from ecs_hooks_simulator.aws.tasks import EcsTasks
from ecs_hooks_simulator.base_simulation import BaseSimulation, use_environment
from ecs_hooks_simulator.core.clock import Clock
from ecs_hooks_simulator.core.faults import Fault
from ecs_hooks_simulator.core.hook_targets import CallableTarget, Handler
from ecs_hooks_simulator.core.model import DeploymentAlarms, LifecycleHook, Service
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, ServiceDeployment
from ecs_hooks_simulator.core.timeline import HookAnswered, Record, Timeline
from ecs_hooks_simulator.ecs.controller import DeploymentController
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour
from ecs_hooks_simulator.traffic.load_balancer import Forwarded

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers


def demo_application(version: str, **environment: str) -> Application:
    """Return the application in `ecs_hooks_simulator.demo_app`, with further variables such as `STORE`, its folder."""
    command = (sys.executable, "-m", "ecs_hooks_simulator.demo_app")
    return Application(command=command, environment={"VERSION": version, **environment})


class Simulation(BaseSimulation):
    """A running service, for one deployment after the other; a context manager.

    Parameters
    ----------
    blue
        The version that serves at first; None for a service without a deployment so far.
    service
        The service; `deploy` sets its hooks.
    behaviour
        What ECS does where its documentation says nothing.
    clock
        Virtual time by default; a `RealClock` for hooks in other processes.
    timeline
        Receives the records of everything that happens.
    host
        The address of listeners and endpoint; not loopback only for hooks in containers of this machine.
    requests_per_minute
        Requests of users to the production listener during a deployment, for the metrics of the load balancer.
    app_url
        Whether hooks get the test listener's address as `APP_URL`, as AWS's own sample requires. Hooks of this library
        find it through AWS.
    alarms
        CloudWatch alarms on the metrics of the load balancer. ECS watches all of them, unless the service has
        `alarms` of its own.

    Raises
    ------
    AlarmError
        If two alarms have the same name.
    EcsError
        If an alarm uses a metric that the simulator does not have.
    """

    def __init__(  # noqa: PLR0913 - independent options
        self,
        blue: Application | None,
        *,
        service: Service | None = None,
        behaviour: EcsBehaviour | None = None,
        clock: Clock | None = None,
        timeline: Timeline | None = None,
        host: str = "127.0.0.1",
        requests_per_minute: int = 0,
        app_url: bool = False,
        alarms: Sequence[MetricAlarm] = (),
    ) -> None:
        # Moto takes a second to load; the command line has printed its first lines by now.
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
        """Deploy a new version and return the deployment when it is over.

        Hooks in this process find `environment` in `os.environ` meanwhile.

        Parameters
        ----------
        green
            The new version.
        hooks
            The lifecycle hooks of the service.
        faults
            Faults of green, each with its beginning; they last until green's tasks are stopped.

        Raises
        ------
        FaultError
            If a fault would never begin.
        """
        self.controller.service = replace(self.controller.service, lifecycle_hooks=tuple(hooks))
        with use_environment(self.environment):
            return self.controller.deploy(settings={"application": green}, faults=faults)


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """The result of `simulate`.

    Parameters
    ----------
    deployment
        The service deployment, as the ECS API describes it.
    records
        Everything that happened, in order (`ecs_hooks_simulator.core.timeline`).
    requests
        Every request that the load balancer received.
    """

    deployment: ServiceDeployment
    records: Sequence[Record]
    requests: Sequence[Forwarded]

    @property
    def status(self) -> DeploymentStatus:
        """The final status of the deployment, such as SUCCESSFUL or ROLLBACK_SUCCESSFUL."""
        return self.deployment.status

    @property
    def reasons(self) -> list[str]:
        """The reason of each response of the hook, in order."""
        return [record.reason for record in self.records if isinstance(record, HookAnswered)]


def simulate(  # noqa: PLR0913 - independent options
    handler: Handler,
    *,
    stage: str = "POST_TEST_TRAFFIC_SHIFT",
    hook_details: Any = None,
    green: Application | None = None,
    blue: Application | None = None,
    service: Service | None = None,
    behaviour: EcsBehaviour | None = None,
    alarms: Sequence[MetricAlarm] = (),
    faults: Sequence[Fault] = (),
    requests_per_minute: int = 0,
    app_url: bool = False,
) -> SimulationResult:
    """Deploy `green` over `blue` with a handler as lifecycle hook, and return the result when the deployment is over.

    For several hooks or several deployments, use `Simulation`.

    Parameters
    ----------
    handler
        `lambda_handler(event, context)`.
    stage
        The lifecycle stage of the hook.
    hook_details
        Its `hookDetails`: any JSON, such as a plan.
    green, blue
        The two versions: any `Application(command=[...])` that listens on `PORT`. Both are the demo application by default.
    service
        The service, such as one with another deployment strategy.
    behaviour
        What ECS does where its documentation says nothing.
    alarms
        CloudWatch alarms on the metrics of the load balancer, such as
        `MetricAlarm.parse("api-5xx: HTTPCode_Target_5XX_Count Sum > 5")`.
    faults
        Faults of green, each with its beginning, such as `Fault.parse("errors=20%@POST_TEST_TRAFFIC_SHIFT")`.
    requests_per_minute
        Requests of users to the production listener, for the metrics of the load balancer.
    app_url
        Whether the handler gets the test listener's address as `APP_URL`, as AWS's own sample requires.

    Raises
    ------
    AlarmError, EcsError, FaultError
        If an alarm, the stage or a fault is invalid.
    TasksFailedError
        If blue does not start.
    """
    hook = LifecycleHook(target=CallableTarget(handler), lifecycle_stages=[stage], hook_details=hook_details)
    with Simulation(
        blue or demo_application("1"),
        service=service,
        behaviour=behaviour,
        requests_per_minute=requests_per_minute,
        app_url=app_url,
        alarms=alarms,
    ) as simulation:
        deployment = simulation.deploy(green or demo_application("2"), hooks=[hook], faults=faults)
        return SimulationResult(deployment, tuple(simulation.timeline.records), simulation.balancer.forwarded)
