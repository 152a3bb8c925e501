from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import FUNCTION, Account
from tests.cli.conftest import Doctor


@pytest.mark.parametrize(
    "arn", ["my-function", "arn:aws:s3:::bucket", "arn:aws:lambda:us-west-2:1:layer:x:1", f"{FUNCTION}:a:b"]
)
def test_what_is_no_function(doctor: Doctor, account: Account, arn: str) -> None:
    account.hook["hookTargetArn"] = arn
    doctor()

    assert ("error", f"hookTargetArn {arn} is no ARN of a Lambda function") in doctor.of("function")
    assert doctor.of("role") == [("ok", "ecs-hooks-invoke trusts ecs.amazonaws.com")]
    assert doctor.of("endpoint") == []


@pytest.mark.parametrize(
    ("arn", "text"),
    [
        (FUNCTION.replace("us-west-2", "eu-west-1"), "the function is in region eu-west-1, the service in us-west-2"),
        (FUNCTION.replace("123456789012", "999999999999"), "the function is in account 999999999999"),
        (f"{FUNCTION}:live", "hookTargetArn names the version or alias live"),
    ],
)
def test_contract_6_what_is_not_documented_is_a_warning(doctor: Doctor, account: Account, arn: str, text: str) -> None:
    account.hook["hookTargetArn"] = arn
    doctor()

    assert next((level, text in said) for level, said in doctor.of("function")) == ("warning", True)
    assert account.aws.asked["GetFunctionConfiguration"] == [{"FunctionName": arn}]


def test_a_function_that_is_not_there(doctor: Doctor, account: Account) -> None:
    account.aws.error("GetFunctionConfiguration", "ResourceNotFoundException", 404)
    doctor()

    assert doctor.of("function") == [("error", f"Lambda knows no function {FUNCTION}")]
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
        ("TooManyRequestsException", "lambda:GetFunctionConfiguration: TooManyRequestsException", "look again"),
    ],
)
def test_a_function_that_may_not_be_seen_is_unknown(
    doctor: Doctor, account: Account, code: str, text: str, fix: str
) -> None:
    account.aws.error("GetFunctionConfiguration", code)
    doctor()

    ((level, said),) = doctor.of("function")
    assert level == "unknown"
    assert said.endswith(f"and with it permissions, endpoint and network, is not known: {text}")
    assert doctor.fix("lambda:GetFunctionConfiguration").startswith(fix)
    assert doctor.of("plan") == [
        ("ok", "valid: 1 check besides what the function's own code does, mode enforce, 30 minutes")
    ]
    assert doctor.status == 0


def test_an_answer_that_can_not_be_read(doctor: Doctor, account: Account) -> None:
    del account.function["Role"]
    doctor()

    assert "invalid response" in doctor.of("function")[0][1]


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"State": "Pending", "StateReason": "Creating"}, "warning", "its state is Pending: the first invocation may fail (Creating)"),
        ({"State": "Failed"}, "error", "its state is Failed"),
        ({"LastUpdateStatus": "InProgress"}, "warning", "it is being updated"),
        (
            {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no subnet"},
            "error",
            "its last update is Failed (no subnet)",
        ),
        ({"Timeout": 3}, "warning", "Lambda ends the function after 3 s; ended by Lambda, it is a failed hook and a rollback"),
        ({"Layers": []}, "warning", "it has no layer, so ecs_hooks can't be imported unless the function's own package has it"),
        (
            {"Runtime": "python3.12"},
            "warning",
            "it runs on python3.12, and the layer of the stack is built for python3.13",
        ),
        ({"Runtime": "python3.9", "Handler": "own.handler"}, "error", "ecs-hooks does not run on python3.9"),
    ],
)  # fmt: skip
def test_contract_3_4_how_a_function_is_configured(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.function |= fields
    doctor()

    assert doctor.of("function") == [(level, text)]


def test_a_container_image(doctor: Doctor, account: Account) -> None:
    for name in ("Runtime", "Handler", "Layers", "State", "LastUpdateStatus"):
        del account.function[name]
    doctor()

    assert doctor.of("function") == [("ok", "container image, 120 s, active")]
    assert doctor.bad() == []


def test_a_function_in_another_language(doctor: Doctor, account: Account) -> None:
    account.function |= {"Runtime": "nodejs22.x", "Handler": "index.handler"}
    account.hook["hookDetails"] = {"anything": 1}
    doctor()

    assert doctor.bad() == [
        ("unknown", "plan", "the function runs on nodejs22.x, so it is none of ecs-hooks; what it needs is not known")
    ]
    assert doctor.of("permissions") == []
