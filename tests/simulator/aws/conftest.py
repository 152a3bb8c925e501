"""AWS clients of a simulation without processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ecs_hooks_simulator import DeploymentController, Service
from ecs_hooks_simulator.aws.answers import Answers
from ecs_hooks_simulator.aws.cloudwatch import CloudWatch
from ecs_hooks_simulator.aws.elastic_load_balancing import BalancerMetrics, ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.aws.endpoint import AwsEndpoint
from ecs_hooks_simulator.aws.tasks import EcsTasks
from ecs_hooks_simulator.traffic.load_balancer import LoadBalancer

Client = Callable[[str], Any]


@pytest.fixture
def balancer() -> Iterator[LoadBalancer]:
    with LoadBalancer() as made:
        yield made


@pytest.fixture
def controller(balancer: LoadBalancer) -> DeploymentController:
    service = Service(service="api", desired_count=2)
    service = Service(service="api", desired_count=2, load_balancers=load_balancers(service))
    return DeploymentController(service, traffic=balancer)


@pytest.fixture
def client(controller: DeploymentController, balancer: LoadBalancer) -> Iterator[Client]:
    balancing = ElasticLoadBalancing(balancer, controller)
    others: list[Answers] = [EcsTasks(controller), balancing, CloudWatch(balancer, BalancerMetrics(balancing))]
    with AwsEndpoint(controller.deployments, others=others) as endpoint:

        def make(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=endpoint.url,
                region_name="us-west-2",
                aws_access_key_id="none",
                aws_secret_access_key="none",
                config=Config(retries={"total_max_attempts": 1}),
            )

        yield make
