"""A hook whose process is killed: its schedule continues within the hour."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any, Literal

import pytest

from ecs_hooks import Stage, stage_hook
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.core import clock
from ecs_hooks.core.outcome import Outcome
from ecs_hooks_simulator import HookInvocationError
from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour, ComputePlatform, Deployment, DeploymentGroup
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation, demo_function
from ecs_hooks_simulator.core.hook_targets import LambdaContext
from ecs_hooks_simulator.core.timeline import HookAnswered, HookInvoked, HookReported, Timeline
from ecs_hooks_simulator.simulation import demo_application

ARN = "arn:aws:lambda:us-west-2:123456789012:function:CodeDeployHook_process"
DIES = "ECS_HOOKS_TEST_DIES"
EVENT = "BeforeAllowTraffic"


class Process:
    """A function with one process per invocation; the first processes are killed during their checks."""

    arn = ARN

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths

    def invoke(self, event: dict[str, Any]) -> Any:
        dies, self.deaths = self.deaths > 0, self.deaths - 1
        command = [sys.executable, "-m", __name__, str(clock.now()), json.dumps(event)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), DIES: "1" if dies else ""}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode:
            message = f"Runtime exited with error: {ended.returncode}: {ended.stderr[-300:]}"
            raise HookInvocationError(message)
        return json.loads(ended.stdout.splitlines()[-1])


class Deadly(Check):
    """Kills the process, like a lack of memory; or passes."""

    type: Literal["deadly"] = "deadly"

    def run(self, context: CheckContext) -> Outcome:
        if os.environ.get(DIES):
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome.passed("alive")


def main(now: float, event: dict[str, Any]) -> None:
    """Answer one event at a time of the simulation."""
    handler = stage_hook(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, defaults=[Deadly()])
    with clock.use(lambda: now):
        answer = handler(event, LambdaContext("process", ARN, "128", 120))
    sys.stdout.write(json.dumps(answer) + "\n")


def play(
    deaths: int,
    *,
    platform: ComputePlatform = ComputePlatform.ECS,
    behaviour: CodeDeployBehaviour | None = None,
) -> tuple[Deployment, Timeline]:
    demo = demo_function if platform is ComputePlatform.LAMBDA else demo_application
    with CodeDeploySimulation(demo("1"), group=DeploymentGroup(platform=platform), behaviour=behaviour) as simulation:
        deployment = simulation.deploy(demo("2"), hooks={EVENT: Process(deaths)})
    return deployment, simulation.timeline


@pytest.mark.parametrize("platform", ComputePlatform)
def test_a_killed_hook_is_invoked_again(platform: ComputePlatform) -> None:
    deployment, timeline = play(1, platform=platform)
    first, second = timeline.of(HookInvoked)

    assert str(deployment.outcome) == "SUCCESSFUL"
    assert timeline.of(HookAnswered)[0].error.startswith(f"Runtime exited with error: {-signal.SIGKILL}")
    assert second.time - first.time <= 300
    assert [each.status for each in timeline.of(HookReported)] == ["Succeeded"]


@pytest.mark.parametrize(
    "behaviour",
    [
        CodeDeployBehaviour(completed="lingers"),
        CodeDeployBehaviour(precision="early"),
        CodeDeployBehaviour(precision="late"),
    ],
    ids=lambda behaviour: behaviour.name,
)
def test_a_killed_hook_is_invoked_again_however_scheduler_behaves(behaviour: CodeDeployBehaviour) -> None:
    deployment, _ = play(1, behaviour=behaviour)

    assert str(deployment.outcome) == "SUCCESSFUL"


def test_a_hook_that_always_dies_fails_before_the_hour() -> None:
    deployment, timeline = play(1000)
    (reported,) = timeline.of(HookReported)

    assert str(deployment.outcome) == "ROLLBACK_SUCCESSFUL"
    assert reported.status == "Failed"
    assert reported.time - deployment.created_at < 1800


if __name__ == "__main__":
    main(float(sys.argv[1]), json.loads(sys.argv[2]))
