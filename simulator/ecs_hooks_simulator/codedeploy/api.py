"""CodeDeploy's operations on the deployments of one controller, as a hook asks them.

Source of the errors: botocore's service model and the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_hooks_simulator.codedeploy.ids import is_deployment_id
from ecs_hooks_simulator.codedeploy.lifecycle import EventStatus
from ecs_hooks_simulator.codedeploy.record import DeploymentStatus
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.codedeploy.record import Deployment
    from ecs_hooks_simulator.codedeploy.shapes import Shapes

_MOST_TARGETS = 25


class CodeDeployApi:
    """Answers CodeDeploy's operations.

    Parameters
    ----------
    controller
        Whose deployments.
    shapes
        How targets and load balancers of the deployment group look.
    """

    def __init__(self, controller: CodeDeployController, shapes: Shapes) -> None:
        self._controller = controller
        self._shapes = shapes

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about a deployment or the deployment group of this controller."""
        if operation == "GetDeploymentGroup":
            return self._group(asked)
        ask = {
            "GetDeployment": self._get,
            "ListDeploymentTargets": self._list_targets,
            "GetDeploymentTarget": self._get_target,
            "BatchGetDeploymentTargets": self._get_targets,
            "PutLifecycleEventHookExecutionStatus": self._report,
            "StopDeployment": self._stop,
            "ContinueDeployment": self._continue,
        }.get(operation)
        if ask is None:
            return None
        identifier = str(asked.get("deploymentId") or "")
        if not identifier:
            raise EcsError("DeploymentIdRequiredException", "At least one deployment ID must be specified.")
        if not is_deployment_id(identifier):
            raise EcsError("InvalidDeploymentIdException", f"The deployment ID {identifier} is in an invalid format.")
        found = next((each for each in self._controller.all if each.id == identifier), None)
        # Another simulation of this process may know it; moto, which knows none, says that there is none.
        return None if found is None else ask(found, asked)

    def _get(self, deployment: Deployment, _: Mapping[str, Any]) -> dict[str, Any]:
        shape = deployment.to_dict() | self._shapes.load_balancer()
        return {"deploymentInfo": shape}

    def _list_targets(self, deployment: Deployment, _: Mapping[str, Any]) -> dict[str, Any]:
        _started(deployment)
        return {"targetIds": [self._shapes.target_id]}

    def _get_target(self, deployment: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        identifier = str(asked.get("targetId") or "")
        (target,) = self._targets(deployment, [identifier] if identifier else [])
        return {"deploymentTarget": target}

    def _get_targets(self, deployment: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"deploymentTargets": self._targets(deployment, asked.get("targetIds") or ())}

    def _targets(self, deployment: Deployment, identifiers: Sequence[str]) -> list[dict[str, Any]]:
        _started(deployment)
        if not identifiers:
            raise EcsError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
        if len(identifiers) > _MOST_TARGETS:
            raise EcsError(
                "DeploymentTargetListSizeExceededException",
                f"The maximum number of targets that can be associated is {_MOST_TARGETS}.",
            )
        for identifier in identifiers:
            if identifier != self._shapes.target_id:
                raise EcsError(
                    "DeploymentTargetDoesNotExistException",
                    f"The provided target ID {identifier} does not belong to the attempted deployment.",
                )
        return [self._shapes.target(deployment)]

    def _report(self, deployment: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        status = str(asked.get("status") or "")
        if status not in {EventStatus.SUCCEEDED, EventStatus.FAILED}:
            raise EcsError(
                "InvalidLifecycleEventHookExecutionStatusException",
                "The result of a Lambda validation function that verifies a lifecycle event is invalid. It should return Succeeded or Failed.",
            )
        identifier = str(asked.get("lifecycleEventHookExecutionId") or "")
        self._controller.hooks.report(deployment.id, identifier, EventStatus(status))
        return {"lifecycleEventHookExecutionId": identifier}

    def _stop(self, deployment: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        run = self._controller.run
        if deployment.status.terminal or run is None or run.deployment is not deployment:
            raise EcsError("DeploymentAlreadyCompletedException", "The deployment is already complete.")
        run.stop(rolls_back=bool(asked.get("autoRollbackEnabled")))
        return {"status": "Pending", "statusMessage": "Stopping the deployment."}

    def _continue(self, deployment: Deployment, asked: Mapping[str, Any]) -> dict[str, Any]:
        run = self._controller.run
        if deployment.status.terminal or run is None or run.deployment is not deployment:
            raise EcsError("DeploymentAlreadyCompletedException", "The deployment is already complete.")
        terminating = asked.get("deploymentWaitType") == "TERMINATION_WAIT"
        waiting = deployment.terminating if terminating else deployment.status is DeploymentStatus.READY
        if not waiting:
            raise EcsError(
                "DeploymentIsNotInReadyStateException",
                "The deployment does not have a status of Ready and can't continue yet.",
            )
        run.go_on()
        return {}

    def _group(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        group = self._controller.group
        names = asked.get("applicationName"), asked.get("deploymentGroupName")
        if names != (group.application, group.name):
            return None
        shape = {
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "deploymentConfigName": group.configuration.name,
            "computePlatform": str(group.platform),
            "autoRollbackConfiguration": group.rolls_back,
            "alarmConfiguration": group.alarm_configuration,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        }
        return {"deploymentGroupInfo": shape | self._shapes.load_balancer() | self._shapes.services()}


def _started(deployment: Deployment) -> None:
    if deployment.status in {DeploymentStatus.CREATED, DeploymentStatus.QUEUED}:
        raise EcsError("DeploymentNotStartedException", "The specified deployment has not started.")
