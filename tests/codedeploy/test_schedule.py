from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.aws.errors import FactDeniedError, FactError
from ecs_hooks.codedeploy.schedule import GROUP_VARIABLE, ROLE_VARIABLE, Schedule, minute_after
from tests.codedeploy.account import BEGAN, EXECUTION, FUNCTION_ARN, ROLE, Account

ENVIRONMENT = {GROUP_VARIABLE: "hooks", ROLE_VARIABLE: ROLE}


def schedule(number: int = 0, execution: str = EXECUTION) -> Schedule:
    return Schedule.of(execution, number, FUNCTION_ARN, "us-west-2", ENVIRONMENT)


def test_the_name_depends_on_the_execution_and_the_invocation() -> None:
    assert schedule().name == schedule().name
    assert len({schedule().name, schedule(1).name, schedule(0, "other").name}) == 3
    assert len(schedule(10**9).name) <= 64


@pytest.mark.parametrize(
    ("arn", "environment", "missing"),
    [
        ("", ENVIRONMENT, "the ARN of the function is not set"),
        (FUNCTION_ARN, {}, "ECS_HOOKS_SCHEDULE_GROUP and ECS_HOOKS_SCHEDULE_ROLE is not set"),
        (FUNCTION_ARN, {GROUP_VARIABLE: "hooks"}, "ECS_HOOKS_SCHEDULE_ROLE is not set"),
    ],
)
def test_a_missing_variable_is_named(arn: str, environment: dict[str, str], missing: str) -> None:
    with pytest.raises(FactDeniedError, match=missing):
        Schedule.of(EXECUTION, 0, arn, "us-west-2", environment)


def test_a_schedule_is_created_updated_and_deleted(account: Account) -> None:
    schedule().set({"a": 1}, BEGAN + 60)
    account.aws.error("CreateSchedule", "ConflictException", 409)
    schedule().set({"a": 2}, BEGAN + 120)
    (kept,) = account.schedules.values()
    assert (kept.at, kept.event) == (BEGAN + 120, {"a": 2})

    schedule().delete()
    assert account.schedules == {}
    account.aws.error("DeleteSchedule", "ResourceNotFoundException", 404)
    schedule().delete()


def test_a_schedule_deleted_meanwhile_is_created_again(account: Account) -> None:
    create = account.aws._answers["CreateSchedule"]

    def gone(_: dict[str, object]) -> dict[str, object]:
        raise AssertionError

    account.aws.error("CreateSchedule", "ConflictException", 409)
    account.aws.error("UpdateSchedule", "ResourceNotFoundException", 404)
    with pytest.raises(FactError, match="ConflictException"):
        schedule().set({}, BEGAN + 60)
    assert account.aws.calls["CreateSchedule"] == 2
    account.aws.well()
    account.aws.answer("CreateSchedule", create)
    schedule().set({}, BEGAN + 60)


@pytest.mark.parametrize("operation", ["CreateSchedule", "DeleteSchedule"])
def test_an_error_of_scheduler_is_raised(account: Account, operation: str) -> None:
    account.aws.error(operation, "ThrottlingException", 429)
    with pytest.raises(FactError, match=f"scheduler:{operation}: ThrottlingException"):
        schedule().set({}, BEGAN + 60) if operation == "CreateSchedule" else schedule().delete()


@given(st.floats(0, 4e9), st.floats(-1e6, 1e6))
def test_the_next_full_minute_after_a_delay(now: float, seconds: float) -> None:
    at = minute_after(now, seconds)
    assert at % 60 == 0
    assert now + max(seconds, 15) <= at <= now + max(seconds, 15) + 60
