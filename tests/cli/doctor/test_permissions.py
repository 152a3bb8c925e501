from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.account import FUNCTION, FUNCTION_ROLE, INVOKE_ROLE, SERVICE, TRUST, Account, policy
from tests.cli.conftest import Doctor

_ECS = "arn:aws:ecs:us-west-2:123456789012"
HTTP: dict[str, Any] = {"type": "http", "path": "/health"}
ECS = "ecs.amazonaws.com"
MAY = ("ok", "ecs-hooks-invoke allows lambda:InvokeFunction")
TRUSTS = ("ok", "ecs-hooks-invoke trusts ecs.amazonaws.com")
INVOKE: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": INVOKE_ROLE}, "Action": "lambda:InvokeFunction"}
STATEMENT = f'{{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "{FUNCTION}"}}'


def test_a_hook_without_a_role_is_an_error(doctor: Doctor, account: Account) -> None:
    del account.hook["roleArn"]
    doctor()

    assert doctor.of("role") == [("error", "the hook has no roleArn: ECS cannot invoke the function")]


def test_a_missing_role_is_an_error(doctor: Doctor, account: Account) -> None:
    account.aws.error("GetRole", "NoSuchEntity", 404)
    doctor()

    assert doctor.of("role") == [("error", "the role ecs-hooks-invoke does not exist")]
    assert doctor.status == 1


def test_a_role_with_another_path_is_an_error(doctor: Doctor, account: Account) -> None:
    account.role["Arn"] = other = "arn:aws:iam::123456789012:role/path/ecs-hooks-invoke"
    doctor()

    assert doctor.of("role") == [
        ("error", f"the role {INVOKE_ROLE} does not exist: the ARN of ecs-hooks-invoke is {other}")
    ]


def test_contract_6_the_role_must_trust_ecs(doctor: Doctor, account: Account) -> None:
    account.trust = policy({**TRUST, "Principal": {"Service": "lambda.amazonaws.com"}})
    doctor()
    assert doctor.of("role") == [
        ("error", "ecs-hooks-invoke does not trust ecs.amazonaws.com: ECS cannot assume it"),
        MAY,
    ]
    assert doctor.fix("does not trust").endswith(
        '{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}'
    )

    account.trust = policy({**TRUST, "Effect": "Deny"})
    doctor()
    assert doctor.of("role")[0] == ("error", "the trust policy of ecs-hooks-invoke denies ecs.amazonaws.com")

    account.trust = policy({**TRUST, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}})
    doctor()
    assert doctor.of("role")[0][0] == "unknown"


def test_the_role_is_unknown_without_permission(doctor: Doctor, account: Account) -> None:
    account.aws.error("GetRole", "AccessDenied", 403)
    account.aws.error("SimulatePrincipalPolicy", "AccessDenied", 403)
    doctor()

    assert doctor.of("role") == [
        ("unknown", "cannot determine whether ecs-hooks-invoke trusts ecs.amazonaws.com: iam:GetRole: AccessDenied"),
        (
            "unknown",
            "cannot determine whether ecs-hooks-invoke allows lambda:InvokeFunction: iam:SimulatePrincipalPolicy: AccessDenied",
        ),
    ]
    assert doctor.fix("iam:GetRole").startswith("allow iam:GetRole for the AWS credentials used here")


def test_lambda_invokefunction_is_simulated_for_the_function(doctor: Doctor, account: Account) -> None:
    doctor()

    call = account.aws.asked["SimulatePrincipalPolicy"][0]
    assert (call["PolicySourceArn"], call["ActionNames"], call["ResourceArns"]) == (
        INVOKE_ROLE,
        ["lambda:InvokeFunction"],
        [FUNCTION],
    )


def test_a_role_that_does_not_allow_the_invocation_is_an_error(doctor: Doctor, account: Account) -> None:
    account.deny("lambda:InvokeFunction")
    doctor()

    assert doctor.of("role") == [TRUSTS, ("error", "ecs-hooks-invoke does not allow lambda:InvokeFunction")]
    assert doctor.fix("does not allow") == f"add to a policy of the role: {STATEMENT}"


