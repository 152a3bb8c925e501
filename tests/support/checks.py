"""Checks that end as a test wants them to."""

from __future__ import annotations

import threading
from typing import Any, Literal

from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core.outcome import Outcome, Status


class Fixed(Check):
    """Ends with a status."""

    type: Literal["fixed"] = "fixed"
    status: Status = Status.PASS
    reason: str = "as told"
    retry_after: float | None = None

    def run(self, context: CheckContext) -> Outcome:
        return Outcome(self.status, self.reason, {"elapsed": context.elapsed}, self.retry_after)


class Raising(Check):
    """Raises."""

    type: Literal["raising"] = "raising"
    kind: str = "KeyError"

    def run(self, context: CheckContext) -> Outcome:
        error: type[BaseException] = {"KeyError": KeyError, "SystemExit": SystemExit}[self.kind]
        raise error("hunter2")


class Hanging(Check):
    """Ends only when the test does."""

    type: Literal["hanging"] = "hanging"

    def run(self, context: CheckContext) -> Outcome:
        forever().wait(30)
        return Outcome.passed("too late")


class Wrong(Check):
    """Returns what is no outcome."""

    type: Literal["wrong"] = "wrong"

    def run(self, context: CheckContext) -> Any:
        return True


_release = threading.Event()


def forever() -> threading.Event:
    """Return what hanging checks wait for."""
    return _release
