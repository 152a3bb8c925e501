"""What checks and endpoints know of a deployment, whoever carries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Never

from ecs_hooks.aws.call import reading
from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.listener import Address, ListenerArn, Route, address, route
from ecs_hooks.deployment.logs import LogConfiguration, log_configurations
from ecs_hooks.deployment.revision import ACTION as SERVICE_REVISIONS
from ecs_hooks.deployment.revision import ServiceRevision
from ecs_hooks.deployment.task_definition import Port, container_definitions, named_port
from ecs_hooks.deployment.tasks import Task


class NotApplicableError(ExplainedError):
    """A check asks for something that deployments of this kind do not have, such as the tasks of a Lambda function."""

    @property
    def outcome(self) -> Outcome:
        """A `SKIP`, which alone lets nothing pass; see `ecs_hooks.engine.verdict`."""
        return Outcome.not_applicable(str(self))


class Deployment(ABC):
    """Who is green, who is blue, and what AWS knows of them: each fact asked for when it is first needed, once.

    Parameters
    ----------
    region
        Region of the deployment.
    facts
        What earlier invocations found out.

    Notes
    -----
    Every property raises `FactError` where AWS does not answer, `FactDeniedError` where asking again is of no use, and
    `NotApplicableError` where deployments of its kind have no such thing.
    """

    def __init__(self, region: str, facts: Facts | None = None) -> None:
        self.region = region
        self.facts = facts or Facts()

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
        """The revision that had the traffic before; None on the first deployment."""

    @property
    @abstractmethod
    def blue_served_alone(self) -> float | None:
        """When all of the production traffic was on blue, when that was new; None on the first deployment."""

    @property
    @abstractmethod
    def tasks(self) -> list[Task]:
        """Green's tasks that run or start; a hundred of them where there are more."""

    @property
    @abstractmethod
    def stopped_tasks(self) -> list[Task]:
        """Green's tasks that have stopped, for about an hour."""

    @property
    @abstractmethod
    def blue_tasks(self) -> list[Task]:
        """Blue's tasks that run or start; none on the first deployment."""

    @property
    @abstractmethod
    def images(self) -> Mapping[str, tuple[str, str]]:
        """Container name to image and digest of green; empty texts where they are not known."""

    @property
    @abstractmethod
    def task_counts(self) -> tuple[int, int]:
        """How many tasks of green run, and how many were asked for."""

    @property
    @abstractmethod
    def green_percent(self) -> float | None:
        """Green's share of the production traffic, in per cent; None where nobody tells."""

    @property
    @abstractmethod
    def alarm_names(self) -> tuple[str, ...]:
        """Names of the alarms that are watched in this deployment; none where that is switched off."""

    @property
    @abstractmethod
    def started_at(self) -> float:
        """When the deployment began, in seconds since the epoch."""

    @property
    @abstractmethod
    def rolling_back(self) -> bool:
        """Whether the deployment goes back to what was there before."""

    @property
    @abstractmethod
    def first(self) -> bool:
        """Whether this is the first deployment, which has nothing to go back to."""

    @property
    def function(self) -> str:
        """Name of the Lambda function that is deployed."""
        return _no_function()

    @property
    def alias(self) -> str:
        """Name of the alias that is shifted from one version of it to another."""
        return _no_function()

    @property
    def green_version(self) -> str:
        """Its new version."""
        return _no_function()

    @property
    def blue_version(self) -> str:
        """The version that had the traffic before; empty where there is none."""
        return _no_function()

    @property
    def strategy(self) -> str:
        """`ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`; empty where nobody says."""
        return ""

    @property
    def obstacle_to_an_address(self) -> str:
        """Why nothing can tell where green answers; empty where it can be found out."""
        return ""

    @property
    def _containers(self) -> list[Mapping[str, Any]]:
        name = self.green.task_definition
        return self.facts.get("containers", lambda: container_definitions(name, self.region))

    @property
    def port(self) -> Port | None:
        """Where green's tasks answer: behind the load balancer, or as Service Connect or VPC Lattice name the port."""
        return self._port("port", self.green, lambda: self._containers)

    @property
    def blue_port(self) -> Port | None:
        """Where blue's tasks answer, likewise; None on the first deployment, too."""
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
        """Where green's containers log."""
        return self.facts.get(
            "logs", lambda: log_configurations(self._containers, self.region), kind=list[LogConfiguration]
        )

    def route(self, arn: str) -> Route:
        """Where a listener rule or listener leads to in this moment."""
        return self.facts.get(f"route {arn}", lambda: route(_listener(arn)))

    def address(self, arn: str) -> Address:
        """Protocol, port and host name of a listener, from its own ARN or that of a rule."""
        return self.facts.get(f"listener {arn}", lambda: address(_listener(arn)), kind=Address)


def _no_function() -> Never:
    raise NotApplicableError("the deployment is of an ECS service, not of a Lambda function")


def _listener(arn: str) -> ListenerArn:
    with reading(SERVICE_REVISIONS):
        return ListenerArn.parse(arn)
