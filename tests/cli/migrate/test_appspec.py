from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks_cli.migrate.appspec import read_appspec
from ecs_hooks_cli.migrate.document import DocumentError

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "codedeploy" / "appspec-ecs.yaml"
SERVICE = "Resources: [{TargetService: {Type: AWS::ECS::Service, Properties: {%s}}}]"


def problem(text: str) -> str:
    with pytest.raises(DocumentError) as raised:
        read_appspec(text)
    return str(raised.value)


def test_yaml_and_json_have_the_same_result() -> None:
    text = EXAMPLE.read_text()
    read = read_appspec(text)
    other = read_appspec(json.dumps(yaml.safe_load(text), indent="\t"))

    assert [(hook.event, hook.function) for hook in read.hooks] == [(hook.event, hook.function) for hook in other.hooks]
    assert [hook.event for hook in read.hooks] == list(STAGES)
    assert read[1:] == other[1:]
    assert (read.container_name, read.container_port) == ("app", 8080)
    assert read.fields == {
        "platformVersion": "LATEST",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                "securityGroups": ["sg-0123456789abcdef0"],
                "assignPublicIp": "DISABLED",
            }
        },
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
    }


def test_most_fields_are_optional() -> None:
    read = read_appspec(SERVICE % "NetworkConfiguration: {awsvpcConfiguration: {subnets: [subnet-1]}}")
    assert (read.hooks, read.container_name, read.container_port) == ((), None, None)
    assert read.fields == {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}

    read = read_appspec(
        SERVICE % "CapacityProviderStrategy: [{CapacityProvider: x}], LoadBalancerInfo: {}" + "\nHooks:"
    )
    assert read == ((), None, None, {"capacityProviderStrategy": [{"capacityProvider": "x"}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "line 1: must be an object"),
        ("version: 0.0\nos: linux\nfiles: []", "line 1: os is for deployments to instances, whose hooks are scripts"),
        ("version: 0.0", "line 1: Resources is missing"),
        ("Resources: []", "line 1: Resources: must have one item, not 0"),
        ("Resources: [{a: {}, b: {}}]", "line 1: Resources[0]: must have one service, not 2"),
        ("Resources: [{a: {Type: x}}]", "line 1: Resources[0].a: Type and Properties are required"),
        ("Resources: [{a: {Properties: {}}}]", "line 1: Resources[0].a: Type and Properties are required"),
        ("Resources: [{a: {Type: x, Properties: {}}}]", "line 1: Resources[0].a.Type: must be AWS::ECS::Service"),
        ("resource: []", "line 1: resource: unknown field; did you mean 'Resources'?"),
        (
            SERVICE % "TaskDefintion: x",
            "Properties.TaskDefintion: unknown field; did you mean 'TaskDefinition'?",
        ),
        (SERVICE % "LoadBalancerInfo: {ContainerPort: http}", "ContainerPort: must be an integer from 1 to 65535"),
        (SERVICE % "NetworkConfiguration: {}", "NetworkConfiguration: AwsvpcConfiguration is missing"),
        (SERVICE % "NetworkConfiguration: {AwsvpcConfiguration: {}}", "AwsvpcConfiguration: Subnets is missing"),
        (SERVICE % "CapacityProviderStrategy: [{Base: 1}]", "CapacityProviderStrategy[0]: CapacityProvider is missing"),
        (
            SERVICE % "CapacityProviderStrategy: [{CapacityProvider: x, Weight: 1001}]",
            "CapacityProviderStrategy[0].Weight: must be an integer from 0 to 1000",
        ),
        (
            SERVICE % "" + "\nHooks:\n  - AfterAllowTestTrafic: a",
            "line 3: Hooks[0].AfterAllowTestTrafic: is not a lifecycle event of ECS deployments; did you mean 'AfterAllowTestTraffic'?",
        ),
        (SERVICE % "" + "\nHooks: {AfterInstall: a}", "line 2: Hooks: must be a list, such as - AfterAllowTestTraffic"),
        (SERVICE % "" + "\nHooks: [{AfterInstall: }]", "line 2: Hooks[0].AfterInstall: is empty"),
    ],
)
def test_a_mistake_has_its_line_and_field(text: str, message: str) -> None:
    assert message in problem(text)
    assert problem(text).startswith("line ")


def test_an_appspec_of_a_function_is_refused() -> None:
    found = problem((EXAMPLE.parent / "appspec-lambda.yaml").read_text())

    assert found.startswith("line 6: Resources[0].orders.Type: AWS::Lambda::Function stays with CodeDeploy")
