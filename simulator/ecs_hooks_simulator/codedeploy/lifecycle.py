"""The lifecycle events of a CodeDeploy deployment, and the stages of ECS's own deployments that they correspond to.

Source: CodeDeploy user guide, "AppSpec 'hooks' section".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ecs_hooks.core.event import Stage
from ecs_hooks_simulator.codedeploy.configuration import ComputePlatform


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

WITHOUT_HOOK = frozenset({INSTALL, ALLOW_TEST_TRAFFIC, ALLOW_TRAFFIC})
"""Those that can't be scripted."""

STAGES = {
    BEFORE_INSTALL: str(Stage.PRE_SCALE_UP),
    INSTALL: "SCALE_UP",
    AFTER_INSTALL: str(Stage.POST_SCALE_UP),
    ALLOW_TEST_TRAFFIC: str(Stage.TEST_TRAFFIC_SHIFT),
    AFTER_ALLOW_TEST_TRAFFIC: str(Stage.POST_TEST_TRAFFIC_SHIFT),
    BEFORE_ALLOW_TRAFFIC: str(Stage.PRE_PRODUCTION_TRAFFIC_SHIFT),
    ALLOW_TRAFFIC: str(Stage.PRODUCTION_TRAFFIC_SHIFT),
    AFTER_ALLOW_TRAFFIC: str(Stage.POST_PRODUCTION_TRAFFIC_SHIFT),
}
"""The stage of ECS's own deployments that a lifecycle event corresponds to."""


def hooked_events(platform: ComputePlatform) -> list[str]:
    """Return the lifecycle events that a hook can be attached to, in order."""
    return [event for event in EVENTS[platform] if event not in WITHOUT_HOOK]


@dataclass(slots=True, kw_only=True)
class LifecycleEvent:
    """A lifecycle event of one deployment.

    Parameters
    ----------
    name, status
        Which, and where it is.
    started_at, ended_at
        Seconds since the epoch.
    error_code, script, message
        `diagnostics` of an event that failed: `LifecycleErrorCode`, ARN of the function, and why.
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
            shape["startTime"] = datetime.fromtimestamp(self.started_at, UTC)
        if self.ended_at is not None:
            shape["endTime"] = datetime.fromtimestamp(self.ended_at, UTC)
        if self.error_code:
            diagnostics = {"errorCode": self.error_code, "scriptName": self.script, "message": self.message}
            shape["diagnostics"] = diagnostics
        return shape
