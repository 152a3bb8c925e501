"""CodeDeploy as the controller of the deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import CODEDEPLOY_KEY
from ecs_hooks.engine.controller import Controller, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.codedeploy.description import Description
    from ecs_hooks.codedeploy.event import CodeDeployHookEvent
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.response import HookResponse
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.facts import Facts
    from ecs_hooks.engine.hook import Definition


class CodeDeployController(Controller):
    """CodeDeploy, for deployments of ECS services and Lambda functions; `end` is the deadline of the checks."""

    name = "CodeDeploy"
    late_seconds = 135  # a schedule is set for a full minute, and runs within it

    def __init__(self, event: CodeDeployHookEvent, description: Description, end: float) -> None:
        self._event = event
        self._description = description
        self._end = end

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """Return whether an event is CodeDeploy's: it has an execution id, and no lifecycle stage of ECS."""
        return isinstance(event, Mapping) and CODEDEPLOY_KEY in event and "lifecycleStage" not in event

    @classmethod
    def answer(
        cls, definition: Definition, event: Any, deadline: Deadline, function_arn: str, record: Record
    ) -> HookResponse:
        """Answer one event; the response is for people, CodeDeploy ignores it."""
        from ecs_hooks.codedeploy.event import CodeDeployEvent  # noqa: PLC0415 - not loaded for ECS
        from ecs_hooks.codedeploy.handler import Execution  # noqa: PLC0415 - as above

        return Execution(cls, definition, CodeDeployEvent.parse(event), deadline, function_arn, record).run()

    @property
    def event(self) -> CodeDeployHookEvent:
        """The event with its hook."""
        return self._event

    def deployment(self, facts: Facts) -> Deployment:
        """Return the deployment of the service or the function."""
        if self._description.is_lambda:
            from ecs_hooks.codedeploy.deployment import LambdaDeployment  # noqa: PLC0415 - without the modules of ECS

            return LambdaDeployment(self._description, self._event.region, facts)
        from ecs_hooks.codedeploy.task_sets import TaskSetDeployment  # noqa: PLC0415 - as above

        return TaskSetDeployment(self._description, self._event.region, facts)

    def is_rollback(self, read_deployment: Callable[[], Any]) -> bool:  # noqa: ARG002 - the description has it
        """Return whether the deployment is a rollback."""
        return self._description.is_rollback

    def expires_at(self, deployment: Deployment) -> float | None:  # noqa: ARG002 - as above
        """Return the end of CodeDeploy's hour, less the margin for the report."""
        return self._end
