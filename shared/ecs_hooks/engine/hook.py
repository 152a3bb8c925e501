"""What a hook of one's own gets to see."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ecs_hooks.core.outcome import Evidence, Outcome

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.checks.context import CheckContext
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.endpoint import Listener
    from ecs_hooks.http import HttpClient
    from ecs_hooks.plan.model import Plan


class Hook:
    """One invocation, for the code of a hook.

    Parameters
    ----------
    event
        The event of ECS or CodeDeploy.
    plan
        The policies and checks from `hookDetails`.
    details
        `hookDetails` as configured, for keys of one's own.
    context
        Deadline, elapsed time, the deployment and the address of green, as checks get them.
    """

    def __init__(
        self,
        event: HookEvent,
        plan: Plan,
        details: Mapping[str, Any],
        context: CheckContext,
    ) -> None:
        self.event = event
        self.plan = plan
        self.details = details
        self.context = context

    @property
    def deployment(self) -> Deployment:
        """Green and blue; AWS is called when a fact is first used."""
        return self.context.deployment

    @cached_property
    def green(self) -> HttpClient:
        """An HTTP client for the new revision, with the same limits as the HTTP check.

        Raises
        ------
        ExplainedError
            If the address of green is unknown. Leave it uncaught, and the hook's answer is the right one for it.
        """
        return self._client("test")

    @cached_property
    def production(self) -> HttpClient:
        """An HTTP client for the new revision behind the production listener, once all production traffic goes there.

        Raises
        ------
        ExplainedError
            If that is not the case. Leave it uncaught, and the hook's answer is the right one for it.
        """
        return self._client("production")

    def _client(self, listener: Listener) -> HttpClient:
        from ecs_hooks.http import HttpClient  # noqa: PLC0415 - a hook that does not speak HTTP need not load it

        green = self.context.endpoint(listener)
        return HttpClient(
            green.base_url,
            self.context.deadline,
            headers=green.all_headers,
            query=green.query,
            objection=green.objection,
        )

    def passed(self, reason: str = "", evidence: Evidence | None = None) -> Outcome:
        """Return a pass; the same as returning nothing."""
        return Outcome.passed(reason, evidence)

    def failed(self, reason: str, evidence: Evidence | None = None) -> Outcome:
        """Return a failure: the hook answers FAILED, ECS rolls back."""
        return Outcome.failed(reason, evidence)

    def wait(self, reason: str, *, retry_after: float | None = None) -> Outcome:
        """Return "not decided yet": the hook answers IN_PROGRESS and is invoked again.

        Parameters
        ----------
        reason
            What the hook waits for.
        retry_after
            Seconds until the next invocation.
        """
        return Outcome.wait(reason, retry_after=retry_after)


Checks: TypeAlias = "Check | Sequence[Check]"
"""What a generator hook may yield: one check, or several that run side by side."""

HookGenerator: TypeAlias = "Generator[Checks, Any, Outcome | None]"
"""A hook that yields checks. `outcome = yield check` gives an `Outcome`; a list of checks gives a list of them."""
