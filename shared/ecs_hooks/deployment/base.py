"""The facts about a deployment that checks and endpoints use, for every deployment controller."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Never

from ecs_hooks.aws.call import parsing
from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.listener import (
    Address,
    ListenerArn,
    Route,
    Rule,
    describe_address,
    describe_ports,
    describe_rules,
    find_rule,
)
from ecs_hooks.deployment.logs import LogConfiguration, log_configurations
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS as SERVICE_REVISIONS
from ecs_hooks.deployment.revision import ServiceRevision
from ecs_hooks.deployment.tasks import Port, Task, container_definitions, named_port

if TYPE_CHECKING:
    from ecs_hooks.deployment.endpoint import Endpoint


class NotApplicableError(ExplainedError):
    """Deployments of this kind do not have the fact, such as the tasks of a Lambda function."""

    @property
    def outcome(self) -> Outcome:
        """A `SKIP`, which alone does not let a hook succeed; see `ecs_hooks.engine.verdict`."""
        return Outcome.not_applicable(str(self))


class Deployment(ABC):
    """The facts about a deployment, each fetched once, on first use.

    Parameters
    ----------
    region
        Region of the deployment.
    facts
        Facts of earlier invocations.

    Notes
    -----
    Every property may raise `FactError` if an AWS call fails, `FactDeniedError` if a retry cannot help, and
    `NotApplicableError` if deployments of this kind do not have the fact.
    """

    def __init__(self, region: str, facts: Facts | None = None) -> None:
        self.region = region
        self.facts = facts or Facts()

    @property
    @abstractmethod
    def id(self) -> str:
        """ARN of the service deployment, or ID of CodeDeploy's deployment."""

    @property
    @abstractmethod
    def cluster(self) -> str:
        """Name of the cluster."""

    @property
    @abstractmethod
    def service(self) -> str:
        """Name of the service."""

    @property
    @abstractmethod
    def green(self) -> ServiceRevision:
        """The new revision."""

    @property
    @abstractmethod
    def blue(self) -> ServiceRevision | None:
        """The previous revision; None on the first deployment."""

    @property
    @abstractmethod
    def blue_bake_start(self) -> float | None:
        """When blue first had all production traffic, in seconds since the epoch; None on the first deployment."""

    @property
    @abstractmethod
    def tasks(self) -> list[Task]:
        """Green's tasks that run or start, at most a hundred."""

    @property
    @abstractmethod
    def stopped_tasks(self) -> list[Task]:
        """Green's tasks that stopped within about an hour."""

    @property
    @abstractmethod
    def blue_tasks(self) -> list[Task]:
        """Blue's tasks that run or start; empty on the first deployment."""

    @property
    @abstractmethod
    def images(self) -> Mapping[str, tuple[str, str]]:
        """Image and digest of green by container name; empty texts if unknown."""

    @property
    @abstractmethod
    def task_counts(self) -> tuple[int, int]:
        """Running and requested number of green's tasks."""

    @property
    @abstractmethod
    def green_percent(self) -> float | None:
        """Green's percentage of production traffic; None if unknown."""

    @property
    @abstractmethod
    def alarm_names(self) -> tuple[str, ...]:
        """Names of the deployment's alarms; empty if they are not enabled."""

    @property
    @abstractmethod
    def started_at(self) -> float:
        """Start of the deployment, in seconds since the epoch."""

    @property
    @abstractmethod
    def rolling_back(self) -> bool:
        """Whether the deployment is being rolled back."""

    @property
    @abstractmethod
    def first(self) -> bool:
        """Whether this is the first deployment, which cannot be rolled back."""

    @property
    def function(self) -> str:
        """Name of the deployed Lambda function."""
        return _no_function()

    @property
    def alias(self) -> str:
        """Name of the alias whose traffic is shifted."""
        return _no_function()

    @property
    def green_version(self) -> str:
        """The new version of the function."""
        return _no_function()

    @property
    def blue_version(self) -> str:
        """The previous version of the function; empty on the first deployment."""
        return _no_function()

    @property
    def strategy(self) -> str:
        """`ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`; empty if unknown."""
        return ""

    @property
    def endpoint_obstacle(self) -> str:
        """Why green's endpoint cannot be found; empty if it can."""
        return ""

    @property
    def _containers(self) -> list[Mapping[str, Any]]:
        name = self.green.task_definition
        return self.facts.get("containers", lambda: container_definitions(name, self.region))

    @property
    def port(self) -> Port | None:
        """Green's container port: of a load balancer, or of Service Connect, VPC Lattice or an ECS gateway."""
        return self._port("port", self.green, lambda: self._containers)

    @property
    def blue_port(self) -> Port | None:
        """Blue's container port; None on the first deployment, too."""
        blue = self.blue
        if blue is None:
            return None
        return self._port("blue port", blue, lambda: container_definitions(blue.task_definition, self.region))

    def _port(
        self, name: str, revision: ServiceRevision, containers: Callable[[], list[Mapping[str, Any]]]
    ) -> Port | None:
        for each in revision.load_balancing:
            if each.port:
                return Port(each.container, each.port)
        if not revision.port_names:
            return None
        return self.facts.get(name, lambda: named_port(containers(), revision.port_names), kind=Port)

    @property
    def logs(self) -> list[LogConfiguration]:
        """The log configuration of each of green's containers."""
        return self.facts.get(
            "logs", lambda: log_configurations(self._containers, self.region), kind=list[LogConfiguration]
        )

    def route(self, arn: str) -> Route:
        """Return the current route of a listener rule or listener."""
        return find_rule(self.rules(arn), _listener(arn)).route

    def rules(self, arn: str) -> tuple[Rule, ...]:
        """Return the current rules of a listener in the order of their evaluation, by its own ARN or that of a rule."""
        listener = _listener(arn)
        return self.facts.get(f"rules {listener.listener}", lambda: describe_rules(listener))

    def routed(self, endpoint: Endpoint, arn: str, target_group: str, whose: str, apart: str = "") -> Endpoint:
        """Return an endpoint whose requests are verified by the rules of its listener.

        Parameters
        ----------
        endpoint
            The endpoint of a listener (rule).
        arn
            The ARN of that listener or rule.
        target_group, whose, apart
            See `Routing`.
        """
        from ecs_hooks.deployment.routing import Routing  # noqa: PLC0415 - loads the HTTP client
        from ecs_hooks.http.url import Url  # noqa: PLC0415

        listener, rules, url = _listener(arn), self.rules(arn), Url.parse(endpoint.base_url)

        def others(port: int) -> tuple[Rule, ...] | None:
            ports = self.facts.get(f"ports {listener.load_balancer}", lambda: describe_ports(listener))
            found = next((each.arn for each in ports if each.port == port), None)
            return None if found is None else self.rules(found)

        own = find_rule(rules, listener)
        return endpoint._replace(
            routing=Routing(
                rules, own, target_group, whose=whose, host=url.host, port=url.port, others=others, apart=apart
            )
        )

    def address(self, arn: str) -> Address:
        """Return the address of a listener, by its own ARN or that of a rule."""
        return self.facts.get(f"listener {arn}", lambda: describe_address(_listener(arn)), kind=Address)


def _no_function() -> Never:
    raise NotApplicableError("this is a deployment of an ECS service, which has no Lambda function")


def _listener(arn: str) -> ListenerArn:
    with parsing(SERVICE_REVISIONS):
        return ListenerArn.parse(arn)
