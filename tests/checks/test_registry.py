"""What a new check needs besides its entry in CHECKS: each missing piece is named, with the place where it belongs."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

import ecs_hooks.checks
from ecs_hooks import Stage
from ecs_hooks.checks import CHECKS, HttpCheck, check_class
from ecs_hooks.core.event import LifecycleEvent
from ecs_hooks.deployment.actions import Serving, SharedActions
from ecs_hooks.deployment.green import EndpointConfig
from ecs_hooks.deployment.service_deployment import ServiceDeployment
from tests.checks.examples import EXAMPLES
from tests.checks.test_actions import LAYOUTS, serving
from tests.conftest import load_event
from tests.support.aws import AwsApi
from tests.template.test_template import allowed

ROOT = Path(__file__).parents[2]
INIT = Path(ecs_hooks.checks.__file__)
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCHEMA = json.loads((INIT.parents[1] / "plan.schema.json").read_text(encoding="utf-8"))
TYPED = (ROOT / "tests/typing/checks.py").read_text(encoding="utf-8")


def static_imports() -> set[str]:
    """Return the names that type checkers find in `ecs_hooks.checks`, as `module:name`."""
    blocks = (node for node in ast.parse(INIT.read_text(encoding="utf-8")).body if isinstance(node, ast.If))
    imports = (node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom))
    return {f"{node.module}:{alias.name}" for node in imports for alias in node.names}


def missing(kind: str) -> Iterator[str]:
    """Yield each piece that the check of a type lacks, and where to add it."""
    place, model = CHECKS[kind], check_class(kind)
    module, _, name = place.partition(":")
    init = "shared/ecs_hooks/checks/__init__.py"
    if place not in static_imports():
        yield f"{init}: add `from {module} import {name}` below `if TYPE_CHECKING`"
    if name not in ecs_hooks.checks.__all__:
        yield f'{init}: add "{name}" to __all__'
    field = model.model_fields["type"]
    if get_args(field.annotation) != (kind,) or field.default != kind:
        yield f'{module}: add the field `type: Literal["{kind}"] = "{kind}"` to {name}'
    if not vars(model).get("__doc__"):
        yield f"{module}: add a docstring to {name}; it is the description in the JSON Schema"
    if {"$ref": f"#/$defs/{name}"} not in SCHEMA["properties"]["checks"]["items"]["anyOf"]:
        yield f"shared/ecs_hooks/plan.schema.json: has no {name}; run `make schema`"
    if f"`{kind}`" not in README:
        yield f"README.md: add a row | `{kind}` | ... | ... | to the table of checks"
    if not any(case["type"] == kind for case in EXAMPLES):
        yield f'tests/checks/examples.py: add {{"type": "{kind}", ...}} to EXAMPLES, with all required fields'
    if not list((ROOT / "tests/checks").glob(f"test_{kind}.py")) + list(
        (ROOT / "tests/checks" / kind).glob("test_*.py")
    ):
        yield f"tests/checks/test_{kind}.py: add a test for each outcome"
    if not re.search(rf"\b{name}\(", TYPED):
        yield f"tests/typing/checks.py: add a call of {name}"


@pytest.mark.parametrize("kind", CHECKS)
def test_a_check_has_all_that_belongs_to_it(kind: str) -> None:
    assert "\n".join(missing(kind)) == ""


def test_each_missing_piece_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "new_check", "tests.checks.test_registry:NewCheck")

    assert list(missing("new_check")) == [
        "shared/ecs_hooks/checks/__init__.py: add `from tests.checks.test_registry import NewCheck` below `if TYPE_CHECKING`",
        'shared/ecs_hooks/checks/__init__.py: add "NewCheck" to __all__',
        'tests.checks.test_registry: add the field `type: Literal["new_check"] = "new_check"` to NewCheck',
        "tests.checks.test_registry: add a docstring to NewCheck; it is the description in the JSON Schema",
        "shared/ecs_hooks/plan.schema.json: has no NewCheck; run `make schema`",
        "README.md: add a row | `new_check` | ... | ... | to the table of checks",
        'tests/checks/examples.py: add {"type": "new_check", ...} to EXAMPLES, with all required fields',
        "tests/checks/test_new_check.py: add a test for each outcome",
        "tests/typing/checks.py: add a call of NewCheck",
    ]


class NewCheck(HttpCheck):
    pass


@pytest.mark.parametrize("kind", CHECKS)
def test_the_template_allows_the_actions_of_a_check_at_every_stage(aws: AwsApi, kind: str) -> None:
    checks = [check_class(kind).model_validate(case) for case in EXAMPLES if case["type"] == kind]
    for stage in Stage:
        in_role = allowed(stage)
        for layout in LAYOUTS.values():
            serving(aws, layout, stage)
            green = ServiceDeployment(LifecycleEvent.parse(load_event(lifecycleStage=stage))).green
            shared = SharedActions.of(
                EndpointConfig(), stage, Serving(green.load_balancing, green.port_names), os.environ
            )
            lacking = set().union(*(check.requirements().iam_actions(shared) for check in checks)) - in_role
            assert not lacking, f"template.yaml: allow {', '.join(sorted(lacking))} in the role for {stage}"


def test_type_checkers_and_programs_find_the_same_names() -> None:
    names = set(ecs_hooks.checks.__all__) - {"CHECKS", "check_class"}

    assert {each.partition(":")[2] for each in static_imports()} == names
    for module, _, name in (each.partition(":") for each in sorted(static_imports())):
        assert getattr(ecs_hooks.checks, name) is getattr(import_module(module), name)


def test_the_class_of_a_type_loads_on_first_use() -> None:
    assert check_class("http") is HttpCheck
    with pytest.raises(KeyError):
        check_class("nonsense")
    with pytest.raises(AttributeError, match=r"'ecs_hooks.checks' has no attribute 'Nonsense'"):
        _ = ecs_hooks.checks.Nonsense
