"""The deployment that a hook checks: its facts, and the addresses of green and blue."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ecs_hooks.core.sent_requests import SentRequests
from ecs_hooks.deployment.baseline import blue_endpoint
from ecs_hooks.deployment.green import EndpointConfig, green_endpoint

if TYPE_CHECKING:
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.endpoint import Endpoint, Listener

NOT_CONFIGURED = EndpointConfig()


class Target:
    """The deployment that a hook checks. Nothing is read from AWS before it is needed.

    Parameters
    ----------
    stage
        The stage of the deployment.
    make_deployment
        Makes the deployment. A hook that only speaks HTTP never calls it, and so never loads an AWS client.
    configured
        Address and `Host` of green from the plan.
    sent
        Counts the requests to green. Default: from none on.
    """

    def __init__(
        self,
        stage: str,
        make_deployment: Callable[[], Deployment],
        configured: EndpointConfig = NOT_CONFIGURED,
        sent: SentRequests | None = None,
    ) -> None:
        self.stage = stage
        self.sent = sent or SentRequests()
        self._make_deployment = make_deployment
        self._configured = configured

    @cached_property
    def deployment(self) -> Deployment:
        """Revisions, tasks and listeners of the deployment."""
        return self._make_deployment()

    def green(self, listener: Listener) -> Endpoint:
        """Return the address of green behind a listener; see `green_endpoint` for the errors."""
        endpoint = green_endpoint(self._configured, self.stage, lambda: self.deployment, listener)
        # Requests to a task's own address do not pass the load balancer, so its metrics do not count them.
        return endpoint if endpoint.is_task else endpoint._replace(sent=self.sent)

    def blue(self, url: str | None, host: str | None) -> Endpoint:
        """Return the address of blue; see `blue_endpoint` for parameters and errors."""
        return blue_endpoint(self._configured, self.stage, lambda: self.deployment, url, host)
