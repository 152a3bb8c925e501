"""Values of the options of `simulate`, as objects of the simulator; a wrong value is a usage error."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from ecs_hooks.core.event import Stage
from ecs_hooks.core.json_text import JsonError, read_json
from ecs_hooks_simulator import (
    CallableTarget,
    CanaryConfiguration,
    LifecycleHook,
    LinearConfiguration,
    Service,
    Strategy,
)
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.aws.metric_alarm import AlarmError, MetricAlarm
from ecs_hooks_simulator.codedeploy import ComputePlatform, DeploymentConfig, DeploymentGroup
from ecs_hooks_simulator.codedeploy.lifecycle import BEFORE_ALLOW_TRAFFIC, STAGES, hooked_events
from ecs_hooks_simulator.codedeploy.simulation import demo_function, function
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.faults import Fault, FaultError, Stepped
from ecs_hooks_simulator.core.hook_targets import HookTarget
from ecs_hooks_simulator.ecs.undocumented import UndocumentedOptions
from ecs_hooks_simulator.simulation import demo_application

B = TypeVar("B", bound=UndocumentedOptions)


class Controller(StrEnum):
    """Deployment controllers."""

    ECS = "ecs"
    CODEDEPLOY_ECS = "codedeploy-ecs"
    CODEDEPLOY_LAMBDA = "codedeploy-lambda"

    @property
    def platform(self) -> ComputePlatform:
        """CodeDeploy's compute platform."""
        return ComputePlatform.LAMBDA if self is Controller.CODEDEPLOY_LAMBDA else ComputePlatform.ECS


_ONLY_ECS = {
    "strategy": "--deployment-config names how traffic moves",
    "step_percent": "--deployment-config names how traffic moves",
    "step_bake_time": "--deployment-config names how traffic moves",
    "timeout": "CodeDeploy waits for an hour",
    "timeout_action": "CodeDeploy fails a deployment after an hour",
    "lambda_endpoint": "functions elsewhere cannot reach the simulated CodeDeploy; name hooks with --hooks or --hook",
}
"""Options that CodeDeploy does not support, and the reason or the alternative."""


def check_options(controller: Controller, context: click.Context) -> None:
    """Refuse the options that are for another controller."""
    default = click.core.ParameterSource.DEFAULT
    for name, why in _ONLY_ECS.items() if controller is not Controller.ECS else ():
        if context.get_parameter_source(name) is not default:
            raise click.UsageError(f"--{name.replace('_', '-')} is for --controller ecs: {why}")
    if controller is Controller.ECS and context.params["deployment_config"]:
        raise click.UsageError(
            "--deployment-config is for --controller codedeploy-ecs and codedeploy-lambda; with ecs, use --strategy"
        )
    if controller is Controller.CODEDEPLOY_LAMBDA and context.get_parameter_source("bake_time") is not default:
        raise click.UsageError("--bake-time: CodeDeploy keeps no old version of a function; leave the option out")


# Hooks and plans


