"""`ecs-hooks simulate`: a whole deployment on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import click

from ecs_hooks_cli.common.advice import Usual, advice, shares
from ecs_hooks_cli.play import options
from ecs_hooks_cli.play.playback import Playback, play_options
from ecs_hooks_cli.report.recording import Played
from ecs_hooks_simulator import CallableTarget, EcsBehaviour, LambdaTarget, RealClock, Strategy
from ecs_hooks_simulator.base_simulation import REQUESTS, BaseSimulation
from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour
from ecs_hooks_simulator.codedeploy.simulation import CodeDeploySimulation
from ecs_hooks_simulator.core.protocols import Deployed
from ecs_hooks_simulator.simulation import Simulation, demo_application

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--controller",
    type=click.Choice([str(each) for each in options.Controller]),
    default="ecs",
    show_default=True,
    help="Deployment controller: ECS, or CodeDeploy with an ECS service or a Lambda function.",
)
@click.option(
    "--deployment-config",
    metavar="NAME",
    help="Deployment configuration of CodeDeploy, such as CodeDeployDefault.ECSCanary10Percent5Minutes, or a custom one: "
    "Canary25Percent3Minutes, Linear20PercentEvery2Minutes.  [default: all at once]",
)
@click.option(
    "--hooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of modules named after stages (post_test_traffic_shift.py), each with a lambda_handler.  [default: "
    "./hooks, if it exists]",
)
@click.option(
    "--hook",
    "handlers",
    multiple=True,
    metavar="STAGE=FILE[:FUNCTION]",
    help="Handler for a stage, such as POST_TEST_TRAFFIC_SHIFT=my_hook.py:lambda_handler. Replaces --hooks.",
)
@click.option("--lambda-endpoint", metavar="URL", help="Invoke functions there, such as sam local start-lambda's.")
@click.option("--function", "functions", multiple=True, metavar="STAGE=NAME", help="Function for a stage, there.")
@click.option(
    "--plan",
    type=_FILE,
    help='File with the hookDetails of the hook at POST_TEST_TRAFFIC_SHIFT, or {"STAGE": hookDetails} for several.',
)
@click.option(
    "--blue",
    metavar="COMMAND",
    help="Command of the present version; it must listen on PORT. For codedeploy-lambda MODULE:FUNCTION or "
    "FILE.py:FUNCTION, a function of an event and a context.  [default: a demo application]",
)
@click.option("--green", metavar="COMMAND", help="Command of the new version.  [default: a newer demo application]")
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
    help="stepBakeTimeInMinutes of LINEAR or canaryBakeTimeInMinutes of CANARY.  [default: ECS's]",
)
@click.option(
    "--bake-time",
    type=click.IntRange(0, 1440),
    default=15,
    show_default=True,
    help="bakeTimeInMinutes; for codedeploy-ecs the minutes for which blue is kept.",
)
@click.option(
    "--timeout", type=click.IntRange(1, 1440), default=1440, show_default=True, help="timeoutInMinutes of every hook."
)
@click.option(
    "--timeout-action",
    type=click.Choice(["ROLLBACK", "CONTINUE"]),
    default="ROLLBACK",
    show_default=True,
    help="ECS's action after the timeout.",
)
@click.option(
    "--behaviour",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="ECS's behaviour where AWS does not document it, such as hook_details_merge=deep; NAME= lists the values.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[=VALUE][@WHEN]",
    help="Fault of green: latency (=300ms, =+30%), errors (=20%), hang or crash, once green has a share of the "
    "production traffic (@50%) or from a stage on (@POST_TEST_TRAFFIC_SHIFT).  [default: latency=6s, errors=50%, as "
    "soon as green runs]",
)
@click.option(
    "--alarm",
    "alarms",
    multiple=True,
    metavar="NAME: METRIC STATISTIC OPERATOR THRESHOLD",
    help="CloudWatch alarm of the deployment, such as 'api-5xx: HTTPCode_Target_5XX_Count Sum > 5'.",
)
@click.option(
    "--alarms",
    "alarms_file",
    type=_FILE,
    help="File of such alarms: parameters of PutMetricAlarm, or the output of aws cloudwatch describe-alarms.",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(0, 1000),
    default=REQUESTS,
    show_default=True,
    help="Requests of users for / meanwhile, for the load balancer's metrics.",
)
@click.option(
    "--advice",
    "only_advice",
    is_flag=True,
    help="Print how long a comparison must watch at the steps of the strategy, with these requests of users, and end.",
)
@click.option("--app-url", is_flag=True, help="Set APP_URL to the test listener's address, as AWS's sample requires.")
@click.option(
    "--expect",
    type=click.Choice(["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"]),
    default="SUCCESSFUL",
    show_default=True,
    help="Expected end of the deployment; with another end the exit status is 1. Under CodeDeploy: Succeeded; rolled "
    "back after Failed or Stopped; rollback failed; not rolled back.",
)
@play_options
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
    only_advice: bool,
    app_url: bool,
    expect: str,
    logs: IO[str] | None,
    report: IO[str] | None,
    as_json: bool,
) -> None:
    """Play a deployment with your hooks, on this machine and in virtual time."""
    if only_advice:
        service = options.service_of(bake_time, strategy, step_percent, step_bake_time)
        for line in advice(Usual(requests_per_minute), shares(service.deployment_configuration())):
            click.echo(line)
        return
    chosen = options.Controller(controller)
    options.check_options(chosen, context)
    playback = Playback(as_json=as_json, report=report, logs=logs)
    details = options.plans(plan)
    targets: dict[str, CallableTarget | LambdaTarget] = (
        {
            stage: LambdaTarget(name, endpoint_url=lambda_endpoint)
            for stage, name in options.by_stage(functions, "--function")
        }
        if lambda_endpoint
        else dict(options.callables(hooks, handlers))
    )
    if not targets:
        raise click.UsageError("there is no hook; give --hooks, --hook, or --lambda-endpoint with --function")
    if chosen is options.Controller.ECS:
        service = options.service_of(bake_time, strategy, step_percent, step_bake_time)
        settings = {"timeout_in_minutes": timeout, "timeout_action": timeout_action}
        play = _Play(
            f"{strategy} deployment",
            partial(
                Simulation,
                options.command_of(blue) or demo_application("1"),
                service=service,
                behaviour=options.behaviour_of(EcsBehaviour, switches),
                clock=RealClock() if lambda_endpoint else None,
            ),
            partial(
                Simulation.deploy,
                green=options.command_of(green) or demo_application("2"),
                hooks=options.lifecycle_hooks(targets, details, settings),
                faults=options.faults_of(faults, service),
            ),
        )
    else:
        group = options.group_of(chosen, deployment_config, bake_time)
        plans_of_events, left_out = options.plans_of(group.platform, details)
        for each in left_out:
            playback.print(each)
        old, new = options.versions_of(group.platform, blue, green)
        play = _Play(
            f"deployment by CodeDeploy, {group.configuration.name}",
            partial(
                CodeDeploySimulation, old, group=group, behaviour=options.behaviour_of(CodeDeployBehaviour, switches)
            ),
            partial(
                CodeDeploySimulation.deploy,
                green=new,
                hooks=options.hooks_of(group.platform, targets, named=bool(handlers)),
                plans=plans_of_events,
                faults=options.faults_of(faults, group),
            ),
        )
    watched = options.alarms_of(alarms, alarms_file)
    with (
        playback.running(),
        options.alarm_errors("--alarm and --alarms"),
        play.simulation(
            timeline=playback.timeline, requests_per_minute=requests_per_minute, app_url=app_url, alarms=watched
        ) as simulation,
    ):
        playback.played(Played(play.name, play.deploy(simulation), expect, simulation.balancer.forwarded))
    playback.finish()


class _Play(NamedTuple):
    """A name, a function that makes the simulation, and a function that deploys in it."""

    name: str
    simulation: Callable[..., BaseSimulation]
    deploy: Callable[..., Deployed]
