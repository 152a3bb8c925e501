"""A CodeDeploy deployment as the API shows it while it runs and afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.lifecycle import LifecycleEvent
from ecs_hooks_simulator.core.record import DeploymentStatus as EcsStatus

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.model import DeploymentGroup
    from ecs_hooks_simulator.core.model import Service, ServiceRevision


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
"""`creator` of a deployment, and of the one that rolls another back."""


@dataclass(slots=True, kw_only=True, eq=False)
class Deployment:
    """One deployment of CodeDeploy.

    Parameters
    ----------
    id
        Such as `d-ABCDEF123`.
    group, service
        To which deployment group, and what the ARNs of it are made of.
    target
        The new task set, or the new version of the function: green.
    sources
        What has the production traffic when it begins; empty on a first deployment.
    status
        Where it is.
    created_at, started_at, finished_at
        Seconds since the epoch.
    creator
        `user` or `codeDeployRollback`.
    events
        Its lifecycle events, in order.
    error_code, error_message
        `errorInformation` of a deployment that failed or was stopped.
    rollback
        The deployment that rolls this one back.
    rolled_back
        The deployment that this one rolls back.
    weights
        Per cent of the traffic by listener and revision ARN, as last requested.
    triggered
        Alarms that have stopped it.
    terminating
        Whether the wait for the end of blue has begun.
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
        """The id, by which records of the timeline name the deployment."""
        return self.id

    @property
    def status_reason(self) -> str | None:
        """Why it failed or was stopped, in one line."""
        failed = next((event for event in self.events if event.message), None)
        told = f"{failed.name}: {failed.message}" if failed else ""
        return " ".join(filter(None, (self.error_message, told))) or None

    @property
    def hooks(self) -> Sequence[Any]:
        """Nothing: what has become of hooks stands in the lifecycle events."""
        return ()

    @property
    def strategy(self) -> str:
        """How traffic moves, in words."""
        waits = self.group.termination_wait_minutes
        return f"{self.group.configuration.words}{f'; blue is kept for {waits} minutes' if waits else ''}"

    @property
    def outcome(self) -> EcsStatus:
        """How it ended, in the words of ECS's own deployments."""
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
            "createTime": moment(self.created_at),
            "startTime": moment(self.started_at),
            "completeTime": moment(self.finished_at),
            "deploymentOverview": self._overview(),
            "creator": self.creator,
            "ignoreApplicationStopFailures": False,
            "updateOutdatedInstancesOnly": False,
            "autoRollbackConfiguration": group.rolls_back,
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


def moment(seconds: float | None) -> datetime | None:
    """Return a time as the API's serializer wants it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
