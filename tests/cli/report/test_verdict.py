from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ecs_hooks import Stage
from ecs_hooks_cli.report.answers import histories_of, hooks_of
from ecs_hooks_cli.report.recording import Play
from ecs_hooks_cli.report.verdict import Verdict, facts_of, summary_of, verdict_of
from ecs_hooks_simulator import (
    CanaryConfiguration,
    DeploymentController,
    EcsBehaviour,
    LifecycleHook,
    LinearConfiguration,
    Service,
    Strategy,
    TasksFailedError,
)
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, ServiceDeployment, ServiceRevision
from ecs_hooks_simulator.ecs.base_controller import MemoryTasks
from ecs_hooks_simulator.simulation import demo_application
from tests.cli.report.recorded import Wave, checked, recorded, troubles
from tests.simulator.plays import FAILED, IN_PROGRESS, Gate

UNREADABLE = (
    "ECS was unable to parse the response from arn:aws:lambda:us-west-2:123456789012:function:gate due to "
    "HookStatus must not be null"
)


def verdict(play: Play) -> Verdict:
    return verdict_of(play, histories_of(play))


def facts(play: Play) -> dict[str, str]:
    return dict(facts_of(play))


def test_a_success_needs_no_reason() -> None:
    play = recorded(checked(Wave(), stage=Stage.PRE_SCALE_UP))

    assert verdict(play) == Verdict("SUCCESSFUL", "", "Green serves", as_expected=True, why=[])
    assert summary_of(histories_of(play), hooks_of(play)) == "1 check at 1 stage, 1 invocation of hooks"


def test_a_failed_check_is_a_reason() -> None:
    play = recorded(checked(Wave(name="a", high=500), stage=Stage.POST_TEST_TRAFFIC_SHIFT))
    found = verdict(play)

    assert (found.headline, found.as_expected) == ("Rolled back: blue serves", False)
    assert found.reason.startswith("Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT")
    assert found.why == [('POST_TEST_TRAFFIC_SHIFT, check wave "a"', "latency 250 ms, expected at most 150")]
    assert verdict(recorded(Gate(FAILED).at(), expected="ROLLBACK_SUCCESSFUL")).as_expected


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (Gate({**FAILED, "reason": "no orders"}).at(), [("POST_TEST_TRAFFIC_SHIFT, hook gate", "no orders")]),
        (Gate(FAILED).at(), [("POST_TEST_TRAFFIC_SHIFT, hook gate", "answered FAILED")]),
        (Gate(ValueError("x")).at(), [("POST_TEST_TRAFFIC_SHIFT, hook gate", "ValueError: x")]),
        (
            Gate({"hookStatus": "MAYBE"}).at("PRE_SCALE_UP"),
            [("PRE_SCALE_UP, hook gate", UNREADABLE)],
        ),
        (
            Gate({**IN_PROGRESS, "callBackDelay": 45}).at("PRE_SCALE_UP", timeout_in_minutes=1),
            [("PRE_SCALE_UP, hook gate", "timed out")],
        ),
        (LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=1), [("PRE_SCALE_UP, hook pause", "timed out")]),
    ],
)
def test_a_failed_hook_without_a_failed_check_is_a_reason(hook: LifecycleHook, why: Sequence[tuple[str, str]]) -> None:
    assert verdict(recorded(hook)).why == why


def test_an_alarm_that_triggered_the_rollback_is_a_reason() -> None:
    def prepare(player: DeploymentController) -> None:
        troubles(player)
        player.at(361, lambda deployment: player.deployments.stop(deployment.arn))

    assert verdict(recorded(prepare=prepare)).why == [("alarm api-5xx", "18 is more than 5")]


def test_a_timeout_with_action_continue_is_not_a_reason() -> None:
    pause = LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=1, timeout_action="CONTINUE")

    assert [subject for subject, _ in verdict(recorded(pause, Gate(FAILED).at())).why] == [
        "POST_TEST_TRAFFIC_SHIFT, hook gate"
    ]


