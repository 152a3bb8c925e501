"""Who carries out the deployment, and invokes the hook: what an invocation has to know of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.core.event import HookEvent, LifecycleEvent
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.facts import Facts


class Controller(ABC):
    """The side of an invocation that hangs on who invokes the hook."""

    name: ClassVar[str]
    """As reasons call it."""

    @property
    @abstractmethod
    def event(self) -> HookEvent:
        """What invoked the hook."""

    @abstractmethod
    def deployment(self, facts: Facts) -> Deployment:
        """Return the deployment; nothing is asked yet.

        Parameters
        ----------
        facts
            What earlier invocations found out.
        """

    @abstractmethod
    def is_rollback(self, ask: Callable[[], Any]) -> bool:
        """Return whether the deployment goes back to what was there before.

        Parameters
        ----------
        ask
            Returns the deployment with its facts fetched, or None where they can't be had in time.
        """

    @abstractmethod
    def expires_at(self, deployment: Deployment) -> float | None:
        """Return when nobody waits for the hook any more, in seconds since the epoch; None where that can't be known.

        Parameters
        ----------
        deployment
            The deployment.
        """


class EcsController(Controller):
    """ECS itself, for blue/green, linear and canary deployments.

    Parameters
    ----------
    event
        What ECS sent.
    function_arn
        ARN that Lambda was invoked by; empty where it is not known.
    """

    name = "ECS"

    def __init__(self, event: LifecycleEvent, function_arn: str = "") -> None:
        self._event = event
        self._function_arn = function_arn

    @property
    def event(self) -> LifecycleEvent:
        """What ECS sent."""
        return self._event

    def deployment(self, facts: Facts) -> Deployment:
        """Return the service deployment."""
        # What AWS is asked with costs a twentieth of a cold start, and a hook that only speaks HTTP does not need it.
        from ecs_hooks.deployment.service_deployment import ServiceDeployment  # noqa: PLC0415

        return ServiceDeployment(self._event, facts)

    def is_rollback(self, ask: Callable[[], Any]) -> bool:
        """Return whether ECS is on its way back; see `ecs_hooks.engine.rollback`."""
        from ecs_hooks.engine.rollback import is_rollback  # noqa: PLC0415 - with the controller that needs it

        return is_rollback(self._event, ask)

    def expires_at(self, deployment: Deployment) -> float | None:
        """Return when ECS gives up on this hook, as it says."""
        from ecs_hooks.deployment.service_deployment import ServiceDeployment  # noqa: PLC0415 - as above

        assert isinstance(deployment, ServiceDeployment)
        return deployment.expires_at(self._function_arn)
