"""What the README shows is valid, and all that there is stands in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.codedeploy.event import STAGES
from ecs_hooks.plan.model import Plan
from ecs_hooks.plan.schema import plan_schema
from tests.support.codedeploy_orders import FUNCTION_OF

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]
SCHEMA = jsonschema.Draft202012Validator(plan_schema())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.get("type", "plan"))
def test_every_example_is_a_plan_or_a_check_of_one(example: dict[str, Any]) -> None:
    plan = {"checks": [example], "timeout_minutes": 600} if "type" in example else example

    assert Plan.parse(plan).checks
    SCHEMA.validate(plan)


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_and_its_fields_are_explained(kind: str) -> None:
    fields = {info.alias or name for name, info in check_class(kind).model_fields.items()}
    named = set(re.findall(r"`([a-z_0-9]+)[`.\[]", TEXT))

    assert kind in named
    assert fields - {"type", "name"} <= named


def test_the_table_of_codedeploy_is_what_the_code_does() -> None:
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \| ([A-Z_]+) \| ([a-z, ]+) \|$", TEXT, re.MULTILINE)

    assert {event: (function, stage) for event, function, stage, _ in rows} == {
        event: (FUNCTION_OF[event], str(stage)) for event, stage in STAGES.items()
    }
