"""The task sets of a service, as ECS describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.record import moment
from ecs_hooks_simulator.codedeploy.shapes import status_of

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.core.model import ServiceRevision


class EcsTaskSets:
    """Answers DescribeTaskSets for a service.

    Parameters
    ----------
    controller
        Knows the service and its task sets.
    """

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about the task sets of this service."""
        service = self._controller.service
        if operation != "DescribeTaskSets" or asked.get("cluster") not in {service.cluster, service.cluster_arn}:
            return None
        if asked.get("service") not in {service.service, service.arn}:
            return None
        known = {name: each for each in self._controller.running for name in (each.started_by, each.arn)}
        names = asked.get("taskSets") or [each.arn for each in self._controller.running]
        missing = [{"arn": name, "reason": "MISSING"} for name in names if name not in known]
        return {"taskSets": [self._described(known[name]) for name in names if name in known], "failures": missing}

    def _described(self, revision: ServiceRevision) -> dict[str, Any]:
        service, crashed = self._controller.service, revision.arn in self._controller.crashed
        deployment = self._controller.history[-1] if self._controller.history else None
        shape: dict[str, Any] = {
            "id": revision.started_by,
            "taskSetArn": revision.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "startedBy": "CODE_DEPLOY",
            "status": "PRIMARY" if deployment is None else status_of(deployment, revision),
            "taskDefinition": revision.task_definition,
            "computedDesiredCount": service.desired_count,
            "pendingCount": service.desired_count if crashed else 0,
            "runningCount": 0 if crashed else service.desired_count,
            "createdAt": moment(revision.created_at),
            "updatedAt": moment(self._controller.clock.now()),
            "launchType": "FARGATE",
            "scale": {"value": 100.0, "unit": "PERCENT"},
            "stabilityStatus": "STABILIZING" if crashed else "STEADY_STATE",
            "stabilityStatusAt": moment(revision.created_at),
            "loadBalancers": self._load_balancers(revision),
            "tags": [],
        }
        if deployment is not None and revision is deployment.target:
            shape["externalId"] = deployment.id
        return shape

    def _load_balancers(self, revision: ServiceRevision) -> list[dict[str, Any]]:
        return [
            {
                "targetGroupArn": revision.target_group.of(each),
                "containerName": each["containerName"],
                "containerPort": each["containerPort"],
            }
            for each in self._controller.service.load_balancers
        ]
