"""Converts an AppSpec and a deployment group to the input of UpdateService, with notes on what changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted
from ecs_hooks_cli.common.service import Hook
from ecs_hooks_cli.migrate.appspec import AppSpec, AppSpecHook
from ecs_hooks_cli.migrate.codedeploy_settings import MAX_BAKE_MINUTES, DeploymentGroup, TrafficShift
from ecs_hooks_cli.migrate.hooks import HookSettings, Place, lifecycle_hooks, place_of_service, stage_of_stack_function

_DEFAULT_BAKE_MINUTES = 15
"""ECS's default."""
_MAX_PAUSE_MINUTES = 20_160
"""Two weeks."""


class Kind(StrEnum):
    """What happens to a part of CodeDeploy's configuration."""

    MOVES = "moves"
    """It is part of the output, with the same meaning."""
    CHANGES = "changes"
    """It is part of the output, and behaves differently."""
    TO_DO = "to do"
    """It is not part of the output: a person has to do it."""
    LOST = "lost"
    """ECS has no counterpart."""


class Note(NamedTuple):
    """A note on one part, such as `BeforeInstall`."""

    kind: Kind
    subject: str
    text: str


class Migration(NamedTuple):
    """The input of UpdateService, and a note on each part of CodeDeploy's configuration."""

    update: dict[str, Any]
    notes: tuple[Note, ...]


class _Part(NamedTuple):
    configuration: dict[str, Any]
    notes: list[Note]
    pauses: tuple[Hook, ...] = ()


def migration(appspec: AppSpec, group: DeploymentGroup, shift: TrafficShift, settings: HookSettings) -> Migration:
    """Return the input of UpdateService, and the notes on it.

    Raises
    ------
    DocumentError
        If the ARN of a function is unknown.
    """
    hooks = lifecycle_hooks(appspec.hooks, settings)
    notes = [
        *_hook_notes(appspec.hooks, hooks, shift.configuration["strategy"]),
        *_place_notes(appspec.hooks, hooks, settings),
        *(
            Note(
                Kind.MOVES,
                field[0].upper() + field[1:],
                f"{field} of the service; change it with update-service from now on",
            )
            for field in appspec.fields
        ),
        Note(Kind.MOVES, "traffic", shift.text),
    ]
    configuration: dict[str, Any] = {**shift.configuration}
    for part in (_bake(group), _approval(group), _alarms(group)):
        configuration |= part.configuration
        hooks += part.pauses
        notes += part.notes
    names = {}
    if len(group.ecs_services) == 1:
        names = {"cluster": group.ecs_services[0].cluster_name, "service": group.ecs_services[0].service_name}
    update: dict[str, Any] = {
        **names,
        "deploymentController": {"type": "ECS"},
        # An empty list is output, too: without the field, ECS would keep the existing hooks.
        "deploymentConfiguration": {**configuration, "lifecycleHooks": hooks},
        **appspec.fields,
    }
    return Migration(update, (*notes, *_manual_steps(appspec, group, update)))


def _hook_notes(hooks: Sequence[AppSpecHook], converted: Sequence[Hook], strategy: str) -> Iterator[Note]:
    if not hooks:
        yield Note(Kind.MOVES, "Hooks", "the AppSpec has no hooks, so the service will have none")
        return
    for hook, lifecycle_hook in zip(hooks, converted, strict=True):
        yield from _notes_on(hook, lifecycle_hook["hookTargetArn"], strategy)
    minutes = converted[0]["timeoutConfiguration"]["timeoutInMinutes"]
    yield Note(Kind.CHANGES, "Hooks", "they belong to the service from now on, not to each deployment")
    yield Note(
        Kind.CHANGES,
        "time",
        f"a hook has {minutes} minutes in ECS, and has 60 in CodeDeploy; set --timeout for up to 1440 (24 hours)",
    )
    functions = counted(len({each["hookTargetArn"] for each in converted}), "function")
    role = converted[0]["roleArn"]
    yield Note(
        Kind.TO_DO,
        "role",
        f"verify that {role} trusts ecs.amazonaws.com, and allows lambda:InvokeFunction on {functions}",
    )
    others = [str(stage) for stage in Stage if stage not in STAGES.values()]
    yield Note(Kind.CHANGES, "stages", f"ECS has additional stages ({', '.join(others)}) and PAUSE hooks")


def _place_notes(hooks: Sequence[AppSpecHook], converted: Sequence[Hook], settings: HookSettings) -> Iterator[Note]:
    """Yield a note for each function in another region or account than the service."""
    arns = [each["hookTargetArn"] for each in converted]
    service = place_of_service(settings, arns)
    for hook, arn in zip(hooks, arns, strict=True):
        own = Place.of_function(arn)
        for what, found, expected in (
            ("region", own.region, service.region),
            ("account", own.account, service.account),
        ):
            if expected and found != expected:
                yield Note(
                    Kind.TO_DO,
                    hook.event,
                    f"{arn} is in {what} {found}, the service in {expected}: AWS does not document whether ECS can invoke it; "
                    f"deploy the function to {what} {expected}",
                )


