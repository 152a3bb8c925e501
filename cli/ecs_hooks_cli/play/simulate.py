"""`ecs-hooks simulate`: a whole deployment on this machine."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import click

from ecs_hooks_cli.common.live import Both
from ecs_hooks_cli.common.played import Played
from ecs_hooks_cli.common.recording import Recorder
from ecs_hooks_cli.play.codedeploy import Controller, check_options, group_of, hooks_of, plans_of, versions_of
from ecs_hooks_cli.play.faults import alarms_of, faults_of, refusing_alarms
from ecs_hooks_cli.play.hook_targets import by_stage, callables, plans
from ecs_hooks_cli.play.playback import finish, playing, report_option, say, timeline_of, view_of, write_report
from ecs_hooks_simulator import (
    CallableTarget,
    CanaryConfiguration,
    EcsBehaviour,
    LambdaTarget,
    LifecycleHook,
    LinearConfiguration,
    RealClock,
    Service,
    Strategy,
)
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.base_simulation import REQUESTS, BaseSimulation
from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.hook_targets import HookTarget
from ecs_hooks_simulator.core.protocols import Deployed
from ecs_hooks_simulator.ecs.undocumented import UndocumentedOptions
from ecs_hooks_simulator.simulation import Simulation, demo_application

B = TypeVar("B", bound=UndocumentedOptions)


@click.command()
@click.option(
    "--controller",
    type=click.Choice([str(each) for each in Controller]),
    default="ecs",
    show_default=True,
    help="Who deploys: ECS itself, or CodeDeploy, an ECS service or a Lambda function.",
)
@click.option(
    "--deployment-config",
    metavar="NAME",
    help="""Deployment configuration of CodeDeploy, such as CodeDeployDefault.ECSCanary10Percent5Minutes, or one of your
    own: Canary25Percent3Minutes, Linear20PercentEvery2Minutes.  [default: all at once]""",
)
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
    "--blue",
    metavar="COMMAND",
    help="""What serves now; it has to listen on PORT. For codedeploy-lambda MODULE:FUNCTION, or FILE.py:FUNCTION, which
    takes an event and a context.  [default: a demo application]""",
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
@click.option(
    "--bake-time",
    type=click.IntRange(0, 1440),
    default=15,
    show_default=True,
    help="""bakeTimeInMinutes;
