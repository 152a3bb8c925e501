"""The service-deployment operations of the ECS API over the deployments of one service.

Example
-------
>>> from ecs_hooks_simulator import DeploymentController, Service
>>> controller = DeploymentController(Service(service="api"))
>>> deployment = controller.deploy(image="api:1")
>>> controller.deployments.describe([deployment.arn])["serviceDeployments"][0]["status"]
'SUCCESSFUL'
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecs_hooks_simulator.core.errors import (
    ConflictError,
    EcsError,
    InvalidParameterError,
    ServiceDeploymentNotFoundError,
)
from ecs_hooks_simulator.core.model import Service, TimeoutAction
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, ServiceDeployment, ServiceRevision
from ecs_hooks_simulator.ecs.deployment_run import DeploymentRun
from ecs_hooks_simulator.ecs.undocumented import EcsBehaviour

MAX_ARNS = 20
MAX_RESULTS = 100
_HOOK_ID = re.compile(r"ecs-[a-z]+-[A-Za-z0-9_-]+")


class DeploymentsApi:
    """The controller's implementation of `ecs_hooks_simulator.core.protocols.ServiceDeployments`.

    Parameters
    ----------
    service
        Returns the present configuration of the service.
    behaviour
        Options for what the API's documentation does not say.
    lock
        Guards the state of a running deployment.
    running
        ARNs of the revisions that have tasks.
    """

    def __init__(
        self, service: Callable[[], Service], behaviour: EcsBehaviour, lock: threading.RLock, running: set[str]
    ) -> None:
        self._service = service
        self._behaviour = behaviour
        self._lock = lock
        self._running = running
        self._revisions: dict[str, ServiceRevision] = {}
        self._deployments: dict[str, tuple[ServiceDeployment, DeploymentRun]] = {}

    def add_revision(self, revision: ServiceRevision) -> None:
        """Add a revision."""
        self._revisions[revision.arn] = revision

    def add_deployment(self, deployment: ServiceDeployment, run: DeploymentRun) -> None:
        """Add a deployment, and the run that stops and continues it."""
        self._deployments[deployment.arn] = (deployment, run)

    def all(self) -> list[ServiceDeployment]:
        """Return the deployments, oldest first."""
        return [deployment for deployment, _ in tuple(self._deployments.values())]

    def describe(self, arns: Sequence[str]) -> dict[str, Any]:
        """`DescribeServiceDeployments`; at most 20 ARNs."""
        _check_count(arns, "serviceDeploymentArns")
        with self._lock:
            found = [self._deployments[arn][0].to_dict() for arn in arns if arn in self._deployments]
        return {"serviceDeployments": found, "failures": _missing(arns, self._deployments)}

    def list(
        self,
        service: str,
        *,
        cluster: str | None = None,
        status: Sequence[str] = (),
        created_at: Mapping[str, float] | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> dict[str, Any]:
        """`ListServiceDeployments`, newest first."""
        mine = self._service()
        if cluster is not None and cluster not in {mine.cluster, mine.cluster_arn}:
            raise EcsError("ClusterNotFoundException", "Cluster not found.")
        if service not in {mine.service, mine.arn}:
            raise EcsError("ServiceNotFoundException", "Service not found.")
        unknown = set(status) - set(DeploymentStatus)
        if unknown:
            raise InvalidParameterError(f"Invalid status. Valid values are: {', '.join(DeploymentStatus)}")
        limit = MAX_RESULTS if max_results is None else max_results
        start = next_token or "0"
        if not 1 <= limit <= MAX_RESULTS or not start.isdecimal():
            raise InvalidParameterError(
                f"maxResults must be between 1 and {MAX_RESULTS}, and nextToken one that was returned"
            )
        window = created_at or {}
        with self._lock:
            briefs = [
                deployment.brief()
                for deployment in reversed(self.all())
                if (not status or deployment.status in status)
                and window.get("after", deployment.created_at) <= deployment.created_at
                and deployment.created_at <= window.get("before", deployment.created_at)
            ]
        end = int(start) + limit
        answer: dict[str, Any] = {"serviceDeployments": briefs[int(start) : end]}
        if end < len(briefs):
            answer["nextToken"] = str(end)
        return answer

    def describe_revisions(self, arns: Sequence[str]) -> dict[str, Any]:
        """`DescribeServiceRevisions`; at most 20 ARNs."""
        _check_count(arns, "serviceRevisionArns")
        found = [self._revision(self._revisions[arn]) for arn in arns if arn in self._revisions]
        return {"serviceRevisions": found, "failures": _missing(arns, self._revisions)}

    def stop(self, arn: str, stop_type: str = "ROLLBACK") -> dict[str, Any]:
        """`StopServiceDeployment`: roll back from any stage."""
        deployment, run = self._find(arn)
        abort = stop_type == "ABORT" and self._behaviour.abort == "stopped"
        if stop_type != "ROLLBACK" and not abort:
            raise InvalidParameterError("Invalid stopType. The valid values are ROLLBACK")
        with self._lock:
            if deployment.status.terminal:
                raise ConflictError(
                    "Stopping a service deployment is not allowed for service deployment in terminal states."
                )
            run.stop(DeploymentStatus.STOP_REQUESTED if abort else DeploymentStatus.ROLLBACK_REQUESTED)
        return {"serviceDeploymentArn": arn}

    def continue_(self, arn: str, hook_id: str, action: str = "CONTINUE") -> dict[str, Any]:
        """`ContinueServiceDeployment`: end a PAUSE hook that waits for an action."""
        deployment, run = self._find(arn)
        if action not in TimeoutAction.__members__:
            raise InvalidParameterError("Invalid action. Valid values are: ROLLBACK, CONTINUE")
        if not _HOOK_ID.fullmatch(hook_id):
            raise InvalidParameterError("Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}")
        with self._lock:
            if deployment.status.terminal:
                raise InvalidParameterError(
                    "Continuing a service deployment is not allowed for service deployment in terminal states."
                )
            hook = next((each for each in deployment.hooks if each.hook_id == hook_id), None)
            in_progress = deployment.status is DeploymentStatus.IN_PROGRESS
            if hook is None or not in_progress or not run.hooks.continue_(hook, TimeoutAction(action)):
                raise InvalidParameterError(
                    "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
                )
        return {"serviceDeploymentArn": arn}

    def _find(self, arn: str) -> tuple[ServiceDeployment, DeploymentRun]:
        found = self._deployments.get(arn)
        if found is None:
            raise ServiceDeploymentNotFoundError
        return found

    def _revision(self, revision: ServiceRevision) -> dict[str, Any]:
        service = self._service()
        balancers = [dict(balancer) for balancer in service.load_balancers]
        shape: dict[str, Any] = {
            "serviceRevisionArn": revision.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "taskDefinition": revision.task_definition,
            "launchType": "FARGATE",
            "loadBalancers": balancers,
            "containerImages": [
                {"containerName": service.container, "imageDigest": revision.image_digest, "image": revision.image}
            ],
            "createdAt": revision.created_at,
        }
        always = self._behaviour.resolved_configuration == "always"
        if always or revision.arn in self._running:
            shape["resolvedConfiguration"] = {"loadBalancers": [_resolved(each, revision) for each in balancers]}
        return shape


def _resolved(balancer: Mapping[str, Any], revision: ServiceRevision) -> dict[str, Any]:
    """Return the target group that a revision uses, and its rule; the API shows no test rule here."""
    resolved = {
        "targetGroupArn": revision.target_group.of(balancer),
        "productionListenerRule": balancer.get("advancedConfiguration", {}).get("productionListenerRule"),
    }
    return {key: value for key, value in resolved.items() if value}


def _check_count(arns: Sequence[str], name: str) -> None:
    if not 1 <= len(arns) <= MAX_ARNS:
        raise InvalidParameterError(f"{name} must have between 1 and {MAX_ARNS} entries")


def _missing(arns: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
