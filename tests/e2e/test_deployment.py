from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ecs_hooks import Stage
from ecs_hooks_cli.play.demo import DEMO_PLAN
from ecs_hooks_simulator import LambdaTarget, LifecycleHook, RealClock, Service
from ecs_hooks_simulator.core.timeline import HookAnswered
from ecs_hooks_simulator.simulation import Simulation, demo_application
from tests.e2e.conftest import host_address, start_lambda

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Functions

pytestmark = pytest.mark.e2e


PLANS = {
    Stage.POST_TEST_TRAFFIC_SHIFT: DEMO_PLAN,
    # Like the default, but not for five minutes.
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT: {
        "checks": [{"type": "http", "name": "root"}, {"type": "golden_signals", "window_minutes": 2, "lag_seconds": 0}]
    },
}


def hooks(functions: Functions) -> list[LifecycleHook]:
    """Return the function of every stage as its hook."""
    return [
        LifecycleHook(
            target=LambdaTarget(stage.title().replace("_", ""), endpoint_url=functions.endpoint_url),
            lifecycle_stages=[stage],
            hook_details=PLANS.get(stage),
        )
        for stage in Stage
    ]


@pytest.mark.enable_socket  # users ask the listener where containers reach it, too: on Docker's network
def test_whole_deployments_are_decided_by_the_packaged_functions(tmp_path: Path) -> None:
    # Containers know no virtual time, so nothing may have to bake.
    service = Service(service="my-service", bake_time_minutes=0)
    with (
        Simulation(
            demo_application("1"), service=service, clock=RealClock(), host=host_address(), requests_per_minute=10
        ) as simulation,
        start_lambda(tmp_path, simulation.endpoint.url) as functions,
    ):
        good = simulation.deploy(demo_application("2"), hooks=hooks(functions))
        broken = simulation.deploy(demo_application("3", STORE="/nonexistent"), hooks=hooks(functions))
        answers = simulation.timeline.of(HookAnswered)

    assert good.status == "SUCCESSFUL", good.status_reason
    assert broken.status == "ROLLBACK_SUCCESSFUL", broken.status_reason
    of_good = [answer for answer in answers if answer.hook_id in {hook.hook_id for hook in good.hooks}]
    decided = [(answer.stage, answer.status) for answer in of_good if answer.status != "IN_PROGRESS"]
    assert decided == [(str(stage), "SUCCEEDED") for stage in Stage if stage is not Stage.RECONCILE_SERVICE]
    assert {answer.stage for answer in of_good if answer.status == "IN_PROGRESS"} == {"POST_PRODUCTION_TRAFFIC_SHIFT"}
    failed = [answer for answer in answers if answer.status == "FAILED"]
    assert [answer.stage for answer in failed] == ["POST_TEST_TRAFFIC_SHIFT"]
    assert 'http "upload" POST' in failed[0].reason
    assert "status 500, expected 2xx" in failed[0].reason
    # The rollback invokes the test traffic shift's function again, and nobody holds it up.
    assert answers[-1].stage == "TEST_TRAFFIC_SHIFT"
    assert answers[-1].status == "SUCCEEDED"
    assert "rolls back" in answers[-1].reason
