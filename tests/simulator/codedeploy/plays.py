"""Deployments of CodeDeploy for tests: hooks that say what they are told to, and a controller to play them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_hooks_simulator import CallableTarget, Service
from ecs_hooks_simulator.codedeploy import (
    CodeDeployBehaviour,
    CodeDeployController,
    ComputePlatform,
    Deployment,
    DeploymentConfig,
    DeploymentGroup,
)
from ecs_hooks_simulator.codedeploy.lifecycle import EventStatus
from ecs_hooks_simulator.core.timeline import HookInvoked, StageEntered, StatusChanged, TrafficShifted

SUCCEEDED, FAILED, SILENT = "Succeeded", "Failed", ""


class Gate:
    """A hook that tells CodeDeploy one thing after the other, the last for ever; what is an exception is raised."""

    def __init__(self, *says: Any, name: str = "gate", timeout_seconds: float = 900) -> None:
        self.events: list[dict[str, Any]] = []
        self.target = CallableTarget(self, name=name, timeout_seconds=timeout_seconds)
        self.player: CodeDeployController | None = None
        self._says = list(says) or [SUCCEEDED]

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.events.append(event)
        said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        if isinstance(said, BaseException):
            raise said
        if callable(said):
            return said(event, context)
        if said:
            self.tell(event, said)
        return {"ignored": True}

    def tell(self, event: Mapping[str, Any], status: str) -> None:
        assert self.player is not None
        told = event["DeploymentId"], event["LifecycleEventHookExecutionId"]
        self.player.hooks.report(*told, EventStatus(status))


def controller(
    hooks: Mapping[str, Gate] | None = None,
    *,
    platform: ComputePlatform = ComputePlatform.ECS,
    config: str = "AllAtOnce",
    behaviour: CodeDeployBehaviour | None = None,
    alarms: Any = None,
    tasks: Any = None,
    **group: Any,
) -> CodeDeployController:
    made = DeploymentGroup(
        platform=platform,
        config=DeploymentConfig.parse(config, platform),
        hooks={event: gate.target for event, gate in (hooks or {}).items()},
        **group,
    )
    player = CodeDeployController(Service(service="api"), made, behaviour=behaviour, alarms=alarms, tasks=tasks)
    for gate in (hooks or {}).values():
        gate.player = player
    return player


def play(hooks: Mapping[str, Gate] | None = None, **options: Any) -> tuple[Deployment, CodeDeployController]:
    """Play one deployment, over a blue that is there."""
    player = controller(hooks, **options)
    player.adopt(image="app:1")
    return player.deploy(image="app:2"), player


def statuses(player: CodeDeployController) -> list[str]:
    return [record.status for record in player.timeline.of(StatusChanged)]


def events(deployment: Deployment) -> dict[str, str]:
    return {event.name: str(event.status) for event in deployment.events}


def entered(player: CodeDeployController) -> list[str]:
    return [record.stage for record in player.timeline.of(StageEntered)]


def shares(player: CodeDeployController, deployment: Deployment, kind: str = "production") -> list[tuple[float, float]]:
    """When green had which share of a listener's traffic, in seconds from the beginning."""
    shifts: Sequence[TrafficShifted] = player.timeline.of(TrafficShifted)
    return [
        (record.time - deployment.created_at, record.weights.get(deployment.target.arn, 0))
        for record in shifts
        if record.listener == kind and record.deployment
    ]


def invoked(player: CodeDeployController, deployment: Deployment) -> list[float]:
    return [record.time - deployment.created_at for record in player.timeline.of(HookInvoked)]
