from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import hcl2
import pytest
from hcl2.utils import SerializationOptions

from tests.examples.layouts import EXAMPLES, LAYOUTS, Hook, assert_well_attached, filled_in, stack

# Names of the provider's attributes and blocks, taken from its generated bindings: the provider itself is to be had from
# Terraform's registry only, so `terraform validate` can't run here.
SCHEMA = json.loads((EXAMPLES.parent / "tests" / "examples" / "terraform_schema.json").read_text())["blocks"]
META = {"lifecycle", "depends_on"}


class Block(NamedTuple):
    """A resource or a data source."""

    kind: str
    address: str
    body: dict[str, Any]


def parsed(layout: str) -> dict[str, Any]:
    text = (EXAMPLES / "terraform" / layout / "main.tf").read_text()
    return hcl2.loads(text, serialization_options=SerializationOptions(strip_string_quotes=True, with_comments=False))


def blocks(module: dict[str, Any]) -> Iterator[Block]:
    for prefix, group in (("", "resource"), ("data.", "data")):
        for each in module.get(group, []):
            for kind, named in each.items():
                for name, body in named.items():
                    yield Block(prefix + kind, f"{prefix}{kind}.{name}", body)


def local(module: dict[str, Any]) -> dict[str, Any]:
    return {name: value for each in module.get("locals", []) for name, value in each.items() if name != "__is_block__"}


def mistakes(body: dict[str, Any], schema: dict[str, Any], where: str) -> list[str]:
    """Return what the schema does not know, and what it misses."""
    found = [f"{where}: {name} is missing" for name in schema["required"] if name not in body]
    for name, value in body.items():
        if name == "__is_block__" or name in META:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict) and "__is_block__" in value[0]:
            inner = schema.get("blocks", {}).get(name)
            if inner is None:
                found.append(f"{where}: no block {name}")
            else:
                found += [line for each in value for line in mistakes(each, inner, f"{where}.{name}")]
        elif name not in [*schema["required"], *schema["optional"]]:
            found.append(f"{where}: no attribute {name}")
    return found


def references(value: Any) -> Iterator[str]:
    """Yield each `var.x`, `local.x`, `aws_lb.this.arn` and `data.aws_partition.this.partition`."""
    if isinstance(value, dict):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, str):
        for expression in re.findall(r"\$\{(.*)\}", value):
            yield from re.findall(r"\b(?:var|local|(?:data\.)?aws_\w+)\.[a-z_.]+", expression)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_provider_knows_every_attribute_and_misses_none(layout: str) -> None:
    found = [line for each in blocks(parsed(layout)) for line in mistakes(each.body, SCHEMA[each.kind], each.address)]

    assert found == []


def test_the_check_would_see_a_misspelt_attribute_block_and_a_missing_one() -> None:
    (service,) = [each.body for each in blocks(parsed("nlb")) if each.kind == "aws_ecs_service"]
    hook = service["deployment_configuration"][0]["lifecycle_hook"][0]
    hook["hook_detail"] = hook.pop("hook_details")
    hook["timeout_config"] = hook.pop("timeout_configuration")
    del hook["lifecycle_stages"]

    assert mistakes(service, SCHEMA["aws_ecs_service"], "service") == [
        "service.deployment_configuration.lifecycle_hook: lifecycle_stages is missing",
        "service.deployment_configuration.lifecycle_hook: no attribute hook_detail",
        "service.deployment_configuration.lifecycle_hook: no block timeout_config",
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whatever_is_referred_to_exists_and_every_variable_is_used(layout: str) -> None:
    module = parsed(layout)
    variables = {f"var.{name}" for each in module["variable"] for name in each}
    known = {each.address: SCHEMA[each.kind] for each in blocks(module)}
    used = set(references(module))

    assert {each for each in used if each.startswith("var.")} == variables
    for each in used - variables:
        if each.startswith("local."):
            assert each.removeprefix("local.") in local(module)
        elif each not in known:  # depends_on names no attribute
            address, _, attribute = each.rpartition(".")
            assert attribute in [
                name for group in ("required", "optional", "exported") for name in known[address].get(group, [])
            ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_terraform_leaves_alone_what_ecs_changes(layout: str) -> None:
    module = parsed(layout)
    bodies = {f"{each.address}.arn": each.body for each in blocks(module)}
    (service,) = [each.body for each in blocks(module) if each.kind == "aws_ecs_service"]
    for balancer in service.get("load_balancer", []):
        (advanced,) = balancer["advanced_configuration"]
        for name in ("production_listener_rule", "test_listener_rule"):
            changed = bodies[advanced[name].strip("${}")]
            (lifecycle,) = changed["lifecycle"]
            assert lifecycle["ignore_changes"] == ["default_action" if layout == "nlb" else "action"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_hooks_are_well_attached(layout: str) -> None:
    module = parsed(layout)
    outputs = stack()["Outputs"]
    (service,) = [each.body for each in blocks(module) if each.kind == "aws_ecs_service"]
    hooks = []
    for hook in service["deployment_configuration"][0]["lifecycle_hook"]:
        function, role = (re.findall(r'outputs\["(\w+)"\]', hook[name])[0] for name in ("hook_target_arn", "role_arn"))
        assert {function, role} <= set(outputs)
        assert role == "InvokeRoleArn"
        (plan,) = re.findall(r"^\$\{jsonencode\(local\.(\w+)\)\}$", hook["hook_details"])
        details = json.loads(json.dumps(local(module)[plan]))
        base_url = details["base_url"]
        details["base_url"] = filled_in(local(module)["base_url"] if base_url == "${local.base_url}" else base_url)
        (timeout,) = hook["timeout_configuration"]
        hooks.append(
            Hook(
                function=function.removesuffix("Arn"),
                stages=hook["lifecycle_stages"],
                details=details,
                timeout_in_minutes=timeout["timeout_in_minutes"],
                action=timeout["action"],
            )
        )

    assert_well_attached(layout, hooks)
