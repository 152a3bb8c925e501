from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.doctor.iam import Decision, decide
from tests.cli.account import FUNCTION, INVOKE_ROLE, SERVICE, TRUST, Account, policy
from tests.cli.conftest import Doctor

ECS = "ecs.amazonaws.com"
MAY = ("ok", "ecs-hooks-invoke allows lambda:InvokeFunction")
TRUSTS = ("ok", "ecs-hooks-invoke trusts ecs.amazonaws.com")
INVOKE: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": INVOKE_ROLE}, "Action": "lambda:InvokeFunction"}


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
def test_the_decision_of_a_trust_policy(statements: list[Any], decision: Decision) -> None:
    assert decide(policy(*statements), "sts:AssumeRole", "Service", ECS) is decision


def test_a_single_statement_needs_no_list() -> None:
    assert decide({"Statement": TRUST}, "sts:AssumeRole", "Service", ECS) is Decision.ALLOWED
    assert decide("nonsense", "sts:AssumeRole", "Service", ECS) is Decision.NOT_ALLOWED


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        (
            {"decision": "explicitDeny"},
            "error",
            "ecs-hooks-invoke does not allow lambda:InvokeFunction (one of its policies blocks it)",
        ),
        (
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            "error",
            "ecs-hooks-invoke does not allow lambda:InvokeFunction (its permissions boundary blocks it)",
        ),
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "error",
            "ecs-hooks-invoke does not allow lambda:InvokeFunction (a policy of the organization blocks it)",
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
            "ecs-hooks-invoke does not allow lambda:InvokeFunction (one of its policies blocks it)",
        ),
    ],
)
def test_the_decision_of_the_simulator_for_the_role(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.deny("lambda:InvokeFunction", **fields)
    # No resource policy overrides a denial.
    account.invoke_policy(INVOKE)
    doctor()

    assert doctor.of("role") == [TRUSTS, (level, text)]


def test_the_simulator_may_answer_in_pages(doctor: Doctor, account: Account) -> None:
    first = {"EvaluationResults": [], "IsTruncated": True, "Marker": "2"}
    invoke = {"EvalActionName": "lambda:InvokeFunction", "EvalDecision": "allowed"}
    account.aws.answer(
        "SimulatePrincipalPolicy",
        lambda request: {"EvaluationResults": [invoke], "IsTruncated": False} if request.get("Marker") else first,
    )
    doctor()
    assert doctor.of("role")[1] == MAY
    # An action without a result is unknown.
    assert {level for level, _ in doctor.of("permissions")} == {"unknown"}

    account.aws.answer("SimulatePrincipalPolicy", first)
    doctor()
    assert doctor.of("role")[1][0] == "unknown"
    account.aws.answer("SimulatePrincipalPolicy", {"EvaluationResults": [{**invoke, "EvalDecision": "maybe"}]})
    doctor()
    assert doctor.of("role")[1][0] == "unknown"


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
            "ecs-hooks-function does not allow elasticloadbalancing:DescribeRules (one of its policies blocks it), which",
        ),
        (
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "error",
            "ecs-hooks-function does not allow elasticloadbalancing:DescribeRules (a policy of the organization blocks it)",
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
def test_the_decision_of_the_simulator_for_the_function(
    doctor: Doctor, account: Account, fields: dict[str, Any], level: str, text: str
) -> None:
    account.deny("elasticloadbalancing:DescribeRules", **fields)
    doctor()

    found, said = doctor.of("permissions")[0]
    assert found == level
    assert said.startswith(text)
