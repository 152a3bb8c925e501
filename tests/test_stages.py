from __future__ import annotations

import importlib

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