@pytest.mark.parametrize(
    ("statement", "level", "text"),
    [
        (INVOKE, "ok", "the function's resource policy allows lambda:InvokeFunction for ecs-hooks-invoke"),
        (
            {**INVOKE, "Principal": "*"},
            "ok",
            "the function's resource policy allows lambda:InvokeFunction for ecs-hooks-invoke",
        ),
        (
            {**INVOKE, "Principal": {"Service": ECS}},  # ECS invokes with the role, not as itself
            "error",
            "ecs-hooks-invoke does not allow lambda:InvokeFunction",
        ),
        (
            {**INVOKE, "Principal": {"AWS": "AROAOFADELETEDROLE"}},
            "error",
            "ecs-hooks-invoke does not allow lambda:InvokeFunction",
        ),
        (
            {**INVOKE, "Effect": "Deny"},
            "error",
            "the function's resource policy denies lambda:InvokeFunction for ecs-hooks-invoke",
        ),
        (
            {**INVOKE, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
            "unknown",
            "cannot determine whether ecs-hooks-invoke allows lambda:InvokeFunction: the function's resource policy has conditions",
        ),
    ],
)
def test_contract_6_the_resource_policy_may_allow_the_invocation(
    doctor: Doctor, account: Account, statement: dict[str, Any], level: str, text: str
) -> None:
    account.deny("lambda:InvokeFunction")
    account.invoke_policy(statement)
    doctor()

    assert doctor.of("role") == [TRUSTS, (level, text)]


def test_an_unreadable_resource_policy_is_unknown(doctor: Doctor, account: Account) -> None:
    account.deny("lambda:InvokeFunction")
    account.aws.error("GetPolicy", "AccessDeniedException", 403)
    doctor()
    assert doctor.of("role")[1][0] == "unknown"

    account.aws.answer("GetPolicy", {"Policy": "no json"})
    doctor()
    assert doctor.of("role")[1][0] == "unknown"


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


def test_every_action_of_the_checks_is_simulated(doctor: Doctor, account: Account) -> None:
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
    calls = [each for each in account.aws.asked["SimulatePrincipalPolicy"] if each["PolicySourceArn"] == FUNCTION_ROLE]
    assert {action: each["ResourceArns"] for each in calls for action in each["ActionNames"]} == {
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
    context = {each["ContextKeyName"]: each["ContextKeyValues"] for each in calls[0]["ContextEntries"]}
    assert context == {
        "aws:RequestedRegion": ["us-west-2"],
        "ecs:cluster": ["arn:aws:ecs:us-west-2:123456789012:cluster/my-cluster"],
        "ecs:service": [SERVICE],
    }


def test_a_missing_action_is_an_error_with_its_statement(doctor: Doctor, account: Account) -> None:
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


def test_a_missing_optional_action_is_a_warning(doctor: Doctor, account: Account) -> None:
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


def test_permissions_are_unknown_without_the_simulator(doctor: Doctor, account: Account) -> None:
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


def test_an_address_in_the_plan_or_the_environment_requires_no_action(doctor: Doctor, account: Account) -> None:
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


def test_an_unreadable_environment_is_unknown(doctor: Doctor, account: Account) -> None:
    account.function["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms"}}
    doctor()

    level, text = doctor.of("permissions")[0]
    assert level == "unknown"
    assert text.startswith("Lambda cannot decrypt the function's environment")


def test_a_logs_check_requires_awslogs(doctor: Doctor, account: Account) -> None:
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


def test_permissions_of_all_stages_are_one_finding(doctor: Doctor, account: Account) -> None:
    account.hook["lifecycleStages"] = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"]
    doctor()

    assert len(doctor.of("permissions")) == 1
    assert len(doctor.of("endpoint")) == 2
