"""`ecs-hooks demo`: two deployments on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from ecs_hooks.core.event import Stage
from ecs_hooks_cli.common.live import Both, Lines
from ecs_hooks_cli.common.played import Played
from ecs_hooks_cli.common.recording import Recorder
from ecs_hooks_cli.play.hook_targets import callables
from ecs_hooks_cli.play.playback import finish, playing, report_option, say, timeline_of, view_of, write_report
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
"""The plan of the demo: is green alive, and does it still take uploads?"""


@click.command()
@report_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--logs", type=click.File("w", encoding="utf-8", lazy=False), help="Write the functions' logs to this file."
)
@click.option(
    "--hooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the hooks.",
    default=Path("hooks"),
    show_default=True,
)
def demo(*, as_json: bool, report: IO[str] | None, logs: IO[str] | None, hooks: Path) -> None:
    """Play two deployments: a good green passes, a broken one is rolled back.

    Exit status 0 when both end as they should.
    """
    printed, console = view_of(as_json=as_json)
    recorder = Recorder()
    view = Both(printed, recorder)
    made = [
        LifecycleHook(
            target=target,
            lifecycle_stages=[stage],
            hook_details=DEMO_PLAN if stage == Stage.POST_TEST_TRAFFIC_SHIFT else None,
        )
        for stage, target in callables(hooks, ())
    ]
    plays = (
        ("a good green: version 2", demo_application("2"), "SUCCESSFUL"),
        (
            "a broken green: version 3 keeps uploads in a folder that is not there",
            demo_application("3", STORE="/nonexistent/uploads"),
            "ROLLBACK_SUCCESSFUL",
        ),
    )
    played = []
    say(
        console,
        "A web application, version 1, starts behind a load balancer; ECS's controller is played in virtual time.",
    )
    with (
        playing(view, logs),
        Simulation(demo_application("1"), timeline=timeline_of(view), requests_per_minute=REQUESTS) as simulation,
    ):
        for name, green, expected in plays:
            if isinstance(printed, Lines):
                printed.begin()
            say(console, f"\n[bold]Deploying {name}[/]")
            before = len(simulation.balancer.forwarded)
            deployment = simulation.deploy(green, hooks=made)
            played.append(Played(name, deployment, expected, simulation.balancer.forwarded_after(before)))
    write_report(report, played, recorder, console)
    finish(played, printed, console)
