"""What a check of the benchmarks knows."""

from __future__ import annotations

from ecs_hooks.checks import CheckContext
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.deployment.service_deployment import ServiceDeployment


def context(address: str, seconds: float = 600) -> CheckContext:
    """Return the context of a check that asks an address, and nothing about the deployment."""

    def nobody() -> ServiceDeployment:
        raise NotImplementedError

    return CheckContext("POST_TEST_TRAFFIC_SHIFT", nobody, lambda _: Endpoint(address), Deadline.after(seconds), 0)
