"""Recorded deployments for the tests of the report."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks import Check, CheckContext
from ecs_hooks.core.outcome import Evidence, Outcome
from ecs_hooks_cli.common.live import hooks_shown_in
from ecs_hooks_cli.report.recording import Play, Played, Recorder, plays_of
from ecs_hooks_simulator import CallableTarget, DeploymentController, LifecycleHook, ServiceDeployment
from ecs_hooks_simulator.core.timeline import AlarmStateChanged, FaultInjected, Record
from ecs_hooks_simulator.traffic.load_balancer import Forwarded
from tests.simulator.plays import controller

Requests = Callable[[ServiceDeployment], Sequence[Forwarded]]


class Wave(Check):
    """Measures a sine wave, and fails above its limit."""

    type: str = "wave"
    high: float = 100
    limit: float = 150

    def run(self, context: CheckContext) -> Outcome:
        value = self.high * (1 + math.sin(context.elapsed / 600)) / 2
        evidence: Evidence = {
            "latency_ms": value,
            "latency_ms_limit": self.limit,
            "tries": 1,
            "id": "none of these",
            "ok": True,
        }
        if value > self.limit:
            return Outcome.failed(f"latency {value:.0f} ms, expected at most {self.limit:g}", evidence)
        return Outcome.passed(f"latency {value:.0f} ms", evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise(Record):
    """A record of a kind that the report does not know."""

    kind: ClassVar[str] = "fault-injected"
    revision: str
    until: float
    words: str


def troubles(player: DeploymentController) -> None:
    """Add the records of a fault and an alarm to the next deployment."""

    def fault(deployment: ServiceDeployment) -> None:
        fields = {"fault": "errors=20%", "planned": "errors=20%@50%", "stage": "BAKE_TIME", "percent": 100.0}
        moment: dict[str, Any] = {"time": player.clock.now(), "deployment": deployment.arn}
        player.timeline.emit(FaultInjected(**moment, **fields, revision=deployment.target.arn))  # type: ignore[arg-type]

    def alarm(deployment: ServiceDeployment) -> None:
        moment: dict[str, Any] = {"time": player.clock.now(), "deployment": deployment.arn}
        for before, state, why in (("INSUFFICIENT_DATA", "OK", "all is well"), ("OK", "ALARM", "18 is more than 5")):
            player.timeline.emit(AlarmStateChanged(**moment, alarm="api-5xx", before=before, state=state, reason=why))
        deployment.alarms.triggered = ["api-5xx"]

    player.at(300, fault)
    player.at(360, alarm)


def checked(*checks: Check, stage: Stage = Stage.POST_SCALE_UP, **options: Any) -> LifecycleHook:
    """Return a hook with checks."""
    return LifecycleHook(
        target=CallableTarget(stage_hook(stage, checks), name="Checked"), lifecycle_stages=[stage], **options
    )


def recorded(
    *hooks: LifecycleHook,
    first: bool = False,
    expected: str = "SUCCESSFUL",
    name: str = "a deployment",
    requests: Requests = lambda _: (),
    prepare: Callable[[DeploymentController], object] = lambda _: None,
    green: Mapping[str, Any] = MappingProxyType({"image": "app:2"}),
    **service: Any,
) -> Play:
    """Play a deployment and return its recording."""
    player = controller(*hooks, **service)
    recorder = Recorder()
    player.timeline.subscribe(recorder.record)
    if not first:
        player.adopt(image="app:1")
    prepare(player)
    with hooks_shown_in(recorder, io.StringIO()):
        deployment = player.deploy(**green)
    (play,) = plays_of([Played(name, deployment, expected, requests(deployment))], recorder.records)
    return play


def forwarded(revision: str, *seconds: float, status: int = 200, **fields: Any) -> list[Forwarded]:
    """Return requests of users with these durations."""
    listener = fields.pop("listener", "production")
    return [Forwarded(0.0, listener, revision, status, each, **fields) for each in seconds]
