"""ECS as the deployment controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecs_hooks.core.deadline import MAX_ECS_SECONDS, for_answer
from ecs_hooks.core.event import LifecycleEvent, Stage, TrafficWeights
from ecs_hooks.engine.controller import Controller, Record
from ecs_hooks.engine.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.response import HookResponse
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.facts import Facts
    from ecs_hooks.deployment.service_deployment import ServiceDeployment
    from ecs_hooks.engine.hook import Definition


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
        invocation = Invocation(definition, cls(parsed, function_arn), deadline.sooner(for_answer(MAX_ECS_SECONDS)))
        try:
            return invocation.answer()
        finally:
            record.results, record.plan = invocation.results, invocation.plan_origin

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
        """Return whether ECS rolls back; see the function `is_rollback`."""
        return is_rollback(self._event, read_deployment)

    def expires_at(self, deployment: Deployment) -> float | None:
        """Return when ECS gives up on this hook, according to its record of the deployment."""
        from ecs_hooks.deployment.service_deployment import ServiceDeployment  # noqa: PLC0415 - as above

        assert isinstance(deployment, ServiceDeployment)
        return deployment.expires_at(self._function_arn)


_ALL = 100.0


def is_rollback(event: LifecycleEvent, read_deployment: Callable[[], ServiceDeployment | None]) -> bool:
    """Return whether ECS rolls back to the old revision.

    Parameters
    ----------
    event
        The event.
    read_deployment
        Returns ECS's record of the deployment, or None where it is unavailable. Called only where the event leaves
        room for doubt: a shift forward to 100 per cent needs no call.

    Notes
    -----
    ===================  =====================  ==============================================================
    weight of green      ECS's record           answer
    ===================  =====================  ==============================================================
    100                  (not read)             forward
    0, another has 100   rolling back           rollback
    0, another has 100   not rolling back       rollback in BLUE_GREEN, as documented; forward in LINEAR and
                                                CANARY, whose events could carry the weights before a step
    0, another has 100   nothing                rollback, as documented
    anything else        rolling back           rollback
    anything else        not so, or nothing     forward: the checks run, since unknown is not a pass
    ===================  =====================  ==============================================================
    """
    weights = _weights_of_shift(event)
    if weights is None:
        return False
    green = weights.get(str(event.target_revision))
    if green == _ALL:
        return False
    others = [percent for arn, percent in weights.items() if arn != str(event.target_revision)]
    documented = green == 0 and _ALL in others
    deployment = read_deployment()
    if deployment is None:
        return documented
    if deployment.rolling_back:
        return True
    return documented and deployment.strategy not in {"LINEAR", "CANARY"}


def _weights_of_shift(event: LifecycleEvent) -> TrafficWeights | None:
    """Return the weights that this stage shifts; None at stages without hooks in a rollback."""
    match event.stage:
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            return event.production_weights
        case Stage.TEST_TRAFFIC_SHIFT:
            return event.test_weights
        case _:
            return None
