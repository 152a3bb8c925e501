"""How the tests of checks ask."""

from __future__ import annotations

from typing import Any

from ecs_hooks.checks import Check, CheckContext, HttpCheck
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError, Listener
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests.conftest import load_event


def context(
    green: str | Endpoint | None,
    *checks: Check,
    stage: str = "POST_TEST_TRAFFIC_SHIFT",
    seconds: float = 20,
    elapsed: float = 0,
    told_percent: float | None = None,
) -> CheckContext:
    def find_green(_: Listener) -> Endpoint:
        if green is None:
            message = "nobody knows where green is"
            raise EndpointError(message)
        return green if isinstance(green, Endpoint) else Endpoint(green)

    deployment = ServiceDeployment(LifecycleEvent.parse(load_event()))
    return CheckContext(stage, lambda: deployment, find_green, Deadline.after(seconds), elapsed, checks, told_percent)


def ask(green: str | Endpoint | None, *, seconds: float = 20, elapsed: float = 0, **fields: Any) -> Outcome:
    return HttpCheck.model_validate(fields).run(context(green, seconds=seconds, elapsed=elapsed))
