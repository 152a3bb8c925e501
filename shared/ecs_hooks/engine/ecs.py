"""ECS as the deployment controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.engine.controller import Controller, Record
from ecs_hooks.engine.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.response import HookResponse
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.facts import Facts
    from ecs_hooks.engine.definition import Definition


class EcsController(Controller):
    """ECS, for blue/green, linear and canary deployments.

    Parameters
    ----------
    event
        The event.
    function_arn
        ARN that Lambda was invoked by; empty where it is unknown.
    """

    name = "ECS"

    def __init__(self, event: LifecycleEvent, function_arn: str = "") -> None:
        self._event = event
        self._function_arn = function_arn

    @classmethod
    def recognizes(cls, event: object) -> bool:  # noqa: ARG003 - see below
        """Return True: an event of no other controller is read as ECS's, so that its errors are about ECS's fields."""
        return True

    @classmethod
    def answer(
        cls, definition: Definition, event: Any, deadline: Deadline, function_arn: str, record: Record
    ) -> HookResponse:
        """Answer one event of ECS."""
        record.event = parsed = LifecycleEvent.parse(event)
        invocation = Invocation(definition, cls(parsed, function_arn), deadline)
        try:
            return invocation.answer()
        finally:
            record.results = invocation.results

    @property
    def event(self) -> LifecycleEvent:
        """The event."""
        return self._event

    def deployment(self, facts: Facts) -> Deployment:
        """Return the service deployment."""
        # The AWS calls cost a twentieth of a cold start, and a hook that only speaks HTTP does not need them.
        from ecs_hooks.deployment.service_deployment import ServiceDeployment  # noqa: PLC0415

        return ServiceDeployment(self._event, facts)

    def is_rollback(self, read_deployment: Callable[[], Any]) -> bool:
        """Return whether ECS rolls back; see `ecs_hooks.engine.rollback`."""
        from ecs_hooks.engine.rollback import is_rollback  # noqa: PLC0415 - with the controller that needs it

        return is_rollback(self._event, read_deployment)

    def expires_at(self, deployment: Deployment) -> float | None:
        """Return when ECS gives up on this hook, according to its record of the deployment."""
        from ecs_hooks.deployment.service_deployment import ServiceDeployment  # noqa: PLC0415 - as above

        assert isinstance(deployment, ServiceDeployment)
        return deployment.expires_at(self._function_arn)
