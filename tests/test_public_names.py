"""The public face: every name in `__all__` is there, has a docstring, and a test of its type."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import ecs_hooks
import ecs_hooks.checks

MODULES = {"ecs_hooks.py": ecs_hooks, "checks.py": ecs_hooks.checks}
NAMES = [(typed, module, name) for typed, module in MODULES.items() for name in module.__all__]


@pytest.mark.parametrize(
    ("typed", "module", "name"), NAMES, ids=[f"{module.__name__}.{name}" for _, module, name in NAMES]
)
def test_a_public_name_has_a_docstring_and_a_typing_test(typed: str, module: ModuleType, name: str) -> None:
    value = getattr(module, name)

    assert value.__doc__
    assert re.search(rf"\b{name}\b", (Path(__file__).parent / "typing" / typed).read_text(encoding="utf-8"))
