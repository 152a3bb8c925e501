"""What CodeDeploy's deployments of services and functions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks.codedeploy.description import Description, describe_group
from ecs_hooks.deployment.base import Deployment, NotApplicableError

if TYPE_CHECKING:
    from ecs_hooks.deployment.facts import Facts


class CodeDeployDeployment(Deployment):
    """A deployment that CodeDeploy carries out.

    Parameters
    ----------
    description
        As CodeDeploy describes it.
    region
        Its region.
    facts
        What earlier invocations found out.
    """

    def __init__(self, description: Description, region: str, facts: Facts | None = None) -> None:
        super().__init__(region, facts)
        self.description = description

    @property
    def _group(self) -> Mapping[str, Any]:
        names = self.description.application, self.description.deployment_group
        return self.facts.get("deployment group", lambda: describe_group(*names, self.region))

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """Names of the alarms that CodeDeploy watches: those of the deployment, or of its deployment group."""
        watched = self.description.deployment.get("overrideAlarmConfiguration")
        watched = self._group.get("alarmConfiguration", {}) if watched is None else watched
        alarms = watched.get("alarms", []) if watched.get("enabled") else []
        return tuple(each["name"] for each in alarms if "name" in each)

    @property
    def started_at(self) -> float:
        """When the deployment began, in seconds since the epoch."""
        return self.description.started_at

    @property
    def rolling_back(self) -> bool:
        """Whether CodeDeploy deploys what was there before."""
        return self.description.is_rollback

    @property
    def blue_served_alone(self) -> float | None:
        """CodeDeploy does not tell."""
        raise NotApplicableError("CodeDeploy does not tell when blue was new, so there is no such time to compare with")
