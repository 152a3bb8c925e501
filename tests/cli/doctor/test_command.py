from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import FUNCTION, Account
from tests.cli.conftest import Doctor, Run

PAUSE: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}


def test_a_correct_account_has_only_ok_findings(doctor: Doctor, account: Account) -> None:
    doctor()

    assert doctor.bad() == []
    assert doctor.status == 0
    assert list(dict.fromkeys(each["subject"] for each in doctor.findings)) == [
        "SDK",
        "service",
        "function",
        "role",
        "plan",
        "permissions",
        "endpoint",
        "network",
    ]
    assert doctor.summary == {"kind": "summary", "ok": len(doctor.findings), "warning": 0, "error": 0, "unknown": 0}
    last = doctor.findings[-1]
    assert (last["hook"], last["stages"], last["fix"]) == (FUNCTION, ["POST_TEST_TRAFFIC_SHIFT"], "")


def test_the_command_only_reads_from_aws(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    doctor()

    assert all(call.startswith(("Describe", "List", "Get", "Simulate")) for call in account.aws.calls)


def test_the_output_for_people(run: Run, account: Account) -> None:
    account.function["Timeout"] = 3
    account.deny("elasticloadbalancing:DescribeRules")
    account.configuration["lifecycleHooks"].append(PAUSE)
    result = run("doctor", "my-cluster/my-service")

    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == "my-cluster/my-service"
    assert lines[3:6] == [
        "ecs-hooks-PostTestTrafficShift at POST_TEST_TRAFFIC_SHIFT",
        "  warning  function: the function's Timeout is 3 s: if it expires, the hook fails and ECS rolls back",
        "           fix: set Timeout to 60 s or more; the functions of the stack have 120 s",
    ]
    assert lines[-3:] == [
        "PAUSE at PRE_SCALE_UP",
        "  ok       pause: waits for ContinueServiceDeployment; nothing to examine",
        "9 ok, 1 warning, 1 error, 0 unknown",
    ]


def test_stage_selects_hooks(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT"]
    account.configuration["lifecycleHooks"].append(PAUSE)
    doctor("--stage", "PRE_PRODUCTION_TRAFFIC_SHIFT")

    assert [each["stages"] for each in doctor.findings if each["hook"]] == [["PRE_PRODUCTION_TRAFFIC_SHIFT"]] * 7
    assert doctor.of("pause") == []


def test_a_failed_call_for_the_service_is_one_line(run: Run, account: Account) -> None:
    account.aws.error("DescribeServices", "AccessDeniedException")
    result = run("doctor", "my-cluster/my-service")

    assert result.exit_code == 1
    assert result.output == (
        "ecs-hooks: ecs:DescribeServices: AccessDeniedException; the AWS credentials used here do not allow the action "
        "ecs:DescribeServices\n"
    )


@pytest.mark.parametrize("missing", ["serviceArn", "clusterArn"])
def test_an_unreadable_description_is_one_line(run: Run, account: Account, missing: str) -> None:
    del account.service[missing]

    assert "ecs-hooks: ecs:DescribeServices: invalid response\n" in run("doctor", "my-cluster/my-service").output
