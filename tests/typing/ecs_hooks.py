"""What users write with `ecs_hooks`; mypy checks this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_type

from ecs_hooks import (
    Hook,
    HookResponse,
    HookStatus,
    LifecycleEvent,
    LifecycleHandler,
    Outcome,
    Plan,
    PlanError,
    Stage,
    Status,
    __version__,
    lifecycle_hook,
    stage_hook,
)
from ecs_hooks.checks import Check, HttpCheck, TasksCheck


@lifecycle_hook
def plain(hook: Hook) -> Outcome | None:
    if hook.plan.policies.timeout_minutes > 60:
        return hook.wait("too early", retry_after=30)
    if hook.deployment.region == "us-east-1":
        return hook.failed("wrong region", {"expected": "us-west-2"})
    return hook.passed()


@lifecycle_hook
def generator(hook: Hook) -> Generator[Check | list[Check], Any, Outcome | None]:
    yield HttpCheck(path="/health")
    outcomes = yield [HttpCheck(path="/a"), TasksCheck()]
    if not hook.green.get("/orders").json():
        return hook.failed(f"green lists no orders after {len(outcomes)} checks")
    return None


@lifecycle_hook(on_rollback=lambda hook: print(hook.event.stage_name))  # noqa: T201
def silent(hook: Hook) -> None:
    assert_type(hook.plan, Plan)


@plain.on_rollback
def notify(hook: Hook) -> None:
    assert_type(hook.details.get("own"), Any | None)


def handlers(event: dict[str, Any]) -> None:
    assert_type(plain, LifecycleHandler)
    assert_type(generator, LifecycleHandler)
    assert_type(silent, LifecycleHandler)
    handler = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT, [HttpCheck(path="/health")])
    assert_type(handler, LifecycleHandler)
    assert_type(handler(event, None), dict[str, Any])


def outcomes() -> None:
    outcome = Outcome.wait("not yet", {"x": 1, "x_limit": 2}, retry_after=10)
    assert_type(outcome, Outcome)
    assert_type(outcome.status, Status)
    assert_type(outcome.reason, str)
    assert_type(outcome.retry_after, float | None)


def events_and_plans(event: dict[str, Any]) -> None:
    parsed = LifecycleEvent.parse(event)
    assert_type(parsed, LifecycleEvent)
    try:
        plan = Plan.parse({"checks": [{"type": "http"}]}, defaults=[HttpCheck()])
    except PlanError as error:
        assert_type(error.problems, tuple[str, ...])
    else:
        assert_type(plan.checks, tuple[Check, ...])
    response = HookResponse(HookStatus.SUCCEEDED, "fine")
    assert_type(response.to_dict(), dict[str, Any])
    assert_type(__version__, str)
