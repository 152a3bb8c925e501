from __future__ import annotations

from typing import Any

import pytest

from tests.cli.account import FUNCTION, Account
from tests.cli.conftest import Doctor, Run

PAUSE: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}


def test_nothing_is_wrong(doctor: Doctor, account: Account) -> None:
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


def test_aws_is_only_read(doctor: Doctor, account: Account) -> None:
    account.in_vpc()
    doctor()

    assert all(call.startswith(("Describe", "List", "Get", "Simulate")) for call in account.aws.calls)


def test_lines_for_people(run: Run, account: Account) -> None:
    account.function["Timeout"] = 3
    account.deny("elasticloadbalancing:DescribeRules")
    account.configuration["lifecycleHooks"].append(PAUSE)
    result = run("doctor", "my-cluster/my-service")

    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == "my-cluster/my-service"
    assert lines[3:6] == [
        "ecs-hooks-PostTestTrafficShift at POST_TEST_TRAFFIC_SHIFT",
        "  warning  function: Lambda ends the function after 3 s; ended by Lambda, it is a failed hook and a rollback",
        "           fix: give it a Timeout of 60 s or more; the hooks of the stack have 120 s",
    ]
    assert lines[-3:] == [
        "PAUSE at PRE_SCALE_UP",
        "  ok       pause: waits for somebody to go on; nothing to examine",
        "9 ok, 1 warning, 1 error, 0 unknown",
    ]


def test_only_hooks_of_a_stage(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT"]
    account.configuration["lifecycleHooks"].append(PAUSE)
    doctor("--stage", "PRE_PRODUCTION_TRAFFIC_SHIFT")

    assert [each["stages"] for each in doctor.findings if each["hook"]] == [["PRE_PRODUCTION_TRAFFIC_SHIFT"]] * 7
    assert doctor.of("pause") == []


def test_a_service_without_hooks(doctor: Doctor, account: Account) -> None:
    account.configuration["lifecycleHooks"] = []
    doctor()

    assert doctor.bad() == [("warning", "service", "it has no lifecycle hooks")]
    assert doctor.fix("no lifecycle hooks").startswith("ecs-hooks attach my-cluster/my-service ")
    assert doctor.status == 0


def test_no_hook_at_the_stage(doctor: Doctor, account: Account) -> None:
    doctor("--stage", "PRE_SCALE_UP")

    assert doctor.bad() == [("warning", "service", "it has no lifecycle hook at PRE_SCALE_UP")]


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"deploymentConfiguration": {}}, "warning", "its strategy is ROLLING"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "error", "its deployments are made by CODE_DEPLOY"),
    ],
)
def test_a_service_that_deploys_otherwise(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.service |= fields
    doctor()

    assert (level, True) in [(found, text in said) for found, said in doctor.of("service")]


def test_without_the_service_there_is_one_line(run: Run, account: Account) -> None:
    account.aws.error("DescribeServices", "AccessDeniedException")
    result = run("doctor", "my-cluster/my-service")

    assert result.exit_code == 1
    assert result.output == (
        "ecs-hooks: ecs:DescribeServices: AccessDeniedException; the AWS credentials used here do not allow the action "
        "ecs:DescribeServices\n"
    )


@pytest.mark.parametrize("missing", ["serviceArn", "clusterArn"])
def test_a_description_that_can_not_be_read(run: Run, account: Account, missing: str) -> None:
    del account.service[missing]

    assert "ecs-hooks: ecs:DescribeServices: invalid response\n" in run("doctor", "my-cluster/my-service").output
