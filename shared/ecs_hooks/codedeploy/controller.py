"""CodeDeploy as the one who invokes the hook."""

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
    from ecs_hooks.engine.definition import Definition

PATIENCE = 3600
"""Seconds. "The deployment is considered to have failed if CodeDeploy is not notified ... within one hour" (AppSpec guide)."""

MARGIN = 240
"""Seconds of them that are kept to report in: a schedule comes up to two minutes late, and the function takes its time."""


class CodeDeployController(Controller):
    """CodeDeploy, for deployments of ECS services and Lambda functions.

    Parameters
    ----------
    event
        The event, with what is known of its hook.
    description
        The deployment, as CodeDeploy describes it.
    end
        When checks have to be decided, in seconds since the epoch.
    """

    name = "CodeDeploy"

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
        """Answer one event of CodeDeploy, which reads the report and not this answer."""
        from ecs_hooks.codedeploy.event import CodeDeployEvent  # noqa: PLC0415 - loaded where CodeDeploy invokes the hook
        from ecs_hooks.codedeploy.handler import Execution  # noqa: PLC0415

        return Execution(definition, CodeDeployEvent.parse(event), deadline, function_arn, record).run()

    @property
    def event(self) -> CodeDeployHookEvent:
        """The event, with what is known of its hook."""
        return self._event

    def deployment(self, facts: Facts) -> Deployment:
        """Return the deployment of a service or of a function."""
        if self._description.is_lambda:
            from ecs_hooks.codedeploy.lambda_versions import LambdaDeployment  # noqa: PLC0415 - only what is needed

            return LambdaDeployment(self._description, self._event.region, facts)
        from ecs_hooks.codedeploy.task_sets import TaskSetDeployment  # noqa: PLC0415 - as above

        return TaskSetDeployment(self._description, self._event.region, facts)

    def is_rollback(self, read_deployment: Callable[[], Any]) -> bool:  # noqa: ARG002 - it is known already
        """Return whether CodeDeploy deploys what was there before."""
        return self._description.is_rollback

    def expires_at(self, deployment: Deployment) -> float | None:  # noqa: ARG002 - it is known already
        """Return the end of CodeDeploy's hour, less a margin to report in."""
        return self._end
