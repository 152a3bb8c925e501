"""EventBridge Scheduler on the simulation's clock: one-time schedules that invoke functions.

Source: EventBridge Scheduler user guide ("Schedule types", "Deleting a schedule") and botocore's service model.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ecs_hooks.core.json_text import read_json
from ecs_hooks_simulator.codedeploy.lifecycle import timestamp
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import Clock

DEFAULT_GROUP = "default"
_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_MINUTE = 60
_LINGERS = 60.0
"""Seconds until a completed schedule is deleted, with `lingers`."""

Invoke = Callable[[str, Any], Coroutine[Any, Any, None]]
"""Invokes a function: ARN and event."""


@dataclass(slots=True, eq=False)
class _Schedule:
    """A schedule: its parameters, when it is due, and when it was invoked."""

    parameters: dict[str, Any]
    due: float
    created_at: float
    updated_at: float
    over_at: float | None = None


class Scheduler:
    """Answers EventBridge Scheduler's operations, and invokes the targets of schedules.

    Parameters
    ----------
    clock
        The simulation's clock.
    behaviour
        When a schedule is due within its minute, and when it is deleted.
    groups
        Names of the schedule groups beside `default`.
    arn
        The beginning of the ARNs, such as `arn:aws:scheduler:us-west-2:123456789012:schedule/`.
    """

    def __init__(self, clock: Clock, behaviour: CodeDeployBehaviour, *, groups: tuple[str, ...], arn: str) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._groups = {DEFAULT_GROUP, *groups}
        self._arn = arn
        self._lock = threading.Lock()
        self._schedules: dict[tuple[str, str], _Schedule] = {}
        self._changed: Callable[[], object] = lambda: None

    @property
    def names(self) -> list[str]:
        """The names of all schedules."""
        with self._lock:
            return [name for _, name in self._schedules]

    async def run(self, invoke: Invoke) -> None:
        """Invoke the targets of schedules as they are due, until cancelled."""
        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        self._changed = lambda: loop.call_soon_threadsafe(changed.set)
        invoking: set[asyncio.Task[None]] = set()
        try:
            while True:
                changed.clear()
                for target in self._take_due():
                    task = asyncio.create_task(invoke(target["Arn"], json.loads(target.get("Input") or "{}")))
                    invoking.add(task)
                    task.add_done_callback(invoking.discard)
                try:
                    async with asyncio.timeout(self._until_next()):
                        await changed.wait()
                except TimeoutError:
                    continue
        finally:
            self._changed = lambda: None

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer CreateSchedule, UpdateSchedule, GetSchedule and DeleteSchedule."""
        match operation:
            case "CreateSchedule" | "UpdateSchedule":
                return self._put(dict(request), new=operation == "CreateSchedule")
            case "GetSchedule":
                with self._lock:
                    return self._described(self._found(request))
            case "DeleteSchedule":
                with self._lock:
                    self._found(request)
                    del self._schedules[_key(request)]
                return {}
            case _:
                return None

    def _put(self, request: dict[str, Any], *, new: bool) -> dict[str, Any]:
        group, name = _key(request)
        due = self._due(request)
        now = self._clock.now()
        with self._lock:
            if new:
                if not _NAME.fullmatch(name):
                    raise EcsError("ValidationException", f"Value '{name}' at 'name' failed to satisfy constraint")
                if group not in self._groups:
                    raise EcsError("ResourceNotFoundException", f"Schedule group {group} does not exist.")
                if (group, name) in self._schedules:
                    raise EcsError("ConflictException", f"Schedule {name} already exists.")
                self._schedules[group, name] = _Schedule(request, due, now, now)
            else:
                before = self._found(request)
                self._schedules[group, name] = _Schedule(request, due, before.created_at, now)
        self._changed()
        return {"ScheduleArn": f"{self._arn}{group}/{name}"}

    def _due(self, request: Mapping[str, Any]) -> float:
        """Return when a schedule is due, in seconds since the epoch."""
        text, zone = str(request.get("ScheduleExpression")), str(request.get("ScheduleExpressionTimezone") or "UTC")
        found = _AT.fullmatch(text)
        if found is None:
            raise EcsError(
                "ValidationException",
                f"Invalid Schedule Expression {text}. The simulator supports one-time schedules, at(yyyy-mm-ddThh:mm:ss).",
            )
        try:
            # Without a database of time zones, UTC must work.
            place: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
            named = datetime.fromisoformat(found.group(1)).replace(tzinfo=place).timestamp()
            read_json((request.get("Target") or {}).get("Input") or "{}")
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise EcsError("ValidationException", f"Provided schedule is not valid: {error}") from None
        minute = named // _MINUTE * _MINUTE
        return {
            "next-minute": math.ceil(named / _MINUTE) * _MINUTE,
            "early": minute,
            "late": minute + _MINUTE - 1,
        }[self._behaviour.precision]

    def _take_due(self) -> list[Mapping[str, Any]]:
        """Return the targets of the schedules that are due, and delete completed schedules."""
        now = self._clock.now() + 1e-6
        targets = []
        with self._lock:
            for key, schedule in list(self._schedules.items()):
                if schedule.over_at is None and schedule.due <= now:
                    schedule.over_at = now
                    if schedule.parameters.get("State") != "DISABLED":
                        targets.append(schedule.parameters["Target"])
                if self._is_deleted(schedule, now):
                    del self._schedules[key]
        return targets

    def _is_deleted(self, schedule: _Schedule, now: float) -> bool:
        if schedule.over_at is None or schedule.parameters.get("ActionAfterCompletion") != "DELETE":
            return False
        return self._behaviour.completed == "gone" or schedule.over_at + _LINGERS <= now

    def _until_next(self) -> float | None:
        """Return the seconds until the next schedule is due or deleted; None without one."""
        with self._lock:
            due = [each.due for each in self._schedules.values() if each.over_at is None]
            due += [
                each.over_at + _LINGERS
                for each in self._schedules.values()
                if each.over_at is not None and each.parameters.get("ActionAfterCompletion") == "DELETE"
            ]
        return max(0.0, min(due) - self._clock.now()) if due else None

    def _found(self, request: Mapping[str, Any]) -> _Schedule:
        group, name = _key(request)
        schedule = self._schedules.get((group, name))
        if schedule is None:
            raise EcsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
        return schedule

    def _described(self, schedule: _Schedule) -> dict[str, Any]:
        group, name = _key(schedule.parameters)
        dates = {"StartDate", "EndDate", "ClientToken"}
        return {
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            "ScheduleExpressionTimezone": "UTC",
            **{key: value for key, value in schedule.parameters.items() if key not in dates},
            "Name": name,
            "GroupName": group,
            "Arn": f"{self._arn}{group}/{name}",
            "CreationDate": timestamp(schedule.created_at),
            "LastModificationDate": timestamp(schedule.updated_at),
        }


def _key(request: Mapping[str, Any]) -> tuple[str, str]:
    return str(request.get("GroupName") or DEFAULT_GROUP), str(request.get("Name"))