def _notes_on(hook: AppSpecHook, arn: str, strategy: str) -> Iterator[Note]:
    stage = STAGES[hook.event]
    yield Note(Kind.MOVES, hook.event, f"{arn} at {stage}")
    if hook.event == "BeforeInstall":
        yield Note(Kind.CHANGES, hook.event, "its failure rolls back the deployment in ECS; in CodeDeploy it could not")
    if stage is Stage.PRE_PRODUCTION_TRAFFIC_SHIFT and strategy != "BLUE_GREEN":
        yield Note(Kind.CHANGES, hook.event, f"ECS invokes it before every step of a {strategy} deployment, not once")
    stage_of_function = stage_of_stack_function(arn)
    if stage_of_function is None:
        yield Note(
            Kind.TO_DO,
            hook.event,
            f'{hook.function} must return its result, such as {{"hookStatus": "SUCCEEDED"}}, because ECS does not receive '
            "PutLifecycleEventHookExecutionStatus; a handler of ecs-hooks (@lifecycle_hook, or a function of the stack) "
            "answers both",
        )
    elif stage_of_function is not stage:
        yield Note(
            Kind.TO_DO,
            hook.event,
            f"{hook.function} is the function for {stage_of_function}, and fails at {stage} without checks in its plan; "
            f"set --plan {hook.event}=FILE, or use the function for {stage}",
        )


def _bake(group: DeploymentGroup) -> _Part:
    subject = "termination wait"
    termination = group.blue_green_deployment_configuration.terminate_blue_instances_on_deployment_success
    if termination is None:
        text = f"bakeTimeInMinutes {_DEFAULT_BAKE_MINUTES}, ECS's default; set --deployment-group for the wait of the group"
        return _Part({"bakeTimeInMinutes": _DEFAULT_BAKE_MINUTES}, [Note(Kind.CHANGES, subject, text)])
    wanted = termination.termination_wait_time_in_minutes
    minutes = min(wanted, MAX_BAKE_MINUTES)
    text = f"bakeTimeInMinutes {minutes}: for that time blue keeps running, and ECS watches the alarms"
    notes = [Note(Kind.MOVES, subject, text)]
    if minutes < wanted:
        text = f"{wanted} minutes are more than ECS's maximum of {MAX_BAKE_MINUTES}"
        notes.append(Note(Kind.CHANGES, subject, text))
    if termination.action == "KEEP_ALIVE":
        text = "KEEP_ALIVE: ECS always stops the tasks of blue after the bake time"
        notes.append(Note(Kind.LOST, "termination", text))
    return _Part({"bakeTimeInMinutes": minutes}, notes)


def _approval(group: DeploymentGroup) -> _Part:
    """Return a PAUSE hook for a group that waits for ContinueDeployment."""
    ready = group.blue_green_deployment_configuration.deployment_ready_option
    if ready is None or ready.action_on_timeout != "STOP_DEPLOYMENT":
        return _Part({}, [])
    minutes = min(max(ready.wait_time_in_minutes, 1), _MAX_PAUSE_MINUTES)
    pause = {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": "ROLLBACK"},
    }
    text = (
        f"replaced by a PAUSE hook at POST_TEST_TRAFFIC_SHIFT; call ContinueServiceDeployment within {minutes} minutes, not "
        "ContinueDeployment, otherwise ECS rolls back, where CodeDeploy stopped"
    )
    return _Part({}, [Note(Kind.CHANGES, "approval", text)], (pause,))


def _alarms(group: DeploymentGroup) -> _Part:
    rollback, alarms = group.auto_rollback_configuration, group.alarm_configuration
    notes: list[Note] = []
    if rollback is not None and not (rollback.enabled and "DEPLOYMENT_FAILURE" in rollback.events):
        text = "ECS always rolls back if a hook fails; the group does not roll back on DEPLOYMENT_FAILURE"
        notes.append(Note(Kind.CHANGES, "rollback", text))
    if alarms is None or not alarms.alarms:
        return _Part({}, notes)
    names = [each.name for each in alarms.alarms]
    rolls_back = bool(rollback and rollback.enabled and "DEPLOYMENT_STOP_ON_ALARM" in rollback.events)
    switches = f"{'enabled' if alarms.enabled else 'not enabled'}, {'with' if rolls_back else 'without'} rollback"
    notes.append(Note(Kind.MOVES, "alarms", f"{', '.join(names)}; {switches}"))
    if alarms.ignore_poll_alarm_failure:
        notes.append(Note(Kind.LOST, "alarms", "ignorePollAlarmFailure: ECS has no such setting"))
    return _Part({"alarms": {"alarmNames": names, "enable": alarms.enabled, "rollback": rolls_back}}, notes)


def _manual_steps(appspec: AppSpec, group: DeploymentGroup, update: dict[str, Any]) -> Iterator[Note]:
    if "service" not in update:
        yield Note(Kind.TO_DO, "service", "set --cluster and --service of aws ecs update-service")
    yield Note(Kind.TO_DO, "LoadBalancerInfo", _load_balancers(appspec, group))
    yield Note(
        Kind.LOST,
        "TaskDefinition",
        "left out, because ECS would deploy it at once; from now on deploy with aws ecs update-service --task-definition",
    )
    if group.trigger_configurations:
        text = "ECS sends its deployment events to EventBridge; create a rule that forwards them to the topics"
        yield Note(Kind.LOST, "triggers", text)
    text = "delete the application and the deployment group after the first successful deployment by ECS"
    yield Note(Kind.TO_DO, "CodeDeploy", text)


def _load_balancers(appspec: AppSpec, group: DeploymentGroup) -> str:
    port = "?" if appspec.container_port is None else appspec.container_port
    text = (
        f"set loadBalancers of the service: containerName {appspec.container_name or '?'}, containerPort {port}, "
        "targetGroupArn, and advancedConfiguration with alternateTargetGroupArn, productionListenerRule, testListenerRule "
        "and roleArn"
    )
    if group.pair is None:
        return text
    routes = (("production", group.pair.prod_traffic_route), ("test", group.pair.test_traffic_route))
    listeners = [f"{name} listener {', '.join(route.listener_arns)}" for name, route in routes if route is not None]
    groups = " and ".join(each.name for each in group.pair.target_groups)
    return f"{text}; the group has {'; '.join([f'target groups {groups}', *listeners])}"
