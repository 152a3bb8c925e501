"""An AWS endpoint on loopback: moto's server, and what it lacks: service deployments, and whatever a simulation plays.

`AWS_ENDPOINT_URL` points boto3 at it. Moto keeps its state for the whole process, so two simulations in one process share
it; service deployments are found by their ARN, which no two of them have in common.
"""

from __future__ import annotations

from ecs_hooks_simulator.aws.alarms import AlarmMetrics, AlarmStates
from ecs_hooks_simulator.aws.balancer_metrics import BalancerMetrics
from ecs_hooks_simulator.aws.cloudwatch import CloudWatch
from ecs_hooks_simulator.aws.elastic_load_balancing import ElasticLoadBalancing, load_balancers
from ecs_hooks_simulator.aws.endpoint import AwsEndpoint, answering
from ecs_hooks_simulator.aws.tasks import EcsTasks

__all__ = [
    "AlarmMetrics",
    "AlarmStates",
    "AwsEndpoint",
    "BalancerMetrics",
    "CloudWatch",
    "EcsTasks",
    "ElasticLoadBalancing",
    "answering",
    "load_balancers",
]
