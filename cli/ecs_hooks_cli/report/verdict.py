"""How a deployment ended, why, and what was played: the top of the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import NamedTuple

from ecs_hooks_cli.common.text import clock_text, cut, short_id
from ecs_hooks_cli.report.answers import History, HookHistory
from ecs_hooks_cli.report.play import Play
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
    DeploymentStatus.STOPPED: "Stopped where it was",
}
_MOST = 12
"""Reasons that are named; all are in the tables."""
_DEMO = {"ecs_hooks_simulator.demo_app", "ecs_hooks_simulator.codedeploy.lambda_functions.demo_function:lambda_handler"}
_PLAIN = re.compile(r"[\w./][\w./:-]*")
"""A word of a command that can't be a secret: no option, no variable, no login."""


class Verdict(NamedTuple):
    """How it ended.

    Parameters
    ----------
    status, reason
        `status` and `statusReason` of the deployment.
    headline
        The same in plain words.
    as_expected
        Whether it should have ended so.
    why
        Who decided it, and why: the stage and the hook or check, then the reason.
    """

    status: str
    reason: str
    headline: str
    as_expected: bool
    why: Sequence[tuple[str, str]]


def verdict_of(play: Play, histories: Sequence[History]) -> Verdict:
    """Return how a deployment ended."""
    outcome = play.deployment.outcome
    return Verdict(
        status=str(play.deployment.status),
        reason=play.deployment.status_reason or "",
        headline=_HEADLINES.get(outcome, "Not over"),
        as_expected=str(outcome) == play.expected,
        why=[] if outcome is DeploymentStatus.SUCCESSFUL else _why(play, histories),
    )


def facts_of(play: Play) -> list[tuple[str, str]]:
    """Return what was played, as names and values."""
    deployment = play.deployment
    blue = deployment.sources[0] if deployment.sources else None
    began = datetime.fromtimestamp(deployment.created_at, UTC)
    return [
        ("Service", f"{deployment.service.service} in {deployment.service.cluster}"),
        ("Strategy", deployment.strategy),
        ("Blue", _version(blue) if blue else "none: this is the first deployment"),
        ("Green", _version(deployment.target)),
        ("Began, on the simulation's clock", f"{began:%Y-%m-%d %H:%M:%S} UTC"),
        ("Lasted, on that clock", clock_text(play.seconds)),
    ]


def summary_of(histories: Sequence[History], hooks: Sequence[HookHistory]) -> str:
    """Return in one sentence what was asked."""
    stages = _several(len({each.stage for each in histories}), "stage")
    checks = f"{_several(len(histories), 'check')} at {stages}" if histories else "no checks"
    invoked = sum(row.times for hook in hooks for row in hook.rows)
    return f"{checks}, {_several(invoked, 'invocation')} of hooks"


def _why(play: Play, histories: Sequence[History]) -> list[tuple[str, str]]:
    """Return what failed: checks with their reasons, and hooks where no check tells more."""
    found = [
        (f"{each.stage}, check {each.check}", each.last.reason) for each in histories if each.last.status == "FAIL"
    ]
    told = {each.stage for each in histories if each.last.status == "FAIL"}
    triggered = play.deployment.triggered
    forgiven = {hook.hook_id for hook in play.deployment.hooks if hook.timeout_action == TimeoutAction.CONTINUE}
    for _, record in play.happened:
        match record:
            case HookAnswered() if record.status == "FAILED" and record.stage not in told:
                found.append((f"{record.stage}, hook {_name(record.target)}", cut(record.reason) or "answered FAILED"))
            case HookAnswered() if record.status is None:
                found.append((f"{record.stage}, hook {_name(record.target)}", cut(record.error) or "no valid answer"))
            case HookReported() if record.status == "TimedOut":
                found.append((f"{record.stage}, hook {_name(record.target)}", "told CodeDeploy nothing within an hour"))
            case HookStateChanged() if record.state == "TIMED_OUT" and record.hook_id not in forgiven:
                found.append((f"{record.stage}, hook {_name(record.target or 'pause')}", "timed out"))
            case AlarmStateChanged() if record.alarm in triggered and record.state == "ALARM":
                found.append((f"alarm {record.alarm}", cut(record.reason)))
            case TasksChanged() if record.state == "failed":
                found.append((f"tasks of {play.colour(record.revision)}", "did not start"))
            case _:
                pass
    return found[:_MOST]


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _name(target: str) -> str:
    return target.rpartition(":")[2]


def _version(revision: ServiceRevision) -> str:
    """Return what a revision runs, as far as it can be told without what could be a secret in a command."""
    application = revision.settings.get("application")
    number_of_revision = f"revision {short_id(revision.arn)}"
    named = revision.task_definition.rpartition("/")[2]
    if not isinstance(application, Application):
        return f"{revision.image or named} ({number_of_revision})"
    if _DEMO & set(application.command):
        return f"demo application {application.environment.get('VERSION', '')} ({named}, {number_of_revision})"
    words = takewhile(_PLAIN.fullmatch, application.command)
    return f"{' '.join(words)} ({named}, {number_of_revision})"
