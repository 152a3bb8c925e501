from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.doctor.iam import Decision, decide
from tests.cli.account import FUNCTION, INVOKE_ROLE, TRUST, Account, policy
from tests.cli.conftest import Doctor

ECS = "ecs.amazonaws.com"
MAY = ("ok", "ecs-hooks-invoke allows lambda:InvokeFunction")
TRUSTS = ("ok", "ecs-hooks-invoke trusts ecs.amazonaws.com")
INVOKE: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": INVOKE_ROLE}, "Action": "lambda:InvokeFunction"}
STATEMENT = f'{{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "{FUNCTION}"}}'


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([TRUST], Decision.ALLOWED),
        ([{**TRUST, "Principal": {"Service": ["lambda.amazonaws.com", ECS]}}], Decision.ALLOWED),
        ([{**TRUST, "Action": ["sts:TagSession", "sts:*"]}], Decision.ALLOWED),
        ([{**TRUST, "Principal": "*"}], Decision.ALLOWED),
        ([{**TRUST, "Principal": {"AWS": "*"}}], Decision.NOT_ALLOWED),
        ([{**TRUST, "Principal": {"Service": "ecs-tasks.amazonaws.com"}}], Decision.NOT_ALLOWED),
        ([{**TRUST, "Action": "sts:TagSession"}], Decision.NOT_ALLOWED),
        ([{**TRUST, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}], Decision.UNDECIDED),
        ([TRUST, {**TRUST, "Effect": "Deny"}], Decision.DENIED),
        ([TRUST, {**TRUST, "Effect": "Deny", "Condition": {"Bool": {"a": "true"}}}], Decision.UNDECIDED),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "*"}], Decision.UNDECIDED),
        ([{"Effect": "Allow", "Principal": "*", "NotAction": "sts:TagSession"}], Decision.ALLOWED),
        ([{"Effect": "Allow", "Principal": "*", "NotAction": "sts:*"}], Decision.NOT_ALLOWED),
        (["nonsense"], Decision.NOT_ALLOWED),
        ([], Decision.NOT_ALLOWED),
    ],
)
def test_what_a_trust_policy_says(statements: list[Any], decision: Decision) -> None:
    assert decide(policy(*statements), "sts:AssumeRole", "Service", ECS) is decision


def test_a_statement_may_stand_alone() -> None:
    assert decide({"Statement": TRUST}, "sts:AssumeRole", "Service", ECS) is Decision.ALLOWED
    assert decide("nonsense", "sts:AssumeRole", "Service", ECS) is Decision.NOT_ALLOWED


def test_without_a_role(doctor: Doctor, account: Account) -> None:
    del account.hook["roleArn"]
    doctor()

    assert doctor.of("role") == [("error", "the hook has no roleArn: ECS cannot invoke the function")]


def test_a_role_that_is_not_there(doctor: Doctor, account: Account) -> None:
    account.aws.error("GetRole", "NoSuchEntity", 404)
    doctor()

    assert doctor.of("role") == [("error", "the role ecs-hooks-invoke does not exist")]
    assert doctor.status == 1


def test_another_role_of_the_same_name(doctor: Doctor, account: Account) -> None:
    account.role["Arn"] = other = "arn:aws:iam::123456789012:role/path/ecs-hooks-invoke"
    doctor()

    assert doctor.of("role") == [
        ("error", f"the role {INVOKE_ROLE} does not exist: the ARN of ecs-hooks-invoke is {other}")
    ]


def test_contract_6_the_trust_policy(doctor: Doctor, account: Account) -> None:
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


def test_what_the_caller_may_not_see_is_unknown(doctor: Doctor, account: Account) -> None:
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


def test_invoking_is_simulated_with_the_function(doctor: Doctor, account: Account) -> None:
    doctor()

    asked = account.aws.asked["SimulatePrincipalPolicy"][0]
    assert (asked["PolicySourceArn"], asked["ActionNames"], asked["ResourceArns"]) == (
        INVOKE_ROLE,
        ["lambda:InvokeFunction"],
        [FUNCTION],
    )


def test_a_role_that_may_not_invoke(doctor: Doctor, account: Account) -> None:
    account.deny("lambda:InvokeFunction")
    doctor()

    assert doctor.of("role") == [TRUSTS, ("error", "ecs-hooks-invoke does not allow lambda:InvokeFunction")]
    assert doctor.fix("does not allow") == f"add to a policy of the role: {STATEMENT}"


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        (
            {"decision": "explicitDeny"},
            "error",
            "one of its policies denies lambda:InvokeFunction for ecs-hooks-invoke",
        ),
        (
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            "error",
            "its permissions boundary denies lambda:InvokeFunction for ecs-hooks-invoke",
        ),
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "error",
            "a policy of the organization denies lambda:InvokeFunction for ecs-hooks-invoke",
        ),
        (
            {"MissingContextValues": ["aws:SourceVpc"]},
            "unknown",
            "cannot determine whether ecs-hooks-invoke allows lambda:InvokeFunction: a policy has conditions on aws:SourceVpc",
        ),
        (
            {"decision": "allowed", "MissingContextValues": ["aws:SourceVpc"]},
            "unknown",
            "cannot determine whether ecs-hooks-invoke allows lambda:InvokeFunction: a policy has conditions on aws:SourceVpc",
        ),
        (
            {
                "decision": "allowed",
                "ResourceSpecificResults": [
                    {"EvalResourceName": FUNCTION, "EvalResourceDecision": "explicitDeny"},
                ],
            },
            "error",
            "one of its policies denies lambda:InvokeFunction for ecs-hooks-invoke",
        ),
    ],
)
def test_what_the_simulator_says(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.deny("lambda:InvokeFunction", **fields)
    # Whatever the function's own policy allows, a denial stays one.
    account.invoke_policy(INVOKE)
    doctor()

    assert doctor.of("role") == [TRUSTS, (level, text)]


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
def test_contract_6_the_function_may_let_the_role_invoke_it(
    doctor: Doctor, account: Account, statement: dict[str, Any], level: str, text: str
) -> None:
    account.deny("lambda:InvokeFunction")
    account.invoke_policy(statement)
    doctor()

    assert doctor.of("role") == [TRUSTS, (level, text)]


def test_a_policy_of_the_function_that_may_not_be_seen(doctor: Doctor, account: Account) -> None:
    account.deny("lambda:InvokeFunction")
    account.aws.error("GetPolicy", "AccessDeniedException", 403)
    doctor()
    assert doctor.of("role")[1][0] == "unknown"

    account.aws.answer("GetPolicy", {"Policy": "no json"})
    doctor()
    assert doctor.of("role")[1][0] == "unknown"


def test_the_simulator_may_answer_in_pages(doctor: Doctor, account: Account) -> None:
    first = {"EvaluationResults": [], "IsTruncated": True, "Marker": "2"}
    invoke = {"EvalActionName": "lambda:InvokeFunction", "EvalDecision": "allowed"}
    account.aws.answer(
        "SimulatePrincipalPolicy",
        lambda asked: {"EvaluationResults": [invoke], "IsTruncated": False} if asked.get("Marker") else first,
    )
    doctor()
    assert doctor.of("role")[1] == MAY
    # Of what it says nothing of, nothing is known.
    assert {level for level, _ in doctor.of("permissions")} == {"unknown"}

    account.aws.answer("SimulatePrincipalPolicy", first)
    doctor()
    assert doctor.of("role")[1][0] == "unknown"
    account.aws.answer("SimulatePrincipalPolicy", {"EvaluationResults": [{**invoke, "EvalDecision": "maybe"}]})
    doctor()
    assert doctor.of("role")[1][0] == "unknown"
