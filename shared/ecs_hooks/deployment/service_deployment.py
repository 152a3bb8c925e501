"""The service deployment as ECS describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import FiniteFloat

from ecs_hooks.arn import EcsArn
from ecs_hooks.deployment.asking import ask_one, reading
from ecs_hooks.deployment.errors import FactError
from ecs_hooks.deployment.facts import Facts
from ecs_hooks.deployment.listener import Address, ListenerArn, Route, address, route
from ecs_hooks.deployment.logs import LogConfiguration, log_configurations
from ecs_hooks.deployment.previous import bake_began
from ecs_hooks.deployment.revision import ACTION as SERVICE_REVISIONS
from ecs_hooks.deployment.revision import ServiceRevision, describe
from ecs_hooks.deployment.task_definition import Port, container_definitions, named_port
from ecs_hooks.deployment.tasks import Task, tasks

if TYPE_CHECKING:
    from ecs_hooks.event import LifecycleEvent

ACTION = "ecs:DescribeServiceDeployments"
_ROLLING_BACK = {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class ServiceDeployment:
    """Who is green, who is blue, and what AWS knows of them: each fact asked for when it is first needed, once.

    Parameters
    ----------
    event
        The event: it names the service deployment and the new revision.
    facts
        What earlier invocations found out.

    Notes
    -----
    Every property raises `FactError` where AWS does not answer, `FactDeniedError` where asking again is of no use.
    """

    def __init__(self, event: LifecycleEvent, facts: Facts | None = None) -> None:
        self.arn: EcsArn = event.deployment
        self.target: EcsArn = event.target_revision
        self.facts = facts or Facts()

    @property
    def _described(self) -> Mapping[str, Any]:
        return self.facts.get("deployment", self._describe)

    def _describe(self) -> dict[str, Any]:
        return ask_one(
            ACTION, self.arn.region, "serviceDeployments", "service deployment", serviceDeploymentArns=[str(self.arn)]
        )

    @property
    def green(self) -> ServiceRevision:
        """The new service revision."""
        return self._revision("green", str(self.target))

    @property
    def blue(self) -> ServiceRevision | None:
        """The revision that had the traffic before; None on the first deployment of a service."""
        source = self.facts.get("source", self._source, kind=str)
        return self._revision("blue", source) if source else None

    @property
    def blue_served_alone(self) -> float | None:
        """When all of the production traffic was on blue, when that was new; None on the first deployment of a service."""
        blue = self.blue
        if blue is None:
            return None
        return self.facts.get("blue alone", lambda: bake_began(self.arn, blue.arn), kind=FiniteFloat)

    def _source(self) -> str:
        with reading(ACTION):
            sources = self._described["sourceServiceRevisions"]
            # ECS can have more than one where a deployment follows one that is still going on; the first is the oldest.
            arn: str = sources[0]["arn"] if sources else ""
            return arn

    def _revision(self, name: str, arn: str) -> ServiceRevision:
        return self.facts.get(
            name,
            lambda: describe(arn, self.arn.region),
            kind=ServiceRevision,
            # Before green runs ECS does not resolve its target groups; asked again later it will have.
            keep=lambda found: all(each.target_group for each in found.load_balancing),
        )

    @property
    def tasks(self) -> list[Task]:
        """Green's tasks that run or start; a hundred of them where there are more."""
        return self.facts.get("tasks", lambda: tasks(self.target))

    @property
    def blue_tasks(self) -> list[Task]:
        """Blue's tasks, likewise; none on the first deployment of a service."""
        blue = self.blue
        if blue is None:
            return []
        with reading(SERVICE_REVISIONS):
            arn = EcsArn.parse(blue.arn, "service-revision")
        return self.facts.get("blue tasks", lambda: tasks(arn))

    @property
    def _containers(self) -> list[Mapping[str, Any]]:
        name = self.green.task_definition
        return self.facts.get("containers", lambda: container_definitions(name, self.arn.region))

    @property
    def port(self) -> Port | None:
        """Where green's tasks answer: behind the load balancer, or as Service Connect or VPC Lattice name the port."""
        return self._port("port", self.green, lambda: self._containers)

    @property
    def blue_port(self) -> Port | None:
        """Where blue's tasks answer, likewise; None on the first deployment of a service, too."""
        blue = self.blue
        if blue is None:
            return None
        return self._port("blue port", blue, lambda: container_definitions(blue.task_definition, self.arn.region))

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
            "logs",
            lambda: log_configurations(self._containers, self.arn.region),
            kind=list[LogConfiguration],
        )

    @property
    def task_counts(self) -> tuple[int, int]:
        """How many tasks of green run, and how many ECS was asked for."""
        with reading(ACTION):
            target = self._described["targetServiceRevision"]
            return target["runningTaskCount"], target["requestedTaskCount"]

    @property
    def green_percent(self) -> float | None:
        """Green's share of the production traffic as ECS has last asked for it, in per cent; None where it does not say."""
        with reading(ACTION):
            share: float | None = self._described["targetServiceRevision"].get("requestedProductionTrafficWeight")
            return share

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """Names of the alarms that ECS watches in this deployment; none where that is switched off."""
        with reading(ACTION):
            configured = self._described["deploymentConfiguration"].get("alarms")
            return tuple(configured["alarmNames"]) if configured and configured["enable"] else ()

    @property
    def started_at(self) -> float:
        """When the deployment began, in seconds since the epoch."""

        def find() -> float:
            with reading(ACTION):
                return float(self._described["startedAt"].timestamp())

        return self.facts.get("startedAt", find, kind=FiniteFloat)

    def route(self, arn: str) -> Route:
        """Where a listener rule or listener leads to in this moment."""
        return self.facts.get(f"route {arn}", lambda: route(_listener(arn)))

    def address(self, arn: str) -> Address:
        """Protocol, port and host name of a listener, from its own ARN or that of a rule."""
        return self.facts.get(f"listener {arn}", lambda: address(_listener(arn)), kind=Address)

    @property
    def rolling_back(self) -> bool:
        """Whether the deployment is being rolled back (status `ROLLBACK_*`, or `rollback` is there)."""
        described = self._described
        return described.get("status") in _ROLLING_BACK or bool(described.get("rollback"))

    @property
    def strategy(self) -> str:
        """`ROLLING`, `BLUE_GREEN`, `LINEAR` or `CANARY`; empty where ECS does not say."""
        strategy: str = self._described.get("deploymentConfiguration", {}).get("strategy", "")
        return strategy

    @property
    def first(self) -> bool:
        """Whether this is the first deployment of the service: it has no source service revision.

        Inferred: the event says nothing of it, and AWS's own sample guesses it from the number of deployments.
        """
        described = self._described
        if "sourceServiceRevisions" not in described:
            message = f"{ACTION}: no sourceServiceRevisions in the answer"
            raise FactError(message)
        return not described["sourceServiceRevisions"]

    def expires_at(self, function_arn: str) -> float | None:
        """Return when ECS gives up on the hook, in seconds since the epoch; None where it does not say.

        Parameters
        ----------
        function_arn
            ARN that the function was invoked by. Where no running hook has it, the first one to expire counts.

        Notes
        -----
        `lifecycleHookDetails[].expiresAt` of DescribeServiceDeployments; the event carries no deadline.
        """
        running = [
            hook
            for hook in self._described.get("lifecycleHookDetails", [])
            if hook.get("targetType") != "PAUSE"
            and hook.get("status") in {"IN_PROGRESS", "AWAITING_ACTION"}
            and "expiresAt" in hook
        ]
        own = [hook for hook in running if hook.get("targetArn") == function_arn] or running
        return min((hook["expiresAt"].timestamp() for hook in own), default=None)


def _listener(arn: str) -> ListenerArn:
    with reading(SERVICE_REVISIONS):
        return ListenerArn.parse(arn)
