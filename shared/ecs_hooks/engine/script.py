"""Plays the code of a hook: a plain function, or a generator that yields checks."""

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
"""What `lifecycle_hook` takes."""

LABEL = "hook"
"""How the hook's own code is called in a reason."""


def play(function: HookFunction, hook: Hook, runner: Runner) -> None:
    """Run the code of a hook, and the checks that it yields, in the order in which it yields them.

    The code goes on after a check only where the check passed or did not apply, so what follows a `yield` may rely on
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
    """Holds what a generator returned."""

    value: object = None


def _play_checks(generator: HookGenerator, runner: Runner, ended: _Ended) -> bool:
    """Run a generator; return False where a check stopped it before its end."""
    answer: Any = None
    while True:
        try:
            asked = generator.send(answer)
        except StopIteration as stop:
            ended.value = stop.value
            return True
        checks = _as_checks(asked)
        outcomes = runner.run(checks)
        if not may_go_on(outcomes):
            generator.close()
            return False
        answer = outcomes[0] if isinstance(asked, Check) else outcomes


def _as_checks(asked: object) -> list[Check]:
    if isinstance(asked, Check):
        return [asked]
    if isinstance(asked, Sequence) and all(isinstance(each, Check) for each in asked):
        return list(asked)
    raise TypeError(f"a hook may yield a check or a list of checks, not {type(asked).__name__}")


def _as_outcome(returned: object) -> Outcome | None:
    if returned is None or isinstance(returned, Outcome):
        return returned
    raise TypeError(
        f"a hook returns nothing, or hook.passed(), hook.failed() or hook.wait(), not {type(returned).__name__}"
    )
