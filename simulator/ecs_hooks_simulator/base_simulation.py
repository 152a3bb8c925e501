"""What every simulation has: versions that run, a load balancer, AWS, users, and the environment of hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ecs_hooks_simulator.application import LocalTasks
from ecs_hooks_simulator.aws.alarm_evaluator import CloudWatchAlarms
from ecs_hooks_simulator.aws.cloudwatch import CloudWatch, Metrics
from ecs_hooks_simulator.core import aws_environment
from ecs_hooks_simulator.core.clock import VirtualClock
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer
from ecs_hooks_simulator.traffic.users import FIRST, PERIOD, Users

if TYPE_CHECKING:
    from ecs_hooks_simulator.application import Application
    from ecs_hooks_simulator.aws.endpoint import AwsEndpoint
    from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
    from ecs_hooks_simulator.core.clock import SimulationClock
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.timeline import Timeline
    from ecs_hooks_simulator.ecs.base_controller import BaseController


class BaseSimulation:
    """Something that runs, and can be deployed to; a context manager.

    Parameters
    ----------
    blue, service, clock, host, requests_per_minute, app_url, alarms
        As the simulations have them.

    Attributes
    ----------
    balancer : LoadBalancer
        The two listeners.
    alarms : CloudWatchAlarms
        The CloudWatch alarms.
    """

    controller: BaseController[Any]
    endpoint: AwsEndpoint
    _cloudwatch: CloudWatch

    def __init__(
        self,
        blue: Application | None,
        *,
        service: Service,
        clock: SimulationClock | None,
        host: str,
        requests_per_minute: int,
        app_url: bool,
        alarms: Sequence[MetricAlarm],
    ) -> None:
        self._blue = blue
        self._requests_per_minute = requests_per_minute
        self._app_url = app_url
        self._open = ExitStack()
        self._clock = clock or VirtualClock()
        self.balancer = LoadBalancer(host)
        self._tasks = LocalTasks(self.balancer)
        self.alarms = CloudWatchAlarms(
            alarms,
            measure=self._measured,
            now=self._clock.now,
            arn=f"arn:{service.partition}:cloudwatch:{service.region}:{service.account}:alarm:",
        )

    def __enter__(self) -> Self:
        """Start blue, the listeners and the endpoint."""
        with ExitStack() as opening:
            opening.enter_context(self.balancer)
            opening.callback(self._tasks.close)
            opening.enter_context(self.endpoint)
            if self._blue is not None:
                self.controller.adopt(settings={"application": self._blue})
            if self._requests_per_minute:
                virtual = isinstance(self.controller.clock, VirtualClock)
                users = Users(self.production_url, self._requests_per_minute, virtual=virtual)
                self.controller.every(PERIOD, users.visit, first=FIRST)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._open.close()

    def _measure(self, metrics: Metrics, alarms: Sequence[MetricAlarm]) -> CloudWatch:
        """Return CloudWatch with these metrics, which evaluates the alarms from now on.

        Raises
        ------
        EcsError
            If the simulator does not support the metric of an alarm.
        """
        self._cloudwatch = CloudWatch(self.balancer, metrics)
        for alarm in alarms:
            self._cloudwatch.check(alarm)
        return self._cloudwatch

    def _measured(self, alarm: MetricAlarm, begin: float, end: float) -> Mapping[float, float]:
        return self._cloudwatch.measure(alarm, begin, end)

    @property
    def production_url(self) -> str:
        """The address of the production listener."""
        return self.balancer.url("production")

    @property
    def test_url(self) -> str:
        """The address of the test listener."""
        return self.balancer.url("test")

    @property
    def timeline(self) -> Timeline:
        """What happened."""
        return self.controller.timeline

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of a hook: AWS at the endpoint, with credentials that are none."""
        return {
            **({"APP_URL": self.test_url} if self._app_url else {}),
            **aws_environment.of_hooks(self.endpoint.url, self.controller.service.region, self.balancer.host),
        }