for codedeploy-ecs how long blue is kept.""",
)
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
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[=VALUE][@WHEN]",
    help="""What goes wrong in green: latency (=300ms, =+30%), errors (=20%), hang or crash, once green has that share
    of the production traffic (@50%) or from a stage on (@POST_TEST_TRAFFIC_SHIFT).  [default: latency=6s, errors=50%,
    as soon as green runs]""",
)
@click.option(
    "--alarm",
    "alarms",
    multiple=True,
    metavar="NAME: METRIC STATISTIC OPERATOR THRESHOLD",
    help="""A CloudWatch alarm that ECS watches, such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'.""",
)
@click.option(
    "--alarms",
    "alarms_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="""File of such alarms: parameters of PutMetricAlarm, or what aws cloudwatch describe-alarms prints.""",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(0, 1000),
    default=REQUESTS,
    show_default=True,
    help="""How often
    users ask for / meanwhile, for the metrics of the load balancer.""",
)
@click.option(
    "--app-url", is_flag=True, help="Give hooks the test listener's address as APP_URL, as AWS's sample wants."
)
@click.option(
    "--expect",
    type=click.Choice(["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"]),
    default="SUCCESSFUL",
    show_default=True,
    help="""How the deployment should end; else the exit status is 1. Of CodeDeploy: Succeeded, rolled back after it has
    failed or was stopped, not rolled back properly, or not at all.""",
)
@click.option(
    "--logs", type=click.File("w", encoding="utf-8", lazy=False), help="Write the functions' logs to this file."
)
@report_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def simulate(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    *,
    controller: str,
    deployment_config: str | None,
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
    faults: Sequence[str],
    alarms: Sequence[str],
    alarms_file: Path | None,
    requests_per_minute: int,
    app_url: bool,
    expect: str,
    logs: IO[str] | None,
    report: IO[str] | None,
    as_json: bool,
) -> None:
    """Play a deployment against your hooks, on this machine and in virtual time."""
    chosen = Controller(controller)
    check_options(chosen, context)
    printed, console = view_of(as_json=as_json)
    recorder = Recorder()
    view = Both(printed, recorder)
    details = plans(plan)
    targets: dict[str, CallableTarget | LambdaTarget] = (
        {stage: LambdaTarget(name, endpoint_url=lambda_endpoint) for stage, name in by_stage(functions, "--function")}
        if lambda_endpoint
        else dict(callables(hooks, handlers))
    )
    if not targets:
        raise click.UsageError(
            "there is no hook to play with: name some with --hooks, --hook or --lambda-endpoint and --function"
        )
    if chosen is Controller.ECS:
        hooks_of_service = {"timeout_in_minutes": timeout, "timeout_action": timeout_action}
        service = _service(bake_time, strategy, step_percent, step_bake_time)
        play = Play(
            f"{strategy} deployment",
            partial(
                Simulation,
                _command(blue) or demo_application("1"),
                service=service,
                behaviour=_behaviour(EcsBehaviour, switches),
                clock=RealClock() if lambda_endpoint else None,
            ),
            partial(
                Simulation.deploy,
                green=_command(green) or demo_application("2"),
                hooks=_hooks(targets, details, hooks_of_service),
                faults=faults_of(faults, service),
            ),
        )
    else:
        group = group_of(chosen, deployment_config, bake_time)
        plans_of_events, left_out = plans_of(group.platform, details)
        for each in left_out:
            say(console, each)
        old, new = versions_of(group.platform, blue, green)
        play = Play(
            f"deployment by CodeDeploy, {group.configuration.name}",
            partial(CodeDeploySimulation, old, group=group, behaviour=_behaviour(CodeDeployBehaviour, switches)),
            partial(
                CodeDeploySimulation.deploy,
                green=new,
                hooks=hooks_of(group.platform, targets, named=bool(handlers)),
                plans=plans_of_events,
                faults=faults_of(faults, group),
            ),
        )
    watched = alarms_of(alarms, alarms_file)
    with (
        playing(view, logs),
        refusing_alarms(),
        play.simulation(
            timeline=timeline_of(view), requests_per_minute=requests_per_minute, app_url=app_url, alarms=watched
        ) as simulation,
    ):
        deployment = play.deploy(simulation)
        played = [Played(play.name, deployment, expect, simulation.balancer.forwarded)]
    write_report(report, played, recorder, console)
    finish(played, printed, console)


class Play(NamedTuple):
    """What is to be played: its name, what makes the simulation, and what deploys in it."""

    name: str
    simulation: Callable[..., BaseSimulation]
    deploy: Callable[..., Deployed]


@contextmanager
def _refusing() -> Iterator[None]:
    """Say what ECS would refuse as a mistake in the options."""
    try:
        yield
    except EcsError as error:
        raise click.UsageError(error.message) from error


def _service(bake_time: int, *steps: Any) -> Service:
    with _refusing():
        return Service(service="my-service", bake_time_minutes=bake_time, **_strategy(*steps))


def _hooks(
    targets: Mapping[str, HookTarget], details: Mapping[str, Any], options: dict[str, Any]
) -> list[LifecycleHook]:
    with _refusing():
        return [
            LifecycleHook(target=target, lifecycle_stages=[stage], hook_details=details.get(stage), **options)
            for stage, target in targets.items()
        ]


def _strategy(name: str, percent: float | None, bake_time: int | None) -> dict[str, Any]:
    """Return the fields of a service for a strategy and its steps."""
    strategy = Strategy(name)
    given = {"percent": percent, "bake_time_minutes": bake_time}
    steps: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    match strategy:
        case Strategy.LINEAR:
            linear = LinearConfiguration(**{f"step_{field}": value for field, value in steps.items()})
            return {"strategy": strategy, "linear": linear}
        case Strategy.CANARY:
            canary = CanaryConfiguration(**{f"canary_{field}": value for field, value in steps.items()})
            return {"strategy": strategy, "canary": canary}
    if steps:
        raise click.UsageError("--step-percent and --step-bake-time are for the strategies LINEAR and CANARY")
    return {"strategy": strategy}


def _command(text: str | None) -> Application | None:
    return Application(command=shlex.split(text)) if text else None


def _behaviour(kind: type[B], switches: Sequence[str]) -> B:
    try:
        return kind.read(switches)
    except ValueError as error:
        raise click.UsageError(f"--behaviour {error}") from None
