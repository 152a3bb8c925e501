"""`ecs-hooks demo`: two deployments on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.play.options import callables
from ecs_hooks_cli.play.playback import Playback, play_options
from ecs_hooks_cli.report.recording import Played
from ecs_hooks_simulator import LifecycleHook
from ecs_hooks_simulator.base_simulation import REQUESTS
from ecs_hooks_simulator.simulation import Simulation, demo_application

DEMO_PLAN = {
    "checks": [
        {
            "type": "http",
            "name": "health",
            "path": "/health",
            "expect": {"status": 200, "json": {"$.status": "ok"}, "max_latency_ms": 2000},
        },
        {
            "type": "http",
            "name": "upload",
            "method": "POST",
            "path": "/process",
            "multipart": {
                "file": {
                    "filename": "test.txt",
                    "content": "hello from a lifecycle hook",
                    "content_type": "text/plain",
                },
                "description": "validation",
            },
            "expect": {"status": "2xx", "json": {"$.size": 27}},
        },
    ]
}
"""The plan of the demo: green is healthy, and still accepts uploads."""

_DEPLOYMENTS = (
    ("a good green: version 2", demo_application("2"), "SUCCESSFUL"),
    (
        "a broken green: version 3 keeps uploads in a folder that is not there",
        demo_application("3", STORE="/nonexistent/uploads"),
        "ROLLBACK_SUCCESSFUL",
    ),
)


@click.command()
@play_options
@click.option(
    "--hooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the hooks.",
    default=Path("hooks"),
    show_default=True,
)
def demo(*, as_json: bool, report: IO[str] | None, logs: IO[str] | None, hooks: Path) -> None:
    """Play two deployments: a good green passes, a broken one is rolled back.

    Exit status 0 if both end as expected, 1 if not.
    """
    playback = Playback(as_json=as_json, report=report, logs=logs)
    lifecycle_hooks = [
        LifecycleHook(
            target=target,
            lifecycle_stages=[stage],
            hook_details=DEMO_PLAN if stage == Stage.POST_TEST_TRAFFIC_SHIFT else None,
        )
        for stage, target in callables(hooks, ())
    ]
    playback.print(
        "A web application, version 1, starts behind a load balancer; ECS's controller is played in virtual time."
    )
    with (
        playback.running(),
        Simulation(demo_application("1"), timeline=playback.timeline, requests_per_minute=REQUESTS) as simulation,
    ):
        for name, green, expected in _DEPLOYMENTS:
            playback.begin(name)
            before = len(simulation.balancer.forwarded)
            deployment = simulation.deploy(green, hooks=lifecycle_hooks)
            playback.played(Played(name, deployment, expected, simulation.balancer.forwarded_after(before)))
    playback.finish()
