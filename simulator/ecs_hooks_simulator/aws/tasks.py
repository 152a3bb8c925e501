"""The tasks of a simulation's service revisions in the ECS API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecs_hooks_simulator.core.protocols import Controller
    from ecs_hooks_simulator.core.service_deployment import ServiceRevision

_KILLED = 137
"""Exit code of a container whose process was killed: 128 plus the number of the signal."""

_REASON = "OutOfMemoryError: Container killed due to memory usage"
"""The usual reason of such a container."""


class EcsTasks:
    """Answers operations about the tasks of a service: each running revision has `desired_count` of them.

    One process does the work of all tasks of a revision.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer if the request is about tasks or task definitions of this service."""
        match operation:
            case "ListTasks":
                return self._list(request)
            case "DescribeTasks":
                found = {arn: task for each in self._controller.running for arn, task in self._tasks(each).items()}
                if not set(request["tasks"]) & set(found):
                    return None
                missing = [{"arn": arn, "reason": "MISSING"} for arn in request["tasks"] if arn not in found]
                described = [found[arn] for arn in request["tasks"] if arn in found]
                return {"tasks": described, "failures": missing}
            case "DescribeTaskDefinition":
                return self._task_definition(str(request.get("taskDefinition")))
            case _:
                return None

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        service = self._controller.service
        if request.get("cluster") not in {service.cluster, service.cluster_arn}:
            return None
        revisions = list(self._controller.revisions)
        if "startedBy" in request:
            revisions = [each for each in revisions if each.started_by == request["startedBy"]]
            if not revisions:
                return None
        elif request.get("serviceName") not in {service.service, service.arn}:
            return None
        # ECS lists the tasks that it stopped for about an hour, the simulator does not.
        status = request.get("desiredStatus") or "RUNNING"
        running = [self._tasks(each) for each in self._controller.running if each in revisions]
        return {"taskArns": [arn for each in running for arn, task in each.items() if task["desiredStatus"] == status]}

    def _tasks(self, revision: ServiceRevision) -> dict[str, dict[str, Any]]:
        """Return the tasks of a revision by ARN: the running ones, or the crashed ones and their replacements."""
        count, crashed = self._controller.service.desired_count, self._controller.crashed.get(revision.arn)
        arns = list(self._arns(revision, count if crashed is None else 2 * count))
        if crashed is None:
            return {arn: self._task(arn, revision, "RUNNING") for arn in arns}
        stopped = {arn: self._crashed(self._task(arn, revision, "STOPPED"), crashed) for arn in arns[:count]}
        return stopped | {arn: self._task(arn, revision, "PENDING") for arn in arns[count:]}

    def _arns(self, revision: ServiceRevision, count: int) -> Iterator[str]:
        service = self._controller.service
        for number in range(count):
            identifier = hashlib.md5(f"{revision.id}/{number}".encode(), usedforsecurity=False).hexdigest()
            yield (
                f"arn:{service.partition}:ecs:{service.region}:{service.account}:task/{service.cluster}/{identifier}"
            )

    def _crashed(self, task: dict[str, Any], when: float) -> dict[str, Any]:
        (container,) = task["containers"]
        return {
            **task,
            "desiredStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "stoppedAt": when,
            "containers": [{**container, "exitCode": _KILLED, "reason": _REASON}],
        }

    def _task(self, arn: str, revision: ServiceRevision, status: str) -> dict[str, Any]:
        container = {
            "name": self._controller.service.container,
            "lastStatus": status,
            "healthStatus": "UNKNOWN",
            "image": revision.image,
            "imageDigest": revision.image_digest,
            "networkInterfaces": [{"privateIpv4Address": "127.0.0.1"}],
        }
        return {
            "taskArn": arn,
            "clusterArn": self._controller.service.cluster_arn,
            "taskDefinitionArn": revision.task_definition,
            "group": f"service:{self._controller.service.service}",
            "startedBy": revision.started_by,
            "lastStatus": status,
            "desiredStatus": "RUNNING",
            "healthStatus": "UNKNOWN",
            "containers": [container],
        }

    def _task_definition(self, arn: str) -> dict[str, Any] | None:
        for revision in self._controller.revisions:
            if revision.task_definition == arn:
                container = {"name": self._controller.service.container, "image": revision.image, "essential": True}
                return {"taskDefinition": {"taskDefinitionArn": arn, "containerDefinitions": [container]}}
        return None
