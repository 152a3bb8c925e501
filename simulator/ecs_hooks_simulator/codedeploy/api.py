"""CodeDeploy's operations on the deployments of one controller.

Source of the errors: botocore's service model and the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.deployment import DeploymentStatus, is_deployment_id
from ecs_hooks_simulator.codedeploy.lifecycle import EventStatus
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.codedeploy.deployment import Deployment
    from ecs_hooks_simulator.codedeploy.deployment_run import DeploymentRun
    from ecs_hooks_simulator.codedeploy.deployment_targets import Targets

_MOST_TARGETS = 25


class CodeDeployApi:
    """Answers CodeDeploy's operations about the deployments of a controller."""

    def __init__(self, controller: CodeDeployController, targets: Targets) -> None:
        self._controller = controller
        self._targets = targets

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer if the request is about a deployment or the deployment group of the controller."""
        if operation == "GetDeploymentGroup":
            return self._group(request)
        method = {
            "GetDeployment": self._get,
            "ListDeploymentTargets": self._list_targets,
            "GetDeploymentTarget": self._get_target,
            "BatchGetDeploymentTargets": self._get_targets,
            "PutLifecycleEventHookExecutionStatus": self._put_status,
            "StopDeployment": self._stop,
            "ContinueDeployment": self._continue,
        }.get(operation)
        if method is None:
            return None
        identifier = str(request.get("deploymentId") or "")
        if not identifier:
            raise EcsError("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
        if not is_deployment_id(identifier):
            raise EcsError("InvalidDeploymentIdException", f"The deployment ID {identifier} is in an invalid format.")
        found = next((each for each in self._controller.all if each.id == identifier), None)
        # Another simulation of this process may have the deployment; else moto answers that it does not exist.
        return None if found is None else method(found, request)

    def _get(self, deployment: Deployment, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"deploymentInfo": deployment.to_dict() | self._targets.load_balancer()}

    def _list_targets(self, deployment: Deployment, _: Mapping[str, Any]) -> dict[str, Any]:
        _check_started(deployment)
        return {"targetIds": [self._targets.target_id]}

    def _get_target(self, deployment: Deployment, request: Mapping[str, Any]) -> dict[str, Any]:
        identifier = str(request.get("targetId") or "")
        (target,) = self._described(deployment, [identifier] if identifier else [])
        return {"deploymentTarget": target}

    def _get_targets(self, deployment: Deployment, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"deploymentTargets": self._described(deployment, request.get("targetIds") or ())}

    def _described(self, deployment: Deployment, identifiers: Sequence[str]) -> list[dict[str, Any]]:
        _check_started(deployment)
        if not identifiers:
            raise EcsError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
        if len(identifiers) > _MOST_TARGETS:
            raise EcsError(
                "DeploymentTargetListSizeExceededException",
                f"The maximum number of targets that can be associated is {_MOST_TARGETS}.",
            )
        for identifier in identifiers:
            if identifier != self._targets.target_id:
                raise EcsError(
                    "DeploymentTargetDoesNotExistException",
                    f"The provided target ID {identifier} does not belong to the attempted deployment.",
                )
        return [self._targets.target(deployment)]

    def _put_status(self, deployment: Deployment, request: Mapping[str, Any]) -> dict[str, Any]:
        status = str(request.get("status") or "")
        if status not in {EventStatus.SUCCEEDED, EventStatus.FAILED}:
            raise EcsError(
                "InvalidLifecycleEventHookExecutionStatusException",
                "The result of a Lambda validation function that verifies a lifecycle event is invalid. "
                "It should return Succeeded or Failed.",
            )
        identifier = str(request.get("lifecycleEventHookExecutionId") or "")
        self._controller.hooks.report(deployment.id, identifier, EventStatus(status))
        return {"lifecycleEventHookExecutionId": identifier}

    def _stop(self, deployment: Deployment, request: Mapping[str, Any]) -> dict[str, Any]:
        self._run(deployment).stop(rolls_back=bool(request.get("autoRollbackEnabled")))
        return {"status": "Pending", "statusMessage": "Stopping the deployment."}

    def _continue(self, deployment: Deployment, request: Mapping[str, Any]) -> dict[str, Any]:
        run = self._run(deployment)
        terminating = request.get("deploymentWaitType") == "TERMINATION_WAIT"
        if not (deployment.terminating if terminating else deployment.status is DeploymentStatus.READY):
            raise EcsError(
                "DeploymentIsNotInReadyStateException",
                "The deployment does not have a status of Ready and can't continue yet.",
            )
        run.continue_()
        return {}

    def _run(self, deployment: Deployment) -> DeploymentRun:
        run = self._controller.run
        if deployment.status.terminal or run is None or run.deployment is not deployment:
            raise EcsError("DeploymentAlreadyCompletedException", "The deployment is already complete.")
        return run

    def _group(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        group = self._controller.group
        if (request.get("applicationName"), request.get("deploymentGroupName")) != (group.application, group.name):
            return None
        shape = {
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "deploymentConfigName": group.configuration.name,
            "computePlatform": str(group.platform),
            "autoRollbackConfiguration": group.auto_rollback,
            "alarmConfiguration": group.alarm_configuration,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        }
        return {"deploymentGroupInfo": shape | self._targets.load_balancer() | self._targets.services()}


def _check_started(deployment: Deployment) -> None:
    if deployment.status in {DeploymentStatus.CREATED, DeploymentStatus.QUEUED}:
        raise EcsError("DeploymentNotStartedException", "The specified deployment has not started.")
