"""CodeDeploy deployments for tests: hooks with given reports, and a controller."""

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
    """A hook that reports one status after the other, the last one repeatedly; raises exceptions, calls functions."""

    def __init__(self, *reports: Any, name: str = "gate", timeout_seconds: float = 900) -> None:
        self.events: list[dict[str, Any]] = []
        self.target = CallableTarget(self, name=name, timeout_seconds=timeout_seconds)
        self.player: CodeDeployController | None = None
        self._reports = list(reports) or [SUCCEEDED]

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.events.append(event)
        status = self._reports.pop(0) if len(self._reports) > 1 else self._reports[0]
        if isinstance(status, BaseException):
            raise status
        if callable(status):
            return status(event, context)
        if status:
            self.report(event, status)
        return {"ignored": True}

    def report(self, event: Mapping[str, Any], status: str) -> None:
        assert self.player is not None
        ids = event["DeploymentId"], event["LifecycleEventHookExecutionId"]
        self.player.hooks.report(*ids, EventStatus(status))


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
    """Play one deployment, over an existing blue."""
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
    """Green's shares of a listener's traffic, each with its seconds from the beginning."""
    shifts: Sequence[TrafficShifted] = player.timeline.of(TrafficShifted)
    return [
        (record.time - deployment.created_at, record.weights.get(deployment.target.arn, 0))
        for record in shifts
        if record.listener == kind and record.deployment
    ]


def invoked(player: CodeDeployController, deployment: Deployment) -> list[float]:
    return [record.time - deployment.created_at for record in player.timeline.of(HookInvoked)]
