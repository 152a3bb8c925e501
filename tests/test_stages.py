from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from ecs_hooks import Stage
from ecs_hooks.stages import default_checks


@pytest.mark.parametrize("stage", list(Stage))
def test_each_function_runs_the_default_checks_of_its_stage(stage: Stage) -> None:
    handler = importlib.import_module(stage.lower()).lambda_handler

    assert handler._definition.stage == stage
    assert handler._definition.defaults == default_checks(stage)


def test_a_stage_that_is_not_known_has_no_default_checks() -> None:
    assert default_checks("POST_BAKE") == ()


@pytest.mark.parametrize("stage", list(Stage))
def test_the_readme_names_the_default_checks(stage: Stage) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (row,) = re.findall(rf"^\| {stage} \| `\w+` \| ([^|]*) \|", readme, re.MULTILINE)

    named = {"http" if name == "GET /" else name for name in re.findall(r"`([^`]*)`", row)}
    assert named == {check.type for check in default_checks(stage)}
