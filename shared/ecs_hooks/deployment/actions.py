"""Which IAM actions a function needs to find out what several kinds of checks ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecs_hooks.deployment.endpoint import Configured, app_url_of
from ecs_hooks.deployment.listener import LISTENERS, LOAD_BALANCERS, RULES
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.revision import LoadBalancing
from ecs_hooks.deployment.tasks import DESCRIBE, LIST


class SharedActions(NamedTuple):
    """The IAM actions behind questions that checks have in common; they depend on how the service is laid out.

    Parameters
    ----------
    green
        To find out where green answers.
    routes
        To see where the listeners of the service lead.
    """

    green: frozenset[str]
    routes: frozenset[str]

    @classmethod
    def of(
        cls, configured: Configured, load_balancing: Sequence[LoadBalancing], environment: Mapping[str, str]
    ) -> SharedActions:
        """Return the actions for a service.

        Parameters
        ----------
        configured
            What the plan says of green's address.
        load_balancing
            The load balancers of the service.
        environment
            The environment of the function.
        """
        tested = [each.test for each in load_balancing if each.test]
        if configured.base_url:
            green = {REVISIONS} if configured.service_connect else set()
        elif app_url_of(environment):
            green = set()
        elif tested:
            green = {REVISIONS, LISTENERS, LOAD_BALANCERS, *map(_route, tested)}
        else:
            green = {REVISIONS, LIST, DESCRIBE}
        listeners = [arn for each in load_balancing for arn in (each.test, each.production) if arn]
        return cls(frozenset(green), frozenset(map(_route, listeners)))


def _route(arn: str) -> str:
    """Return the action that shows where a listener rule (Application Load Balancer) or a listener leads."""
    return RULES if ":listener-rule/" in arn else LISTENERS
