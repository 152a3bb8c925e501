from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_hooks import Stage
from tests.cli.account import Account
from tests.cli.conftest import Doctor
from tests.cli.doctor.test_secrets import resources

UNSEEN = ("unknown", "permissions, endpoint and network cannot be examined without a valid plan")
HTTP: dict[str, Any] = {"type": "http", "path": "/health"}
STORED = {"checks": [{"type": "http", "url": "https://shop.example/", "auth": {"bearer": {"token": "hunter2"}}}]}


NOT_AN_OBJECT = (
    'hookDetails: must be a JSON object such as {"checks": [...]}, not string; the string is not JSON: Expecting value, '
    "line 1 column 1"
)


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"checks": [HTTP, {"type": "drift"}]}, "valid: 2 checks, mode enforce, timeout 30 minutes"),
        (json.dumps({"checks": [HTTP], "mode": "observe"}), "valid: 1 check, mode observe, timeout 30 minutes"),
        (None, "valid: the default checks of its stage, mode enforce, timeout 30 minutes"),
        ({"timeout_minutes": 20}, "valid: the default checks of its stage, mode enforce, timeout 20 minutes"),
    ],
)
def test_a_plan_is_read_as_the_hook_reads_it(doctor: Doctor, account: Account, details: Any, text: str) -> None:
    account.hook["hookDetails"] = details
    doctor()

    assert doctor.of("plan") == [("ok", text)]
    assert doctor.of("endpoint") != []  # the default check of this stage uses green


@pytest.mark.parametrize(
    ("details", "texts"),
    [
        (
            {"chekcs": [], "mode": "x"},
            [
                "hookDetails.mode: is not one of the allowed values (enforce, observe)",
                "hookDetails.chekcs: unknown field; did you mean 'checks'?",
            ],
        ),
        (
            {"checks": [{"type": "http", "pth": "/"}]},
            ["hookDetails.checks[0].pth: unknown field; did you mean 'path'?"],
        ),
        ([1], ['hookDetails: must be a JSON object such as {"checks": [...]}, not array']),
        ("text", [NOT_AN_OBJECT]),
    ],
)
def test_every_mistake_has_its_field(doctor: Doctor, account: Account, details: Any, texts: list[str]) -> None:
    account.hook["hookDetails"] = details
    doctor()

    assert doctor.of("plan") == [*(("error", text) for text in texts), UNSEEN]
    assert doctor.of("permissions") == []


def test_in_observe_mode_a_mistake_is_a_warning(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"chekcs": [], "mode": "observe"}
    doctor()

    assert [level for level, _ in doctor.of("plan")] == ["warning", "unknown"]


def test_a_custom_hook_may_have_its_own_fields(doctor: Doctor, account: Account) -> None:
    account.function["Handler"] = "app.lambda_handler"
    account.hook["hookDetails"] = {"bucket": "approvals"}
    doctor()
    assert doctor.of("plan") == [
        (
            "ok",
            "valid: the default checks of its stage in addition to the function's own code, mode enforce, timeout 30 minutes",
        )
    ]
    assert doctor.of("endpoint") == []

    account.hook["hookDetails"] = {"chekcs": []}
    doctor()
    assert doctor.of("plan")[0][0] == "error"


