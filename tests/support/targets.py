"""Deployments with addresses that a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, Listener
from ecs_hooks.deployment.listener import Route, Rule
from ecs_hooks.deployment.routing import Routing
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from ecs_hooks.deployment.target import Target
from ecs_hooks.http.url import Url
from tests.conftest import load_event

_ELB = "arn:aws:elasticloadbalancing:us-west-2:123456789012"


def rule(*conditions: dict[str, Any], to: str = "green", priority: int | None = None) -> Rule:
    """Return a rule that forwards to the target group of a name; without a priority, the default rule."""
    arn = f"{_ELB}:listener-rule/app/my-alb/1/2/{priority or 'default'}"
    return Rule(arn, priority, Route((f"{_ELB}:targetgroup/{to}/1",), conditions, ""))


def behind(
    url: str, *conditions: dict[str, Any], before: Sequence[Rule] = (), of: str = "green", **fields: Any
) -> Endpoint:
    """Return an endpoint behind a listener rule with these conditions; the default rule forwards to the other revision.

    Parameters
    ----------
    before
        Rules of a better priority.
    of
        The revision: `green` or `blue`.
    """
    own, parsed = rule(*conditions, to=of, priority=50), Url.parse(url)
    default = rule(to="blue" if of == "green" else "green")
    routing = Routing(
        [*before, own, default],
        own,
        own.route.target_groups[0],
        whose=of,
        host=parsed.host,
        port=parsed.port,
        others=lambda _: None,
    )
    return Endpoint(url, routing=routing, **fields)


class FixedTarget(Target):
    """A deployment whose addresses are given; none of green is an error, none of blue leaves it to AWS."""

    def __init__(
        self,
        green: str | Endpoint | Callable[[], Endpoint] | None = None,
        blue: Endpoint | None = None,
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

    def blue(self, url: str | None, host: str | None) -> Endpoint:
        return super().blue(url, host) if self._blue is None else self._blue
