"""A CodeDeploy deployment of an ECS service: blue and green are task sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ecs_hooks.aws.call import ask, ask_one, reading
from ecs_hooks.aws.errors import FactError
from ecs_hooks.codedeploy.deployment import CodeDeployDeployment
from ecs_hooks.core.arn import region_of
from ecs_hooks.deployment.listener import RULES, forwards_to
from ecs_hooks.deployment.revision import LoadBalancing, ServiceRevision
from ecs_hooks.deployment.tasks import Task, tasks

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
            If there is none yet.
        """
        if self._set(_GREEN) is None:
            raise FactError("CodeDeploy names no green task set yet")
        return self.facts.get("green", lambda: self._revision(_GREEN), kind=ServiceRevision)

    @property
    def blue(self) -> ServiceRevision | None:
        """The original task set; None where there is none."""
        if self._set(_BLUE) is None:
            return None
        return self.facts.get("blue", lambda: self._revision(_BLUE), kind=ServiceRevision)

    def _set(self, label: str) -> Mapping[str, Any] | None:
        sets: Sequence[Mapping[str, Any]] = self.description.target.get("taskSetsInfo", [])
        return next((each for each in sets if each.get("taskSetLabel") == label and each.get("identifer")), None)

    def _revision(self, label: str) -> ServiceRevision:
        """Ask ECS for a task set, and put together what a revision is under CodeDeploy."""
        described = self._task_set(label)
        with reading(TASK_SETS):
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
        )

    def _task_set(self, label: str) -> Mapping[str, Any]:
        known = self._set(label)
        assert known is not None
        return self.facts.get(
            f"task set {label}",
            lambda: ask_one(
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
        """Return the ARN of the listener of `prod` or `test` traffic, or of the rule in it that CodeDeploy shifts."""
        return self.facts.get(f"{kind} listener", lambda: self._find_listener(kind), kind=str)

    def _find_listener(self, kind: str) -> str:
        pairs = self._load_balancer_info.get("targetGroupPairInfoList", [])
        routes = [each.get(f"{kind}TrafficRoute", {}).get("listenerArns", []) for each in pairs]
        arns: list[str] = routes[0] if routes else []
        if not arns:
            return ""
        if set(self.route(arns[0]).target_groups) & set(self._pair):
            return arns[0]
        # The default action leads elsewhere, so it is a rule that CodeDeploy shifts: all of those that lead to the pair.
        with reading(RULES):
            rules = ask(RULES, region_of(arns[0]), "Rules", ListenerArn=arns[0])
            leading = [each["RuleArn"] for each in rules if set(forwards_to(each["Actions"])) & set(self._pair)]
        return str(leading[0]) if leading else arns[0]

    @property
    def _load_balancer_info(self) -> Mapping[str, Any]:
        info: Mapping[str, Any] = self.description.deployment.get("loadBalancerInfo", {})
        return info if info.get("targetGroupPairInfoList") else self._group.get("loadBalancerInfo", {})

    @property
    def tasks(self) -> list[Task]:
        """Green's tasks that run or start; a hundred of them where there are more."""
        return self.facts.get("tasks", lambda: self._tasks_of(_GREEN))

    @property
    def stopped_tasks(self) -> list[Task]:
        """Green's tasks that have stopped, for about an hour."""
        return self._tasks_of(_GREEN, "STOPPED")

    @property
    def blue_tasks(self) -> list[Task]:
        """Blue's tasks that run or start; none where there is no blue."""
        return self.facts.get("blue tasks", lambda: self._tasks_of(_BLUE)) if self._set(_BLUE) else []

    def _tasks_of(self, label: str, status: str = "RUNNING") -> list[Task]:
        # Inferred: a task set is what ECS calls a deployment in the tasks of a service with several of them.
        starter = str((self._set(label) or {}).get("identifer", ""))
        return tasks(self.region, self.cluster, self.service, starter, status)

    @property
    def images(self) -> Mapping[str, tuple[str, str]]:
        """Container name to image, as the task definition has it, and the digest that all of green's tasks run."""
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
        """How many tasks of green run, and how many were asked for."""
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
