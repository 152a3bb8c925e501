"""How a deployment's target looks in CodeDeploy's API: task sets of a service, or versions of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ecs_hooks.deployment.listener import ListenerArn
from ecs_hooks_simulator.codedeploy.record import DeploymentStatus, moment
from ecs_hooks_simulator.codedeploy.undocumented import VersionWeight

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.codedeploy.record import Deployment
    from ecs_hooks_simulator.core.model import ServiceRevision

_TARGET_STATUS = {
    DeploymentStatus.CREATED: "Pending",
    DeploymentStatus.QUEUED: "Pending",
    DeploymentStatus.SUCCEEDED: "Succeeded",
    DeploymentStatus.FAILED: "Failed",
    DeploymentStatus.STOPPED: "Skipped",
    DeploymentStatus.READY: "Ready",
}


class Shapes(Protocol):
    """What differs between the compute platforms."""

    @property
    def target_id(self) -> str:
        """The id of the deployment's only target."""

    def target(self, deployment: Deployment) -> dict[str, Any]:
        """Return a `DeploymentTarget`."""

    def load_balancer(self) -> dict[str, Any]:
        """Return `loadBalancerInfo` and `blueGreenDeploymentConfiguration`, where there are any."""

    def services(self) -> dict[str, Any]:
        """Return `ecsServices`, where there are any."""


class TaskSetShapes:
    """A deployment to an ECS service.

    Parameters
    ----------
    controller
        Knows the service and what runs.
    """

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    @property
    def target_id(self) -> str:
        """Cluster and service."""
        service = self._controller.service
        return f"{service.cluster}:{service.service}"

    def target(self, deployment: Deployment) -> dict[str, Any]:
        """Return a `DeploymentTarget` with its task sets."""
        labelled = [*((each, "Blue") for each in deployment.sources[:1]), (deployment.target, "Green")]
        shape = _target(deployment, self.target_id, self._controller.service.arn)
        running = {each.arn for each in self._controller.running}
        shape["taskSetsInfo"] = [
            self._task_set(deployment, revision, label) for revision, label in labelled if revision.arn in running
        ]
        return {"deploymentTargetType": "ECSTarget", "ecsTarget": shape}

    def load_balancer(self) -> dict[str, Any]:
        """Return the listeners and target groups."""
        controller = self._controller
        if not controller.service.load_balancers:
            return {"blueGreenDeploymentConfiguration": controller.group.blue_green}
        configured = controller.service.load_balancers[0]
        advanced = configured["advancedConfiguration"]
        groups = (configured["targetGroupArn"], advanced["alternateTargetGroupArn"])
        pair: dict[str, Any] = {
            "targetGroups": [{"name": name_of(arn)} for arn in groups],
            "prodTrafficRoute": _route(advanced["productionListenerRule"]),
        }
        if controller.group.test_listener:
            pair["testTrafficRoute"] = _route(advanced["testListenerRule"])
        return {
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "blueGreenDeploymentConfiguration": controller.group.blue_green,
        }

    def services(self) -> dict[str, Any]:
        """Return the service."""
        service = self._controller.service
        return {"ecsServices": [{"serviceName": service.service, "clusterName": service.cluster}]}

    def _task_set(self, deployment: Deployment, revision: ServiceRevision, label: str) -> dict[str, Any]:
        controller = self._controller
        count, crashed = controller.service.desired_count, revision.arn in controller.crashed
        shape: dict[str, Any] = {
            "identifer": revision.started_by,  # so it is spelt in the API
            "desiredCount": count,
            "pendingCount": count if crashed else 0,
            "runningCount": 0 if crashed else count,
            "status": status_of(deployment, revision),
            "trafficWeight": float(deployment.weights["production"].get(revision.arn, 0)),
            "taskSetLabel": label,
        }
        if controller.service.load_balancers:
            group = revision.target_group.of(controller.service.load_balancers[0])
            shape["targetGroup"] = {"name": name_of(group)}
        return shape


class VersionShapes:
    """A deployment to a Lambda function.

    Parameters
    ----------
    controller
        Knows the function.
    """

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    @property
    def target_id(self) -> str:
        """Name of the function."""
        return self._controller.service.service

    def target(self, deployment: Deployment) -> dict[str, Any]:
        """Return a `DeploymentTarget` with the two versions."""
        controller = self._controller
        percent = float(deployment.weights["production"].get(deployment.target.arn, 0))
        fraction = controller.behaviour.version_weight is VersionWeight.FRACTION
        info: dict[str, Any] = {
            "functionName": controller.service.service,
            "functionAlias": controller.alias,
            "targetVersion": deployment.target.id,
            "targetVersionWeight": percent / 100 if fraction else percent,
        }
        if deployment.sources:
            info["currentVersion"] = deployment.sources[0].id
        arn = deployment.target.arn.rpartition(":")[0]
        shape = _target(deployment, self.target_id, f"{arn}:{controller.alias}") | {"lambdaFunctionInfo": info}
        return {"deploymentTargetType": "LambdaTarget", "lambdaTarget": shape}

    def load_balancer(self) -> dict[str, Any]:
        """Return nothing: there is none."""
        return {}

    def services(self) -> dict[str, Any]:
        """Return nothing: there is none."""
        return {}


def status_of(deployment: Deployment, revision: ServiceRevision) -> str:
    """Return the status of a task set: the one that the service takes for its own is PRIMARY."""
    shares = deployment.weights["production"]
    if deployment.terminating and not shares.get(revision.arn):
        return "DRAINING"
    # The replacement becomes the primary one once it has all of the traffic.
    moved = shares.get(deployment.target.arn, 0) >= 100  # noqa: PLR2004 - per cent
    return "PRIMARY" if (revision is deployment.target) is (moved or not deployment.sources) else "ACTIVE"


def name_of(target_group: str) -> str:
    """Return the name of a target group, from its ARN."""
    return target_group.rpartition("targetgroup/")[2].partition("/")[0]


def _route(rule: str) -> dict[str, Any]:
    return {"listenerArns": [ListenerArn.parse(rule).listener]}


def _target(deployment: Deployment, identifier: str, arn: str) -> dict[str, Any]:
    return {
        "deploymentId": deployment.id,
        "targetId": identifier,
        "targetArn": arn,
        "lastUpdatedAt": moment(deployment.updated_at),
        "lifecycleEvents": [event.to_dict() for event in deployment.events],
        "status": _TARGET_STATUS.get(deployment.status, "InProgress"),
    }
