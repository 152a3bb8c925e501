"""What the stack has besides where the parameter CodeDeploy is true, and that nothing of it is there where it is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

import ecs_hooks.codedeploy
from tests.support.codedeploy_orders import FUNCTION_OF

ROOT = Path(__file__).resolve().parents[2]
WHOLE: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
VARIABLES = {
    "ECS_HOOKS_SCHEDULE_GROUP": {"Ref": "ScheduleGroup"},
    "ECS_HOOKS_SCHEDULE_ROLE": {"Fn::GetAtt": ["ScheduleRole", "Arn"]},
    "ECS_HOOKS_PLAN_PARAMETERS": {"Ref": "PlanParameterPrefix"},
}
_NOTHING = object()
_ACCOUNT = "${AWS::Region}:${AWS::AccountId}"


def resolved(value: Any, conditions: dict[str, bool]) -> Any:
    """Return a part of the template as it is under these conditions; others hold."""
    if isinstance(value, dict):
        if set(value) == {"Fn::If"}:
            name, yes, no = value["Fn::If"]
            return resolved(yes if conditions.get(name, True) else no, conditions)
        if value == {"Ref": "AWS::NoValue"}:
            return _NOTHING
        found = {name: resolved(each, conditions) for name, each in value.items()}
        return {name: each for name, each in found.items() if each is not _NOTHING}
    if isinstance(value, list):
        return [each for each in (resolved(each, conditions) for each in value) if each is not _NOTHING]
    return value


def stack(*, code_deploy: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the resources and the properties of all functions of a stack."""
    conditions = {"ServesCodeDeploy": code_deploy}
    there = {
        name: resource
        for name, resource in WHOLE["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }
    return resolved(there, conditions), resolved(WHOLE["Globals"]["Function"], conditions)


def functions(resources: dict[str, Any]) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::Serverless::Function"}


def statements(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    document = resources["AnswerCodeDeploy"]["Properties"]["PolicyDocument"]
    return {each["Sid"]: each for each in document["Statement"]}


def test_the_parameter_is_false_by_default_and_decides() -> None:
    assert WHOLE["Parameters"]["CodeDeploy"]["Default"] == "false"
    assert WHOLE["Parameters"]["CodeDeploy"]["AllowedValues"] == ["true", "false"]
    assert WHOLE["Conditions"]["ServesCodeDeploy"] == {"Fn::Equals": [{"Ref": "CodeDeploy"}, "true"]}


def test_nothing_of_it_is_there_where_it_is_false() -> None:
    resources, all_functions = stack(code_deploy=False)

    variables = all_functions["Environment"]["Variables"]
    assert {variables.pop(name) for name in VARIABLES} == {""}
    text = json.dumps([resources, all_functions])
    assert not re.search(r"code_?deploy|schedule|PlanParameterPrefix", text, re.IGNORECASE)
    names = {name: each["FunctionName"] for name, each in functions(resources).items()}
    assert names == {name: {"Fn::Sub": f"${{AWS::StackName}}-{name}"} for name in names}


def test_only_functions_of_a_lifecycle_event_have_the_name_and_the_policy() -> None:
    resources, _ = stack(code_deploy=True)

    names = {name: each["FunctionName"]["Fn::Sub"] for name, each in functions(resources).items()}
    assert {name for name, called in names.items() if called.startswith("CodeDeployHook_")} == set(FUNCTION_OF.values())
    assert all(
        called.endswith(f"${{AWS::StackName}}_{name}") for name, called in names.items() if name in FUNCTION_OF.values()
    )
    with_policy = {
        name.removesuffix("Role")
        for name, each in resources.items()
        if {"Ref": "AnswerCodeDeploy"} in each.get("Properties", {}).get("ManagedPolicyArns", [])
    }
    assert with_policy == set(FUNCTION_OF.values())


@pytest.mark.parametrize("name", FUNCTION_OF.values())
def test_the_description_says_how_long_the_name_of_the_stack_may_be(name: str) -> None:
    description = WHOLE["Parameters"]["CodeDeploy"]["Description"]
    with_it, otherwise = map(int, re.findall(r"\d+", description))

    assert len(f"CodeDeployHook_{'x' * with_it}_{name}") <= 64
    assert len(f"CodeDeployHook_{'x' * with_it}_PostProductionTrafficShift") == 64
    assert len(f"{'x' * otherwise}-PostProductionTrafficShift") == 64


def test_the_functions_know_group_role_and_plans() -> None:
    _, all_functions = stack(code_deploy=True)

    variables = all_functions["Environment"]["Variables"]
    assert {name: variables[name] for name in VARIABLES} == VARIABLES
    assert WHOLE["Parameters"]["PlanParameterPrefix"]["Default"] == "/ecs-hooks"


@pytest.mark.parametrize(
    ("prefix", "fits"), [("/ecs-hooks", True), ("/a/b.c_d", True), ("/", False), ("ecs", False), ("/a/", False)]
)
def test_the_prefix_of_parameters_makes_an_arn(prefix: str, *, fits: bool) -> None:
    assert bool(re.match(WHOLE["Parameters"]["PlanParameterPrefix"]["AllowedPattern"], prefix)) is fits


def test_what_a_function_may_besides_is_narrowed_wherever_iam_can() -> None:
    resources, _ = stack(code_deploy=True)
    found = {
        sid: (each["Action"], each["Resource"]["Fn::Sub"] if "Fn::Sub" in each["Resource"] else each["Resource"])
        for sid, each in statements(resources).items()
    }

    assert found == {
        "AnswerTheDeployment": (
            [
                "codedeploy:GetDeployment",
                "codedeploy:GetDeploymentGroup",
                "codedeploy:PutLifecycleEventHookExecutionStatus",
            ],
            f"arn:${{AWS::Partition}}:codedeploy:{_ACCOUNT}:deploymentgroup:*",
        ),
        # IAM knows no resources of these two.
        "ReadWhatHasNoArnToNarrow": (
            ["codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeploymentTargets"],
            "*",
        ),
        "KnowBlueAndGreen": ("ecs:DescribeTaskSets", f"arn:${{AWS::Partition}}:ecs:{_ACCOUNT}:task-set/*"),
        "ReadThePlan": (
            ["ssm:GetParameter", "ssm:GetParameters"],
            f"arn:${{AWS::Partition}}:ssm:{_ACCOUNT}:parameter${{PlanParameterPrefix}}/*",
        ),
        "ComeAgain": (
            ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"],
            f"arn:${{AWS::Partition}}:scheduler:{_ACCOUNT}:schedule/${{ScheduleGroup}}/*",
        ),
        "HaveTheSchedulerInvoke": ("iam:PassRole", {"Fn::GetAtt": ["ScheduleRole", "Arn"]}),
    }
    passing = statements(resources)["HaveTheSchedulerInvoke"]["Condition"]
    assert passing == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_it_is_what_the_code_names_and_nothing_else() -> None:
    resources, _ = stack(code_deploy=True)
    allowed: set[str] = set()
    for statement in statements(resources).values():
        action = statement["Action"]
        allowed |= {action} if isinstance(action, str) else set(action)
    sources = Path(ecs_hooks.codedeploy.__file__).parent.glob("*.py")
    named = {each for path in sources for each in re.findall(r'"([a-z]+:[A-Z]\w+)"', path.read_text())}

    # Scheduler asks for the one, and plans that are kept elsewhere are read by the other.
    assert allowed == named | {"iam:PassRole", "ssm:GetParameter"}


def test_only_schedules_of_the_group_take_the_role_which_may_only_invoke_these_functions() -> None:
    resources, _ = stack(code_deploy=True)
    role = resources["ScheduleRole"]["Properties"]

    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            "aws:SourceArn": {"Fn::GetAtt": ["ScheduleGroup", "Arn"]},
        }
    }
    (allowed,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert allowed["Action"] == "lambda:InvokeFunction"
    assert allowed["Resource"]["Fn::Sub"].endswith(":function:CodeDeployHook_${AWS::StackName}_*")


def test_sam_local_can_tell_names_and_variables_under_every_condition() -> None:
    all_functions = functions(WHOLE["Resources"])
    text = json.dumps(
        [*(each["FunctionName"] for each in all_functions.values()), WHOLE["Globals"]["Function"]["Environment"]]
    )

    assert len(all_functions) == 8
    assert "AWS::NoValue" not in text


def test_no_resource_waits_for_itself() -> None:
    resources, all_functions = stack(code_deploy=True)
    needs = {name: referred(each) & set(resources) for name, each in resources.items()}
    for name in functions(resources):
        needs[name] |= referred(all_functions) & set(resources)

    while needs:
        ready = {name for name, others in needs.items() if not others}
        assert ready, f"these wait for each other: {sorted(needs)}"
        needs = {name: others - ready for name, others in needs.items() if name not in ready}


def referred(value: Any) -> set[str]:
    """Return what a part of the template refers to."""
    if isinstance(value, list):
        return set().union(*map(referred, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found: set[str] = set().union(*map(referred, value.values())) if value else set()
    if "Ref" in value:
        found.add(str(value["Ref"]))
    if "Fn::GetAtt" in value:
        found.add(str(value["Fn::GetAtt"][0]))
    if "Fn::Sub" in value:
        found.update(re.findall(r"\$\{([A-Za-z]+)[.}]", value["Fn::Sub"]))
    return found
