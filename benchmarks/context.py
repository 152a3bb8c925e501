"""The context of the checks in the benchmarks."""

from __future__ import annotations

from ecs_hooks.checks import CheckContext
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.deployment.target import Target


class _Address(Target):
    def __init__(self, address: str) -> None:
        super().__init__("POST_TEST_TRAFFIC_SHIFT", self._nothing)
        self._address = address

    def green(self, _: Listener) -> Endpoint:
        return Endpoint(self._address)

    def _nothing(self) -> Deployment:
        raise NotImplementedError


def context(address: str, seconds: float = 600) -> CheckContext:
    """Return the context of a check that sends requests to an address, and reads nothing about the deployment."""
    return CheckContext(_Address(address), Deadline.after(seconds))
