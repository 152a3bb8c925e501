"""What a check may use of the invocation that it runs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import ExplainedError

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.baseline import Blue
    from ecs_hooks.deployment.endpoint import Endpoint, Listener
    from ecs_hooks.deployment.target import Target


class UnknownShareError(ExplainedError):
    """Neither the event nor ECS provides green's share of the traffic, which `steps` of a check requires."""


class CheckContext:
    """What a check may use of the invocation that it runs in.

    Parameters
    ----------
    target
        The deployment: its facts, and the addresses of green and blue.
    deadline
        When the outcome of the check must be there.
    elapsed
        Seconds since the hook was first invoked at this step of the deployment.
    checks
        The checks of the plan, so that those of one type can share their calls to AWS.
    event_percent
        Green's share of the production traffic according to the event, in per cent; None where it has no weights.
    """

    def __init__(
        self,
        target: Target,
        deadline: Deadline,
        elapsed: float = 0,
        checks: Sequence[Check] = (),
        event_percent: float | None = None,
    ) -> None:
        self.target = target
        self.deadline = deadline
        self.elapsed = elapsed
        self.checks = checks
        self._event_percent = event_percent

    @property
    def stage(self) -> str:
        """The stage of the deployment."""
        return self.target.stage

    @property
    def deployment(self) -> Deployment:
        """Green and blue; AWS is called when a fact is first needed."""
        return self.target.deployment

    @property
    def region(self) -> str:
        """The region of the deployment."""
        return self.deployment.region

    @property
    def green_percent(self) -> float | None:
        """Green's share of the production traffic, in per cent; None where it is unknown.

        Whether the event before a step of a linear or canary deployment has the weights before or after it is not
        documented, so ECS's own record is read too: before the step, the lesser one of the two is the present one.
        """
        percent = self._event_percent
        if percent is not None and self.stage != Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return percent
        known = [share for share in (percent, self.deployment.green_percent) if share is not None]
        return min(known, default=None)

    def at_step(self, checks: Sequence[Check]) -> tuple[Check, ...]:
        """Return checks as they are at this step of the deployment; see `Check.steps`.

        Raises
        ------
        ExplainedError
            If green's share of the traffic is needed and unknown.
        """
        if not any(check.steps for check in checks):
            return tuple(checks)
        percent = self.green_percent
        if percent is None:
            raise UnknownShareError("cannot determine green's traffic percentage, which `steps` requires")
        return tuple(check.at(percent) for check in checks)

    @property
    def green(self) -> Endpoint:
        """The address of green behind the test listener; see `endpoint`."""
        return self.endpoint("test")

    def endpoint(self, listener: Listener) -> Endpoint:
        """Return the address of green behind a listener.

        Parameters
        ----------
        listener
            `test`, or `production` once all of its traffic goes to green.

        Raises
        ------
        ExplainedError
            If it is unknown. Leave it uncaught, and the check's outcome is the right one for it.
        """
        return self.target.green(listener)

    def blue(self, url: str | None = None, host: str | None = None) -> Blue:
        """Return the address of blue, for a check that compares it with green; see `blue_endpoint`.

        Parameters
        ----------
        url
            The address; None has AWS provide it.
        host
            `Host` of the requests; None as the plan or the listener rule has it.

        Raises
        ------
        ExplainedError
            If it is unknown. Leave it uncaught, and the check's outcome is the right one for it.
        """
        return self.target.blue(url, host)
