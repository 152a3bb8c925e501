"""What the README shows is valid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks.checks import CHECKS, check_class
from ecs_hooks.plan import Plan

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_plan_or_check_is_valid(example: dict[str, Any]) -> None:
    if "type" in example:
        example = {"checks": [example], "timeout_minutes": 600}
    assert Plan.parse(example).checks


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_and_its_fields_are_explained(kind: str) -> None:
    model = check_class(kind)
    named = set(re.findall(r"`([a-z_0-9]+)[`.\[]", TEXT))

    assert kind in named
    common = {"type", "name"}
    assert {info.alias or name for name, info in model.model_fields.items()} - common <= named
