"""Service revisions and service deployments, as the ECS API shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ecs_hooks_simulator.core.model import Service, TargetType, TimeoutAction


class TargetGroup(StrEnum):
    """The two target groups of a service, an unordered pair: deployments alternate between them."""

    PRIMARY = "targetGroupArn"
    ALTERNATE = "alternateTargetGroupArn"

    @property
    def other(self) -> TargetGroup:
        """The other one of the two."""
        return TargetGroup.ALTERNATE if self is TargetGroup.PRIMARY else TargetGroup.PRIMARY

    def of(self, load_balancer: Mapping[str, Any]) -> str:
        """Return its ARN in a load balancer of the service (an entry of `loadBalancers`); empty if there is none."""
        return str({**load_balancer, **load_balancer.get("advancedConfiguration", {})}.get(self) or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRevision:
    """One version of a service: what runs, and in which of the two target groups.

    The deployment controller makes revisions, and chooses `id` and `target_group`.

    Parameters
    ----------
    arn, id
        Its ARN and the number at the end of it.
    image
        Container image.
    task_definition
        ARN of the task definition.
    target_group
        The target group in which its tasks are registered.
    created_at
        Seconds since the epoch.
    settings
        Data for the implementation of `Tasks`, such as the command to run.
    """

    arn: str
    id: str
    image: str
    task_definition: str
    target_group: TargetGroup
    created_at: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def image_digest(self) -> str:
        """A made-up digest of the image, the same for the same image."""
        return f"sha256:{hashlib.sha256(self.image.encode()).hexdigest()}"

    @property
    def started_by(self) -> str:
        """The `startedBy` of this revision's tasks."""
        return f"ecs-svc/{self.id}"