def test_tasks_that_do_not_start_are_a_reason() -> None:
    class Broken(MemoryTasks):
        def start(self, revision: ServiceRevision) -> None:
            if revision.image == "app:2":
                raise TasksFailedError("no such image")

    def prepare(player: DeploymentController) -> None:
        player.tasks = Broken()

    assert verdict(recorded(prepare=prepare)).why == [("tasks of green", "did not start")]


def test_the_rollback_of_a_first_deployment_fails() -> None:
    play = recorded(Gate(FAILED).at(), first=True, expected="ROLLBACK_FAILED")

    assert verdict(play).headline == "The rollback failed"
    assert facts(play)["Blue"] == "none: this is the first deployment"


def test_a_stop_without_a_rollback() -> None:
    def stop(player: DeploymentController) -> None:
        player.at(60, lambda deployment: player.deployments.stop(deployment.arn, "ABORT"))

    assert (
        verdict(recorded(prepare=stop, behaviour=EcsBehaviour(abort="stopped"))).headline
        == "Stopped without a rollback"
    )


def test_a_deployment_that_is_not_finished() -> None:
    play = recorded()
    assert isinstance(play.deployment, ServiceDeployment)
    play.deployment.status = DeploymentStatus.IN_PROGRESS

    assert verdict(play).headline == "Not finished"


def test_only_some_of_many_reasons_are_named() -> None:
    play = recorded(checked(*(Wave(name=str(number), high=500) for number in range(50))))

    assert len(verdict(play).why) == 12


def test_the_facts_of_a_deployment() -> None:
    found = facts(recorded())

    assert found["Service"] == "my-service in my-cluster"
    assert found["Strategy"] == "BLUE_GREEN: all at once; bake time 15 minutes"
    assert found["Blue"].startswith("app:1 (revision ")
    assert found["Green"].startswith("app:2 (revision ")
    assert list(found.values())[-2:] == ["2026-01-01 00:00:00 UTC", "0:15:00"]


@pytest.mark.parametrize(
    ("service", "text"),
    [
        ({"strategy": Strategy.LINEAR}, "LINEAR: 10 % more every 6 minutes; bake time 15 minutes"),
        (
            {"strategy": Strategy.LINEAR, "linear": LinearConfiguration(step_percent=3.5, step_bake_time_minutes=1)},
            "LINEAR: 3.5 % more every 1 minutes; bake time 15 minutes",
        ),
        (
            {"strategy": Strategy.CANARY, "canary": CanaryConfiguration(canary_percent=20)},
            "CANARY: 20 % for 10 minutes, then all; bake time 15 minutes",
        ),
    ],
)
def test_strategies_in_words(service: dict[str, Any], text: str) -> None:
    controller = DeploymentController(Service(service="s", **service))
    controller.adopt()

    assert controller.deploy().strategy == text


@pytest.mark.parametrize(
    ("application", "shown"),
    [
        (demo_application("7"), "demo application 7 (my-service:2, revision "),
        (Application(command=["./serve", "app:main"]), "./serve app:main (my-service:2, revision "),
        (Application(command=["/usr/bin/env", "TOKEN=hunter2", "serve"]), "/usr/bin/env (my-service:2, revision "),
        (Application(command=["serve", "--token", "hunter2"]), "serve (my-service:2, revision "),
        (Application(command=["serve", "postgres://me:hunter2@db"]), "serve (my-service:2, revision "),
    ],
)
def test_words_of_a_command_that_could_be_secrets_are_left_out(application: Application, shown: str) -> None:
    play = recorded(green={"settings": {"application": application}})

    assert facts(play)["Green"].startswith(shown)


def test_a_revision_without_an_image_is_named_after_its_task_definition() -> None:
    assert facts(recorded(green={}))["Green"].startswith("my-service:2 (revision ")
