"""What a hook is, apart from any event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Check
    from ecs_hooks.engine.hook import Hook
    from ecs_hooks.engine.script import HookFunction

    RollbackFunction = Callable[[Hook], object]
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
    on_rollback
        Functions that are called when the deployment rolls back.
    """

    def __init__(
        self,
        function: HookFunction | None = None,
        *,
        stage: str | None = None,
        defaults: Sequence[Check] = (),
        on_rollback: Sequence[RollbackFunction] = (),
    ) -> None:
        self.function = function
        self.stage = stage
        self.defaults = tuple(defaults)
        self.on_rollback = list(on_rollback)
