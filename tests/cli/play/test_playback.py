from __future__ import annotations

import io

import pytest
from rich.console import Console

from ecs_hooks import Stage, stage_hook
from ecs_hooks_cli.play.playback import Lines, PipedConsole
from ecs_hooks_simulator import CallableTarget, DeploymentController, LifecycleHook, Service


def test_a_pause_is_shown() -> None:
    out = io.StringIO()
    view = Lines(Console(file=out))
    hooks = [LifecycleHook.pause("PRE_SCALE_UP", timeout_in_minutes=5)]
    hooks.append(
        LifecycleHook(target=CallableTarget(stage_hook(Stage.PRE_SCALE_UP)), lifecycle_stages=["PRE_SCALE_UP"])
    )
    controller = DeploymentController(Service(service="api", lifecycle_hooks=hooks))
    controller.timeline.subscribe(view.record)
    controller.deploy()

    assert "pause      AWAITING_ACTION" in out.getvalue()
    assert "0:05:00    pause      TIMED_OUT" in out.getvalue()


def test_a_broken_pipe_is_raised_for_click() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        PipedConsole(file=Gone()).print("a line")