def by_stage(values: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    """Yield stage and value of each STAGE=VALUE."""
    for value in values:
        stage, equals, rest = value.partition("=")
        if not equals or stage not in Stage.__members__:
            raise click.UsageError(f"{option} {value}: STAGE= is missing; stages: {', '.join(Stage)}")
        yield stage, rest


def callables(hooks: Path | None, handlers: Sequence[str]) -> Iterator[tuple[str, CallableTarget]]:
    """Yield stage and handler of each value of `--hook`; without one, of each module of the hooks folder."""
    if handlers:
        for stage, place in by_stage(handlers, "--hook"):
            file, _, name = place.partition(":")
            yield stage, _target(stage, Path(file), name or "lambda_handler")
        return
    for stage in Stage:
        file_of_stage = (hooks or Path("hooks")) / f"{stage.lower()}.py"
        if file_of_stage.is_file():
            yield stage, _target(stage, file_of_stage, "lambda_handler")


def _target(stage: str, file: Path, name: str) -> CallableTarget:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise click.UsageError(f"{file} is not a Python file; give FILE.py or FILE.py:FUNCTION")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    handler = getattr(module, name, None)
    if handler is None:
        raise click.UsageError(f"{file} has no {name}; name the function with FILE.py:FUNCTION")
    return CallableTarget(handler, name=stage.title().replace("_", ""), timeout_seconds=120)


def plans(file: Path | None) -> Mapping[str, Any]:
    """Return the hookDetails in a file by stage, for the simulated service."""
    if file is None:
        return {}
    plan = _json(file, str(file))
    if isinstance(plan, dict) and plan and all(key in Stage.__members__ for key in plan):
        return {stage: _for_any_service(each) for stage, each in plan.items()}
    return {Stage.POST_TEST_TRAFFIC_SHIFT: _for_any_service(plan)}


def _for_any_service(plan: Any) -> Any:
    return {name: value for name, value in plan.items() if name != "service"} if isinstance(plan, dict) else plan


def _json(file: Path, where: str) -> Any:
    try:
        return read_json(file.read_bytes(), strict=True)
    except JsonError as error:
        raise click.UsageError(f"{where}: {error}") from error


# Faults, alarms, undocumented behaviour


def faults_of(values: Sequence[str], deployed: Stepped) -> list[Fault]:
    """Return the values of `--fault`; each must take effect in a deployment of the service or deployment group."""
    faults = []
    for value in values:
        try:
            fault = Fault.parse(value)
            fault.check(deployed)
        except FaultError as error:
            raise click.UsageError(f"--fault {value}: {error}") from error
        faults.append(fault)
    return faults


def alarms_of(values: Sequence[str], file: Path | None) -> list[MetricAlarm]:
    """Return the values of `--alarm` and the alarms in the file of `--alarms`."""
    with alarm_errors("--alarm"):
        alarms = [MetricAlarm.parse(value) for value in values]
    with alarm_errors(f"--alarms {file}"):
        return [*alarms, *map(MetricAlarm.read, _alarms_in(file) if file else ())]


@contextmanager
def alarm_errors(where: str) -> Iterator[None]:
    """Turn an alarm that is wrong, or that a simulation does not support, into a usage error."""
    try:
        yield
    except (AlarmError, EcsError) as error:
        raise click.UsageError(f"{where}: {error}") from error


def _alarms_in(file: Path) -> list[dict[str, Any]]:
    """Return the alarms of a file: parameters of PutMetricAlarm, a list of them, or a response of DescribeAlarms."""
    value = _json(file, f"--alarms {file}")
    if isinstance(value, dict) and "MetricAlarms" in value:
        value = value["MetricAlarms"]
    alarms = value if isinstance(value, list) else [value]
    if not alarms or not all(isinstance(alarm, dict) for alarm in alarms):
        raise click.UsageError(
            f"--alarms {file}: must be the parameters of PutMetricAlarm, a list of them, or a response of DescribeAlarms"
        )
    return alarms


def behaviour_of(kind: type[B], switches: Sequence[str]) -> B:
    """Return the undocumented behaviour that the values of `--behaviour` select."""
    try:
        return kind.read(switches)
    except ValueError as error:
        raise click.UsageError(f"--behaviour {error}") from None


def command_of(text: str | None) -> Application | None:
    """Return the application that a command line starts."""
    return Application(command=shlex.split(text)) if text else None


# Deployments by ECS


def service_of(bake_time: int, strategy: str, step_percent: float | None, step_bake_time: int | None) -> Service:
    """Return the service."""
    with _refusing():
        return Service(
            service="my-service", bake_time_minutes=bake_time, **_strategy(strategy, step_percent, step_bake_time)
        )


def lifecycle_hooks(
    targets: Mapping[str, HookTarget], details: Mapping[str, Any], options: dict[str, Any]
) -> list[LifecycleHook]:
    """Return a lifecycle hook for each target, with the hookDetails of its stage."""
    with _refusing():
        return [
            LifecycleHook(target=target, lifecycle_stages=[stage], hook_details=details.get(stage), **options)
            for stage, target in targets.items()
        ]


@contextmanager
def _refusing(option: str = "") -> Iterator[None]:
    """Turn a value that AWS would refuse into a usage error."""
    try:
        yield
    except EcsError as error:
        raise click.UsageError(f"{option}{error.message}") from error


def _strategy(name: str, percent: float | None, bake_time: int | None) -> dict[str, Any]:
    """Return the service's fields for a strategy and its steps."""
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


# Deployments by CodeDeploy


def group_of(controller: Controller, config: str | None, wait_minutes: int) -> DeploymentGroup:
    """Return the deployment group; blue is kept for `wait_minutes`."""
    platform = controller.platform
    with _refusing("--deployment-config: "):
        return DeploymentGroup(
            platform=platform,
            config=DeploymentConfig.parse(config, platform) if config else None,
            termination_wait_minutes=0 if platform is ComputePlatform.LAMBDA else wait_minutes,
        )


def hooks_of(platform: ComputePlatform, targets: Mapping[str, HookTarget], *, named: bool) -> dict[str, HookTarget]:
    """Return the hook of each lifecycle event; a `named` one (`--hook`) without a lifecycle event is a usage error."""
    found = {event: targets[STAGES[event]] for event in hooked_events(platform) if STAGES[event] in targets}
    unused = set(targets) - {STAGES[event] for event in found}
    if named and unused:
        raise click.UsageError(f"--hook {min(unused)}: {_events_of(platform)}")
    return found


def plans_of(platform: ComputePlatform, details: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the plan of each lifecycle event, and a line for each plan without one.

    A Lambda deployment has no test traffic: a plan for POST_TEST_TRAFFIC_SHIFT runs at BeforeAllowTraffic, the last event
    before users reach the new version, unless PRE_PRODUCTION_TRAFFIC_SHIFT has a plan.
    """
    stages = dict(details)
    if platform is ComputePlatform.LAMBDA and Stage.POST_TEST_TRAFFIC_SHIFT in stages:
        moved = stages.pop(Stage.POST_TEST_TRAFFIC_SHIFT)
        stages.setdefault(STAGES[BEFORE_ALLOW_TRAFFIC], moved)
    found = {event: stages.pop(STAGES[event]) for event in hooked_events(platform) if STAGES[event] in stages}
    return found, [f"The plan for {stage} is left out: {_events_of(platform)}" for stage in stages]


def versions_of(platform: ComputePlatform, blue: str | None, green: str | None) -> Iterator[Application]:
    """Yield the applications of blue and green."""
    for text, version in ((blue, "1"), (green, "2")):
        if platform is ComputePlatform.LAMBDA:
            yield _function(text) if text else demo_function(version)
        else:
            yield command_of(text) or demo_application(version)


def _function(text: str) -> Application:
    place, _, name = text.rpartition(":")
    if not place or not name.isidentifier():
        raise click.UsageError(f"{text} does not name a function; give MODULE:FUNCTION or FILE.py:FUNCTION")
    return function(text)


def _events_of(platform: ComputePlatform) -> str:
    known = [f"{STAGES[event]} ({event})" for event in hooked_events(platform)]
    return f"in a deployment to {platform} hooks are at {', '.join(known)}"
