"""Deployments by CodeDeploy: their common base, and those of Lambda functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never

from ecs_hooks.aws.errors import FactError
from ecs_hooks.codedeploy.description import Description, describe_group
from ecs_hooks.deployment.base import Deployment, NotApplicableError

if TYPE_CHECKING:
    from ecs_hooks.deployment.facts import Facts


class CodeDeployDeployment(Deployment):
    """A deployment by CodeDeploy, with the facts from earlier invocations."""

    def __init__(self, description: Description, region: str, facts: Facts | None = None) -> None:
        super().__init__(region, facts)
        self.description = description

    @property
    def id(self) -> str:
        """ID of the deployment."""
        return self.description.id

    @property
    def _group(self) -> Mapping[str, Any]:
        names = self.description.application, self.description.deployment_group
        return self.facts.get("deployment group", lambda: describe_group(*names, self.region))

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """Names of the alarms that CodeDeploy watches: the deployment's own, or its deployment group's."""
        watched = self.description.deployment.get("overrideAlarmConfiguration")
        watched = self._group.get("alarmConfiguration", {}) if watched is None else watched
        alarms = watched.get("alarms", []) if watched.get("enabled") else []
        return tuple(each["name"] for each in alarms if "name" in each)

    @property
    def started_at(self) -> float:
        """Start of the deployment, in seconds since the epoch."""
        return self.description.started_at

    @property
    def rolling_back(self) -> bool:
        """Whether the deployment is a rollback."""
        return self.description.is_rollback

    @property
    def blue_bake_start(self) -> float | None:
        """Not known to CodeDeploy."""
        raise NotApplicableError(
            "CodeDeploy does not report when blue was deployed, so there is no time to compare with"
        )


def _missing(what: str) -> Any:
    """Return a property of deployments to ECS services that Lambda functions do not have."""

    def missing(_: LambdaDeployment) -> Never:
        raise NotApplicableError(f"a Lambda function has no {what}")

    return property(missing)


class LambdaDeployment(CodeDeployDeployment):
    """A deployment of a Lambda function; its revisions are versions behind an alias."""

    cluster = _missing("cluster")
    service = _missing("ECS service")
    green = blue = _missing("task definition or target group")
    tasks = stopped_tasks = blue_tasks = task_counts = _missing("tasks")
    images = _missing("container images")

    @property
    def _function(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.description.target.get("lambdaFunctionInfo", {})
        if not found.get("functionName") or not found.get("targetVersion"):
            raise FactError("CodeDeploy reports no Lambda function and target version yet")
        return found

    @property
    def function(self) -> str:
        """Name of the function."""
        return str(self._function["functionName"])

    @property
    def alias(self) -> str:
        """Name of the alias that is shifted."""
        return str(self._function.get("functionAlias", ""))

    @property
    def green_version(self) -> str:
        """The new version."""
        return str(self._function["targetVersion"])

    @property
    def blue_version(self) -> str:
        """The previous version; empty on a first deployment."""
        return str(self._function.get("currentVersion", ""))

    @property
    def green_percent(self) -> float | None:
        """The new version's share of the alias's invocations, in per cent.

        CodeDeploy's API reference calls `targetVersionWeight` a percentage, an alias has a fraction. At the hooks it is
        0 or 100 %, and 1 is read as 100 %.
        """
        weight: float | None = self._function.get("targetVersionWeight")
        return None if weight is None else 100.0 * weight if weight <= 1 else weight

    @property
    def first(self) -> bool:
        """Whether there is no previous version."""
        return not self.blue_version

    @property
    def endpoint_obstacle(self) -> str:
        """The reason why a version has no address."""
        return "a version of a Lambda function has no address of its own"
