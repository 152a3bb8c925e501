"""Custom hooks: the invocation that their code sees, and how that code runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ecs_hooks.checks.base import Check
from ecs_hooks.core.outcome import Evidence, Outcome
from ecs_hooks.engine.runner import may_go_on, outcome_of_exception

if TYPE_CHECKING:
    from ecs_hooks.checks.context import CheckContext
    from ecs_hooks.core.event import HookEvent
    from ecs_hooks.deployment.base import Deployment
    from ecs_hooks.deployment.endpoint import Listener
    from ecs_hooks.engine.runner import Runner
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
        return HttpClient(green.base_url, self.context.deadline, headers=green.all_headers, build=green.request)

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


RollbackFunction: TypeAlias = "Callable[[Hook], object]"
"""A function that is called when the deployment rolls back."""


class Definition:
    """What a hook is, apart from any event.

    Parameters
    ----------
    function
        The code of the hook; None where it only runs the checks of its plan.
    stage
        The stage that the hook is for; None for any.
    defaults
        The checks where a plan names none.
    note
        An addition to the reason of a default check that fails; empty for none.
    on_rollback
        Functions that are called when the deployment rolls back.
    """

    def __init__(
        self,
        function: HookFunction | None = None,
        *,
        stage: str | None = None,
        defaults: Sequence[Check] = (),
        note: str = "",
        on_rollback: Sequence[RollbackFunction] = (),
    ) -> None:
        self.function = function
        self.stage = stage
        self.defaults = tuple(defaults)
        self.note = note
        self.on_rollback = list(on_rollback)


HookFunction: TypeAlias = "Callable[[Hook], HookGenerator | Outcome | None]"
"""The functions that `lifecycle_hook` accepts."""

LABEL = "hook"
"""The name of the hook's own code in a reason."""


def run_hook_function(function: HookFunction, hook: Hook, runner: Runner) -> None:
    """Run the code of a hook, and the checks that it yields, in the order in which it yields them.

    The code continues after a check only where the check passed or did not apply, so the code after a `yield` may rely on
    it. What the code returns, or raises, is an outcome like that of a check.
    """
    try:
        returned: object = function(hook)
        if isinstance(returned, Generator):
            if not _play_checks(returned, runner, ended := _Ended()):
                return
            returned = ended.value
        outcome = _as_outcome(returned)
    except BaseException as error:  # noqa: BLE001 - also SystemExit: the code of a hook must not end the function
        runner.add(LABEL, *outcome_of_exception(error))
        return
    if outcome is not None:
        runner.add(LABEL, outcome)


class _Ended:
    """Holds the return value of a generator."""

    value: object = None


def _play_checks(generator: HookGenerator, runner: Runner, ended: _Ended) -> bool:
    """Run a generator; return False where a check stopped it early."""
    outcome: Any = None
    while True:
        try:
            yielded = generator.send(outcome)
        except StopIteration as stop:
            ended.value = stop.value
            return True
        checks = _as_checks(yielded)
        outcomes = runner.run(checks)
        if not may_go_on(outcomes):
            generator.close()
            return False
        outcome = outcomes[0] if isinstance(yielded, Check) else outcomes


def _as_checks(yielded: object) -> list[Check]:
    if isinstance(yielded, Check):
        return [yielded]
    if isinstance(yielded, Sequence) and all(isinstance(each, Check) for each in yielded):
        return list(yielded)
    raise TypeError(f"a hook may yield a check or a list of checks, not {type(yielded).__name__}")


def _as_outcome(returned: object) -> Outcome | None:
    if returned is None or isinstance(returned, Outcome):
        return returned
    raise TypeError(
        f"a hook returns nothing, or hook.passed(), hook.failed() or hook.wait(), not {type(returned).__name__}"
    )
