"""The lifecycle events of a CodeDeploy deployment, and the ECS lifecycle stages that they correspond to.

Source: CodeDeploy user guide, "AppSpec 'hooks' section".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ecs_hooks.codedeploy.event import STAGES as HOOKED_STAGES
from ecs_hooks.core.event import Stage


class ComputePlatform(StrEnum):
    """`computePlatform` of an application."""

    ECS = "ECS"
    LAMBDA = "Lambda"


class EventStatus(StrEnum):
    """`LifecycleEventStatus` of the API."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    UNKNOWN = "Unknown"


BEFORE_INSTALL = "BeforeInstall"
INSTALL = "Install"
AFTER_INSTALL = "AfterInstall"
ALLOW_TEST_TRAFFIC = "AllowTestTraffic"
AFTER_ALLOW_TEST_TRAFFIC = "AfterAllowTestTraffic"
BEFORE_ALLOW_TRAFFIC = "BeforeAllowTraffic"
ALLOW_TRAFFIC = "AllowTraffic"
AFTER_ALLOW_TRAFFIC = "AfterAllowTraffic"

EVENTS = {
    ComputePlatform.ECS: (
        BEFORE_INSTALL,
        INSTALL,
        AFTER_INSTALL,
        ALLOW_TEST_TRAFFIC,
        AFTER_ALLOW_TEST_TRAFFIC,
        BEFORE_ALLOW_TRAFFIC,
        ALLOW_TRAFFIC,
        AFTER_ALLOW_TRAFFIC,
    ),
    ComputePlatform.LAMBDA: (BEFORE_ALLOW_TRAFFIC, ALLOW_TRAFFIC, AFTER_ALLOW_TRAFFIC),
}
"""The lifecycle events of a deployment, in order."""

_WITHOUT_HOOK = {
    INSTALL: "SCALE_UP",
    ALLOW_TEST_TRAFFIC: str(Stage.TEST_TRAFFIC_SHIFT),
    ALLOW_TRAFFIC: str(Stage.PRODUCTION_TRAFFIC_SHIFT),
}
WITHOUT_HOOK = frozenset(_WITHOUT_HOOK)
"""Lifecycle events without hooks: CodeDeploy itself does their work."""

STAGES = {event: str(stage) for event, stage in HOOKED_STAGES.items()} | _WITHOUT_HOOK
"""The ECS lifecycle stage that a lifecycle event corresponds to."""


def hooked_events(platform: ComputePlatform) -> list[str]:
    """Return the lifecycle events that support hooks, in order."""
    return [event for event in EVENTS[platform] if event not in WITHOUT_HOOK]


@dataclass(slots=True, kw_only=True)
class LifecycleEvent:
    """A lifecycle event of one deployment.

    Parameters
    ----------
    name, status
        `lifecycleEventName` and `status`.
    started_at, ended_at
        Seconds since the epoch.
    error_code, script, message
        `diagnostics` of a failed event: `LifecycleErrorCode`, ARN of the function, and the reason.
    """

    name: str
    status: EventStatus = EventStatus.PENDING
    started_at: float | None = None
    ended_at: float | None = None
    error_code: str = ""
    script: str = ""
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the shape of the API."""
        shape: dict[str, Any] = {"lifecycleEventName": self.name, "status": str(self.status)}
        if self.started_at is not None:
            shape["startTime"] = timestamp(self.started_at)
        if self.ended_at is not None:
            shape["endTime"] = timestamp(self.ended_at)
        if self.error_code:
            diagnostics = {"errorCode": self.error_code, "scriptName": self.script, "message": self.message}
            shape["diagnostics"] = diagnostics
        return shape


def timestamp(seconds: float | None) -> datetime | None:
    """Return a time in the shape of the API."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
