from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.migrate.appspec import read_appspec
from tests.examples.layouts import EXAMPLES, stack
from tests.examples.test_cloudformation import mistakes
from tests.support.codedeploy_orders import FUNCTION_OF

FOLDER = EXAMPLES / "codedeploy"


def names(stack_name: str = "ecs-hooks") -> dict[str, str]:
    """Return what the functions of a stack are called where it serves CodeDeploy, by their stage's name."""
    functions = {
        name: each["Properties"]["FunctionName"]
        for name, each in stack()["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {
        name: called["Fn::If"][1]["Fn::Sub"].replace("${AWS::StackName}", stack_name)
        for name, called in functions.items()
        if "Fn::If" in called
    }


def read(name: str) -> Any:
    return cfn_yaml.load(str(FOLDER / name))


def test_the_appspec_of_a_service_names_the_function_of_each_lifecycle_event() -> None:
    spec = read_appspec((FOLDER / "appspec-ecs.yaml").read_text())

    assert {hook.event: hook.function for hook in spec.hooks} == {
        event: names()[function] for event, function in FUNCTION_OF.items()
    }


def test_the_appspec_of_a_function_names_those_that_codedeploy_has_for_it() -> None:
    spec = read("appspec-lambda.yaml")

    hooks = {event: name for hook in spec["Hooks"] for event, name in hook.items()}
    assert hooks == {event: names()[FUNCTION_OF[event]] for event in ("BeforeAllowTraffic", "AfterAllowTraffic")}
    assert set(hooks) <= set(STAGES)
    (resource,) = spec["Resources"]
    assert resource["orders"]["Type"] == "AWS::Lambda::Function"
    assert set(resource["orders"]["Properties"]) == {"Name", "Alias", "CurrentVersion", "TargetVersion"}


def test_cfn_lint_finds_nothing() -> None:
    assert mistakes(FOLDER / "lambda.yaml") == []


def test_the_hooks_of_the_sam_application_are_functions_of_the_stack() -> None:
    hooks = read("lambda.yaml")["Resources"]["Orders"]["Properties"]["DeploymentPreference"]["Hooks"]

    called = {event: name["Fn::Sub"].replace("${HooksStack}", "ecs-hooks") for event, name in hooks.items()}
    assert called == {
        "PreTraffic": names()[FUNCTION_OF["BeforeAllowTraffic"]],
        "PostTraffic": names()[FUNCTION_OF["AfterAllowTraffic"]],
    }


def test_the_plan_of_the_sam_application_is_one_and_is_where_the_hooks_look() -> None:
    template = read("lambda.yaml")
    parameter = template["Resources"]["Plan"]["Properties"]

    plan = Plan.parse(json.loads(parameter["Value"]))
    assert plan.explicit
    assert plan.checks
    assert plan.policies.timeout_minutes < 60
    prefix = stack()["Parameters"]["PlanParameterPrefix"]["Default"]
    assert re.fullmatch(
        rf"{prefix}/\$\{{ServerlessDeploymentApplication\}}/\$\{{OrdersDeploymentGroup\}}", parameter["Name"]["Fn::Sub"]
    )


@pytest.mark.parametrize("name", ["PreTraffic", "PostTraffic"])
def test_the_readme_explains_it(name: str) -> None:
    text = (FOLDER / "README.md").read_text()

    assert name in text
    assert all(path.name in text for path in FOLDER.iterdir())
