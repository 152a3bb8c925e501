"""The target of a deployment in the APIs of CodeDeploy and ECS: task sets of a service, or versions of a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ecs_hooks.deployment.listener import ListenerArn
from ecs_hooks_simulator.codedeploy.deployment import DeploymentStatus
from ecs_hooks_simulator.codedeploy.lifecycle import timestamp

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.controller import CodeDeployController
    from ecs_hooks_simulator.codedeploy.deployment import Deployment
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision

_TARGET_STATUS = {
    DeploymentStatus.CREATED: "Pending",
    DeploymentStatus.QUEUED: "Pending",
    DeploymentStatus.SUCCEEDED: "Succeeded",
    DeploymentStatus.FAILED: "Failed",
    DeploymentStatus.STOPPED: "Skipped",
    DeploymentStatus.READY: "Ready",
}


class Targets(Protocol):
    """The parts of the API that depend on the compute platform."""

    @property
    def target_id(self) -> str:
        """The id of a deployment's only target."""

    def target(self, deployment: Deployment) -> dict[str, Any]:
        """Return a `DeploymentTarget`."""

    def load_balancer(self) -> dict[str, Any]:
        """Return `loadBalancerInfo` and `blueGreenDeploymentConfiguration`, if any."""

    def services(self) -> dict[str, Any]:
        """Return `ecsServices`, if any."""


class TaskSetTargets:
    """Targets of deployments to an ECS service; implements `Targets`, and answers DescribeTaskSets of ECS."""

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    @property
    def target_id(self) -> str:
        """Cluster and service, `cluster:service`."""
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
        """Return listeners and target groups."""
        controller = self._controller
        shape: dict[str, Any] = {"blueGreenDeploymentConfiguration": controller.group.blue_green}
        if not controller.service.load_balancers:
            return shape
        configured = controller.service.load_balancers[0]
        advanced = configured["advancedConfiguration"]
        groups = (configured["targetGroupArn"], advanced["alternateTargetGroupArn"])
        pair: dict[str, Any] = {
            "targetGroups": [{"name": _name(arn)} for arn in groups],
            "prodTrafficRoute": _route(advanced["productionListenerRule"]),
        }
        if controller.group.test_listener:
            pair["testTrafficRoute"] = _route(advanced["testListenerRule"])
        return shape | {"loadBalancerInfo": {"targetGroupPairInfoList": [pair]}}

    def services(self) -> dict[str, Any]:
        """Return the service."""
        service = self._controller.service
        return {"ecsServices": [{"serviceName": service.service, "clusterName": service.cluster}]}

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer DescribeTaskSets if the request is about this service."""
        service = self._controller.service
        if operation != "DescribeTaskSets" or request.get("cluster") not in {service.cluster, service.cluster_arn}:
            return None
        if request.get("service") not in {service.service, service.arn}:
            return None
        known = {name: each for each in self._controller.running for name in (each.started_by, each.arn)}
        names = request.get("taskSets") or [each.arn for each in self._controller.running]
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
            "status": "PRIMARY" if deployment is None else _status(deployment, revision),
            "taskDefinition": revision.task_definition,
            "computedDesiredCount": service.desired_count,
            "pendingCount": service.desired_count if crashed else 0,
            "runningCount": 0 if crashed else service.desired_count,
            "createdAt": timestamp(revision.created_at),
            "updatedAt": timestamp(self._controller.clock.now()),
            "launchType": "FARGATE",
            "scale": {"value": 100.0, "unit": "PERCENT"},
            "stabilityStatus": "STABILIZING" if crashed else "STEADY_STATE",
            "stabilityStatusAt": timestamp(revision.created_at),
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

    def _task_set(self, deployment: Deployment, revision: ServiceRevision, label: str) -> dict[str, Any]:
        controller = self._controller
        count, crashed = controller.service.desired_count, revision.arn in controller.crashed
        shape: dict[str, Any] = {
            "identifer": revision.started_by,  # the API's spelling
            "desiredCount": count,
            "pendingCount": count if crashed else 0,
            "runningCount": 0 if crashed else count,
            "status": _status(deployment, revision),
            "trafficWeight": float(deployment.weights["production"].get(revision.arn, 0)),
            "taskSetLabel": label,
        }
        if controller.service.load_balancers:
            group = revision.target_group.of(controller.service.load_balancers[0])
            shape["targetGroup"] = {"name": _name(group)}
        return shape


class VersionTargets:
    """Targets of deployments to a Lambda function; implements `Targets`."""

    def __init__(self, controller: CodeDeployController) -> None:
        self._controller = controller

    @property
    def target_id(self) -> str:
        """The name of the function."""
        return self._controller.service.service

    def target(self, deployment: Deployment) -> dict[str, Any]:
        """Return a `DeploymentTarget` with the two versions."""
        controller = self._controller
        percent = float(deployment.weights["production"].get(deployment.target.arn, 0))
        fraction = controller.behaviour.version_weight == "fraction"
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
        """Return nothing: a function has none."""
        return {}

    services = load_balancer


def _status(deployment: Deployment, revision: ServiceRevision) -> str:
    """Return the status of a task set."""
    shares = deployment.weights["production"]
    if deployment.terminating and not shares.get(revision.arn):
        return "DRAINING"
    # The replacement becomes PRIMARY once it has all traffic.
    moved = shares.get(deployment.target.arn, 0) >= 100  # noqa: PLR2004 - per cent
    return "PRIMARY" if (revision is deployment.target) is (moved or not deployment.sources) else "ACTIVE"


def _name(target_group: str) -> str:
    """Return the name of a target group from its ARN."""
    return target_group.rpartition("targetgroup/")[2].partition("/")[0]


def _route(rule: str) -> dict[str, Any]:
    return {"listenerArns": [ListenerArn.parse(rule).listener]}


def _target(deployment: Deployment, identifier: str, arn: str) -> dict[str, Any]:
    return {
        "deploymentId": deployment.id,
        "targetId": identifier,
        "targetArn": arn,
        "lastUpdatedAt": timestamp(deployment.updated_at),
        "lifecycleEvents": [event.to_dict() for event in deployment.events],
        "status": _TARGET_STATUS.get(deployment.status, "InProgress"),
    }
