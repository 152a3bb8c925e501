"""The deployment controllers: what invokes a hook and carries out the deployment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.core.response import HookResponse
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.facts import Facts
    from ecs_hooks.engine.hook import Definition
    from ecs_hooks.engine.runner import Result


@dataclass
class Record:
    """What an invocation leaves for the log and the metrics, also where it ends with an exception.

    Parameters
    ----------
    event
        The event; None where it could not be read.
    results
        The outcomes of the checks.
    plan
        Where the plan is from; empty where it could not be loaded.
    """

    event: HookEvent | None = None
    results: Sequence[Result] = ()
    plan: str = ""


class Controller(ABC):
    """A deployment controller. The class recognizes and answers its events, an instance belongs to one of them."""

    name: ClassVar[str]
    """The name in reasons."""

    late_seconds: ClassVar[float] = 30
    """Seconds by which it may be late to invoke a hook again."""

    @classmethod
    @abstractmethod
    def recognizes(cls, event: object) -> bool:
        """Return whether an event comes from this controller, judged by its shape."""

    @classmethod
    @abstractmethod
    def answer(
        cls, definition: Definition, event: Any, deadline: Deadline, function_arn: str, record: Record
    ) -> HookResponse:
        """Answer one event.

        Parameters
        ----------
        definition
            The hook.
        event
            The event, of any shape that `recognizes` accepts.
        deadline
            When the answer must be there.
        function_arn
            ARN that Lambda was invoked by; empty where it is unknown.
        record
            Filled in for the log and the metrics.

        Raises
        ------
        EventError
            If the event lacks a required field.
        """

    @property
    @abstractmethod
    def event(self) -> HookEvent:
        """The event."""

    @abstractmethod
    def deployment(self, facts: Facts) -> Deployment:
        """Return the deployment, without a call to AWS yet.

        Parameters
        ----------
        facts
            The facts of earlier invocations.
        """

    @abstractmethod
    def is_rollback(self, read_deployment: Callable[[], Any]) -> bool:
        """Return whether the deployment goes back to the previous revision.

        Parameters
        ----------
        read_deployment
            Returns the deployment with its facts read, or None where AWS does not provide them in time.
        """

    @abstractmethod
    def expires_at(self, deployment: Deployment) -> float | None:
        """Return when the controller gives up on the hook, in seconds since the epoch; None where that is unknown.

        Parameters
        ----------
        deployment
            The deployment.
        """
