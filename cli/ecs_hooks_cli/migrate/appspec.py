"""Reads the AppSpec of an ECS deployment by CodeDeploy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.formatting import nearest
from ecs_hooks_cli.migrate.document import Value, parse_document

_DOCUMENT = "version: 0.0, Resources: [...], Hooks: [...]"
_HOOKS = "- AfterAllowTestTraffic: my-function"
_TARGET = "{Type: AWS::ECS::Service, Properties: {...}}"
_RESOURCE = f"- TargetService: {_TARGET}"
_NETWORK = "{AwsvpcConfiguration: {Subnets: [subnet-1], SecurityGroups: [sg-1], AssignPublicIp: DISABLED}}"
_FOR_INSTANCES = ("os", "files", "permissions", "file_exists_behavior")
_PROPERTIES = (
    "TaskDefinition",
    "LoadBalancerInfo",
    "PlatformVersion",
    "NetworkConfiguration",
    "CapacityProviderStrategy",
)


class AppSpecHook(NamedTuple):
    """A function that CodeDeploy invokes.

    Parameters
    ----------
    event
        The lifecycle event, such as `BeforeInstall`.
    function
        Name or ARN of the function.
    value
        The place of the function in the document, for errors.
    """

    event: str
    function: str
    value: Value


class AppSpec(NamedTuple):
    """An AppSpec.

    Parameters
    ----------
    hooks
        Its functions, in the order of the document.
    container_name, container_port
        The target of the load balancer; None if not set.
    fields
        The other properties of the service, in the form of UpdateService.
    """

    hooks: tuple[AppSpecHook, ...]
    container_name: str | None
    container_port: int | None
    fields: Mapping[str, Any]


def read_appspec(text: str) -> AppSpec:
    """Return the AppSpec in a YAML or JSON document.

    Raises
    ------
    DocumentError
        If it is not valid, or not for an ECS service.
    """
    root = parse_document(text)
    instances = fields_for_instances(root)
    if instances and not any(name.lower() == "resources" for name in root.fields(example=_DOCUMENT)):
        root.fail(
            f"{instances[0]} is for deployments to instances, whose hooks are scripts; ECS has no counterpart for them"
        )
    found = root.fields(("version", "Resources", "Hooks"), example=_DOCUMENT, ignored=instances)
    if "Resources" not in found:
        root.fail(f"Resources is missing; add the service: {_RESOURCE}")
    properties = _properties(found["Resources"])
    container: Mapping[str, Value] = {}
    if "LoadBalancerInfo" in properties:
        names = ("ContainerName", "ContainerPort")
        container = properties["LoadBalancerInfo"].fields(names, example="{ContainerName: web, ContainerPort: 80}")
    return AppSpec(
        tuple(_hooks(found["Hooks"])) if "Hooks" in found else (),
        container["ContainerName"].text() if "ContainerName" in container else None,
        container["ContainerPort"].number(1, 65_535) if "ContainerPort" in container else None,
        _service(properties),
    )


def fields_for_instances(root: Value) -> list[str]:
    """Return the names of the fields for deployments to instances."""
    every = root.fields(example=_DOCUMENT)
    names = [name for name in every if name in _FOR_INSTANCES]
    if names and "hooks" in every and isinstance(every["hooks"].node, yaml.MappingNode):
        names.append("hooks")  # scripts by event; the functions of ECS are a list
    return names


def _properties(resources: Value) -> dict[str, Value]:
    items = resources.items(example=_RESOURCE)
    if len(items) != 1:
        resources.fail(f"must have one item, not {len(items)}: {_RESOURCE}")
    targets = list(items[0].fields(example=_RESOURCE).values())
    if len(targets) != 1:
        items[0].fail(f"must have one service, not {len(targets)}: {_RESOURCE}")
    target = targets[0].fields(("Type", "Properties"), example=_TARGET)
    if "Type" not in target or "Properties" not in target:
        targets[0].fail(f"Type and Properties are required: {_TARGET}")
    if target["Type"].text() == "AWS::Lambda::Function":
        target["Type"].fail(
            "AWS::Lambda::Function stays with CodeDeploy, because ECS deploys only services; the same functions are hooks "
            "of both, see examples/codedeploy/appspec-lambda.yaml"
        )
    target["Type"].one_of("AWS::ECS::Service")
    return target["Properties"].fields(_PROPERTIES, example="{TaskDefinition: ..., LoadBalancerInfo: {...}}")


def _hooks(hooks: Value) -> list[AppSpecHook]:
    found: list[AppSpecHook] = []
    for item in hooks.items(example=_HOOKS):
        for name, value in item.fields(example=_HOOKS).items():
            event = {each.lower(): each for each in STAGES}.get(name.lower())
            if event is None:
                value.fail(f"is not a lifecycle event of ECS deployments{nearest(name, list(STAGES))}")
            found.append(AppSpecHook(event, value.text(), value))
    return found


def _service(properties: Mapping[str, Value]) -> dict[str, Any]:
    """Return the properties that are fields of UpdateService, too."""
    fields: dict[str, Any] = {}
    if "PlatformVersion" in properties:
        fields["platformVersion"] = properties["PlatformVersion"].text()
    if "NetworkConfiguration" in properties:
        fields["networkConfiguration"] = _network(properties["NetworkConfiguration"])
    if "CapacityProviderStrategy" in properties:
        items = properties["CapacityProviderStrategy"].items(
            example="- {CapacityProvider: FARGATE, Base: 1, Weight: 1}"
        )
        fields["capacityProviderStrategy"] = [_capacity(each) for each in items]
    return fields


def _network(value: Value) -> dict[str, Any]:
    outer = value.fields(("AwsvpcConfiguration",), example=_NETWORK)
    if "AwsvpcConfiguration" not in outer:
        value.fail(f"AwsvpcConfiguration is missing: {_NETWORK}")
    inner = outer["AwsvpcConfiguration"].fields(("Subnets", "SecurityGroups", "AssignPublicIp"), example=_NETWORK)
    if "Subnets" not in inner:
        outer["AwsvpcConfiguration"].fail("Subnets is missing; set at least one, such as Subnets: [subnet-1]")
    found: dict[str, Any] = {}
    for name, field in (("Subnets", "subnets"), ("SecurityGroups", "securityGroups")):
        if name in inner:
            found[field] = [each.text() for each in inner[name].items(example=f"{name}: [id]")]
    if "AssignPublicIp" in inner:
        found["assignPublicIp"] = inner["AssignPublicIp"].one_of("ENABLED", "DISABLED")
    return {"awsvpcConfiguration": found}


def _capacity(value: Value) -> dict[str, Any]:
    fields = value.fields(("CapacityProvider", "Base", "Weight"), example="{CapacityProvider: FARGATE, Weight: 1}")
    if "CapacityProvider" not in fields:
        value.fail("CapacityProvider is missing; set it, such as FARGATE")
    found: dict[str, Any] = {"capacityProvider": fields["CapacityProvider"].text()}
    for name, most in (("Base", 100_000), ("Weight", 1_000)):
        if name in fields:
            found[name.lower()] = fields[name].number(0, most)
    return found
