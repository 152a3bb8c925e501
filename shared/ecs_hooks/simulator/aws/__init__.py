"""An AWS endpoint on loopback: moto's server, and the ECS operations that it lacks.

`AWS_ENDPOINT_URL` points boto3 at it. Moto keeps its state for the whole process, so two simulations in one process share
it; service deployments are found by their ARN, which no two of them have in common.
"""

from __future__ import annotations

from ecs_hooks.simulator.aws.endpoint import AwsEndpoint

__all__ = ["AwsEndpoint"]
