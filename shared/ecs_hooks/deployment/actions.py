"""The IAM actions of facts that several kinds of checks use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ecs_hooks.deployment.baseline import blue_listener
from ecs_hooks.deployment.endpoint import (
    BEFORE_GREEN_RUNS,
    BEFORE_PRODUCTION_TRAFFIC,
    BEFORE_TEST_TRAFFIC,
    EndpointError,
    Listener,
)
from ecs_hooks.deployment.green import EndpointConfig, app_url_of, green_listener, production_listener
from ecs_hooks.deployment.listener import LISTENERS, LOAD_BALANCERS, RULES
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS as REVISIONS
from ecs_hooks.deployment.revision import LoadBalancing
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS as DEPLOYMENTS
from ecs_hooks.deployment.tasks import DESCRIBE_TASKS, LIST_TASKS, TASK_DEFINITION

_TASKS = frozenset({LIST_TASKS, DESCRIBE_TASKS})


class Serving(NamedTuple):
    """How a service gets traffic.

    Parameters
    ----------
    load_balancing
        Its load balancers.
    port_names
        Names of the ports that it offers through Service Connect, VPC Lattice or an ECS gateway.
    """

    load_balancing: Sequence[LoadBalancing] = ()
    port_names: Sequence[str] = ()


class SharedActions(NamedTuple):
    """The IAM actions of shared facts, for one stage of one service.

    Parameters
    ----------
    stage
        The stage of the deployment.
    load_balancing
        The load balancers of the service.
    endpoint
        The actions that find green's endpoint, by listener.
    both
        The actions that find both endpoints, green's and blue's.
    """

    stage: str
    load_balancing: Sequence[LoadBalancing]
    endpoint: Mapping[Listener, frozenset[str]]
    both: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, configured: EndpointConfig, stage: str, serving: Serving, environment: Mapping[str, str]
    ) -> SharedActions:
        """Return the actions for a service, with the plan's fields for green and the environment of the function."""
        if configured.base_url:
            test = frozenset({REVISIONS} if configured.service_connect else ())
        elif app_url_of(environment):
            test = frozenset()
        else:
            test = _for_green(stage, serving)
        is_given = bool(configured.base_url or app_url_of(environment))
        both = _for_both(stage, serving, test, is_given=is_given)
        return cls(stage, serving.load_balancing, {"test": test, "production": _for_production(stage, serving)}, both)

    @property
    def routes(self) -> frozenset[str]:
        """The actions that read the routes which ECS has set."""
        production = [each.production for each in self.load_balancing if each.production]
        test = [each.test for each in self.load_balancing if each.test and self.stage not in BEFORE_TEST_TRAFFIC]
        return frozenset(map(_for_route, [*production, *test]))

    @property
    def green_runs(self) -> bool:
        """Whether green runs at this stage."""
        return self.stage not in BEFORE_GREEN_RUNS


# Where the endpoint's module raises EndpointError, it makes no further calls.


def _for_green(stage: str, serving: Serving) -> frozenset[str]:
    if stage in BEFORE_GREEN_RUNS:
        return frozenset()
    try:
        found = green_listener(stage, serving.load_balancing)
    except EndpointError:
        return frozenset({REVISIONS})
    if found is not None:
        return _for_listener(found[1])
    if _has_named_port(serving):
        return frozenset({REVISIONS, TASK_DEFINITION}) | _TASKS
    return frozenset({REVISIONS}) | (_TASKS if any(each.port for each in serving.load_balancing) else set())


def _for_both(stage: str, serving: Serving, test: frozenset[str], *, is_given: bool) -> frozenset[str]:
    """Return the actions that find blue, then green."""
    if stage in BEFORE_GREEN_RUNS:
        return frozenset()
    facts = frozenset({DEPLOYMENTS, REVISIONS})
    balancing = serving.load_balancing
    try:
        listener = blue_listener(stage, balancing, balancing, is_given=is_given)
    except EndpointError:
        return facts
    if listener is None:
        return facts | test | _TASKS | ({TASK_DEFINITION} if _has_named_port(serving) else set())
    return facts | test | _for_listener(listener.production)


def _has_named_port(serving: Serving) -> bool:
    return bool(serving.port_names) and not any(each.port for each in serving.load_balancing)


def _for_production(stage: str, serving: Serving) -> frozenset[str]:
    if stage in BEFORE_PRODUCTION_TRAFFIC:
        return frozenset()
    try:
        return _for_listener(production_listener(serving.load_balancing)[1])
    except EndpointError:
        return frozenset({REVISIONS})


def _for_listener(arn: str) -> frozenset[str]:
    return frozenset({REVISIONS, LISTENERS, LOAD_BALANCERS, _for_route(arn)})


def _for_route(arn: str) -> str:
    """Return the action that reads the rules of an Application Load Balancer's listener, or the action of another one."""
    return RULES if ":listener-rule/" in arn or ":listener/app/" in arn else LISTENERS
