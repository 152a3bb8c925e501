"""The input of UpdateService in place of an AppSpec and a deployment group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ecs_hooks_cli.migrate.appspec import AppSpec
from ecs_hooks_cli.migrate.group import Group
from ecs_hooks_cli.migrate.hooks import Attachment, lifecycle_hooks, notes_on_hooks
from ecs_hooks_cli.migrate.note import Kind, Note
from ecs_hooks_cli.migrate.shifting import MOST_MINUTES, Shifting

BAKE_MINUTES = 15
"""What ECS bakes by default."""
_LONGEST_PAUSE = 20_160
"""Minutes, two weeks."""


class Migration(NamedTuple):
    """What is to become of a service.

    Parameters
    ----------
    update
        The input of UpdateService.
    notes
        What becomes of each part.
    """

    update: dict[str, Any]
    notes: tuple[Note, ...]


def migration(appspec: AppSpec, group: Group, shifting: Shifting, attachment: Attachment) -> Migration:
    """Return what takes the place of an AppSpec.

    Parameters
    ----------
    appspec
        The AppSpec.
    group
        The deployment group; an empty one where it is not known.
    shifting
        How traffic shifts.
    attachment
        How hooks are attached.

    Raises
    ------
    DocumentError
        If the ARN of a function is not known.
    """
    hooks = lifecycle_hooks(appspec.hooks, attachment)
    notes = [
        *notes_on_hooks(appspec.hooks, hooks, shifting.configuration["strategy"]),
        *_shared(appspec),
        Note(Kind.MOVES, "traffic", shifting.text),
    ]
    configuration: dict[str, Any] = {**shifting.configuration}
    for part in (_bake(group), _approval(group), _alarms(group)):
        configuration |= part.configuration
        hooks += part.pauses
        notes += part.notes
    update: dict[str, Any] = {
        **_names(group),
        "deploymentController": {"type": "ECS"},
        # An empty list, too, is told: left out, ECS would keep the hooks that are there.
        "deploymentConfiguration": {**configuration, "lifecycleHooks": hooks},
        **appspec.fields,
    }
    return Migration(update, (*notes, *_by_hand(appspec, group, update)))


class _Part(NamedTuple):
    configuration: dict[str, Any]
    notes: list[Note]
    pauses: tuple[dict[str, Any], ...] = ()


def _names(group: Group) -> dict[str, Any]:
    if len(group.ecs_services) != 1:
        return {}
    (service,) = group.ecs_services
    return {"cluster": service.cluster_name, "service": service.service_name}


def _shared(appspec: AppSpec) -> Iterator[Note]:
    for field in appspec.fields:
        yield Note(
            Kind.MOVES,
            field[0].upper() + field[1:],
            f"{field} of the service; it changes with update-service from now on",
        )


def _bake(group: Group) -> _Part:
    termination = group.blue_green_deployment_configuration.terminate_blue_instances_on_deployment_success
    if termination is None:
        text = f"bakeTimeInMinutes {BAKE_MINUTES}, ECS's own default; --deployment-group takes it from the group"
        return _Part({"bakeTimeInMinutes": BAKE_MINUTES}, [Note(Kind.CHANGES, "termination wait", text)])
    wanted = termination.termination_wait_time_in_minutes
    minutes = min(wanted, MOST_MINUTES)
    notes = [
        Note(
            Kind.MOVES,
            "termination wait",
            f"bakeTimeInMinutes {minutes}: alarms are watched, and rolling back is quick",
        )
    ]
    if minutes < wanted:
        notes.append(
            Note(Kind.CHANGES, "termination wait", f"{wanted} minutes are more than ECS takes: {MOST_MINUTES}")
        )
    if termination.action == "KEEP_ALIVE":
        notes.append(
            Note(Kind.LOST, "termination", "KEEP_ALIVE: ECS always stops the tasks of blue after the bake time")
        )
    return _Part({"bakeTimeInMinutes": minutes}, notes)


def _approval(group: Group) -> _Part:
    """Return the PAUSE hook in place of an approval."""
    ready = group.blue_green_deployment_configuration.deployment_ready_option
    if ready is None or ready.action_on_timeout != "STOP_DEPLOYMENT":
        return _Part({}, [])
    minutes = min(max(ready.wait_time_in_minutes, 1), _LONGEST_PAUSE)
    pause = {
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": "ROLLBACK"},
    }
    text = (
        f"a PAUSE hook at POST_TEST_TRAFFIC_SHIFT: ContinueServiceDeployment within {minutes} minutes in place of "
        "ContinueDeployment, and a rollback in place of a stop"
    )
    return _Part({}, [Note(Kind.CHANGES, "approval", text)], (pause,))


def _alarms(group: Group) -> _Part:
    rollback, alarms = group.auto_rollback_configuration, group.alarm_configuration
    notes: list[Note] = []
    if rollback is not None and not (rollback.enabled and "DEPLOYMENT_FAILURE" in rollback.events):
        text = "ECS always rolls back where a hook fails; the group does not for DEPLOYMENT_FAILURE"
        notes.append(Note(Kind.CHANGES, "rollback", text))
    if alarms is None or not alarms.alarms:
        return _Part({}, notes)
    names = [each.name for each in alarms.alarms]
    back = bool(rollback and rollback.enabled and "DEPLOYMENT_STOP_ON_ALARM" in rollback.events)
    text = f"{', '.join(names)}; {'enabled' if alarms.enabled else 'not enabled'}, {'with' if back else 'without'} rollback"
    notes.append(Note(Kind.MOVES, "alarms", text))
    if alarms.ignore_poll_alarm_failure:
        notes.append(Note(Kind.LOST, "alarms", "ignorePollAlarmFailure: ECS has no such choice"))
    return _Part({"alarms": {"alarmNames": names, "enable": alarms.enabled, "rollback": back}}, notes)


def _by_hand(appspec: AppSpec, group: Group, update: dict[str, Any]) -> Iterator[Note]:
    if "service" not in update:
        yield Note(Kind.TO_DO, "service", "name it: --cluster and --service of aws ecs update-service")
    yield Note(Kind.TO_DO, "LoadBalancerInfo", _load_balancers(appspec, group))
    yield Note(
        Kind.LOST,
        "TaskDefinition",
        "left out, since it would be deployed; from now on a deployment is aws ecs update-service --task-definition",
    )
    if group.trigger_configurations:
        yield Note(
            Kind.LOST, "triggers", "ECS tells EventBridge of its deployments; have a rule forward that to the topics"
        )
    yield Note(Kind.TO_DO, "CodeDeploy", "delete application and deployment group once a deployment of ECS went well")


def _load_balancers(appspec: AppSpec, group: Group) -> str:
    port = "?" if appspec.container_port is None else appspec.container_port
    text = (
        f"loadBalancers of the service: containerName {appspec.container_name or '?'}, containerPort {port}, targetGroupArn, and "
        "advancedConfiguration with alternateTargetGroupArn, productionListenerRule, testListenerRule and roleArn"
    )
    if group.pair is None:
        return text
    routes = (("production", group.pair.prod_traffic_route), ("test", group.pair.test_traffic_route))
    listeners = [f"{name} listener {', '.join(route.listener_arns)}" for name, route in routes if route is not None]
    groups = " and ".join(each.name for each in group.pair.target_groups)
    return f"{text}; the group has {'; '.join([f'target groups {groups}', *listeners])}"
