"""The events of a deployment: those that ECS sends to hooks, and those that it sends to EventBridge.

Sources: docs/contract.md, 2.2; ECS developer guide, "Amazon ECS hook state change events" and "Service deployment state
change events".

Example
-------
>>> stage_weights("PRE_PRODUCTION_TRAFFIC_SHIFT", green="g", blue="b")
StageWeights(test={}, production={'g': 0, 'b': 100})
>>> stage_weights("PRODUCTION_TRAFFIC_SHIFT", green="g", blue="b", rollback=True)
StageWeights(test={}, production={'g': 0, 'b': 100})
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, HookDetail, ServiceDeployment
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour, Numbers


@dataclass(frozen=True, slots=True)
class StageWeights:
    """The two maps of traffic weights in an event; empty at most stages."""

    test: Mapping[str, float] = field(default_factory=dict)
    production: Mapping[str, float] = field(default_factory=dict)


def traffic_weights(green: str, blue: str | None, percent: float) -> dict[str, float]:
    """Return weights with so many per cent for green, and the rest for blue, if there is one."""
    return {green: percent} if blue is None else {green: percent, blue: 100 - percent}


def stage_weights(
    stage: str,
    *,
    green: str,
    blue: str | None,
    others: Sequence[str] = (),
    rollback: bool = False,
    before: float = 0,
    after: float | None = None,
) -> StageWeights:
    """Return the traffic weights in the event of a stage.

    Parameters
    ----------
    stage
        The lifecycle stage.
    green, blue
        ARNs of the target revision and of the present one, None on a first deployment.
    others
        ARNs of further active revisions, which appear at RECONCILE_SERVICE.
    rollback
        Whether the deployment is rolling back.
    before, after
        Green's per cent of the production traffic before and after the shift. The default of `after` is 100, and 0 in a
        rollback.
    """
    match stage:
        case Stage.RECONCILE_SERVICE:
            weights = traffic_weights(green, blue, 100) | dict.fromkeys(others, 0)
            return StageWeights(weights, weights)
        case Stage.TEST_TRAFFIC_SHIFT:
            return StageWeights(test=traffic_weights(green, blue, 0 if rollback else 100))
        case Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return StageWeights(production=traffic_weights(green, blue, before))
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            shifted = (0 if rollback else 100) if after is None else after
            return StageWeights(production=traffic_weights(green, blue, shifted))
        case _:
            return StageWeights()


def lifecycle_event(
    deployment: ServiceDeployment,
    stage: str,
    *,
    execution_id: str,
    weights: StageWeights,
    hook_details: Any,
    behaviour: EcsBehaviour,
) -> dict[str, Any]:
    """Return the event for one invocation of a hook."""
    first = not deployment.sources
    test = weights.test
    rolled_back = stage == Stage.TEST_TRAFFIC_SHIFT and not test.get(deployment.target.arn)
    if rolled_back and behaviour.rollback_test_weights == "empty":
        test = {}
    event: dict[str, Any] = {
        "executionId": execution_id,
        "lifecycleStage": str(stage),
        "resourceArn": deployment.arn,
        "executionDetails": {
            "serviceArn": deployment.service.arn,
            "targetServiceRevisionArn": deployment.target.arn,
            "testTrafficWeights": _weights(test, behaviour, first=first),
            "productionTrafficWeights": _weights(weights.production, behaviour, first=first),
        },
    }
    if hook_details is not None:
        event["hookDetails"] = hook_details
    elif behaviour.absent_details == "null":
        event["hookDetails"] = None
    return event


def _weights(weights: Mapping[str, float], behaviour: EcsBehaviour, *, first: bool) -> dict[str, float | str]:
    if first and behaviour.first_weights == "empty":
        return {}
    return {arn: _number(weight, behaviour.numbers) for arn, weight in weights.items()}


def _number(weight: float, numbers: Numbers) -> float | str:
    if numbers == "float":
        return float(weight)
    if numbers == "string":
        return f"{weight:g}"
    # Steps of 0.1 per cent are fractions in any case.
    return int(weight) if float(weight).is_integer() else weight


_STARTED, _COMPLETED, _FAILED = (f"SERVICE_DEPLOYMENT_{each}" for each in ("IN_PROGRESS", "COMPLETED", "FAILED"))
_DEPLOYMENT_EVENTS = {
    DeploymentStatus.IN_PROGRESS: ("INFO", _STARTED, "ECS deployment {target} in progress."),
    DeploymentStatus.SUCCESSFUL: ("INFO", _COMPLETED, "ECS deployment {target} completed."),
    # A rollback is a deployment, too; its event differs in the reason.
    DeploymentStatus.ROLLBACK_IN_PROGRESS: ("INFO", _STARTED, "ECS deployment {target}: rolling back to {source}."),
    DeploymentStatus.STOPPED: ("ERROR", _FAILED, "ECS deployment {target} failed."),
    DeploymentStatus.ROLLBACK_SUCCESSFUL: ("ERROR", _FAILED, "ECS deployment {target} failed."),
    DeploymentStatus.ROLLBACK_FAILED: ("ERROR", _FAILED, "ECS deployment {target} failed."),
}
"""Type, name and reason of the event of a status. The reasons follow the documented examples."""


def hook_state_change(deployment: ServiceDeployment, hook: HookDetail, now: float) -> dict[str, Any]:
    """Return the `ECS Hook State Change` event of a hook's present state."""
    detail = {
        "eventType": "ERROR" if hook.status in {"FAILED", "TIMED_OUT"} else "INFO",
        "eventName": f"HOOK_{hook.status}",
        "hookId": hook.hook_id,
        "hookType": str(hook.target_type),
        "expiresAt": _iso(hook.expires_at),
        "lifecycleStage": hook.stage,
        "clusterArn": deployment.service.cluster_arn,
        "serviceArn": deployment.service.arn,
        "serviceDeploymentArn": deployment.arn,
        "updatedAt": _iso(now),
    }
    return _event(deployment, "ECS Hook State Change", deployment.arn, detail, now)


def deployment_state_change(deployment: ServiceDeployment, now: float) -> dict[str, Any] | None:
    """Return the `ECS Deployment State Change` event of a deployment's present status; None if that has none.

    A failure has an event only for services with a deployment circuit breaker (ECS developer guide, "Service deployment state
    change events").
    """
    if deployment.status not in _DEPLOYMENT_EVENTS:
        return None
    level, name, reason = _DEPLOYMENT_EVENTS[deployment.status]
    if name == _FAILED and not deployment.service.circuit_breaker:
        return None
    source = deployment.sources[0].id if deployment.sources else ""
    target, source = (f"ecs-svc/{each}" for each in (deployment.target.id, source))
    detail = {
        "eventType": level,
        "eventName": name,
        "deploymentId": target,
        "updatedAt": _iso(now),
        "reason": reason.format(target=target, source=source),
    }
    return _event(deployment, "ECS Deployment State Change", deployment.service.arn, detail, now)


def _event(
    deployment: ServiceDeployment, detail_type: str, resource: str, detail: dict[str, Any], now: float
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.ecs",
        "account": deployment.service.account,
        "time": _iso(now),
        "region": deployment.service.region,
        "resources": [resource],
        "detail": detail,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
