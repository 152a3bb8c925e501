"""Canary deployments by the hundred, on traffic that is drawn: to see how often a gate is wrong.

The controller, the hook and what it asks AWS over HTTP are those of any simulation; only the requests are drawn, and no
process runs. So the hook may ask for metrics, and for what ECS tells; green has no address.

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
from ecs_hooks_simulator.canaries.drawn_users import DrawnUsers, Load
from ecs_hooks_simulator.canaries.performance import Performance
from ecs_hooks_simulator.core import aws_environment
from ecs_hooks_simulator.core.clock import EPOCH, VirtualClock
from ecs_hooks_simulator.core.model import Service
from ecs_hooks_simulator.core.record import DeploymentStatus
from ecs_hooks_simulator.core.strategy import CanaryConfiguration, Strategy
from ecs_hooks_simulator.core.timeline import HookAnswered, TrafficShifted
from ecs_hooks_simulator.ecs.controller import DeploymentController
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

if TYPE_CHECKING:
    from ecs_hooks_simulator.aws.answers import Answers
    from ecs_hooks_simulator.core.model import LifecycleHook


class Played(NamedTuple):
    """What became of a canary.

    Parameters
    ----------
    status
        Of the deployment.
    shares
        Green's share of the production traffic after each shift, in per cent.
    canary_percent
        What it was to have at the first step.
    reason
        Of the last answer that a hook gave.
    """

    status: DeploymentStatus
    shares: tuple[float, ...]
    canary_percent: float
    reason: str

    @property
    def passed(self) -> bool:
        """Whether green took over."""
        return self.status is DeploymentStatus.SUCCESSFUL and self.shares[-1] == 100  # noqa: PLR2004 - per cent

    @property
    def stopped(self) -> bool:
        """Whether green was rolled back from the first step, and never had more than the canary's share."""
        back = self.status is DeploymentStatus.ROLLBACK_SUCCESSFUL and self.shares[-1] == 0
        return back and max(self.shares) == self.canary_percent


class Canaries:
    """A service to which canaries are deployed, each on traffic of its own; a context manager.

    Parameters
    ----------
    requests_per_minute
        How many green gets as a canary.
    percent
        Its share of the traffic meanwhile.
    blue
        How blue performs.
    load
        What makes both quicker and slower.
    """

    def __init__(
        self,
        *,
        requests_per_minute: float,
        percent: float = 20.0,
        blue: Performance | None = None,
        load: Load | None = None,
    ) -> None:
        # Moto takes a second to load.
        from ecs_hooks_simulator.aws.endpoint import AwsEndpoint  # noqa: PLC0415

        self.blue = blue or Performance()
        self._requests_per_minute = requests_per_minute * 100 / percent
        self._load = load
        # No time for baking: what is drawn in it nobody looks at.
        canary = CanaryConfiguration(canary_percent=percent, canary_bake_time_minutes=0)
        service = Service(service="my-service", strategy=Strategy.CANARY, canary=canary, bake_time_minutes=0)
        self._percent = percent
        self._service = replace(service, load_balancers=load_balancers(service))
        self._endpoint = AwsEndpoint()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the endpoint, which serves all deployments, and lead hooks of this process there."""
        with ExitStack() as opening:
            endpoint = opening.enter_context(self._endpoint)
            opening.enter_context(aws_environment.use(aws_environment.of_hooks(endpoint.url, self._service.region)))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._open.close()

    def play(self, seed: int, green: Performance, *, hooks: Sequence[LifecycleHook]) -> Played:
        """Deploy a canary and return when the deployment is over.

        Parameters
        ----------
        seed
            Of the traffic, and of the second at which the deployment begins: the same seed, the same requests.
        green
            How it performs.
        hooks
            The lifecycle hooks of the service.
        """
        from ecs_hooks_simulator.aws.endpoint import answering  # noqa: PLC0415 - as above

        balancer = LoadBalancer()
        # At any second of a minute, as in life: the first and the last datapoint are not the whole window's.
        clock = VirtualClock(EPOCH + Random(f"{seed} start").uniform(0, 60))  # noqa: S311 - a drawing to be repeated
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
