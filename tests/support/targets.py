"""Deployments with addresses that a test chooses."""

from __future__ import annotations

from collections.abc import Callable

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.baseline import BlueEndpoint
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, Listener
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.target import Target
from tests.conftest import load_event


class FixedTarget(Target):
    """A deployment whose addresses are given; none of green is an error, none of blue leaves it to AWS."""

    def __init__(
        self,
        green: str | Endpoint | Callable[[], Endpoint] | None = None,
        blue: BlueEndpoint | None = None,
        stage: str = "POST_TEST_TRAFFIC_SHIFT",
        deployment: Deployment | None = None,
    ) -> None:
        super().__init__(stage, lambda: deployment or ServiceDeployment(LifecycleEvent.parse(load_event())))
        self._green = green
        self._blue = blue

    def green(self, _: Listener) -> Endpoint:
        if self._green is None:
            raise EndpointError("nobody knows where green is")
        if isinstance(self._green, str):
            return Endpoint(self._green)
        return self._green if isinstance(self._green, Endpoint) else self._green()

    def blue(self, url: str | None, host: str | None) -> BlueEndpoint:
        return super().blue(url, host) if self._blue is None else self._blue
