from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import ecs_hooks
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.schema import plan_schema, schema_text
from tests.conftest import load_event


def filtered(*filters: Any) -> dict[str, Any]:
    assertion = {"query": "jsonpath", "path": "$", "filters": list(filters), "equals": 1}
    return {"checks": [{"type": "http", "expect": {"asserts": [assertion]}}]}


GOOD = load_event("post_test_traffic_shift_hook_details")["hookDetails"]


def test_the_schema_is_the_one_that_is_shipped() -> None:
    shipped = Path(ecs_hooks.__file__).with_name("plan.schema.json").read_text()

    assert shipped == schema_text(), "run `make schema`"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("configuration", "valid"),
    [
        (GOOD, True),
        ({}, True),
        ({"checks": [], "mode": "observe"}, True),
        ({"checks": [{"type": "http", "json": {"a": 1}}]}, True),
        ({"mode": "x"}, False),
        (filtered("count", {"nth": 1}), True),
        (filtered("cuont"), False),
        ({"checks": [{"type": "http", "expect": {"asserts": [{"query": "header", "name": "A", "equals": 1}]}}]}, True),
        ({"checks": [{"type": "http", "expect": {"asserts": [{"query": "status", "name": "A", "equals": 1}]}}]}, False),
        ({"checks": [{"type": "http", "expect": {"asserts": [{"query": "header", "equals": 1}]}}]}, False),
        (filtered({"nth": "1"}), False),
        ({"checks": [{"type": "http", "pth": "/"}]}, False),
        ({"checks": [{"type": "ftp"}]}, False),
        ({"checks": {}}, False),
        ({"error_limit": 0}, False),
        ([], False),
    ],
)
def test_the_schema_takes_and_refuses_what_the_plan_does(
    validator: jsonschema.Draft202012Validator, configuration: Any, *, valid: bool
) -> None:
    assert validator.is_valid(configuration) is valid
    if valid:
        Plan.parse(configuration)
    else:
        with pytest.raises(PlanError):
            Plan.parse(configuration)


def test_the_schema_describes_its_fields() -> None:
    shown = json.loads(schema_text())

    described = [shown, *(each for each in shown["$defs"].values() if "properties" in each)]
    fields = {f"{each['title']}.{name}": field for each in described for name, field in each["properties"].items()}
    assert [name for name, field in fields.items() if "description" not in field] == []
