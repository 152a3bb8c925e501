from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks_simulator import CallableTarget, LifecycleHook
from ecs_hooks_simulator.canaries import Canaries, Performance, Played
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus

STAGE = Stage.PRE_PRODUCTION_TRAFFIC_SHIFT
ERRORS = {"metric": "HTTPCode_Target_5XX_Count", "stat": "Sum", "per": "RequestCount"}


def hook(*metrics: dict[str, Any]) -> LifecycleHook:
    checks = [{"type": "comparison", "window_minutes": 8, "metrics": metrics}]
    target = CallableTarget(stage_hook(STAGE), name="gate")
    return LifecycleHook(target=target, lifecycle_stages=[STAGE], hook_details={"checks": checks})


def test_a_canary_with_errors_is_stopped_and_another_passes() -> None:
    blue = Performance(error_percent=2)
    with Canaries(requests_per_minute=50, percent=10, blue=blue) as canaries:
        good = canaries.play(1, blue, hooks=[hook(ERRORS)])
        bad = canaries.play(1, Performance(error_percent=30), hooks=[hook(ERRORS)])

    assert (good.passed, good.stopped, good.shares) == (True, False, (10, 100))
    assert (bad.passed, bad.stopped, bad.shares) == (False, True, (10, 0))
    assert "worse: HTTPCode_Target_5XX_Count Sum per RequestCount" in bad.reason


def test_without_a_hook_every_canary_passes() -> None:
    with Canaries(requests_per_minute=5) as canaries:
        played = canaries.play(1, canaries.blue.slower(100), hooks=[])

    assert played == Played(DeploymentStatus.SUCCESSFUL, (20, 100), 20, "")


@pytest.mark.parametrize(
    ("status", "shares"),
    [("ROLLBACK_SUCCESSFUL", (20, 100, 0)), ("ROLLBACK_SUCCESSFUL", (20, 20)), ("ROLLBACK_FAILED", (20, 0))],
)
def test_a_canary_with_more_traffic_or_a_failed_rollback_was_not_stopped(
    status: str, shares: tuple[float, ...]
) -> None:
    played = Played(DeploymentStatus(status), shares, 20, "")

    assert (played.passed, played.stopped) == (False, False)
