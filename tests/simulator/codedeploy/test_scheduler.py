from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecs_hooks_simulator.codedeploy import CodeDeployBehaviour
from ecs_hooks_simulator.codedeploy.scheduler import Scheduler
from ecs_hooks_simulator.core.clock import EPOCH, VirtualClock
from ecs_hooks_simulator.core.errors import EcsError

TARGET = {"Arn": "arn:function", "RoleArn": "arn:role", "Input": '{"a": 1}'}


def schedule(seconds: float = 300, name: str = "one", **more: Any) -> dict[str, Any]:
    when = datetime.fromtimestamp(EPOCH, UTC) + timedelta(seconds=seconds)
    return {
        "Name": name,
        "ScheduleExpression": f"at({when:%Y-%m-%dT%H:%M:%S})",
        "ActionAfterCompletion": "DELETE",
        "Target": TARGET,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **more,
    }


class Played:
    """A scheduler with its invocations and their times."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = VirtualClock()
        self.scheduler = Scheduler(
            self.clock, CodeDeployBehaviour(**behaviour), groups=("hooks",), arn="arn:aws:scheduler:r:1:schedule/"
        )
        self.invoked: list[tuple[float, str, Any]] = []

    async def _invoke(self, arn: str, event: Any) -> None:
        self.invoked.append((self.clock.now() - EPOCH, arn, event))

    def answer(self, operation: str, **parameters: Any) -> Any:
        return self.scheduler.answer(operation, parameters)

    def run(self, seconds: float, *later: tuple[float, str, dict[str, Any]]) -> list[float]:
        async def play() -> None:
            running = asyncio.create_task(self.scheduler.run(self._invoke))
            for when, operation, parameters in later:
                await asyncio.sleep(EPOCH + when - self.clock.now())
                await self.clock.call(lambda: self.answer(operation, **parameters))  # noqa: B023 - called at once
            await asyncio.sleep(EPOCH + seconds - self.clock.now())
            running.cancel()

        self.clock.run(play())
        return [when for when, _, _ in self.invoked]


@pytest.fixture
def played() -> Played:
    return Played()


def test_a_schedule_invokes_its_target_once_and_is_deleted(played: Played) -> None:
    created = played.answer("CreateSchedule", **schedule(GroupName="hooks"))

    assert created == {"ScheduleArn": "arn:aws:scheduler:r:1:schedule/hooks/one"}
    assert played.run(1000) == [300]
    assert played.invoked == [(300, "arn:function", {"a": 1})]
    assert played.scheduler.names == []


@pytest.mark.parametrize(
    ("precision", "at", "due"),
    [
        ("next-minute", 300, 300),
        ("next-minute", 301, 360),
        ("early", 359, 300),
        ("late", 300, 359),
    ],
)
def test_a_schedule_is_due_within_its_minute(precision: Any, at: float, due: float) -> None:
    played = Played(precision=precision)
    played.answer("CreateSchedule", **schedule(at))

    assert played.run(1000) == [due]


def test_a_waiting_schedule_can_be_updated_and_deleted(played: Played) -> None:
    later = [
        (60, "CreateSchedule", schedule(600)),
        (120, "UpdateSchedule", schedule(240)),
        (120, "CreateSchedule", schedule(180, "two")),
        (130, "DeleteSchedule", {"Name": "two"}),
        (250, "CreateSchedule", schedule(100, "past")),
    ]

    assert played.run(1000, *later) == [240, 250]


@pytest.mark.parametrize(("completed", "names"), [("gone", []), ("lingers", ["one"])])
def test_a_completed_schedule_can_be_deleted_later(completed: Any, names: list[str]) -> None:
    played = Played(completed=completed)
    played.answer("CreateSchedule", **schedule(60))

    played.run(90)
    assert played.scheduler.names == names
    played.run(180)
    assert played.scheduler.names == []


def test_a_completed_schedule_can_be_updated_until_it_is_deleted() -> None:
    played = Played(completed="lingers")
    played.answer("CreateSchedule", **schedule(60))

    assert played.run(400, (90, "UpdateSchedule", schedule(300))) == [60, 300]


def test_schedules_without_the_delete_action_stay_and_disabled_schedules_do_not_run(played: Played) -> None:
    played.answer("CreateSchedule", **schedule(ActionAfterCompletion="NONE"))
    played.answer("CreateSchedule", **schedule(name="two", State="DISABLED"))

    assert played.run(1000) == [300]
    assert played.scheduler.names == ["one"]


def test_a_schedule_is_described(played: Played) -> None:
    played.answer("CreateSchedule", **schedule())

    described = played.answer("GetSchedule", Name="one")

    assert (described["Name"], described["GroupName"], described["State"]) == ("one", "default", "ENABLED")
    assert described["CreationDate"] == datetime.fromtimestamp(EPOCH, UTC)
    assert described["ScheduleExpression"] == "at(2026-01-01T00:05:00)"
    assert played.answer("ListSchedules") is None


def test_a_time_in_another_time_zone(played: Played) -> None:
    expression = "at(2026-01-01T01:05:00)"
    played.answer(
        "CreateSchedule", **schedule(ScheduleExpression=expression, ScheduleExpressionTimezone="Europe/Berlin")
    )

    assert played.run(1000) == [300]


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("CreateSchedule", schedule(name="taken"), "ConflictException"),
        ("CreateSchedule", schedule(name="no/name"), "ValidationException"),
        ("CreateSchedule", schedule(GroupName="other"), "ResourceNotFoundException"),
        ("CreateSchedule", schedule(ScheduleExpression="rate(1 minute)"), "ValidationException"),
        ("CreateSchedule", schedule(ScheduleExpression="at(2026-02-30T00:00:00)"), "ValidationException"),
        ("CreateSchedule", schedule(ScheduleExpressionTimezone="Nowhere/None"), "ValidationException"),
        ("CreateSchedule", schedule(Target={**TARGET, "Input": "{"}), "ValidationException"),
        ("UpdateSchedule", schedule(), "ResourceNotFoundException"),
        ("GetSchedule", {"Name": "one"}, "ResourceNotFoundException"),
        ("DeleteSchedule", {"Name": "taken", "GroupName": "hooks"}, "ResourceNotFoundException"),
    ],
)
def test_invalid_requests_get_the_errors_of_scheduler(
    played: Played, operation: str, parameters: dict[str, Any], code: str
) -> None:
    played.answer("CreateSchedule", **schedule(name="taken"))

    with pytest.raises(EcsError) as refused:
        played.answer(operation, **parameters)

    assert refused.value.code == code
