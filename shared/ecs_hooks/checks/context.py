"""What a check may use of the invocation that it runs in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecs_hooks.core.event import Stage
from ecs_hooks.core.outcome import ExplainedError, check_code

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.endpoint import Endpoint, Listener
    from ecs_hooks.deployment.target import Target


class UnknownShareError(ExplainedError):
    """Neither the event nor ECS has green's percentage of the traffic, which `steps` of a check requires."""


class CheckContext:
    """What a check may use of the invocation that it runs in.

    Parameters
    ----------
    target
        The deployment: its facts, and the addresses of green and blue.
    deadline
        When the check must have returned its outcome.
    elapsed
        Seconds since the first invocation of the hook at this step of the deployment.
    checks
        All checks of the plan, so that those of one type can share their calls to AWS.
    event_percent
        Green's percentage of the production traffic in the event; None where the event has no weights.
    ends
        When an undecided hook must fail, in seconds since the same first invocation.
    """

    def __init__(
        self,
        target: Target,
        deadline: Deadline,
        elapsed: float = 0,
        checks: Sequence[Check] = (),
        event_percent: float | None = None,
        *,
        ends: float = math.inf,
    ) -> None:
        self.target = target
        self.deadline = deadline
        self.elapsed = elapsed
        self.checks = checks
        self.ends = ends
        self._event_percent = event_percent

    @property
    def stage(self) -> str:
        """The lifecycle stage."""
        return self.target.stage

    @property
    def deployment(self) -> Deployment:
        """Facts about green and blue; each calls AWS on first use."""
        return self.target.deployment

    @property
    def region(self) -> str:
        """The region of the deployment."""
        return self.deployment.region

    @property
    def green_percent(self) -> float | None:
        """Green's percentage of the production traffic; None where it is unknown.

        Whether the event before a step of a linear or canary deployment has the weights before or after the step is not
        documented. So ECS's own record is read too: before the step, the smaller of the two is the present one.
        """
        percent = self._event_percent
        if percent is not None and self.stage != Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return percent
        known = [each for each in (percent, self.deployment.green_percent) if each is not None]
        return min(known, default=None)

    def at_step(self, checks: Sequence[Check]) -> tuple[Check, ...]:
        """Return checks with the values of their fields for this step of the deployment; see `Check.steps`.

        Raises
        ------
        ExplainedError
            If a check has `steps`, and green's percentage of the traffic is unknown.
        """
        if not any(check.steps for check in checks):
            return tuple(checks)
        percent = self.green_percent
        if percent is None:
            raise UnknownShareError("cannot determine green's traffic percentage, which `steps` requires")
        found = []
        for check in checks:
            with check_code(f"{type(check).__name__}.at()"):
                found.append(check.at(percent))
        return tuple(found)

    @property
    def green(self) -> Endpoint:
        """Green's address behind the test listener; see `endpoint`."""
        return self.endpoint("test")

    def endpoint(self, listener: Listener) -> Endpoint:
        """Return green's address.

        Parameters
        ----------
        listener
            `test`, or `production` once green has all of the production traffic.

        Raises
        ------
        ExplainedError
            If the address is unknown. Do not catch it: it has the outcome of the check.
        """
        return self.target.green(listener)

    def blue(self, url: str | None = None, host: str | None = None) -> Endpoint:
        """Return blue's address, for a check that compares blue with green.

        Parameters
        ----------
        url
            The address. Default: the address from AWS.
        host
            `Host` of the requests. Default: as the plan or the listener rule has it.

        Raises
        ------
        ExplainedError
            If the address is unknown. Do not catch it: it has the outcome of the check.
        """
        return self.target.blue(url, host)
