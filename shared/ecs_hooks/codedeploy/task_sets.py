"""CodeDeploy's deployments of ECS services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ecs_hooks.aws.call import call_aws_one, parsing
from ecs_hooks.aws.errors import FactError
from ecs_hooks.codedeploy.deployment import CodeDeployDeployment
from ecs_hooks.deployment.revision import LoadBalancing, ServiceRevision, unread_load_balancers
from ecs_hooks.deployment.tasks import Task, list_tasks

TASK_SETS = "ecs:DescribeTaskSets"

_GREEN, _BLUE = "Green", "Blue"


class TaskSetDeployment(CodeDeployDeployment):
    """A deployment of an ECS service by CodeDeploy; its revisions are task sets."""

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self.description.cluster_and_service[0]

    @property
    def service(self) -> str:
        """Name of the service."""
        return self.description.cluster_and_service[1]

    @property
    def green(self) -> ServiceRevision:
        """The replacement task set.

        Raises
        ------
        FactError
            If there is no green task set yet.
        """
        if self._set(_GREEN) is None:
            raise FactError("CodeDeploy reports no green task set yet")
        return self.facts.get("green", lambda: self._revision(_GREEN), kind=ServiceRevision)

    @property
    def blue(self) -> ServiceRevision | None:
        """The original task set; None on a first deployment."""
        if self._set(_BLUE) is None:
            return None
        return self.facts.get("blue", lambda: self._revision(_BLUE), kind=ServiceRevision)

    def _set(self, label: str) -> Mapping[str, Any] | None:
        sets: Sequence[Mapping[str, Any]] = self.description.target.get("taskSetsInfo", [])
        return next((each for each in sets if each.get("taskSetLabel") == label and each.get("identifer")), None)

    def _revision(self, label: str) -> ServiceRevision:
        """Return a task set in the shape of a service revision."""
        described = self._task_set(label)
        with parsing(TASK_SETS):
            groups = [each for each in described.get("loadBalancers", []) if "targetGroupArn" in each]
            own = [
                (each["targetGroupArn"], each.get("containerName", ""), each.get("containerPort", 0)) for each in groups
            ]
            arn, task_definition = described["taskSetArn"], described["taskDefinition"]
        return ServiceRevision(
            arn,
            task_definition,
            tuple(
                LoadBalancing(group, self._listener("prod"), self._listener("test"), container, port, self._pair)
                for group, container, port in own
            ),
            {},
            None,
            unread=tuple(unread_load_balancers(described)),
        )

    def _task_set(self, label: str) -> Mapping[str, Any]:
        known = self._set(label)
        assert known is not None
        return self.facts.get(
            f"task set {label}",
            lambda: call_aws_one(
                TASK_SETS,
                self.region,
                "taskSets",
                "task set",
                cluster=self.cluster,
                service=self.service,
                taskSets=[known["identifer"]],
            ),
        )

    @cached_property
    def _pair(self) -> list[str]:
        """ARNs of the target groups of both task sets."""
        labels = [label for label in (_BLUE, _GREEN) if self._set(label) is not None]
        balancers = [each for label in labels for each in self._task_set(label).get("loadBalancers", [])]
        return sorted({each["targetGroupArn"] for each in balancers if "targetGroupArn" in each})

    def _listener(self, kind: str) -> str:
        """Return the ARN of the listener of `prod` or `test` traffic, or of its rule that CodeDeploy shifts."""
        return self.facts.get(f"{kind} listener", lambda: self._find_listener(kind), kind=str)

    def _find_listener(self, kind: str) -> str:
        pairs = self._load_balancer_info.get("targetGroupPairInfoList", [])
        routes = [each.get(f"{kind}TrafficRoute", {}).get("listenerArns", []) for each in pairs]
        arns: list[str] = routes[0] if routes else []
        if not arns:
            return ""
        if set(self.route(arns[0]).target_groups) & set(self._pair):
            return arns[0]
        # The default action forwards to other target groups, so CodeDeploy shifts the rules that forward to the pair.
        shifted = (each.arn for each in self.rules(arns[0]) if set(each.route.target_groups) & set(self._pair))
        return next(shifted, arns[0])

    @property
    def _load_balancer_info(self) -> Mapping[str, Any]:
        info: Mapping[str, Any] = self.description.deployment.get("loadBalancerInfo", {})
        return info if info.get("targetGroupPairInfoList") else self._group.get("loadBalancerInfo", {})

    @property
    def tasks(self) -> list[Task]:
        """Green's running and starting tasks, at most 100."""
        return self.facts.get("tasks", lambda: self._tasks_of(_GREEN))

    @property
    def stopped_tasks(self) -> list[Task]:
        """Green's tasks that stopped within about an hour."""
        return self._tasks_of(_GREEN, "STOPPED")

    @property
    def blue_tasks(self) -> list[Task]:
        """Blue's running and starting tasks; empty on a first deployment."""
        return self.facts.get("blue tasks", lambda: self._tasks_of(_BLUE)) if self._set(_BLUE) else []

    def _tasks_of(self, label: str, status: str = "RUNNING") -> list[Task]:
        # Inferred: `startedBy` of a task is the id of its task set.
        starter = str((self._set(label) or {}).get("identifer", ""))
        return list_tasks(self.region, self.cluster, self.service, starter, status)

    @property
    def images(self) -> Mapping[str, tuple[str, str]]:
        """Container name to the image of the task definition and the digest in all of green's tasks."""
        return self.facts.get("images", self._find_images)

    def _find_images(self) -> Mapping[str, tuple[str, str]]:
        running = [container for task in self.tasks for container in task.containers]
        found: dict[str, tuple[str, str]] = {}
        for each in self._containers:
            digests = {container.digest for container in running if container.name == each.get("name")}
            found[str(each.get("name", ""))] = str(each.get("image", "")), digests.pop() if len(digests) == 1 else ""
        return found

    @property
    def task_counts(self) -> tuple[int, int]:
        """Running and desired count of green."""
        green = self._set(_GREEN) or {}
        return green.get("runningCount", 0), green.get("desiredCount", 0)

    @property
    def green_percent(self) -> float | None:
        """Green's share of the production traffic, in per cent."""
        weight: float | None = (self._set(_GREEN) or {}).get("trafficWeight")
        return weight

    @property
    def first(self) -> bool:
        """Whether there is no blue task set."""
        return self._set(_BLUE) is None
