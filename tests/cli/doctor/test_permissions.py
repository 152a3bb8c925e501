from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.account import FUNCTION_ROLE, SERVICE, Account
from tests.cli.conftest import Doctor

_ECS = "arn:aws:ecs:us-west-2:123456789012"
HTTP: dict[str, Any] = {"type": "http", "path": "/health"}


def containers(account: Account, *groups: str) -> None:
    described = [
        {
            "name": group,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": group, "awslogs-stream-prefix": "ecs", "awslogs-region": "us-west-2"},
            },
        }
        for group in groups
    ]
    account.aws.answer("DescribeTaskDefinition", {"taskDefinition": {"containerDefinitions": described}})


def test_all_that_the_checks_need_is_asked_about(doctor: Doctor, account: Account) -> None:
    containers(account, "/ecs/web", "/ecs/log")
    account.plan(HTTP, {"type": "tasks"}, {"type": "logs", "pattern": "ERROR"})
    doctor()

    assert doctor.of("permissions") == [
        (
            "ok",
            (
                "ecs-hooks-function allows ecs:DescribeServiceDeployments, ecs:DescribeServiceRevisions, "
                "ecs:DescribeTaskDefinition, ecs:DescribeTasks, ecs:ListTasks, elasticloadbalancing:DescribeListeners, "
                "elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeRules, logs:FilterLogEvents"
            ),
        )
    ]
    asked = [each for each in account.aws.asked["SimulatePrincipalPolicy"] if each["PolicySourceArn"] == FUNCTION_ROLE]
    assert {action: each["ResourceArns"] for each in asked for action in each["ActionNames"]} == {
        "ecs:DescribeServiceDeployments": [SERVICE, f"{_ECS}:service-deployment/my-cluster/my-service/0"],
        "ecs:DescribeServiceRevisions": [SERVICE, f"{_ECS}:service-revision/my-cluster/my-service/0"],
        "ecs:DescribeTaskDefinition": ["*"],
        "ecs:DescribeTasks": [f"{_ECS}:task/my-cluster/0"],
        "ecs:ListTasks": [f"{_ECS}:container-instance/my-cluster/0"],
        "elasticloadbalancing:DescribeListeners": ["*"],
        "elasticloadbalancing:DescribeLoadBalancers": ["*"],
        "elasticloadbalancing:DescribeRules": ["*"],
        "logs:FilterLogEvents": [
            "arn:aws:logs:us-west-2:123456789012:log-group:/ecs/log:*",
            "arn:aws:logs:us-west-2:123456789012:log-group:/ecs/web:*",
        ],
    }
    context = {each["ContextKeyName"]: each["ContextKeyValues"] for each in asked[0]["ContextEntries"]}
    assert context == {
        "aws:RequestedRegion": ["us-west-2"],
        "ecs:cluster": ["arn:aws:ecs:us-west-2:123456789012:cluster/my-cluster"],
        "ecs:service": [SERVICE],
    }


def test_an_action_that_the_role_lacks(doctor: Doctor, account: Account) -> None:
    account.deny("ecs:DescribeServiceRevisions", "elasticloadbalancing:DescribeRules")
    doctor()

    assert [(level, text) for level, text in doctor.of("permissions") if level != "ok"] == [
        ("error", "ecs-hooks-function does not allow ecs:DescribeServiceRevisions, which the plan requires"),
        ("error", "ecs-hooks-function does not allow elasticloadbalancing:DescribeRules, which the plan requires"),
    ]
    assert doctor.fix("DescribeServiceRevisions, which") == (
        'add to a policy of the role: {"Effect": "Allow", "Action": "ecs:DescribeServiceRevisions", '
        f'"Resource": ["{SERVICE}", "{_ECS}:service-revision/my-cluster/my-service/*"]}}'
    )
    assert doctor.fix("DescribeRules, which").endswith(
        '"Action": "elasticloadbalancing:DescribeRules", "Resource": "*"}'
    )


