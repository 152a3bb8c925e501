from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.plan import Plan
from ecs_hooks.schema import plan_schema

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
EXAMPLES: list[dict[str, Any]] = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.get("type", "plan"))
def test_an_example_is_a_plan_or_a_check_of_one(example: dict[str, Any]) -> None:
    plan = example if "checks" in example else {"checks": [example]}

    assert Plan.parse(plan).explicit
    jsonschema.validate(plan, plan_schema(), jsonschema.Draft202012Validator)


def test_every_kind_of_check_is_named() -> None:
    assert [kind for kind in CHECKS if f"`{kind}`" not in README] == []


def test_the_fields_of_a_load_are_all_named() -> None:
    section = README[README.index("**Warm-up traffic.**") : README.index("**Over time.**")]
    common = {"type", "name", "watch"}

    assert [name for name in check_class("load").model_fields if name not in common and f"`{name}" not in section] == []
