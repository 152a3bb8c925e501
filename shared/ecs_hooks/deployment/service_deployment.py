"""The service deployment as ECS describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import FiniteFloat

from ecs_hooks.aws.call import ask_one, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.previous import bake_began
from ecs_hooks.deployment.revision import ACTION as SERVICE_REVISIONS
from ecs_hooks.deployment.revision import ServiceRevision, describe
from ecs_hooks.deployment.tasks import Task, started_by, tasks

if TYPE_CHECKING:
    from ecs_hooks.core.event import LifecycleEvent
    from ecs_hooks.deployment.facts import Facts

ACTION = "ecs:DescribeServiceDeployments"
_ROLLING_BACK = {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class ServiceDeployment(Deployment):
    """A deployment that ECS itself carries out.

    Parameters
    ----------
    event
        The event: it names the service deployment and the new revision.
    facts
        What earlier invocations found out.
    """

    def __init__(self, event: LifecycleEvent, facts: Facts | None = None) -> None:
        super().__init__(event.deployment.region, facts)
        self.arn: EcsArn = event.deployment
        self.target: EcsArn = event.target_revision

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self.arn.cluster

    @property
    def service(self) -> str:
        """Name of the service."""
        return self.arn.service

    @property
    def _described(self) -> Mapping[str, Any]:
        return self.facts.get("deployment", self._describe)

    def _describe(self) -> dict[str, Any]:
        return ask_one(
            ACTION, self.region, "serviceDeployments", "service deployment", serviceDeploymentArns=[str(self.arn)]
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
            lambda: describe(arn, self.region),
            kind=ServiceRevision,
            # Before green runs ECS does not resolve its target groups; asked again later it will have.
            keep=lambda found: all(each.target_group for each in found.load_balancing),
        )

    @property
    def tasks(self) -> list[Task]:
        """Green's tasks that run or start; a hundred of them where there are more."""
        return self.facts.get("tasks", lambda: self._tasks_of(self.target))

    @property
    def stopped_tasks(self) -> list[Task]:
        """Green's tasks that have stopped, for about an hour."""
        return self._tasks_of(self.target, "STOPPED")

    def _tasks_of(self, revision: EcsArn, status: str = "RUNNING") -> list[Task]:
        return tasks(self.region, self.cluster or "default", self.service, started_by(revision), status)

    @property
    def blue_tasks(self) -> list[Task]:
        """Blue's tasks, likewise; none on the first deployment of a service."""
        blue = self.blue
        if blue is None:
            return []
        with reading(SERVICE_REVISIONS):
            arn = EcsArn.parse(blue.arn, "service-revision")
        return self.facts.get("blue tasks", lambda: self._tasks_of(arn))

    @property
    def images(self) -> Mapping[str, tuple[str, str]]:
        """Container name to image and digest, both as ECS resolved them; empty texts where it did not."""
        return self.green.images

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
            raise FactError(f"{ACTION}: no sourceServiceRevisions in the answer")
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
