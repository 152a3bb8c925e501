"""EventBridge events of a deployment and its hooks.

Source: ECS developer guide, "Amazon ECS hook state change events" and "Service deployment state change events".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.core.ids import execution_id
from ecs_hooks_simulator.core.record import DeploymentStatus

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.record import HookDetail, ServiceDeployment

_DEPLOYMENT_EVENTS = {
    DeploymentStatus.IN_PROGRESS: ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
    DeploymentStatus.SUCCESSFUL: ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
    DeploymentStatus.STOPPED: ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
    DeploymentStatus.ROLLBACK_SUCCESSFUL: ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
    DeploymentStatus.ROLLBACK_FAILED: ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
}
_LEVELS = {"FAILED": "ERROR", "TIMED_OUT": "ERROR"}


def hook_event(deployment: ServiceDeployment, hook: HookDetail, now: float) -> dict[str, Any]:
    """Return the `ECS Hook State Change` event of a hook's present state."""
    detail = {
        "eventType": _LEVELS.get(hook.status, "INFO"),
        "eventName": f"HOOK_{hook.status}",
        "hookId": hook.hook_id,
        "hookType": str(hook.target_type),
        "expiresAt": iso(hook.expires_at),
        "lifecycleStage": hook.stage,
        "clusterArn": deployment.service.cluster_arn,
        "serviceArn": deployment.service.arn,
        "serviceDeploymentArn": deployment.arn,
        "updatedAt": iso(now),
    }
    return _event(deployment, "ECS Hook State Change", deployment.arn, detail, now)


def deployment_event(deployment: ServiceDeployment, now: float) -> dict[str, Any] | None:
    """Return the `ECS Deployment State Change` event of a deployment's present status; None where there is none."""
    if deployment.status not in _DEPLOYMENT_EVENTS:
        return None
    level, name = _DEPLOYMENT_EVENTS[deployment.status]
    detail = {
        "eventType": level,
        "eventName": name,
        "deploymentId": f"ecs-svc/{deployment.target.id}",
        "updatedAt": iso(now),
        "reason": deployment.status_reason or "",
    }
    return _event(deployment, "ECS Deployment State Change", deployment.service.arn, detail, now)


def iso(seconds: float) -> str:
    """Return a time as EventBridge writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(
    deployment: ServiceDeployment, detail_type: str, resource: str, detail: dict[str, Any], now: float
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": execution_id(),
        "detail-type": detail_type,
        "source": "aws.ecs",
        "account": deployment.service.account,
        "time": iso(now),
        "region": deployment.service.region,
        "resources": [resource],
        "detail": detail,
    }
