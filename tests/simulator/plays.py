"""Deployments for tests: hooks that answer from a list, and a controller to play them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecs_hooks_simulator import (
    CallableTarget,
    DeploymentController,
    EcsBehaviour,
    LifecycleHook,
    Service,
    ServiceDeployment,
)
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, StageEntered, StatusChanged

SUCCEEDED = {"hookStatus": "SUCCEEDED"}
FAILED = {"hookStatus": "FAILED"}
IN_PROGRESS = {"hookStatus": "IN_PROGRESS"}
STAGES = (
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
HOOK_STAGES = tuple(stage for stage in STAGES if stage not in {"SCALE_UP", "BAKE_TIME", "CLEAN_UP"})


class Gate:
    """A hook that gives one answer after the other, the last for ever, and remembers the events.

    An answer that is an exception is raised, one that is callable is called with the event.
    """

    def __init__(self, *answers: Any, name: str = "gate") -> None:
        self.events: list[dict[str, Any]] = []
        self.contexts: list[Any] = []
        self.target = CallableTarget(self, name=name)
        self._answers = list(answers) or [SUCCEEDED]

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.events.append(event)
        self.contexts.append(context)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(event) if callable(answer) else answer

    def at(self, *stages: str, **options: Any) -> LifecycleHook:
        return LifecycleHook(target=self.target, lifecycle_stages=stages or ("POST_TEST_TRAFFIC_SHIFT",), **options)

    @property
    def stages(self) -> list[str]:
        return [event["lifecycleStage"] for event in self.events]


def controller(*hooks: LifecycleHook, behaviour: EcsBehaviour | None = None, **service: Any) -> DeploymentController:
    configured = Service(service="my-service", lifecycle_hooks=hooks, **service)
    return DeploymentController(configured, behaviour=behaviour)


def play(
    *hooks: LifecycleHook, behaviour: EcsBehaviour | None = None, first: bool = False, **service: Any
) -> tuple[ServiceDeployment, DeploymentController]:
    """Play one deployment, over a blue that is there unless it is the first."""
    player = controller(*hooks, behaviour=behaviour, **service)
    if not first:
        player.adopt(image="app:1")
    return player.deploy(image="app:2"), player


def stages(player: DeploymentController, *, rollback: bool = False) -> list[str]:
    return [record.stage for record in player.timeline.of(StageEntered) if record.rollback is rollback]


def statuses(player: DeploymentController) -> list[str]:
    return [record.status for record in player.timeline.of(StatusChanged)]


def times(player: DeploymentController, deployment: ServiceDeployment) -> list[float]:
    """Seconds from the start of the deployment at which hooks were invoked."""
    invoked: Sequence[HookInvoked] = player.timeline.of(HookInvoked)
    return [record.time - deployment.created_at for record in invoked]


def errors(player: DeploymentController) -> list[str]:
    return [record.error for record in player.timeline.of(HookAnswered) if record.error]
