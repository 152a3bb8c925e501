"""The top of the page: the end of a deployment, its reasons, and the facts of the deployment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import NamedTuple

from ecs_hooks.core.formatting import counted
from ecs_hooks_cli.common.text import clock_text, cut, function_name, short_id
from ecs_hooks_cli.report.answers import History, HookHistory
from ecs_hooks_cli.report.event_log import NOT_REPORTED
from ecs_hooks_cli.report.recording import Play
from ecs_hooks_simulator.application import Application
from ecs_hooks_simulator.core.model import TimeoutAction
from ecs_hooks_simulator.core.service_deployment import DeploymentStatus, ServiceRevision
from ecs_hooks_simulator.core.timeline import (
    AlarmStateChanged,
    HookAnswered,
    HookReported,
    HookStateChanged,
    TasksChanged,
)

_HEADLINES = {
    DeploymentStatus.SUCCESSFUL: "Green serves",
    DeploymentStatus.ROLLBACK_SUCCESSFUL: "Rolled back: blue serves",
    DeploymentStatus.ROLLBACK_FAILED: "The rollback failed",
    DeploymentStatus.STOPPED: "Stopped without a rollback",
}
_MAX_REASONS = 12
"""Reasons at the top; all are in the tables."""
_DEMO = {"ecs_hooks_simulator.demo_app", "ecs_hooks_simulator.codedeploy.lambda_functions.demo_function:lambda_handler"}
_PUBLIC = re.compile(r"[\w./][\w./:-]*")
"""A word of a command that is not a secret: no option, no variable, no login."""


class Verdict(NamedTuple):
    """The end of a deployment: its `status`, its `statusReason`, and who decided it, each with a reason."""

    status: str
    reason: str
    headline: str
    as_expected: bool
    why: Sequence[tuple[str, str]]


def verdict_of(play: Play, histories: Sequence[History]) -> Verdict:
    """Return the end of a deployment."""
    outcome = play.deployment.outcome
    return Verdict(
        status=str(play.deployment.status),
        reason=play.deployment.status_reason or "",
        headline=_HEADLINES.get(outcome, "Not finished"),
        as_expected=str(outcome) == play.expected,
        why=[] if outcome is DeploymentStatus.SUCCESSFUL else _why(play, histories),
    )


def facts_of(play: Play) -> list[tuple[str, str]]:
    """Return the facts of the deployment, as names and values."""
    deployment = play.deployment
    blue = deployment.sources[0] if deployment.sources else None
    began = datetime.fromtimestamp(deployment.created_at, UTC)
    return [
        ("Service", f"{deployment.service.service} in {deployment.service.cluster}"),
        ("Strategy", deployment.strategy),
        ("Blue", _version(blue) if blue else "none: this is the first deployment"),
        ("Green", _version(deployment.target)),
        ("Start, on the simulation's clock", f"{began:%Y-%m-%d %H:%M:%S} UTC"),
        ("Duration, on that clock", clock_text(play.seconds)),
    ]


def summary_of(histories: Sequence[History], hooks: Sequence[HookHistory]) -> str:
    """Return the numbers of checks, stages and invocations."""
    stages = counted(len({each.stage for each in histories}), "stage")
    checks = f"{counted(len(histories), 'check')} at {stages}" if histories else "no checks"
    invocations = sum(row.times for hook in hooks for row in hook.rows)
    return f"{checks}, {counted(invocations, 'invocation')} of hooks"


def _why(play: Play, histories: Sequence[History]) -> list[tuple[str, str]]:
    """Return the failures: checks with their reasons, and hooks without a failed check."""
    failed = [each for each in histories if each.last.status == "FAIL"]
    found = [(f"{each.stage}, check {each.check}", each.last.reason) for each in failed]
    explained = {each.stage for each in failed}
    triggered = play.deployment.triggered
    tolerated = {hook.hook_id for hook in play.deployment.hooks if hook.timeout_action == TimeoutAction.CONTINUE}
    for _, record in play.records:
        match record:
            case HookAnswered() if record.status == "FAILED" and record.stage not in explained:
                found.append((_hook(record.stage, record.target), cut(record.reason) or "answered FAILED"))
            case HookAnswered() if record.status is None:
                found.append((_hook(record.stage, record.target), cut(record.error) or "no valid answer"))
            case HookReported() if record.status == "TimedOut":
                found.append((_hook(record.stage, record.target), NOT_REPORTED))
            case HookStateChanged() if record.state == "TIMED_OUT" and record.hook_id not in tolerated:
                found.append((_hook(record.stage, record.target or "pause"), "timed out"))
            case AlarmStateChanged() if record.alarm in triggered and record.state == "ALARM":
                found.append((f"alarm {record.alarm}", cut(record.reason)))
            case TasksChanged() if record.state == "failed":
                found.append((f"tasks of {play.colour(record.revision)}", "did not start"))
            case _:
                pass
    return found[:_MAX_REASONS]


def _hook(stage: str, target: str) -> str:
    return f"{stage}, hook {function_name(target)}"


def _version(revision: ServiceRevision) -> str:
    """Return the version of a revision, without words of its command that could be secrets."""
    application = revision.settings.get("application")
    revision_id = f"revision {short_id(revision.arn)}"
    task_definition = revision.task_definition.rpartition("/")[2]
    if not isinstance(application, Application):
        return f"{revision.image or task_definition} ({revision_id})"
    if _DEMO & set(application.command):
        return f"demo application {application.environment.get('VERSION', '')} ({task_definition}, {revision_id})"
    words = takewhile(_PUBLIC.fullmatch, application.command)
    return f"{' '.join(words)} ({task_definition}, {revision_id})"
