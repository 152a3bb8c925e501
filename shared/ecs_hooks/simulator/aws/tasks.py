"""The tasks of a simulation's service revisions, as ECS describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecs_hooks.simulator.controller import DeploymentController
    from ecs_hooks.simulator.model import ServiceRevision


class EcsTasks:
    """Answers for the tasks of a service: as many for each revision that runs as the service wants.

    However many those are, one process does the work of all tasks of a revision.

    Parameters
    ----------
    controller
        Knows the service and its revisions.
    """

    def __init__(self, controller: DeploymentController) -> None:
        self._controller = controller

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer what is asked about tasks and task definitions of this service."""
        match operation:
            case "ListTasks":
                return self._list(asked)
            case "DescribeTasks":
                found = {arn: revision for revision in self._controller.running for arn in self._arns(revision)}
                if not set(asked["tasks"]) & set(found):
                    return None
                missing = [{"arn": arn, "reason": "MISSING"} for arn in asked["tasks"] if arn not in found]
                described = [self._task(arn, found[arn]) for arn in asked["tasks"] if arn in found]
                return {"tasks": described, "failures": missing}
            case "DescribeTaskDefinition":
                return self._task_definition(str(asked.get("taskDefinition")))
            case _:
                return None

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        service = self._controller.service
        if asked.get("cluster") not in {service.cluster, service.cluster_arn}:
            return None
        revisions = list(self._controller.revisions)
        if "startedBy" in asked:
            revisions = [each for each in revisions if each.started_by == asked["startedBy"]]
            if not revisions:
                return None
        elif asked.get("serviceName") not in {service.service, service.arn}:
            return None
        # Tasks that have stopped are forgotten at once; ECS remembers them for about an hour.
        running = [] if asked.get("desiredStatus") == "STOPPED" else self._controller.running
        return {"taskArns": [arn for each in running if each in revisions for arn in self._arns(each)]}

    def _arns(self, revision: ServiceRevision) -> Iterator[str]:
        service = self._controller.service
        for number in range(service.desired_count):
            identifier = hashlib.md5(f"{revision.id}/{number}".encode(), usedforsecurity=False).hexdigest()
            yield (
                f"arn:{service.partition}:ecs:{service.region}:{service.account}:task/{service.cluster}/{identifier}"
            )

    def _task(self, arn: str, revision: ServiceRevision) -> dict[str, Any]:
        container = {
            "name": self._controller.service.container,
            "lastStatus": "RUNNING",
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
            "lastStatus": "RUNNING",
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
