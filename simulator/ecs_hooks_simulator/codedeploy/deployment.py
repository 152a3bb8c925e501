"""A deployment of CodeDeploy in the API, while it runs and afterwards."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.lifecycle import LifecycleEvent, timestamp
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus as EcsStatus

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.deployment_group import DeploymentGroup
    from ecs_hooks_simulator.core.model import Service
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision

_ID = re.compile(r"d-[A-Z0-9]{9}")


def deployment_id() -> str:
    """Return the id of a new deployment, such as `d-A1B2C3111`."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))


def is_deployment_id(text: str) -> bool:
    """Return whether a text has the form of a deployment id."""
    return _ID.fullmatch(text) is not None


class DeploymentStatus(StrEnum):
    """`DeploymentStatus` of the API."""

    CREATED = "Created"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    BAKING = "Baking"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    READY = "Ready"

    @property
    def terminal(self) -> bool:
        """Whether the deployment is over."""
        return self in {DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED, DeploymentStatus.STOPPED}


USER, ROLLBACK = "user", "codeDeployRollback"
"""`creator` of a deployment, and of a rollback."""


@dataclass(slots=True, kw_only=True, eq=False)
class Deployment:
    """One deployment of CodeDeploy.

    Parameters
    ----------
    id
        Such as `d-ABCDEF123`.
    group, service
        The deployment group, and the service with its names and ARNs.
    target
        The new task set, or the new version of the function: green.
    sources
        The revisions with production traffic at its start; empty on a first deployment.
    created_at, started_at, finished_at, updated_at
        Seconds since the epoch.
    creator
        `user` or `codeDeployRollback`.
    events
        Its lifecycle events, in order.
    error_code, error_message
        `errorInformation` of a failed or stopped deployment.
    rollback, rolled_back
        The deployment that rolls this one back, and the one that this one rolls back.
    weights
        Per cent of the traffic by listener and revision ARN, as last requested.
    triggered
        Names of the alarms that stopped it.
    terminating
        Whether it waits to terminate blue.
    """

    id: str
    group: DeploymentGroup
    service: Service
    target: ServiceRevision
    sources: Sequence[ServiceRevision]
    created_at: float
    status: DeploymentStatus = DeploymentStatus.CREATED
    started_at: float | None = None
    finished_at: float | None = None
    updated_at: float = 0.0
    creator: str = USER
    events: list[LifecycleEvent] = field(default_factory=list)
    error_code: str = ""
    error_message: str = ""
    rollback: Deployment | None = None
    rolled_back: Deployment | None = None
    weights: dict[str, Mapping[str, float]] = field(default_factory=dict)
    triggered: Sequence[str] = ()
    terminating: bool = False

    @property
    def arn(self) -> str:
        """The id: `deployment` in the records of the timeline."""
        return self.id

    @property
    def status_reason(self) -> str | None:
        """Why it failed or was stopped, in one line; None otherwise."""
        failed = next((event for event in self.events if event.message), None)
        cause = f"{failed.name}: {failed.message}" if failed else ""
        return " ".join(filter(None, (self.error_message, cause))) or None

    @property
    def hooks(self) -> Sequence[Any]:
        """Empty: the lifecycle events have the results of hooks."""
        return ()

    @property
    def strategy(self) -> str:
        """How traffic moves, in words."""
        waits = self.group.termination_wait_minutes
        return f"{self.group.configuration.words}{f'; blue is kept for {waits} minutes' if waits else ''}"

    @property
    def outcome(self) -> EcsStatus:
        """Its result as a status of an ECS service deployment."""
        if not self.status.terminal:
            return EcsStatus.IN_PROGRESS
        if self.status is DeploymentStatus.SUCCEEDED:
            return EcsStatus.SUCCESSFUL
        if self.rollback is None:
            return EcsStatus.STOPPED
        back = self.rollback.status is DeploymentStatus.SUCCEEDED
        return EcsStatus.ROLLBACK_SUCCESSFUL if back else EcsStatus.ROLLBACK_FAILED

    def event(self, name: str) -> LifecycleEvent:
        """Return one of its lifecycle events."""
        return next(event for event in self.events if event.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return `deploymentInfo` of GetDeployment."""
        group = self.group
        shape: dict[str, Any] = {
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "deploymentConfigName": group.configuration.name,
            "deploymentId": self.id,
            "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}},
            "status": str(self.status),
            "createTime": timestamp(self.created_at),
            "startTime": timestamp(self.started_at),
            "completeTime": timestamp(self.finished_at),
            "deploymentOverview": self._overview(),
            "creator": self.creator,
            "ignoreApplicationStopFailures": False,
            "updateOutdatedInstancesOnly": False,
            "autoRollbackConfiguration": group.auto_rollback,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "instanceTerminationWaitTimeStarted": self.terminating,
            "deploymentStatusMessages": [],
            "computePlatform": str(group.platform),
        }
        if self.error_code:
            shape["errorInformation"] = {"code": self.error_code, "message": self.error_message}
        if self.rollback is not None:
            shape["rollbackInfo"] = {"rollbackDeploymentId": self.rollback.id}
        if self.rolled_back is not None:
            shape["rollbackInfo"] = {"rollbackTriggeringDeploymentId": self.rolled_back.id}
        return {name: value for name, value in shape.items() if value is not None}

    def _overview(self) -> dict[str, int]:
        counted = {DeploymentStatus.SUCCEEDED: "Succeeded", DeploymentStatus.FAILED: "Failed"}
        counted |= {DeploymentStatus.CREATED: "Pending", DeploymentStatus.QUEUED: "Pending"}
        counted |= {DeploymentStatus.STOPPED: "Failed", DeploymentStatus.READY: "Ready"}
        names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
        return dict.fromkeys(names, 0) | {counted.get(self.status, "InProgress"): 1}
