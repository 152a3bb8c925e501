"""Canary deployments by the hundred, on random traffic: how often a plan rolls back equal revisions or misses a slower one.

The controller, the hook and its AWS calls over HTTP are those of any simulation. Only the requests are drawn at random,
and no process runs. So a hook may check metrics and ECS's data, but cannot send requests to green.

Example
-------
>>> from ecs_hooks import stage_hook
>>> from ecs_hooks_simulator import CallableTarget, LifecycleHook
>>> from ecs_hooks_simulator.canaries import Canaries
>>> comparison = {"type": "comparison", "metrics": [{"metric": "TargetResponseTime", "stat": "p99"}]}
>>> hook = LifecycleHook(
...     target=CallableTarget(stage_hook("PRE_PRODUCTION_TRAFFIC_SHIFT")),
...     lifecycle_stages=["PRE_PRODUCTION_TRAFFIC_SHIFT"],
...     hook_details={"checks": [comparison]},
... )
>>> with Canaries(requests_per_minute=1200) as canaries:  # doctest: +SKIP
...     played = [canaries.play(seed, canaries.blue.slower_tail(1.3), hooks=[hook]) for seed in range(200)]
>>> sum(each.stopped for each in played)  # doctest: +SKIP
200
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from ecs_hooks_simulator.aws.cloudwatch import CloudWatch
from ecs_hooks_simulator.aws.elastic_load_balancing import BalancerMetrics, ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.base_simulation import environment_of_hooks, use_environment
from ecs_hooks_simulator.core.clock import EPOCH, VirtualClock
from ecs_hooks_simulator.core.model import CanaryConfiguration, LifecycleHook, Service, Strategy
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus
from ecs_hooks_simulator.core.timeline import HookAnswered, TrafficShifted
from ecs_hooks_simulator.drawn_users import DrawnUsers, Load, Performance
from ecs_hooks_simulator.ecs.controller import DeploymentController
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers

__all__ = ["Canaries", "Load", "Performance", "Played"]


class Played(NamedTuple):
    """The end of a canary deployment.

    Parameters
    ----------
    status
        Status of the deployment.
    shares
        Green's share of the production traffic after each shift, in per cent.
    canary_percent
        The configured share of the first step.
    reason
        Reason of the hook's last response.
    """

    status: DeploymentStatus
    shares: tuple[float, ...]
    canary_percent: float
    reason: str

    @property
    def passed(self) -> bool:
        """Whether green has all traffic."""
        return self.status is DeploymentStatus.SUCCESSFUL and self.shares[-1] == 100  # noqa: PLR2004 - per cent

    @property
    def stopped(self) -> bool:
        """Whether green was rolled back at the first step, and never had more than the canary's share."""
        back = self.status is DeploymentStatus.ROLLBACK_SUCCESSFUL and self.shares[-1] == 0
        return back and max(self.shares) == self.canary_percent


class Canaries:
    """A service for canary deployments, each on traffic of its own; a context manager.

    Parameters
    ----------
    requests_per_minute
        Requests to green as a canary.
    percent
        Its share of the traffic meanwhile.
    blue
        Response times and errors of blue.
    load
        Variation of the response times that blue and green share.
    """

    def __init__(
        self,
        *,
        requests_per_minute: float,
        percent: float = 20.0,
        blue: Performance | None = None,
        load: Load | None = None,
    ) -> None:
        from ecs_hooks_simulator.aws.endpoint import AwsEndpoint  # noqa: PLC0415 - moto takes a second to load

        self.blue = blue or Performance()
        self._requests_per_minute = requests_per_minute * 100 / percent
        self._load = load
        # No bake time: drawing its requests would only cost time.
        canary = CanaryConfiguration(canary_percent=percent, canary_bake_time_minutes=0)
        service = Service(service="my-service", strategy=Strategy.CANARY, canary=canary, bake_time_minutes=0)
        self._percent = percent
        self._service = replace(service, load_balancers=load_balancers(service))
        self._endpoint = AwsEndpoint()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the endpoint, and set the environment variables of hooks in this process."""
        with ExitStack() as opening:
            endpoint = opening.enter_context(self._endpoint)
            opening.enter_context(use_environment(environment_of_hooks(endpoint.url, self._service.region)))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the endpoint."""
        self._open.close()

    def play(self, seed: int, green: Performance, *, hooks: Sequence[LifecycleHook]) -> Played:
        """Deploy a canary and return its end.

        Parameters
        ----------
        seed
            Seed of the traffic, and of the second at which the deployment begins: the same seed, the same requests.
        green
            Response times and errors of green.
        hooks
            The lifecycle hooks of the service.
        """
        from ecs_hooks_simulator.aws.endpoint import answering  # noqa: PLC0415 - as above

        balancer = LoadBalancer()
        # Any second of a minute, as in reality: the first and the last datapoint are partly outside the window.
        clock = VirtualClock(EPOCH + Random(f"{seed} start").uniform(0, 60))  # noqa: S311 - must be reproducible
        service = replace(self._service, lifecycle_hooks=tuple(hooks))
        controller = DeploymentController(service, traffic=balancer, clock=clock)
        balancing = ElasticLoadBalancing(balancer, controller)
        others: list[Answers] = [balancing, CloudWatch(balancer, BalancerMetrics(balancing))]
        controller.adopt(settings={"performance": self.blue})
        DrawnUsers(balancer, controller, requests_per_minute=self._requests_per_minute, seed=seed, load=self._load)
        with answering(controller.deployments, others):
            deployment = controller.deploy(settings={"performance": green})
        shifts = [each for each in controller.timeline.of(TrafficShifted) if each.deployment == deployment.arn]
        return Played(
            deployment.status,
            tuple(each.weights.get(deployment.target.arn, 0) for each in shifts if each.listener == "production"),
            self._percent,
            next((each.reason for each in reversed(controller.timeline.of(HookAnswered))), ""),
        )
