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

from ecs_hooks_simulator.codedeploy.record import moment
from ecs_hooks_simulator.codedeploy.undocumented import Completed, Precision
from ecs_hooks_simulator.core.errors import EcsError

if TYPE_CHECKING:
    from ecs_hooks_simulator.codedeploy.undocumented import CodeDeployBehaviour
    from ecs_hooks_simulator.core.clock import SimulationClock

DEFAULT_GROUP = "default"
_NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_MINUTE = 60
_LINGERS = 60.0
"""Seconds after which a schedule that lingers is deleted."""

Invoke = Callable[[str, Any], Coroutine[Any, Any, None]]
"""Invokes a function, by ARN, with an event."""


@dataclass(slots=True, eq=False)
class _Schedule:
    """A schedule: what it was created with, when it is due, and since when it is over."""

    asked: dict[str, Any]
    due: float
    created_at: float
    updated_at: float
    over_at: float | None = None


class Scheduler:
    """Answers EventBridge Scheduler's operations, and invokes what is due.

    Parameters
    ----------
    clock
        The simulation's.
    behaviour
        When within its minute a schedule is due, and what becomes of it afterwards.
    groups
        Names of the schedule groups that there are, beside `default`.
    arn
        What ARNs of schedules begin with, such as `arn:aws:scheduler:us-west-2:123456789012:schedule/`.
    """

    def __init__(
        self, clock: SimulationClock, behaviour: CodeDeployBehaviour, *, groups: tuple[str, ...], arn: str
    ) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._groups = {DEFAULT_GROUP, *groups}
        self._arn = arn
        self._lock = threading.Lock()
        self._schedules: dict[tuple[str, str], _Schedule] = {}
        self._changed: Callable[[], object] = lambda: None

    @property
    def names(self) -> list[str]:
        """The names of the schedules that there are."""
        with self._lock:
            return [name for _, name in self._schedules]

    async def run(self, invoke: Invoke) -> None:
        """Invoke what is due, until this is cancelled."""
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

    def answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer CreateSchedule, UpdateSchedule, GetSchedule and DeleteSchedule."""
        match operation:
            case "CreateSchedule" | "UpdateSchedule":
                return self._put(dict(asked), new=operation == "CreateSchedule")
            case "GetSchedule":
                with self._lock:
                    return self._described(self._found(asked))
            case "DeleteSchedule":
                with self._lock:
                    self._found(asked)
                    del self._schedules[_key(asked)]
                return {}
            case _:
                return None

    def _put(self, asked: dict[str, Any], *, new: bool) -> dict[str, Any]:
        group, name = _key(asked)
        due = self._due(asked)
        now = self._clock.now()
        with self._lock:
            if new:
                if not _NAME.fullmatch(name):
                    raise EcsError("ValidationException", f"Value '{name}' at 'name' failed to satisfy constraint")
                if group not in self._groups:
                    raise EcsError("ResourceNotFoundException", f"Schedule group {group} does not exist.")
                if (group, name) in self._schedules:
                    raise EcsError("ConflictException", f"Schedule {name} already exists.")
                self._schedules[group, name] = _Schedule(asked, due, now, now)
            else:
                before = self._found(asked)
                self._schedules[group, name] = _Schedule(asked, due, before.created_at, now)
        self._changed()
        return {"ScheduleArn": f"{self._arn}{group}/{name}"}

    def _due(self, asked: Mapping[str, Any]) -> float:
        """Return when a schedule is due."""
        text, zone = str(asked.get("ScheduleExpression")), str(asked.get("ScheduleExpressionTimezone") or "UTC")
        found = _AT.fullmatch(text)
        if found is None:
            raise EcsError(
                "ValidationException",
                f"Invalid Schedule Expression {text}. The simulator plays one-time schedules, at(yyyy-mm-ddThh:mm:ss).",
            )
        try:
            # Not every machine has a database of time zones.
            place: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
            named = datetime.fromisoformat(found.group(1)).replace(tzinfo=place).timestamp()
            json.loads((asked.get("Target") or {}).get("Input") or "{}")
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise EcsError("ValidationException", f"Provided schedule is not valid: {error}") from None
        minute = named // _MINUTE * _MINUTE
        return {
            Precision.NEXT_MINUTE: math.ceil(named / _MINUTE) * _MINUTE,
            Precision.EARLY: minute,
            Precision.LATE: minute + _MINUTE - 1,
        }[self._behaviour.precision]

    def _take_due(self) -> list[Mapping[str, Any]]:
        """Return the targets of what is due, and let what is over go."""
        now = self._clock.now() + 1e-6
        targets = []
        with self._lock:
            for key, schedule in list(self._schedules.items()):
                if schedule.over_at is None and schedule.due <= now:
                    schedule.over_at = now
                    if schedule.asked.get("State") != "DISABLED":
                        targets.append(schedule.asked["Target"])
                if self._goes(schedule, now):
                    del self._schedules[key]
        return targets

    def _goes(self, schedule: _Schedule, now: float) -> bool:
        if schedule.over_at is None or schedule.asked.get("ActionAfterCompletion") != "DELETE":
            return False
        return self._behaviour.completed is Completed.GONE or schedule.over_at + _LINGERS <= now

    def _until_next(self) -> float | None:
        """Return the seconds until something is due; None where nothing is."""
        with self._lock:
            due = [each.due for each in self._schedules.values() if each.over_at is None]
            due += [
                each.over_at + _LINGERS
                for each in self._schedules.values()
                if each.over_at is not None and each.asked.get("ActionAfterCompletion") == "DELETE"
            ]
        return max(0.0, min(due) - self._clock.now()) if due else None

    def _found(self, asked: Mapping[str, Any]) -> _Schedule:
        group, name = _key(asked)
        schedule = self._schedules.get((group, name))
        if schedule is None:
            raise EcsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
        return schedule

    def _described(self, schedule: _Schedule) -> dict[str, Any]:
        group, name = _key(schedule.asked)
        dates = {"StartDate", "EndDate", "ClientToken"}
        return {
            "State": "ENABLED",
            "ActionAfterCompletion": "NONE",
            "ScheduleExpressionTimezone": "UTC",
            **{key: value for key, value in schedule.asked.items() if key not in dates},
            "Name": name,
            "GroupName": group,
            "Arn": f"{self._arn}{group}/{name}",
            "CreationDate": moment(schedule.created_at),
            "LastModificationDate": moment(schedule.updated_at),
        }


def _key(asked: Mapping[str, Any]) -> tuple[str, str]:
    return str(asked.get("GroupName") or DEFAULT_GROUP), str(asked.get("Name"))
