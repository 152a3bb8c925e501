"""Contract 4.5: the alarms of the deployment configuration, watched by ECS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks_simulator import DeploymentController, EcsBehaviour, LifecycleHook, Service, ServiceDeployment, Strategy
from ecs_hooks_simulator.core.model import DeploymentAlarms
from ecs_hooks_simulator.core.protocols import AlarmChange
from ecs_hooks_simulator.core.timeline import AlarmStateChanged
from tests.simulator.plays import Gate, MemoryAlarms

WATCHED = DeploymentAlarms(alarm_names=["api", "other"])
REASON = "Service deployment rolled back because of one or more active alarms."


def play(
    alarms: MemoryAlarms | None,
    *,
    configured: DeploymentAlarms | None = WATCHED,
    hooks: Sequence[LifecycleHook] = (),
    behaviour: EcsBehaviour | None = None,
    after: float = 300,
    first: bool = False,
    strategy: Strategy = Strategy.BLUE_GREEN,
) -> tuple[ServiceDeployment, list[dict[str, Any]]]:
    """Play a deployment in which the alarm `api` is in ALARM after a while; return the shapes of `alarms` after one second and at the end."""
    service = Service(service="s", alarms=configured, lifecycle_hooks=hooks, strategy=strategy)
    player = DeploymentController(service, alarms=alarms, behaviour=behaviour)
    if not first:
        player.adopt()
    shapes: list[dict[str, Any]] = []

    def look(deployment: ServiceDeployment) -> None:
        shapes.append(player.deployments.describe([deployment.arn])["serviceDeployments"][0]["alarms"])

    def ring(_: object) -> None:
        if alarms is not None:
            alarms.current["api"] = "ALARM"

    player.at(1, look)
    player.at(after, ring)
    deployment = player.deploy()
    look(deployment)
    return deployment, shapes


def test_an_alarm_during_the_bake_time_rolls_back() -> None:
    deployment, (early, late) = play(MemoryAlarms(api="OK", other="OK"))

    assert (deployment.status, deployment.status_reason) == ("ROLLBACK_SUCCESSFUL", REASON)
    assert deployment.rollback is not None
    assert deployment.rollback.reason == REASON
    assert deployment.rollback.started_at == deployment.created_at + 310
    assert early == {"status": "MONITORING", "alarmNames": ["api", "other"], "triggeredAlarmNames": []}
    assert late == {"status": "TRIGGERED", "alarmNames": ["api", "other"], "triggeredAlarmNames": ["api"]}


def test_an_alarm_while_a_hook_waits_rolls_back() -> None:
    pause = LifecycleHook.pause("POST_SCALE_UP")
    deployment, _ = play(MemoryAlarms(api="OK"), hooks=[pause])

    assert (deployment.status, deployment.lifecycle_stage) == ("ROLLBACK_SUCCESSFUL", "CLEAN_UP")
    assert deployment.hooks[0].status == "FAILED"


def test_an_alarm_between_the_steps_of_a_canary_rolls_back() -> None:
    gate = Gate()
    deployment, _ = play(
        MemoryAlarms(api="OK"), strategy=Strategy.CANARY, hooks=[gate.at("PRE_PRODUCTION_TRAFFIC_SHIFT")]
    )

    assert deployment.status_reason == REASON
    assert len(gate.events) == 1


@pytest.mark.parametrize("alarms", [MemoryAlarms(api="OK", other="INSUFFICIENT_DATA"), MemoryAlarms(), None])
def test_a_deployment_without_an_alarm_continues(alarms: MemoryAlarms | None) -> None:
    deployment, (early, late) = play(alarms, after=3600)

    assert deployment.status == "SUCCESSFUL"
    assert (early["status"], late["status"]) == ("MONITORING", "MONITORING_COMPLETE")


def test_all_alarms_are_ignored_if_one_is_in_alarm_at_the_beginning() -> None:
    deployment, (early, late) = play(MemoryAlarms(api="OK", other="ALARM"))

    assert deployment.status == "SUCCESSFUL"
    assert early == late == {"status": "DISABLED", "alarmNames": ["api", "other"], "triggeredAlarmNames": []}


@pytest.mark.parametrize("configured", [None, DeploymentAlarms(alarm_names=["api"], enable=False)])
def test_alarms_that_are_not_configured_or_not_enabled_are_not_watched(configured: DeploymentAlarms | None) -> None:
    deployment, (early, _) = play(MemoryAlarms(api="OK"), configured=configured)

    assert deployment.status == "SUCCESSFUL"
    assert (early["status"], early["alarmNames"]) == ("DISABLED", list(configured.alarm_names) if configured else [])
    shape = deployment.to_dict()["deploymentConfiguration"].get("alarms")
    assert shape == (configured and {"alarmNames": ["api"], "enable": False, "rollback": True})


def test_an_alarm_without_rollback_stops_the_deployment() -> None:
    configured = DeploymentAlarms(alarm_names=["api"], rollback=False)
    deployment, (_, late) = play(MemoryAlarms(api="OK"), configured=configured)

    assert (deployment.status, late["status"]) == ("STOPPED", "TRIGGERED")
    assert deployment.status_reason == "Service deployment stopped because of one or more active alarms."
    assert deployment.stopped_at == deployment.created_at + 310
    assert deployment.rollback is None


def test_a_first_deployment_has_nothing_to_roll_back_to() -> None:
    deployment, (_, late) = play(MemoryAlarms(api="OK"), first=True)

    assert (deployment.status, late["status"]) == ("ROLLBACK_FAILED", "TRIGGERED")


def test_another_failure_ends_the_watch() -> None:
    deployment, shapes = play(MemoryAlarms(api="OK"), hooks=[Gate({"hookStatus": "FAILED"}).at()])

    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert shapes[-1]["status"] == "MONITORING_COMPLETE"


@pytest.mark.parametrize(("watched", "stage"), [("deployment", "POST_SCALE_UP"), ("production", "BAKE_TIME")])
def test_the_start_of_the_watch_is_an_option(watched: Any, stage: str) -> None:
    hook = LifecycleHook.pause("POST_SCALE_UP", timeout_in_minutes=20, timeout_action="CONTINUE")
    deployment, _ = play(MemoryAlarms(api="OK"), hooks=[hook], behaviour=EcsBehaviour(alarms_watched=watched))

    assert deployment.status_reason == REASON
    assert deployment.rollback is not None
    waited = deployment.rollback.started_at - deployment.created_at
    assert waited == (310 if stage == "POST_SCALE_UP" else 20 * 60 + 10)


def test_changes_of_alarm_states_are_recorded() -> None:
    class Ringing(MemoryAlarms):
        def evaluate(self) -> Sequence[AlarmChange]:
            if self.current["api"] == "ALARM":
                return ()
            self.current["api"] = "ALARM"
            return [AlarmChange("api", "OK", "ALARM", "6 is greater than 5")]

    service = Service(service="s", alarms=WATCHED)
    player = DeploymentController(service, alarms=Ringing(api="OK"))
    player.adopt()
    deployment = player.deploy()

    (changed,) = player.timeline.of(AlarmStateChanged)
    assert changed.to_dict() == {
        "kind": "alarm-state-changed",
        "time": deployment.created_at + 5,
        "deployment": deployment.arn,
        "alarm": "api",
        "before": "OK",
        "state": "ALARM",
        "reason": "6 is greater than 5",
    }
    assert deployment.status_reason == REASON
