"""Which IAM actions a function needs to find out what several kinds of checks ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecs_hooks.deployment.endpoint import BEFORE_GREEN_RUNS, BEFORE_TEST_TRAFFIC, Configured, app_url_of
from ecs_hooks.deployment.listener import LISTENERS, LOAD_BALANCERS, RULES
from ecs_hooks.deployment.revision import ACTION as REVISIONS
from ecs_hooks.deployment.revision import LoadBalancing
from ecs_hooks.deployment.tasks import DESCRIBE, LIST


class SharedActions(NamedTuple):
    """The IAM actions behind questions that checks have in common, and what decides which these are.

    Parameters
    ----------
    stage
        The stage of the deployment.
    load_balancing
        The load balancers of the service.
    green
        The actions to find out where green answers.
    """

    stage: str
    load_balancing: Sequence[LoadBalancing]
    green: frozenset[str]

    @classmethod
    def of(
        cls,
        configured: Configured,
        stage: str,
        load_balancing: Sequence[LoadBalancing],
        environment: Mapping[str, str],
    ) -> SharedActions:
        """Return the actions for a service.

        Parameters
        ----------
        configured
            What the plan says of green's address.
        stage
            The stage of the deployment.
        load_balancing
            The load balancers of the service.
        environment
            The environment of the function.
        """
        tested = [each.test for each in load_balancing if each.test]
        green: set[str] = set()
        if configured.base_url:
            green = {REVISIONS} if configured.service_connect else set()
        elif app_url_of(environment) or stage in BEFORE_GREEN_RUNS:
            pass
        elif not tested:
            green = {REVISIONS, LIST, DESCRIBE}
        elif stage in BEFORE_TEST_TRAFFIC:  # the listener would test blue, so nobody looks further
            green = {REVISIONS}
        else:
            green = {REVISIONS, LISTENERS, LOAD_BALANCERS, *map(_route, tested)}
        return cls(stage, load_balancing, frozenset(green))

    @property
    def routes(self) -> frozenset[str]:
        """The actions to see where the listeners lead that ECS has set."""
        production = [each.production for each in self.load_balancing if each.production]
        test = [each.test for each in self.load_balancing if each.test and self.stage not in BEFORE_TEST_TRAFFIC]
        return frozenset(map(_route, [*production, *test]))

    @property
    def green_runs(self) -> bool:
        """Whether there is anything of green to ask for."""
        return self.stage not in BEFORE_GREEN_RUNS


def _route(arn: str) -> str:
    """Return the action that shows where a listener rule (Application Load Balancer) or a listener leads."""
    return RULES if ":listener-rule/" in arn else LISTENERS