def test_default_checks_of_another_stage_are_an_error(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["PRE_PRODUCTION_TRAFFIC_SHIFT"]
    doctor()
    assert doctor.bad() == []

    account.hook["hookDetails"] = None
    doctor()
    assert doctor.of("plan") == [
        (
            "error",
            (
                "the function's default checks are for POST_TEST_TRAFFIC_SHIFT, but the hook is attached to "
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
def test_contract_3_3_the_timeouts_of_hook_and_plan(
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
def test_contract_4_5_an_alarm_check_without_alarms_is_a_warning(
    doctor: Doctor, account: Account, check: dict[str, Any], alarms: dict[str, Any], levels: list[str]
) -> None:
    account.configuration["alarms"] = alarms
    account.plan({"type": "alarm", **check})
    doctor()

    assert [level for level, _ in doctor.of("plan")] == levels


def test_a_check_before_green_runs_is_an_error(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["PRE_SCALE_UP"]
    account.plan({"type": "tasks"})
    doctor()

    assert doctor.of("plan") == [("error", "tasks cannot run at PRE_SCALE_UP: green does not run yet")]
    assert doctor.of("permissions") == [("ok", "ecs-hooks-function allows ecs:DescribeServiceDeployments")]


@pytest.mark.parametrize(("seconds", "fits"), [(102, True), (102.1, False)])
def test_a_load_check_must_fit_into_the_timeout(
    doctor: Doctor, account: Account, seconds: float, *, fits: bool
) -> None:
    account.plan({"type": "load", "name": "warm-up", "duration_seconds": seconds, "timeout_seconds": 10})
    doctor()

    found = doctor.of("plan")
    if fits:
        assert [level for level, _ in found] == ["ok"]
    else:
        text = "requires 115.1 s of one invocation, but the function's Timeout of 120 s leaves 115 s for checks"
        assert found == [("error", f'load "warm-up" {text}')]
        assert doctor.fix(text).endswith("or increase the function's Timeout (at most 900 s)")


def test_ecs_uses_at_most_900_s_of_the_timeout(doctor: Doctor, account: Account) -> None:
    account.function["Timeout"] = 1800
    account.plan({"type": "load", "duration_seconds": 1200, "timeout_seconds": 10, "requests_per_second": 1})
    doctor()

    ((level, text), *_) = doctor.of("plan")
    assert level == "error"
    assert text.endswith("requires 1213 s of one invocation, but ECS's limit of 900 s leaves 895 s for checks")
    assert doctor.fix(text) == "shorten the check"


@pytest.mark.parametrize("stage", list(Stage))
def test_the_functions_of_the_stack_have_no_problem(doctor: Doctor, account: Account, stage: Stage) -> None:
    account.hook |= {"lifecycleStages": [stage], "hookDetails": None}
    account.function["Handler"] = f"{stage.lower()}.lambda_handler"
    doctor()

    assert doctor.bad() == []


@pytest.mark.parametrize(
    ("place", "action", "arn"),
    [
        ("s3://plans/shop.json", "s3:GetObject", "arn:aws:s3:::plans/shop.json"),
        ("ssm:/shop/plan", "ssm:GetParameter", "arn:aws:ssm:us-west-2:123456789012:parameter/shop/plan"),
    ],
)
def test_a_plan_may_be_stored_in_s3_or_parameter_store(
    doctor: Doctor, account: Account, place: str, action: str, arn: str
) -> None:
    account.hook["hookDetails"] = {"plan": place, "timeout_minutes": 20}
    account.aws.answer("GetObject", {"Body": json.dumps(STORED).encode()})
    account.aws.answer("GetParameter", {"Parameter": {"Value": json.dumps(STORED)}})
    doctor()

    assert doctor.of("plan") == [("ok", f"valid: 1 check, mode enforce, timeout 20 minutes, from {place}")]
    assert doctor.of("secrets") == []  # DescribeServices does not show them
    assert action in doctor.of("permissions")[0][1]
    assert resources(account)[action] == [arn]

    account.deny(action)
    doctor()
    assert doctor.fix(f"does not allow {action}").endswith(
        f"{'PlanArns' if 's3' in place else 'ParameterArns'} of the stack does that"
    )


def test_an_unreadable_plan_is_unknown(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.error("GetObject", "AccessDenied", 403)
    doctor()

    assert doctor.of("plan") == [
        ("unknown", "cannot determine the plan that hookDetails refers to: s3:GetObject: AccessDenied"),
        UNSEEN,
    ]
    assert doctor.of("permissions") == []


def test_a_mistake_in_a_stored_plan_has_its_place(doctor: Doctor, account: Account) -> None:
    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json"}
    account.aws.answer("GetObject", {"Body": b'{"checks": [{"type": "htp"}]}'})
    doctor()
    level, text = doctor.of("plan")[0]
    assert level == "error"
    assert text.startswith("s3://plans/shop.json: checks[0].type: is not one of the allowed values (")
    assert text.endswith("; did you mean 'http'?")

    account.hook["hookDetails"] = {"plan": "s3://plans/shop.json", "checks": []}
    doctor()
    assert doctor.of("plan")[0][1].startswith("hookDetails.checks: conflicts with plan")