def test_both_resources_of_an_action_are_required(doctor: Doctor, account: Account) -> None:
    results = [
        {"EvalResourceName": SERVICE, "EvalResourceDecision": "allowed"},
        {"EvalResourceName": "x", "EvalResourceDecision": "implicitDeny"},
    ]
    account.deny("ecs:DescribeServiceRevisions", decision="allowed", ResourceSpecificResults=results)
    doctor()

    assert doctor.of("permissions")[0][0] == "error"


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        (
            {"decision": "explicitDeny"},
            "error",
            "one of its policies denies elasticloadbalancing:DescribeRules for ecs-hooks-function",
        ),
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "error",
            "a policy of the organization denies elasticloadbalancing:DescribeRules for ecs-hooks-function",
        ),
        (
            {
                "ResourceSpecificResults": [
                    {
                        "EvalResourceName": "*",
                        "EvalResourceDecision": "implicitDeny",
                        "MissingContextValues": ["aws:ResourceTag/team"],
                    }
                ]
            },
            "unknown",
            "cannot determine whether ecs-hooks-function allows elasticloadbalancing:DescribeRules: a policy has conditions on aws:ResourceTag/team",
        ),
    ],
)
def test_why_it_is_not_allowed(doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str) -> None:
    account.deny("elasticloadbalancing:DescribeRules", **fields)
    doctor()

    found, said = doctor.of("permissions")[0]
    assert found == level
    assert said.startswith(text)


def test_what_the_hook_can_do_without_is_a_warning(doctor: Doctor, account: Account) -> None:
    account.deny("ecs:DescribeServiceDeployments")
    doctor()
    assert doctor.of("permissions")[0] == (
        "warning",
        (
            "ecs-hooks-function does not allow ecs:DescribeServiceDeployments: the hook cannot read ECS's timeout, or whether "
            "ECS rolls back"
        ),
    )

    account.plan(HTTP, first_deployment="skip")
    doctor()
    assert doctor.of("permissions")[0] == (
        "error",
        "ecs-hooks-function does not allow ecs:DescribeServiceDeployments, which the plan requires",
    )


def test_what_the_caller_may_not_simulate_is_unknown(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "http", "url": "http://10.0.0.1/"})
    account.aws.error("SimulatePrincipalPolicy", "AccessDenied", 403)
    doctor()

    assert doctor.of("permissions") == [
        (
            "unknown",
            (
                "cannot determine whether ecs-hooks-function allows ecs:DescribeServiceDeployments: iam:SimulatePrincipalPolicy: "
                "AccessDenied"
            ),
        )
    ]


def test_an_address_in_the_plan_or_the_environment_needs_nothing(doctor: Doctor, account: Account) -> None:
    account.function["Environment"] = {"Variables": {"APP_URL": "http://green.example.com"}}
    doctor()
    assert doctor.of("permissions") == [("ok", "ecs-hooks-function allows ecs:DescribeServiceDeployments")]

    account.function["Environment"] = {"Variables": {"APP_URL": ""}}
    account.plan(HTTP, base_url="http://green.example.com")
    doctor()
    assert doctor.of("permissions") == [("ok", "ecs-hooks-function allows ecs:DescribeServiceDeployments")]


def test_the_environment_of_this_machine_does_not_count(
    doctor: Doctor, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_URL", "http://laptop")
    doctor()

    assert re.search("DescribeRules", doctor.of("permissions")[0][1])
    assert "my-alb" in doctor.of("endpoint")[0][1]


def test_an_environment_that_can_not_be_read_is_unknown(doctor: Doctor, account: Account) -> None:
    account.function["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}}
    doctor()

    level, text = doctor.of("permissions")[0]
    assert level == "unknown"
    assert text.startswith("Lambda cannot decrypt the function's environment")


def test_logs_that_are_not_there(doctor: Doctor, account: Account) -> None:
    account.plan({"type": "logs", "pattern": "ERROR"})
    containers(account)
    doctor()
    assert doctor.of("permissions")[0] == (
        "error",
        ("no container of the task definition has log driver awslogs with awslogs-stream-prefix: the logs check fails"),
    )

    account.aws.error("DescribeTaskDefinition", "AccessDeniedException")
    doctor()
    assert doctor.of("permissions")[0] == (
        "unknown",
        "cannot determine the resources of logs:FilterLogEvents: ecs:DescribeTaskDefinition: AccessDeniedException",
    )


def test_stages_of_one_hook_are_asked_about_together(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"]
    doctor()

    assert len(doctor.of("permissions")) == 1
    assert len(doctor.of("endpoint")) == 2
