"""The sample events of CodeDeploy, and the functions that answer them."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks import LifecycleHandler, Stage
from tests.support.aws import AwsApi
from tests.support.codedeploy_orders import FUNCTION_OF, GROUP, deployed_by_codedeploy, planned, statuses
from tests.template.test_codedeploy import stack, statements
from tests.template.test_template import allowed

EVENTS = Path(__file__).resolve().parents[2] / "events" / "codedeploy"
UNDECIDED = "AfterAllowTraffic"
"""Alarms and golden signals are watched for five minutes."""


class _Context:
    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:CodeDeployHook_ecs-hooks_x"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("ECS_HOOKS_SCHEDULE_GROUP", "ecs-hooks")
    monkeypatch.setenv("ECS_HOOKS_SCHEDULE_ROLE", "arn:aws:iam::123456789012:role/schedule")
    monkeypatch.setenv("ECS_HOOKS_PLAN_PARAMETERS", "/ecs-hooks")


def stage_of(event: str) -> Stage:
    return Stage(re.sub(r"(?<=.)(?=[A-Z])", "_", FUNCTION_OF[event]).upper())


def invoked(event: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
    """Invoke the function of a lifecycle event; with its sample event, where no other is given."""
    handler = importlib.import_module(stage_of(event).lower()).lambda_handler
    assert isinstance(handler, LifecycleHandler)
    return handler(payload or json.loads((EVENTS / f"{event}.json").read_text()), _Context())


def test_every_lifecycle_event_has_one() -> None:
    assert {path.stem for path in EVENTS.glob("*")} == set(FUNCTION_OF)
    read = [json.loads(path.read_text()) for path in EVENTS.glob("*")]
    assert all(set(each) == {"DeploymentId", "LifecycleEventHookExecutionId"} for each in read)
    assert len({each["LifecycleEventHookExecutionId"] for each in read}) == len(FUNCTION_OF)


@pytest.mark.parametrize("event", FUNCTION_OF)
def test_the_function_tells_codedeploy_or_comes_again(aws: AwsApi, httpd: str, event: str) -> None:
    deployed_by_codedeploy(aws, event, int(httpd.rpartition(":")[2]))

    answer = invoked(event)

    assert statuses(aws) == ([] if event == UNDECIDED else ["Succeeded"]), answer
    assert aws.calls["CreateSchedule"] >= 1
    assert aws.calls["DeleteSchedule"] == (0 if event == UNDECIDED else 1)
    if event == UNDECIDED:
        heir = json.loads(aws.asked["CreateSchedule"][-1]["Target"]["Input"])
        assert {name: heir[name] for name in ("DeploymentId", "LifecycleEventHookExecutionId")} == json.loads(
            (EVENTS / f"{event}.json").read_text()
        )
        assert invoked(event, heir)["hookStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize("event", FUNCTION_OF)
def test_what_it_asks_for_is_allowed(aws: AwsApi, httpd: str, event: str) -> None:
    deployed_by_codedeploy(aws, event, int(httpd.rpartition(":")[2]))
    resources, _ = stack(code_deploy=True)
    besides: set[str] = set()
    for statement in statements(resources).values():
        action = statement["Action"]
        besides |= {action} if isinstance(action, str) else set(action)

    invoked(event)
    planned(aws, GROUP, '{"checks": [{"type": "alarm"}]}')
    invoked(event)

    assert aws.actions <= allowed(stage_of(event)) | besides
    assert {action for action in aws.actions if action.startswith("codedeploy:")}


def test_its_plan_is_that_of_the_parameter(aws: AwsApi, httpd: str) -> None:
    event = "AfterAllowTestTraffic"
    deployed_by_codedeploy(aws, event, int(httpd.rpartition(":")[2]))
    planned(aws, f"{GROUP}/{event}", '{"checks": [{"type": "http", "name": "teapot", "expect": {"status": 418}}]}')

    answer = invoked(event)

    assert statuses(aws) == ["Failed"]
    assert 'http "teapot" GET' in answer["reason"]
    assert aws.asked["GetParameters"][0]["Names"] == [f"{GROUP}/{event}", GROUP]
