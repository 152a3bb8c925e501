"""`ecs-hooks simulate` and `ecs-hooks demo`: whole deployments on this machine."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import io
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, Any, NamedTuple

import click
from rich.console import Console

from ecs_hooks.cli.live import JsonLines, Lines, View, hooks_shown_in
from ecs_hooks.event import Stage
from ecs_hooks.simulator import (
    Behaviour,
    CallableTarget,
    CanaryConfiguration,
    LambdaTarget,
    LifecycleHook,
    LinearConfiguration,
    RealClock,
    Service,
    ServiceDeployment,
    Strategy,
    Timeline,
)
from ecs_hooks.simulator.application import Application
from ecs_hooks.simulator.errors import EcsError, TasksFailedError
from ecs_hooks.simulator.simulation import Simulation, demo_application

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


USERS = 10
"""Requests of users a minute, where nobody says another number."""


class Played(NamedTuple):
    """A deployment that was played, and how it should have ended."""

    name: str
    deployment: ServiceDeployment
    expected: str

    @property
    def as_expected(self) -> bool:
        """Whether it ended so."""
        return str(self.deployment.status) == self.expected

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "kind": "summary",
            "name": self.name,
            "deployment": self.deployment.arn,
            "status": str(self.deployment.status),
            "statusReason": self.deployment.status_reason,
            "expected": self.expected,
            "asExpected": self.as_expected,
        }


@click.command()
@click.option(
    "--hooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="""Folder of modules named
    after stages (post_test_traffic_shift.py), each with a lambda_handler.  [default: ./hooks, where it is]""",
)
@click.option(
    "--hook",
    "handlers",
    multiple=True,
    metavar="STAGE=FILE[:FUNCTION]",
    help="""A handler for a stage, such as
    POST_TEST_TRAFFIC_SHIFT=my_hook.py:lambda_handler. Replaces --hooks.""",
)
@click.option("--lambda-endpoint", metavar="URL", help="Invoke functions there, such as sam local start-lambda's.")
@click.option("--function", "functions", multiple=True, metavar="STAGE=NAME", help="Function for a stage, there.")
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="""File with the hookDetails
    of the hook at POST_TEST_TRAFFIC_SHIFT, or {"STAGE": hookDetails} for several.""",
)
@click.option(
    "--blue", metavar="COMMAND", help="What serves now; it has to listen on PORT.  [default: a demo application]"
)
@click.option("--green", metavar="COMMAND", help="What is deployed.  [default: a newer demo application]")
@click.option(
    "--strategy",
    type=click.Choice([str(each) for each in Strategy], case_sensitive=False),
    default="BLUE_GREEN",
    show_default=True,
    help="Deployment strategy.",
)
@click.option("--step-percent", type=float, help="stepPercent of LINEAR or canaryPercent of CANARY.  [default: ECS's]")
@click.option(
    "--step-bake-time",
    type=int,
    help="""stepBakeTimeInMinutes of LINEAR or canaryBakeTimeInMinutes of CANARY.
    [default: ECS's]""",
)
@click.option("--bake-time", type=click.IntRange(0, 1440), default=15, show_default=True, help="bakeTimeInMinutes.")
@click.option(
    "--timeout",
    type=click.IntRange(1, 1440),
    default=1440,
    show_default=True,
    help="""timeoutInMinutes of
    every hook.""",
)
@click.option(
    "--timeout-action",
    type=click.Choice(["ROLLBACK", "CONTINUE"]),
    default="ROLLBACK",
    show_default=True,
    help="What ECS does then.",
)
@click.option(
    "--behaviour",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="""How ECS behaves where AWS does not
    document it, such as hook_details_merge=deep; NAME= alone lists the values.""",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(0, 1000),
    default=USERS,
    show_default=True,
    help="""How often
    users ask for / meanwhile, for the metrics of the load balancer.""",
)
@click.option(
    "--app-url", is_flag=True, help="Give hooks the test listener's address as APP_URL, as AWS's sample wants."
)
@click.option(
    "--expect",
    type=click.Choice(["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"]),
    default="SUCCESSFUL",
    show_default=True,
    help="How the deployment should end; else the exit status is 1.",
)
@click.option(
    "--logs", type=click.File("w", encoding="utf-8", lazy=False), help="Write the functions' logs to this file."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def simulate(  # noqa: PLR0913 - one parameter an option
    *,
    hooks: Path | None,
    handlers: Sequence[str],
    lambda_endpoint: str | None,
    functions: Sequence[str],
    plan: Path | None,
    blue: str | None,
    green: str | None,
    strategy: str,
    step_percent: float | None,
    step_bake_time: int | None,
    bake_time: int,
    timeout: int,
    timeout_action: str,
    switches: Sequence[str],
    requests_per_minute: int,
    app_url: bool,
    expect: str,
    logs: IO[str] | None,
    as_json: bool,
) -> None:
    """Play a deployment against your hooks, on this machine and in virtual time."""
    view, console = _view(as_json=as_json)
    behaviour = _behaviour(switches)
    details = _plans(plan)
    targets: dict[str, CallableTarget | LambdaTarget] = (
        {stage: LambdaTarget(name, endpoint_url=lambda_endpoint) for stage, name in _pairs(functions, "--function")}
        if lambda_endpoint
        else dict(_callables(hooks, handlers))
    )
    if not targets:
        message = "there is no hook to play with: name some with --hooks, --hook or --lambda-endpoint and --function"
        raise click.UsageError(message)
    try:
        made = [
            LifecycleHook(
                target=target,
                lifecycle_stages=[stage],
                hook_details=details.get(stage),
                timeout_in_minutes=timeout,
                timeout_action=timeout_action,
            )
            for stage, target in targets.items()
        ]
        service = Service(
            service="my-service", bake_time_minutes=bake_time, **_strategy(strategy, step_percent, step_bake_time)
        )
    except EcsError as error:
        raise click.UsageError(error.message) from error
    clock = RealClock() if lambda_endpoint else None
    blue_application = _command(blue) or demo_application("1")
    with (
        _playing(view, logs),
        Simulation(
            blue_application,
            service=service,
            behaviour=behaviour,
            clock=clock,
            timeline=_timeline(view),
            requests_per_minute=requests_per_minute,
            app_url=app_url,
        ) as simulation,
    ):
        deployment = simulation.deploy(_command(green) or demo_application("2"), hooks=made)
    _finish([Played(f"{strategy} deployment", deployment, expect)], view, console)


@click.command()
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
def demo(*, as_json: bool, logs: IO[str] | None, hooks: Path) -> None:
    """Play two deployments: a good green passes, a broken one is rolled back.

    Exit status 0 when both end as they should.
    """
    view, console = _view(as_json=as_json)
    made = [
        LifecycleHook(
            target=target,
            lifecycle_stages=[stage],
            hook_details=DEMO_PLAN if stage == Stage.POST_TEST_TRAFFIC_SHIFT else None,
        )
        for stage, target in _callables(hooks, ())
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
    _say(
        console,
        "A web application, version 1, starts behind a load balancer; ECS's controller is played in virtual time.",
    )
    with (
        _playing(view, logs),
        Simulation(demo_application("1"), timeline=_timeline(view), requests_per_minute=USERS) as simulation,
    ):
        for name, green, expected in plays:
            if isinstance(view, Lines):
                view.begin()
            _say(console, f"\n[bold]Deploying {name}[/]")
            played.append(Played(name, simulation.deploy(green, hooks=made), expected))
    _finish(played, view, console)


def _view(*, as_json: bool) -> tuple[View, Console | None]:
    if as_json:
        return JsonLines(sys.stdout), None
    # Bound to today's stdout: what hooks print is led elsewhere while they run.
    console = _Console(file=sys.stdout, highlight=False, soft_wrap=True)
    return Lines(console), console


def _timeline(view: View) -> Timeline:
    timeline = Timeline()
    timeline.subscribe(view.record)
    return timeline


@contextmanager
def _playing(view: View, logs: IO[str] | None) -> Iterator[None]:
    """Show the hooks' checks, and say in one line what can't be played."""
    try:
        with hooks_shown_in(view, logs or io.StringIO()):
            yield
    except TasksFailedError as error:
        raise click.ClickException(str(error)) from error


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to click to end in silence where nobody reads on, as after `| head`."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _say(console: Console | None, text: str) -> None:
    if console is not None:
        console.print(text)


def _finish(played: Sequence[Played], view: View, console: Console | None) -> None:
    """Show how the deployments ended, and end the program."""
    if isinstance(view, JsonLines):
        for each in played:
            view.write(each.to_dict())
    if console is not None:
        console.print("\n[bold]Summary[/]")
        for each in played:
            style, verdict = ("green", "as it should") if each.as_expected else ("bold red", f"not {each.expected}")
            console.print(f"  {each.deployment.status:<20} [{style}]{verdict}[/]  {each.name}")
            if each.deployment.status_reason:
                console.print(f"  {'':20} {each.deployment.status_reason}", style="dim", markup=False)
    sys.exit(0 if all(each.as_expected for each in played) else 1)


def _command(text: str | None) -> Application | None:
    return Application(command=shlex.split(text)) if text else None


def _pairs(values: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    for value in values:
        stage, equals, rest = value.partition("=")
        if not equals or stage not in Stage.__members__:
            message = f"{option} {value}: STAGE= is missing; stages: {', '.join(Stage)}"
            raise click.UsageError(message)
        yield stage, rest


def _callables(hooks: Path | None, handlers: Sequence[str]) -> Iterator[tuple[str, CallableTarget]]:
    if handlers:
        for stage, place in _pairs(handlers, "--hook"):
            file, _, function = place.partition(":")
            yield stage, _target(stage, Path(file), function or "lambda_handler")
        return
    folder = hooks or Path("hooks")
    for stage in Stage:
        file_of_stage = folder / f"{stage.lower()}.py"
        if file_of_stage.is_file():
            yield stage, _target(stage, file_of_stage, "lambda_handler")


def _target(stage: str, file: Path, function: str) -> CallableTarget:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        message = f"{file} is no Python file"
        raise click.UsageError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    handler = getattr(module, function, None)
    if handler is None:
        message = f"{file} has no {function}"
        raise click.UsageError(message)
    return CallableTarget(handler, name=stage.title().replace("_", ""), timeout_seconds=120)


def _plans(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{file}: not JSON: {error}"
        raise click.UsageError(message) from error
    if isinstance(plan, dict) and plan and all(key in Stage.__members__ for key in plan):
        return plan
    return {Stage.POST_TEST_TRAFFIC_SHIFT: plan}


def _strategy(name: str, percent: float | None, bake_time: int | None) -> dict[str, Any]:
    """Return the fields of a service for a strategy and its steps."""
    strategy = Strategy(name)
    match strategy:
        case Strategy.LINEAR:
            linear = LinearConfiguration()
            linear = LinearConfiguration(
                step_percent=linear.step_percent if percent is None else percent,
                step_bake_time_minutes=linear.step_bake_time_minutes if bake_time is None else bake_time,
            )
            return {"strategy": strategy, "linear": linear}
        case Strategy.CANARY:
            canary = CanaryConfiguration()
            canary = CanaryConfiguration(
                canary_percent=canary.canary_percent if percent is None else percent,
                canary_bake_time_minutes=canary.canary_bake_time_minutes if bake_time is None else bake_time,
            )
            return {"strategy": strategy, "canary": canary}
    if percent is not None or bake_time is not None:
        message = "--step-percent and --step-bake-time are for the strategies LINEAR and CANARY"
        raise click.UsageError(message)
    return {"strategy": strategy}


def _behaviour(switches: Sequence[str]) -> Behaviour:
    behaviour = Behaviour()
    kinds = {each.name: type(getattr(behaviour, each.name)) for each in fields(Behaviour)}
    for switch in switches:
        name, _, value = switch.partition("=")
        if name not in kinds:
            message = f"--behaviour {switch}: known names: {', '.join(kinds)}"
            raise click.UsageError(message)
        try:
            behaviour = replace(behaviour, **{name: kinds[name](value)})
        except ValueError:
            message = f"--behaviour {switch}: {name} can be {', '.join(str(each) for each in kinds[name])}"
            raise click.UsageError(message) from None
    return behaviour
