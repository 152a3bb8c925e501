"""The base of both simulations: running versions, a load balancer, AWS, users, and the environment of hooks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import urllib3

from ecs_hooks_simulator.application import Application, LocalTasks
from ecs_hooks_simulator.aws.alarm_evaluator import CloudWatchAlarms
from ecs_hooks_simulator.aws.cloudwatch import CloudWatch, Metrics
from ecs_hooks_simulator.aws.metric_alarm import MetricAlarm
from ecs_hooks_simulator.core.clock import Clock, VirtualClock
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.timeline import Timeline
from ecs_hooks_simulator.ecs.base_controller import BaseController
from ecs_hooks_simulator.traffic.load_balancer import VIRTUAL, LoadBalancer

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.endpoint import AwsEndpoint  # loads moto, which takes a second

PERIOD = 60.0
"""Seconds between two visits of the users: one datapoint of the load balancer's metrics."""
FIRST_VISIT = 20.0
"""Seconds after the start of a deployment: steps, faults and hooks act at full and half minutes, so none races with it."""
REQUESTS = 10
"""Default number of requests per visit."""
_CONCURRENCY = 20
"""Simultaneous requests of users in real time: slow responses one after the other would take more than a minute."""


def environment_of_hooks(endpoint_url: str, region: str, host: str = "127.0.0.1") -> dict[str, str]:
    """Return the environment variables of a hook: AWS at an endpoint, with fake credentials, and green's host allowed."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "simulator",
        "AWS_SECRET_ACCESS_KEY": "simulator",
        "AWS_SESSION_TOKEN": "simulator",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "ECS_HOOKS_ALLOWED_HOSTS": host,
    }


@contextmanager
def use_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables in `os.environ` for the duration of the block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Users:
    """Users who request the home page; without them the load balancer has nothing to measure.

    Parameters
    ----------
    url
        Address of the production listener.
    requests
        Requests per visit.
    virtual
        Whether they live in virtual time, and do not wait for delays by faults.
    """

    def __init__(self, url: str, requests: int, *, virtual: bool = False) -> None:
        self._headers = {VIRTUAL: "1"} if virtual else {}
        self._url = url
        self._requests = requests

    def visit(self, *_: object) -> None:
        """Send the requests of a minute; the load balancer records the results."""
        with urllib3.PoolManager(retries=False, timeout=10, maxsize=_CONCURRENCY) as http:

            def request(_: int) -> None:
                with suppress(urllib3.exceptions.HTTPError):
                    http.request("GET", f"{self._url}/", headers=self._headers)

            with ThreadPoolExecutor(1 if self._headers else _CONCURRENCY) as pool:
                list(pool.map(request, range(self._requests)))


class BaseSimulation:
    """A service that runs and can be deployed to; a context manager.

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
        clock: Clock | None,
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
                self.controller.every(PERIOD, users.visit, first=FIRST_VISIT)
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
        """The records of everything that happened."""
        return self.controller.timeline

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of hooks."""
        return {
            **({"APP_URL": self.test_url} if self._app_url else {}),
            **environment_of_hooks(self.endpoint.url, self.controller.service.region, self.balancer.host),
        }
