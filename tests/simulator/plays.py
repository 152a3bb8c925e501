"""Deployments for tests: hooks with a list of responses, and controllers to play them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_hooks_simulator import (
    CallableTarget,
    Clock,
    DeploymentController,
    EcsBehaviour,
    LifecycleHook,
    Service,
    ServiceDeployment,
    Tasks,
    Traffic,
)
from ecs_hooks_simulator.core.protocols import AlarmChange
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


class MemoryAlarms:
    """Alarms whose states are set by the test: `alarms.current["api"] = "ALARM"`."""

    def __init__(self, **states: str) -> None:
        self.current = states

    def evaluate(self) -> Sequence[AlarmChange]:
        """Change nothing."""
        return ()

    def states(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the states of the alarms that exist."""
        return {name: self.current[name] for name in names if name in self.current}


class Gate:
    """A hook that returns its answers in order, then the last one repeatedly, and stores the events.

    An exception is raised, a callable is called with the event.
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


def controller(
    *hooks: LifecycleHook,
    behaviour: EcsBehaviour | None = None,
    clock: Clock | None = None,
    traffic: Traffic | None = None,
    tasks: Tasks | None = None,
    **service: Any,
) -> DeploymentController:
    configured = Service(service="my-service", lifecycle_hooks=hooks, **service)
    return DeploymentController(configured, behaviour=behaviour, clock=clock, traffic=traffic, tasks=tasks)


def serving(*hooks: LifecycleHook, **options: Any) -> DeploymentController:
    """Return a controller whose service has a blue."""
    player = controller(*hooks, **options)
    player.adopt(image="app:1")
    return player


def play(*hooks: LifecycleHook, first: bool = False, **options: Any) -> tuple[ServiceDeployment, DeploymentController]:
    """Play one deployment, over a blue unless it is the first."""
    player = controller(*hooks, **options) if first else serving(*hooks, **options)
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
