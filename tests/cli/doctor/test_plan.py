from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.session import get_session

from ecs_hooks import Stage
from ecs_hooks_cli.doctor import sdk
from tests.cli.account import Account
from tests.cli.conftest import Doctor

UNSEEN = ("unknown", "what the plan needs (permissions, endpoint, network) is not examined")
HTTP: dict[str, Any] = {"type": "http", "path": "/health"}


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"checks": [HTTP, {"type": "drift"}]}, "valid: 2 checks, mode enforce, 30 minutes"),
        (json.dumps({"checks": [HTTP], "mode": "observe"}), "valid: 1 check, mode observe, 30 minutes"),
        (None, "valid: the default checks of its stage, mode enforce, 30 minutes"),
        ({"timeout_minutes": 20}, "valid: the default checks of its stage, mode enforce, 20 minutes"),
    ],
)
def test_a_plan_is_read_as_the_hook_reads_it(doctor: Doctor, account: Account, details: Any, text: str) -> None:
    account.hook["hookDetails"] = details
    doctor()

    assert doctor.of("plan") == [("ok", text)]
    assert doctor.of("endpoint") != []  # the default of this stage asks green, too


@pytest.mark.parametrize(
    ("details", "texts"),
    [
        (
            {"chekcs": [], "mode": "x"},
            [
                "hookDetails.mode: must be one of the allowed values (enforce, observe), not number",
                "hookDetails.chekcs: unknown field; did you mean 'checks'?",
            ],
        ),
        (
            {"checks": [{"type": "http", "pth": "/"}]},
            ["hookDetails.checks[0].pth: unknown field; did you mean 'path'?"],
        ),
        ([1], ['hookDetails: must be a JSON object such as {"checks": [...]}, not array']),
        ("text", ['hookDetails: must be a JSON object such as {"checks": [...]}, not string']),
    ],
)
def test_every_mistake_is_named_with_its_field(
    doctor: Doctor, account: Account, details: Any, texts: list[str]
) -> None:
    account.hook["hookDetails"] = details
    doctor()

    assert doctor.of("plan") == [*(("error", text) for text in texts), UNSEEN]
    assert doctor.of("permissions") == []


def test_in_observe_mode_a_mistake_stops_nothing(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"chekcs": [], "mode": "observe"}
    doctor()

    assert [level for level, _ in doctor.of("plan")] == ["warning", "unknown"]


def test_a_hook_of_ones_own_may_have_fields_of_its_own(doctor: Doctor, account: Account) -> None:
    account.function["Handler"] = "app.lambda_handler"
    account.hook["hookDetails"] = {"bucket": "approvals"}
    doctor()
    assert doctor.of("plan") == [
        (
            "ok",
            "valid: the default checks of its stage besides what the function's own code does, mode enforce, 30 minutes",
        )
    ]
    assert doctor.of("endpoint") == []

    account.hook["hookDetails"] = {"chekcs": []}
    doctor()
    assert doctor.of("plan")[0][0] == "error"


def test_the_function_of_another_stage(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["PRE_PRODUCTION_TRAFFIC_SHIFT"]
    doctor()
    assert doctor.bad() == []

    account.hook["hookDetails"] = None
    doctor()
    assert doctor.of("plan") == [
        (
            "error",
            (
                "the function's default checks are made for POST_TEST_TRAFFIC_SHIFT, but it is attached to "
                "PRE_PRODUCTION_TRAFFIC_SHIFT"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("timeout", "levels"),
    [
        ({"timeoutInMinutes": 31, "action": "ROLLBACK"}, ["ok"]),
        ({"timeoutInMinutes": 30, "action": "ROLLBACK"}, ["warning"]),
        ({"timeoutInMinutes": 30, "action": "CONTINUE"}, ["error", "warning"]),
        ({"timeoutInMinutes": 60, "action": "CONTINUE"}, ["warning"]),
        (None, ["ok"]),
    ],
)
def test_contract_3_3_what_ecs_does_when_time_is_over(
    doctor: Doctor, account: Account, timeout: Any, levels: list[str]
) -> None:
    account.hook["timeoutConfiguration"] = timeout
    doctor()

    assert [level for level, _ in doctor.of("plan")] == levels


@pytest.mark.parametrize(
    ("check", "alarms", "levels"),
    [
        ({}, {}, ["warning"]),
        ({}, {"alarmNames": ["a"], "enable": False, "rollback": True}, ["warning"]),
        ({}, {"alarmNames": ["a"], "enable": True, "rollback": True}, ["ok"]),
        ({"names": ["a"]}, {}, ["ok"]),
        ({"prefix": "a"}, {}, ["ok"]),
    ],
)
def test_contract_4_5_alarms_that_nobody_names(
    doctor: Doctor, account: Account, check: dict[str, Any], alarms: dict[str, Any], levels: list[str]
) -> None:
    account.configuration["alarms"] = alarms
    account.plan({"type": "alarm", **check})
    doctor()

    assert [level for level, _ in doctor.of("plan")] == levels


def test_a_check_of_green_before_it_runs(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["PRE_SCALE_UP"]
    account.plan({"type": "tasks"})
    doctor()

    assert doctor.of("plan") == [("error", "tasks can't be asked at PRE_SCALE_UP: green does not run yet")]
    assert doctor.of("permissions") == [("ok", "ecs-hooks-function allows ecs:DescribeServiceDeployments")]


@pytest.mark.parametrize(("seconds", "fits"), [(102, True), (102.1, False)])
def test_a_load_that_is_too_long_for_the_function(
    doctor: Doctor, account: Account, seconds: float, *, fits: bool
) -> None:
    account.plan({"type": "load", "name": "warm-up", "duration_seconds": seconds, "timeout_seconds": 10})
    doctor()

    found = doctor.of("plan")
    if fits:
        assert [level for level, _ in found] == ["ok"]
    else:
        text = "needs 115.1 s of one invocation; the function's Timeout of 120 s leaves 115 s for checks"
        assert found == [("error", f'load "warm-up" {text}')]
        assert doctor.fix(text).endswith("or raise the Timeout of the function (Lambda allows 900 s)")


@pytest.mark.parametrize("stage", list(Stage))
def test_the_functions_of_the_stack_as_they_are(doctor: Doctor, account: Account, stage: Stage) -> None:
    account.hook |= {"lifecycleStages": [stage], "hookDetails": None}
    account.function["Handler"] = f"{stage.lower()}.lambda_handler"
    doctor()

    assert doctor.bad() == []


def members(description: Any) -> dict[str, Any]:
    model = ServiceModel(description)
    return {shape: model.shape_for(shape).members for shape in model.shape_names}


def test_the_sdk_is_described_by_its_own_model() -> None:
    version, known = sdk.installed()
    assert [finding.level for finding in sdk.examine(version, known)] == ["ok"]

    model = get_session().get_service_model("ecs")
    description = {
        "metadata": model.metadata,
        "shapes": {
            "DeploymentLifecycleHook": {"type": "structure", "members": {"roleArn": {"shape": "String"}}},
            "String": {"type": "string"},
        },
    }
    old = {"DeploymentLifecycleHook": ServiceModel(description).shape_for("DeploymentLifecycleHook").members}
    (finding,) = sdk.examine("1.38.0", old)
    assert finding.level == "error"
    assert "DeploymentConfiguration.lifecycleHooks" in finding.text
    assert "DeploymentLifecycleHook.hookDetails" in finding.text
    assert "DeploymentLifecycleHook.roleArn" not in finding.text
