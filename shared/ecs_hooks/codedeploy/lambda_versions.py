"""A CodeDeploy deployment of a Lambda function: blue and green are versions behind an alias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never

from ecs_hooks.aws.errors import FactError
from ecs_hooks.codedeploy.deployment import CodeDeployDeployment
from ecs_hooks.deployment.base import NotApplicableError

if TYPE_CHECKING:
    from ecs_hooks.deployment.revision import ServiceRevision
    from ecs_hooks.deployment.tasks import Task

_ALL = 100.0


class LambdaDeployment(CodeDeployDeployment):
    """A deployment of a Lambda function by CodeDeploy; its revisions are versions behind an alias.

    What only a service of ECS has (tasks, target groups, images) is a `NotApplicableError`.
    """

    @property
    def _function(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.description.target.get("lambdaFunctionInfo", {})
        if not found.get("functionName") or not found.get("targetVersion"):
            raise FactError("CodeDeploy names no Lambda function and target version yet")
        return found

    @property
    def function(self) -> str:
        """Name of the function."""
        return str(self._function["functionName"])

    @property
    def alias(self) -> str:
        """Name of the alias that is shifted."""
        return str(self._function.get("functionAlias", ""))

    @property
    def green_version(self) -> str:
        """The new version."""
        return str(self._function["targetVersion"])

    @property
    def blue_version(self) -> str:
        """The version that had the traffic before; empty where there is none."""
        return str(self._function.get("currentVersion", ""))

    @property
    def green_percent(self) -> float | None:
        """The new version's share of the invocations through the alias, in per cent.

        CodeDeploy's API reference calls `targetVersionWeight` a percentage, an alias has a fraction: at the hooks it is
        nothing or all of it, and 1 is all of it either way.
        """
        weight: float | None = self._function.get("targetVersionWeight")
        return None if weight is None else weight * _ALL if weight <= 1 else weight

    @property
    def first(self) -> bool:
        """Whether there was no version before."""
        return not self.blue_version

    @property
    def obstacle_to_an_address(self) -> str:
        """A version has no address of its own."""
        return "a version of a Lambda function has no address of its own"

    @property
    def cluster(self) -> str:
        """There is none."""
        return _has_no("cluster")

    @property
    def service(self) -> str:
        """There is none."""
        return _has_no("ECS service")

    @property
    def green(self) -> ServiceRevision:
        """There is none."""
        return _has_no("task definition or target group")

    @property
    def blue(self) -> ServiceRevision | None:
        """There is none."""
        return _has_no("task definition or target group")

    @property
    def tasks(self) -> list[Task]:
        """There are none."""
        return _has_no("tasks")

    @property
    def stopped_tasks(self) -> list[Task]:
        """There are none."""
        return _has_no("tasks")

    @property
    def blue_tasks(self) -> list[Task]:
        """There are none."""
        return _has_no("tasks")

    @property
    def images(self) -> Mapping[str, tuple[str, str]]:
        """There are none."""
        return _has_no("images that are known of")

    @property
    def task_counts(self) -> tuple[int, int]:
        """There are none."""
        return _has_no("tasks")


def _has_no(what: str) -> Never:
    raise NotApplicableError(f"a Lambda function has no {what}")
