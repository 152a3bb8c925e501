from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import FUNCTION, Account
from tests.cli.conftest import Doctor


@pytest.mark.parametrize(
    "arn", ["my-function", "arn:aws:s3:::bucket", "arn:aws:lambda:us-west-2:1:layer:x:1", f"{FUNCTION}:a:b"]
)
def test_a_target_that_is_not_a_function_is_an_error(doctor: Doctor, account: Account, arn: str) -> None:
    account.hook["hookTargetArn"] = arn
    doctor()

    assert ("error", f"hookTargetArn {arn} is not the ARN of a Lambda function") in doctor.of("function")
    assert doctor.of("role") == [("ok", "ecs-hooks-invoke trusts ecs.amazonaws.com")]
    assert doctor.of("endpoint") == []


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (FUNCTION.replace("us-west-2", "eu-west-1"), "the function is in region eu-west-1, the service in us-west-2"),
        (FUNCTION.replace("123456789012", "999999999999"), "the function is in account 999999999999"),
        (f"{FUNCTION}:live", "hookTargetArn has the version or alias live"),
    ],
)
def test_contract_6_an_undocumented_arn_is_a_warning(doctor: Doctor, account: Account, arn: str, text: str) -> None:
    account.hook["hookTargetArn"] = arn
    doctor()

    assert next((level, text in said) for level, said in doctor.of("function")) == ("warning", True)
    assert account.aws.asked["GetFunctionConfiguration"] == [{"FunctionName": arn}]


def test_a_missing_function_is_an_error(doctor: Doctor, account: Account) -> None:
    account.aws.error("GetFunctionConfiguration", "ResourceNotFoundException", 404)
    doctor()

    assert doctor.of("function") == [("error", f"the function {FUNCTION} does not exist")]
    assert doctor.of("permissions") == []
    assert doctor.status == 1


@pytest.mark.parametrize(
    ("code", "text", "fix"),
    [
        (
            "AccessDeniedException",
            "lambda:GetFunctionConfiguration: AccessDeniedException",
            "allow lambda:GetFunctionConf",
        ),
        (
            "TooManyRequestsException",
            "lambda:GetFunctionConfiguration: TooManyRequestsException",
            "run `ecs-hooks doctor` again",
        ),
    ],
)
def test_the_configuration_is_unknown_if_the_call_fails(
    doctor: Doctor, account: Account, code: str, text: str, fix: str
) -> None:
    account.aws.error("GetFunctionConfiguration", code)
    doctor()

    ((level, said),) = doctor.of("function")
    assert level == "unknown"
    assert said.endswith(f"so permissions, endpoint and network are not examined: {text}")
    assert doctor.fix("lambda:GetFunctionConfiguration").startswith(fix)
    assert doctor.of("plan") == [
        ("ok", "valid: 1 check in addition to the function's own code, mode enforce, timeout 30 minutes")
    ]
    assert doctor.status == 0


def test_an_unreadable_configuration_is_reported(doctor: Doctor, account: Account) -> None:
    del account.function["Role"]
    doctor()

    assert "invalid response" in doctor.of("function")[0][1]


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"State": "Pending", "StateReason": "Creating"}, "warning", "the function's State is Pending (Creating): the first invocation may fail"),
        ({"State": "Failed"}, "error", "the function's State is Failed"),
        ({"LastUpdateStatus": "InProgress"}, "warning", "the function's LastUpdateStatus is InProgress"),
        (
            {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no subnet"},
            "error",
            "the function's LastUpdateStatus is Failed (no subnet)",
        ),
        ({"Timeout": 3}, "warning", "the function's Timeout is 3 s: if it expires, the hook fails and ECS rolls back"),
        (
            {"Timeout": 901},
            "warning",
            "the function's Timeout is 901 s: Lambda allows 1800 s, but ECS documents 900 s for one invocation, and the hook ends by then",
        ),
        ({"Layers": []}, "warning", "the function has no layer: it cannot import ecs_hooks unless its own package contains it"),
        (
            {"Runtime": "python3.12"},
            "warning",
            "the function runs on python3.12, but the layer of the stack is built for python3.13",
        ),
        ({"Runtime": "python3.9", "Handler": "own.handler"}, "error", "ecs-hooks does not run on python3.9"),
    ],
)  # fmt: skip
def test_contract_3_4_problems_of_the_configuration(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.function |= fields
    doctor()

    assert doctor.of("function") == [(level, text)]


def test_a_container_image_is_ok(doctor: Doctor, account: Account) -> None:
    for name in ("Runtime", "Handler", "Layers", "State", "LastUpdateStatus"):
        del account.function[name]
    doctor()

    assert doctor.of("function") == [("ok", "container image, timeout 120 s, state Active")]
    assert doctor.bad() == []


def test_the_plan_of_a_function_in_another_language_is_unknown(doctor: Doctor, account: Account) -> None:
    account.function |= {"Runtime": "nodejs22.x", "Handler": "index.handler"}
    account.hook["hookDetails"] = {"anything": 1}
    doctor()

    assert doctor.bad() == [
        (
            "unknown",
            "plan",
            "the function runs on nodejs22.x, so it is not made with ecs-hooks: its requirements are unknown",
        )
    ]
    assert doctor.of("permissions") == []
