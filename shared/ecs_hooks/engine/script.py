"""Runs the code of a hook: a plain function, or a generator that yields checks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ecs_hooks.checks.base import Check
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.engine.runner import may_go_on, outcome_of_exception

if TYPE_CHECKING:
    from ecs_hooks.engine.hook import Hook, HookGenerator
    from ecs_hooks.engine.runner import Runner

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
