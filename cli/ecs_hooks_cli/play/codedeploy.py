"""`ecs-hooks simulate --controller codedeploy-ecs` and `codedeploy-lambda`: deployments by CodeDeploy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import click

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.codedeploy import ComputePlatform, DeploymentConfig, DeploymentGroup
from ecs_hooks_simulator.codedeploy.lifecycle import BEFORE_ALLOW_TRAFFIC, STAGES, hooked_events
from ecs_hooks_simulator.codedeploy.simulation import demo_function, function
from ecs_hooks_simulator.core.errors import EcsError
from ecs_hooks_simulator.core.hook_targets import HookTarget
from ecs_hooks_simulator.simulation import demo_application


class Controller(StrEnum):
    """Who deploys."""

    ECS = "ecs"
    CODEDEPLOY_ECS = "codedeploy-ecs"
    CODEDEPLOY_LAMBDA = "codedeploy-lambda"

    @property
    def platform(self) -> ComputePlatform:
        """What CodeDeploy deploys to."""
        return ComputePlatform.LAMBDA if self is Controller.CODEDEPLOY_LAMBDA else ComputePlatform.ECS


_ONLY_ECS = {
    "strategy": "--deployment-config names how traffic moves",
    "step_percent": "--deployment-config names how traffic moves",
    "step_bake_time": "--deployment-config names how traffic moves",
    "timeout": "CodeDeploy waits for an hour",
    "timeout_action": "CodeDeploy fails a deployment after an hour",
    "lambda_endpoint": "functions elsewhere could not reach the simulated CodeDeploy; name hooks with --hooks or --hook",
}
"""Options that make no sense under CodeDeploy, and what does."""


def check_options(controller: Controller, context: click.Context) -> None:
    """Refuse the options that are for another controller."""
    given = click.core.ParameterSource.DEFAULT
    for name, why in _ONLY_ECS.items() if controller is not Controller.ECS else ():
        if context.get_parameter_source(name) is not given:
            raise click.UsageError(f"--{name.replace('_', '-')} is for --controller ecs: {why}")
    if controller is Controller.ECS and context.params["deployment_config"]:
        raise click.UsageError(
            "--deployment-config is for --controller codedeploy-ecs and codedeploy-lambda; ECS has --strategy"
        )
    if controller is Controller.CODEDEPLOY_LAMBDA and context.get_parameter_source("bake_time") is not given:
        raise click.UsageError(
            "--bake-time: CodeDeploy keeps no old version of a function, its alias just points elsewhere"
        )


def group_of(controller: Controller, config: str | None, wait_minutes: int) -> DeploymentGroup:
    """Return the deployment group; `wait_minutes` is how long blue is kept."""
    platform = controller.platform
    try:
        return DeploymentGroup(
            platform=platform,
            config=DeploymentConfig.parse(config, platform) if config else None,
            termination_wait_minutes=0 if platform is ComputePlatform.LAMBDA else wait_minutes,
        )
    except EcsError as error:
        raise click.UsageError(f"--deployment-config: {error.message}") from error


def hooks_of(platform: ComputePlatform, targets: Mapping[str, HookTarget], *, named: bool) -> dict[str, HookTarget]:
    """Return the hook of each lifecycle event, from those of the stages.

    Parameters
    ----------
    platform
        What CodeDeploy deploys to.
    targets
        The hooks by stage.
    named
        Whether each was named as an option: then one without a lifecycle event is a mistake.
    """
    found = {event: targets[STAGES[event]] for event in hooked_events(platform) if STAGES[event] in targets}
    unused = set(targets) - {STAGES[event] for event in found}
    if named and unused:
        raise click.UsageError(f"--hook {min(unused)}: {_corresponding(platform)}")
    return found


def plans_of(platform: ComputePlatform, details: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the plan of each lifecycle event, from those of the stages; and what is left out, in words.

    A function has no test traffic: a plan for POST_TEST_TRAFFIC_SHIFT is that of BeforeAllowTraffic, the last moment before
    users meet the new version, unless there is one for PRE_PRODUCTION_TRAFFIC_SHIFT itself.
    """
    stages = dict(details)
    if platform is ComputePlatform.LAMBDA and Stage.POST_TEST_TRAFFIC_SHIFT in stages:
        moved = stages.pop(Stage.POST_TEST_TRAFFIC_SHIFT)
        stages.setdefault(STAGES[BEFORE_ALLOW_TRAFFIC], moved)
    found = {event: stages.pop(STAGES[event]) for event in hooked_events(platform) if STAGES[event] in stages}
    return found, [f"The plan for {stage} is left out: {_corresponding(platform)}" for stage in stages]


def versions_of(platform: ComputePlatform, blue: str | None, green: str | None) -> Iterator[Application]:
    """Return what runs as blue and as green."""
    for text, version in ((blue, "1"), (green, "2")):
        if platform is ComputePlatform.LAMBDA:
            yield _function(text) if text else demo_function(version)
        else:
            yield Application(command=shlex.split(text)) if text else demo_application(version)


def _function(text: str) -> Application:
    place, _, name = text.rpartition(":")
    if not place or not name.isidentifier():
        raise click.UsageError(f"{text} is no version of a function: MODULE:FUNCTION or FILE.py:FUNCTION is expected")
    return function(text)


def _corresponding(platform: ComputePlatform) -> str:
    known: Sequence[str] = [f"{STAGES[event]} ({event})" for event in hooked_events(platform)]
    return f"in a deployment to {platform} hooks are at {', '.join(known)}"
