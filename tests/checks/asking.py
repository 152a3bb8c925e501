"""How the tests of checks ask."""

from __future__ import annotations

from typing import Any

from ecs_hooks.checks import Check, CheckContext, HttpCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint
from tests.support.targets import FixedTarget


def context(
    green: str | Endpoint | None,
    *checks: Check,
    stage: str = "POST_TEST_TRAFFIC_SHIFT",
    seconds: float = 20,
    elapsed: float = 0,
    event_percent: float | None = None,
) -> CheckContext:
    return CheckContext(FixedTarget(green, stage=stage), Deadline.after(seconds), elapsed, checks, event_percent)


def ask(green: str | Endpoint | None, *, seconds: float = 20, elapsed: float = 0, **fields: Any) -> Outcome:
    return HttpCheck.model_validate(fields).run(context(green, seconds=seconds, elapsed=elapsed))
