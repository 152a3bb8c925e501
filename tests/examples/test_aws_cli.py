from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.examples.layouts import EXAMPLES, LAYOUTS, Hook, assert_well_attached

ECS = botocore.session.get_session().get_service_model("ecs")


def example(layout: str) -> Any:
    return json.loads((EXAMPLES / "aws-cli" / f"{layout}.json").read_text())


def update(service: dict[str, Any]) -> dict[str, Any]:
    """Return what the jq command of examples/README.md makes of an input of create-service."""
    names = {"cluster": "cluster", "serviceName": "service"}
    kept = ("cluster", "serviceName", "loadBalancers", "serviceConnectConfiguration", "deploymentConfiguration")
    return {names.get(name, name): service[name] for name in kept if name in service}


def mistakes(operation: str, value: Any) -> list[str]:
    shape = ECS.operation_model(operation).input_shape
    report = ParamValidator().validate(value, shape).generate_report()
    return [*report.splitlines(), *wrong_enums(value, shape)]


def wrong_enums(value: Any, shape: Any) -> list[str]:
    """Botocore leaves enums to the service, so they are looked at here."""
    if shape.type_name == "structure" and not shape.is_document_type:
        return [
            line
            for name, each in value.items()
            if name in shape.members
            for line in wrong_enums(each, shape.members[name])
        ]
    if shape.type_name == "list":
        return [line for each in value for line in wrong_enums(each, shape.member)]
    known = getattr(shape, "enum", None)
    return [f"{value} is not one of {known}"] if known and value not in known else []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_create_service_takes_the_example(layout: str) -> None:
    assert mistakes("CreateService", example(layout)) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_update_service_takes_the_part_that_the_readme_takes_out(layout: str) -> None:
    assert mistakes("UpdateService", update(example(layout))) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_hooks_are_well_attached(layout: str) -> None:
    hooks = [
        Hook(
            function=hook["hookTargetArn"].rpartition("ecs-hooks-")[2],
            stages=hook["lifecycleStages"],
            details=hook["hookDetails"],
            timeout_in_minutes=hook["timeoutConfiguration"]["timeoutInMinutes"],
            action=hook["timeoutConfiguration"]["action"],
        )
        for hook in example(layout)["deploymentConfiguration"]["lifecycleHooks"]
    ]

    assert_well_attached(layout, hooks)


def test_the_check_sees_a_misspelt_field_and_a_wrong_stage() -> None:
    service = example("nlb")
    hook = service["deploymentConfiguration"]["lifecycleHooks"][0]
    hook["hookDetail"] = hook["hookDetails"]
    assert any("hookDetail" in line for line in mistakes("CreateService", service))

    del hook["hookDetail"]
    hook["lifecycleStages"] = ["BAKE_TIME"]
    assert any("BAKE_TIME" in line for line in mistakes("CreateService", service))
