"""How the tests of checks ask."""

from __future__ import annotations

from typing import Any

from ecs_hooks.checks import CheckContext, HttpCheck
from ecs_hooks.deadline import Deadline
from ecs_hooks.outcome import Outcome


def context(base_url: str | None, *, seconds: float = 20, elapsed: float = 0) -> CheckContext:
    return CheckContext(base_url, "nobody knows where green is", Deadline.after(seconds), elapsed)


def ask(base_url: str | None, *, seconds: float = 20, elapsed: float = 0, **fields: Any) -> Outcome:
    return HttpCheck.model_validate(fields).run(context(base_url, seconds=seconds, elapsed=elapsed))
