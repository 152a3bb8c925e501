"""A deployment by ECS, as DescribeServiceDeployments returns it."""

# ruff: noqa: D102 - the base class documents the properties
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import FiniteFloat

from ecs_hooks.aws.call import call_aws_one, call_aws_pages, parsing
from ecs_hooks.aws.errors import FactDeniedError, FactError, invalid_response
from ecs_hooks.core.arn import EcsArn
from ecs_hooks.deployment.base import Deployment
from ecs_hooks.deployment.revision import DESCRIBE_REVISIONS as SERVICE_REVISIONS
from ecs_hooks.deployment.revision import ServiceRevision, describe_revision
from ecs_hooks.deployment.tasks import Task, list_tasks, started_by

if TYPE_CHECKING:
    from ecs_hooks.core.event import LifecycleEvent
    from ecs_hooks.deployment.facts import Facts

DESCRIBE_DEPLOYMENTS = "ecs:DescribeServiceDeployments"
LIST_DEPLOYMENTS = "ecs:ListServiceDeployments"
_PAGES = 10
_ROLLING_BACK = {"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class ServiceDeployment(Deployment):
    """A deployment by ECS, whose event has the ARNs of the service deployment and of green."""

    def __init__(self, event: LifecycleEvent, facts: Facts | None = None) -> None:
        super().__init__(event.deployment.region, facts)
        self.arn: EcsArn = event.deployment
        self.target: EcsArn = event.target_revision

    @property
    def id(self) -> str:
        return str(self.arn)

    @property
    def cluster(self) -> str:
        return self.arn.cluster

    @property
    def service(self) -> str:
        return self.arn.service

    @property
    def _described(self) -> Mapping[str, Any]:
        return self.facts.get("deployment", lambda: self._describe(str(self.arn)))

    def _describe(self, arn: str) -> dict[str, Any]:
        found = call_aws_one(
            DESCRIBE_DEPLOYMENTS, self.region, "serviceDeployments", "service deployment", serviceDeploymentArns=[arn]
        )
        if found.get("serviceDeploymentArn", arn) != arn:
            raise invalid_response(DESCRIBE_DEPLOYMENTS)
        return found

    @property
    def green(self) -> ServiceRevision:
        return self._revision("green", str(self.target))

    @property
    def blue(self) -> ServiceRevision | None:
        source = self.facts.get("source", self._source, kind=str)
        return self._revision("blue", source) if source else None

    def _source(self) -> str:
        with parsing(DESCRIBE_DEPLOYMENTS):
            sources = self._described["sourceServiceRevisions"]
            # There may be several if a deployment starts while another is in progress; the first is the oldest.
            arn: str = sources[0]["arn"] if sources else ""
            return arn

    @property
    def blue_bake_start(self) -> float | None:
        blue = self.blue
        if blue is None:
            return None
        return self.facts.get("blue alone", lambda: self._bake_start(blue.arn), kind=FiniteFloat)

    def _bake_start(self, revision: str) -> float:
        """Return the start of the bake time of a revision's deployment: all production traffic was on it by then.

        Calculated from the end of that deployment, so it is late by the time that ECS took for CLEAN_UP.
        """
        not_found = FactDeniedError(
            f"{LIST_DEPLOYMENTS}: no successful deployment of blue found, so there is nothing to compare with"
        )
        listed = call_aws_pages(
            LIST_DEPLOYMENTS,
            self.region,
            "nextToken",
            not_found,
            most=_PAGES,
            cluster=self.cluster,
            service=self.service,
            status=["SUCCESSFUL"],
            maxResults=100,
        )
        with parsing(LIST_DEPLOYMENTS):
            found = next(
                (
                    each
                    for response in listed
                    for each in response["serviceDeployments"]
                    if each["targetServiceRevisionArn"] == revision
                ),
                None,
            )
            if found is None:
                raise not_found
            arn, finished = found["serviceDeploymentArn"], found["finishedAt"].timestamp()
        described = self._describe(arn)
        with parsing(DESCRIBE_DEPLOYMENTS):
            minutes = described["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
            return float(finished - minutes * 60)

    def _revision(self, name: str, arn: str) -> ServiceRevision:
        return self.facts.get(
            name,
            lambda: describe_revision(arn, self.region),
            kind=ServiceRevision,
            # ECS resolves green's target groups only when it runs; a later invocation must read them again.
            keep=lambda found: all(each.target_group for each in found.load_balancing),
        )

    @property
    def tasks(self) -> list[Task]:
        return self.facts.get("tasks", lambda: self._tasks_of(self.target))

    @property
    def stopped_tasks(self) -> list[Task]:
        return self._tasks_of(self.target, "STOPPED")

    @property
    def blue_tasks(self) -> list[Task]:
        blue = self.blue
        if blue is None:
            return []
        with parsing(SERVICE_REVISIONS):
            arn = EcsArn.parse(blue.arn, "service-revision")
        return self.facts.get("blue tasks", lambda: self._tasks_of(arn))

    def _tasks_of(self, revision: EcsArn, status: str = "RUNNING") -> list[Task]:
        return list_tasks(self.region, self.cluster or "default", self.service, started_by(revision), status)

    @property
    def images(self) -> Mapping[str, tuple[str, str]]:
        return self.green.images

    @property
    def task_counts(self) -> tuple[int, int]:
        with parsing(DESCRIBE_DEPLOYMENTS):
            target = self._described["targetServiceRevision"]
            return target["runningTaskCount"], target["requestedTaskCount"]

    @property
    def green_percent(self) -> float | None:
        """Green's percentage of production traffic, as ECS last requested it; None if unknown."""
        with parsing(DESCRIBE_DEPLOYMENTS):
            percent: float | None = self._described["targetServiceRevision"].get("requestedProductionTrafficWeight")
            return percent

    @property
    def alarm_names(self) -> tuple[str, ...]:
        with parsing(DESCRIBE_DEPLOYMENTS):
            configured = self._described["deploymentConfiguration"].get("alarms")
            return tuple(configured["alarmNames"]) if configured and configured["enable"] else ()

    @property
    def started_at(self) -> float:
        def find() -> float:
            with parsing(DESCRIBE_DEPLOYMENTS):
                return float(self._described["startedAt"].timestamp())

        return self.facts.get("startedAt", find, kind=FiniteFloat)

    @property
    def rolling_back(self) -> bool:
        """Whether the deployment is being rolled back: its status is `ROLLBACK_*`, or it has `rollback`."""
        described = self._described
        return described.get("status") in _ROLLING_BACK or bool(described.get("rollback"))

    @property
    def strategy(self) -> str:
        strategy: str = self._described.get("deploymentConfiguration", {}).get("strategy", "")
        return strategy

    @property
    def first(self) -> bool:
        """Whether this is the first deployment of the service: it has no source service revision.

        Inferred: the event has no such field, and AWS's own sample infers it from the number of deployments.
        """
        described = self._described
        if "sourceServiceRevisions" not in described:
            raise FactError(f"{DESCRIBE_DEPLOYMENTS}: no sourceServiceRevisions in the response")
        return not described["sourceServiceRevisions"]

    def expires_at(self, function_arn: str) -> float | None:
        """Return when the hook times out, in seconds since the epoch; None if unknown.

        The event has no deadline, so this is `lifecycleHookDetails[].expiresAt` of DescribeServiceDeployments. If no running
        hook has the function's ARN, the first one to expire counts.
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
