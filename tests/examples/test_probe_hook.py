from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks_simulator import CallableTarget, DeploymentController, EcsBehaviour, LifecycleHook, Service
from examples.probe_hook import lambda_handler

DETAILS = {"probe": {"nested": {"first": 1}, "gone": True}, "polls": 2, "delay": 5}


def probed(capsys: pytest.CaptureFixture[str], details: Any, behaviour: EcsBehaviour) -> tuple[str, list[Any]]:
    """Deploy with the probe; return the deployment's status and the hookDetails of each event."""
    hook = LifecycleHook(
        target=CallableTarget(lambda_handler), lifecycle_stages=["POST_SCALE_UP"], hook_details=details
    )
    controller = DeploymentController(Service(service="api", lifecycle_hooks=[hook]), behaviour=behaviour)
    controller.adopt()
    status = str(controller.deploy().status)
    events = [json.loads(line)["probe"] for line in capsys.readouterr().out.splitlines()]
    return status, [event.get("hookDetails") for event in events]


@pytest.mark.parametrize(
    ("merge", "third"),
    [
        ("replace", {"nested": {"poll1": 1}}),
        ("shallow", {"nested": {"poll1": 1}}),
        ("deep", {"nested": {"first": 1, "poll0": 1, "poll1": 1}, "gone": True}),
    ],
)
def test_the_probe_shows_how_hook_details_are_merged(
    capsys: pytest.CaptureFixture[str], merge: Any, third: Any
) -> None:
    status, details = probed(capsys, DETAILS, EcsBehaviour(hook_details_merge=merge))

    assert status == "SUCCESSFUL"
    assert [each.get("seen", 0) for each in details] == [0, 1, 2]
    assert details[2]["probe"] == third


@pytest.mark.parametrize("details", [None, "text", {}])
def test_without_instructions_it_lets_everything_pass(capsys: pytest.CaptureFixture[str], details: Any) -> None:
    assert probed(capsys, details, EcsBehaviour())[0] == "SUCCESSFUL"


def test_it_can_fail_to_see_a_rollback(capsys: pytest.CaptureFixture[str]) -> None:
    assert probed(capsys, {"answer": "FAILED"}, EcsBehaviour())[0] == "ROLLBACK_SUCCESSFUL"
