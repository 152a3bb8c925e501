"""Reads the AppSpec of a deployment by CodeDeploy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.core.formatting import nearest
from ecs_hooks_cli.migrate.place import Place, parsed

_HOOKS = "- AfterAllowTestTraffic: my-function"
_RESOURCE = "- TargetService: {Type: AWS::ECS::Service, Properties: {...}}"
_PROPERTIES = (
    "TaskDefinition",
    "LoadBalancerInfo",
    "PlatformVersion",
    "NetworkConfiguration",
    "CapacityProviderStrategy",
)


class HookOfAppSpec(NamedTuple):
    """A function that CodeDeploy invokes.

    Parameters
    ----------
    event
        The lifecycle event, such as `BeforeInstall`.
    function
        Name or ARN of the function.
    place
        Where the function stands.
    """

    event: str
    function: str
    place: Place


class AppSpec(NamedTuple):
    """The AppSpec of a deployment of an ECS service.

    Parameters
    ----------
    hooks
        Its functions, in the order of the file.
    container_name, container_port
        Where the load balancer sends traffic; None where nothing is said.
    fields
        What it says of the service besides, as UpdateService takes it.
    """

    hooks: tuple[HookOfAppSpec, ...]
    container_name: str | None
    container_port: int | None
    fields: Mapping[str, Any]


def read_appspec(text: str) -> AppSpec:
    """Return what an AppSpec says, in YAML or JSON.

    Raises
    ------
    DocumentError
        If it is none for an ECS service, or something in it is wrong.
    """
    root = parsed(text)
    example = "version: 0.0, Resources: [...], Hooks: [...]"
    _refuse_instances(root, root.fields(example=example))
    found = root.fields(("version", "Resources", "Hooks"), example=example)
    if "Resources" not in found:
        root.refuse(f"Resources is missing: it names the service, {_RESOURCE}")
    properties = _properties(found["Resources"])
    balancer = properties.get("LoadBalancerInfo")
    container = balancer.fields(("ContainerName", "ContainerPort"), example=_CONTAINER) if balancer else {}
    return AppSpec(
        tuple(_hooks(found["Hooks"])) if "Hooks" in found else (),
        container["ContainerName"].text() if "ContainerName" in container else None,
        container["ContainerPort"].number(1, 65_535) if "ContainerPort" in container else None,
        _service(properties),
    )


_CONTAINER = "{ContainerName: web, ContainerPort: 80}"


def _refuse_instances(root: Place, found: Mapping[str, Place]) -> None:
    for name in ("os", "files", "permissions"):
        if name in found:
            root.refuse(
                f"{name} is for deployments to instances, whose hooks are scripts; ECS has no counterpart for them"
            )


def _properties(resources: Place) -> dict[str, Place]:
    items = resources.items(example=_RESOURCE)
    if len(items) != 1:
        resources.refuse(f"must have one item, and has {len(items)}: {_RESOURCE}")
    targets = list(items[0].fields(example=_RESOURCE).values())
    if len(targets) != 1:
        items[0].refuse(f"must name one service: {_RESOURCE}")
    target = targets[0].fields(("Type", "Properties"), example="{Type: AWS::ECS::Service, Properties: {...}}")
    if "Type" not in target or "Properties" not in target:
        targets[0].refuse("Type and Properties are needed: {Type: AWS::ECS::Service, Properties: {...}}")
    kind = target["Type"].text()
    if kind == "AWS::Lambda::Function":
        target["Type"].refuse(
            "AWS::Lambda::Function stays with CodeDeploy: ECS deploys services only. The same functions serve there as hooks; "
            "see examples/codedeploy/appspec-lambda.yaml"
        )
    if kind != "AWS::ECS::Service":
        target["Type"].refuse("must be AWS::ECS::Service")
    return target["Properties"].fields(_PROPERTIES, example="{TaskDefinition: ..., LoadBalancerInfo: {...}}")


def _hooks(hooks: Place) -> list[HookOfAppSpec]:
    found: list[HookOfAppSpec] = []
    for item in hooks.items(example=_HOOKS):
        for name, place in item.fields(example=_HOOKS).items():
            event = {each.lower(): each for each in STAGES}.get(name.lower())
            if event is None:
                place.refuse(f"is no lifecycle event of ECS deployments{nearest(name, list(STAGES))}")
            found.append(HookOfAppSpec(event, place.text(), place))
    return found


def _service(properties: Mapping[str, Place]) -> dict[str, Any]:
    """Return what UpdateService has a field for."""
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


def _network(place: Place) -> dict[str, Any]:
    example = "{AwsvpcConfiguration: {Subnets: [subnet-1], SecurityGroups: [sg-1], AssignPublicIp: DISABLED}}"
    whole = place.fields(("AwsvpcConfiguration",), example=example)
    if "AwsvpcConfiguration" not in whole:
        place.refuse(f"AwsvpcConfiguration is missing: {example}")
    inner = whole["AwsvpcConfiguration"].fields(("Subnets", "SecurityGroups", "AssignPublicIp"), example=example)
    if "Subnets" not in inner:
        whole["AwsvpcConfiguration"].refuse("Subnets is missing: ECS needs at least one, such as Subnets: [subnet-1]")
    found: dict[str, Any] = {}
    for name, field in (("Subnets", "subnets"), ("SecurityGroups", "securityGroups")):
        if name in inner:
            found[field] = [each.text() for each in inner[name].items(example=f"{name}: [id]")]
    if "AssignPublicIp" in inner:
        found["assignPublicIp"] = inner["AssignPublicIp"].one_of("ENABLED", "DISABLED")
    return {"awsvpcConfiguration": found}


def _capacity(place: Place) -> dict[str, Any]:
    inner = place.fields(("CapacityProvider", "Base", "Weight"), example="{CapacityProvider: FARGATE, Weight: 1}")
    if "CapacityProvider" not in inner:
        place.refuse("CapacityProvider is missing, such as FARGATE")
    found: dict[str, Any] = {"capacityProvider": inner["CapacityProvider"].text()}
    for name, most in (("Base", 100_000), ("Weight", 1_000)):
        if name in inner:
            found[name.lower()] = inner[name].number(0, most)
    return found