class DeploymentStatus(StrEnum):
    """`ServiceDeploymentStatus` of the API."""

    PENDING = "PENDING"
    SUCCESSFUL = "SUCCESSFUL"
    STOPPED = "STOPPED"
    STOP_REQUESTED = "STOP_REQUESTED"
    IN_PROGRESS = "IN_PROGRESS"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"

    @property
    def terminal(self) -> bool:
        """Whether the deployment is over."""
        return self in {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class HookState(StrEnum):
    """`DeploymentLifecycleHookStatus` of the API."""

    AWAITING_ACTION = "AWAITING_ACTION"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(slots=True, kw_only=True, eq=False)
class HookDetail:
    """One hook at one stage: an entry of `lifecycleHookDetails`, and the stage, which the API does not show."""

    hook_id: str
    target_type: TargetType
    target_arn: str | None
    stage: str
    status: HookState
    expires_at: float
    timeout_action: TimeoutAction

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return _without_none(
            {
                "hookId": self.hook_id,
                "targetType": str(self.target_type),
                "targetArn": self.target_arn,
                "status": str(self.status),
                "expiresAt": self.expires_at,
                "timeoutAction": str(self.timeout_action),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """`rollback` of a service deployment: its reason and its target."""

    reason: str
    started_at: float
    service_revision_arn: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return _without_none(
            {"reason": self.reason, "startedAt": self.started_at, "serviceRevisionArn": self.service_revision_arn}
        )


class AlarmsStatus(StrEnum):
    """`ServiceDeploymentRollbackMonitorsStatus` of the API."""

    TRIGGERED = "TRIGGERED"
    MONITORING = "MONITORING"
    MONITORING_COMPLETE = "MONITORING_COMPLETE"
    DISABLED = "DISABLED"
    """ECS is "not using alarms": none are configured, or one was in ALARM at the beginning."""


@dataclass(slots=True, kw_only=True, eq=False)
class WatchedAlarms:
    """`alarms` of a service deployment: those that ECS watches, and those that made it fail."""

    names: Sequence[str] = ()
    status: AlarmsStatus = AlarmsStatus.DISABLED
    triggered: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {
            "status": str(self.status),
            "alarmNames": list(self.names),
            "triggeredAlarmNames": list(self.triggered),
        }


@dataclass(slots=True, kw_only=True, eq=False)
class ServiceDeployment:
    """One service deployment; times are seconds since the epoch.

    Parameters
    ----------
    arn, service
        Its ARN, and its service.
    target
        The new revision: green.
    sources
        The revisions that were active before; empty on the first deployment.
    created_at, updated_at, started_at, finished_at, stopped_at
        As in the API.
    status, status_reason, lifecycle_stage
        Its progress, and why it ended as it did.
    hooks
        Every hook that was started, in order.
    rollback
        Reason and target, once it rolls back.
    weights
        Per cent of the traffic by listener and revision ARN, as last requested.
    running
        ARNs of the revisions that have tasks.
    crashed
        When the tasks of a revision crashed, by its ARN; ECS keeps starting them in vain.
    alarms
        The CloudWatch alarms that ECS watches.
    """

    arn: str
    service: Service
    target: ServiceRevision
    sources: Sequence[ServiceRevision]
    created_at: float
    updated_at: float
    status: DeploymentStatus = DeploymentStatus.PENDING
    status_reason: str | None = None
    lifecycle_stage: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    stopped_at: float | None = None
    hooks: list[HookDetail] = field(default_factory=list)
    rollback: Rollback | None = None
    weights: dict[str, Mapping[str, float]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    crashed: dict[str, float] = field(default_factory=dict)
    alarms: WatchedAlarms = field(default_factory=WatchedAlarms)

    @property
    def outcome(self) -> DeploymentStatus:
        """The status; deployments by CodeDeploy translate theirs."""
        return self.status

    @property
    def triggered(self) -> Sequence[str]:
        """The alarms that ended it."""
        return self.alarms.triggered

    @property
    def strategy(self) -> str:
        """The deployment strategy in words."""
        return f"{self.service.words}; bake time {self.service.bake_time_minutes} minutes"

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of `DescribeServiceDeployments`."""
        return _without_none(
            {
                "serviceDeploymentArn": self.arn,
                "serviceArn": self.service.arn,
                "clusterArn": self.service.cluster_arn,
                "createdAt": self.created_at,
                "startedAt": self.started_at,
                "finishedAt": self.finished_at,
                "stoppedAt": self.stopped_at,
                "updatedAt": self.updated_at,
                "sourceServiceRevisions": [self._summary(revision) for revision in self.sources],
                "targetServiceRevision": self._summary(self.target),
                "status": str(self.status),
                "statusReason": self.status_reason,
                "lifecycleStage": self.lifecycle_stage,
                "lifecycleHookDetails": [hook.to_dict() for hook in tuple(self.hooks)],
                "deploymentConfiguration": self.service.deployment_configuration(),
                "rollback": self.rollback.to_dict() if self.rollback else None,
                "alarms": self.alarms.to_dict(),
            }
        )

    def brief(self) -> dict[str, Any]:
        """Return the shape of `ListServiceDeployments`."""
        return _without_none(
            {
                "serviceDeploymentArn": self.arn,
                "serviceArn": self.service.arn,
                "clusterArn": self.service.cluster_arn,
                "startedAt": self.started_at,
                "createdAt": self.created_at,
                "finishedAt": self.finished_at,
                "targetServiceRevisionArn": self.target.arn,
                "status": str(self.status),
                "statusReason": self.status_reason,
            }
        )

    def _summary(self, revision: ServiceRevision) -> dict[str, Any]:
        count = self.service.desired_count
        running, crashed = revision.arn in self.running, revision.arn in self.crashed
        return {
            "arn": revision.arn,
            "requestedTaskCount": count,
            "runningTaskCount": count if running and not crashed else 0,
            "pendingTaskCount": count if crashed else 0,
            "requestedTestTrafficWeight": float(self.weights.get("test", {}).get(revision.arn, 0)),
            "requestedProductionTrafficWeight": float(self.weights.get("production", {}).get(revision.arn, 0)),
        }


def _without_none(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}
