"""The lifecycle hooks of ECS in place of those of an AppSpec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks_cli.migrate.appspec import HookOfAppSpec
from ecs_hooks_cli.migrate.functions import Where, arn_of, stage_of
from ecs_hooks_cli.migrate.note import Kind, Note

Hook = dict[str, Any]


class Attachment(NamedTuple):
    """How hooks are attached.

    Parameters
    ----------
    role_arn
        The role with which ECS invokes the functions.
    where
        Where functions are that are given by their names.
    plans
        The `hookDetails` of each lifecycle event.
    timeout_minutes
        How long ECS waits for each.
    """

    role_arn: str
    where: Where
    plans: Mapping[str, dict[str, Any]]
    timeout_minutes: int


def lifecycle_hooks(hooks: Sequence[HookOfAppSpec], attachment: Attachment) -> list[Hook]:
    """Return the hooks, as `deploymentConfiguration.lifecycleHooks` has them.

    Raises
    ------
    DocumentError
        If the ARN of a function is not known.
    """
    return [
        {
            "targetType": "AWS_LAMBDA",
            "hookTargetArn": arn_of(hook.function, hook.place, attachment.where),
            "roleArn": attachment.role_arn,
            "lifecycleStages": [str(STAGES[hook.event])],
            **({"hookDetails": attachment.plans[hook.event]} if hook.event in attachment.plans else {}),
            "timeoutConfiguration": {"timeoutInMinutes": attachment.timeout_minutes, "action": "ROLLBACK"},
        }
        for hook in hooks
    ]


def notes_on_hooks(hooks: Sequence[HookOfAppSpec], made: Sequence[Hook], strategy: str) -> Iterator[Note]:
    """Yield what changes for the hooks.

    Parameters
    ----------
    hooks
        Those of the AppSpec.
    made
        Those of ECS in their places.
    strategy
        The strategy of the service.
    """
    if not hooks:
        yield Note(Kind.MOVES, "Hooks", "the AppSpec names none, so there are none")
        return
    for hook, at_ecs in zip(hooks, made, strict=True):
        yield from _notes_on(hook, at_ecs["hookTargetArn"], strategy)
    minutes = made[0]["timeoutConfiguration"]["timeoutInMinutes"]
    yield Note(Kind.CHANGES, "Hooks", "they belong to the service from now on, and not to each deployment")
    yield Note(
        Kind.CHANGES,
        "time",
        f"CodeDeploy gives a hook one hour; ECS waits {minutes} minutes here, and up to 1440 (24 hours) with --timeout",
    )
    functions = counted(len({each["hookTargetArn"] for each in made}), "function")
    trust = f"{made[0]['roleArn']} must trust ecs.amazonaws.com, and may lambda:InvokeFunction on {functions}"
    yield Note(Kind.TO_DO, "role", trust)
    others = [str(stage) for stage in Stage if stage not in STAGES.values()]
    yield Note(Kind.CHANGES, "stages", f"ECS has more than CodeDeploy: {', '.join(others)}, and PAUSE hooks")


def _notes_on(hook: HookOfAppSpec, arn: str, strategy: str) -> Iterator[Note]:
    stage = STAGES[hook.event]
    yield Note(Kind.MOVES, hook.event, f"{arn} at {stage}")
    if hook.event == "BeforeInstall":
        yield Note(Kind.CHANGES, hook.event, "its failure could not roll CodeDeploy's deployment back; in ECS it does")
    if stage is Stage.PRE_PRODUCTION_TRAFFIC_SHIFT and strategy != "BLUE_GREEN":
        yield Note(Kind.CHANGES, hook.event, f"ECS invokes it before every step of a {strategy} deployment, not once")
    stage_of_function = stage_of(arn)
    if stage_of_function is None:
        yield Note(
            Kind.TO_DO,
            hook.event,
            f"{hook.function} must answer ECS by what it returns, such as "
            '{"hookStatus": "SUCCEEDED"}; PutLifecycleEventHookExecutionStatus does not reach ECS. A handler of ecs-hooks does '
            "both (@lifecycle_hook, or the functions of its stack)",
        )
    elif stage_of_function is not stage:
        yield Note(
            Kind.TO_DO,
            hook.event,
            f"{hook.function} is the function for {stage_of_function}; without checks in a plan it refuses {stage}",
        )
