from __future__ import annotations

from typing import Literal

import pytest
from pydantic import ValidationError

from ecs_hooks import checks
from ecs_hooks.checks import Check, CheckContext, HttpCheck, check_class
from ecs_hooks.core.outcome import Outcome
from tests.checks.asking import context


class Sums(Check):
    type: Literal["sums"] = "sums"
    left: int
    right: int

    def run(self, context: CheckContext) -> Outcome:
        return Outcome.passed(f"{self.left + self.right} at {context.green.base_url}")


def test_a_check_of_ones_own_is_fields_and_run() -> None:
    assert Sums(left=1, right=2).run(context("http://a")).reason == "3 at http://a"


def test_a_label_names_the_kind_and_the_check() -> None:
    assert Sums(left=1, right=2).label == "sums"
    assert Sums(left=1, right=2, name="easy").label == 'sums "easy"'


def test_a_check_takes_no_unknown_field() -> None:
    with pytest.raises(ValidationError):
        Sums.model_validate({"left": 1, "right": 2, "middle": 3})


def test_kinds_are_loaded_by_name() -> None:
    assert check_class("http") is HttpCheck
    with pytest.raises(KeyError):
        check_class("nonsense")
    with pytest.raises(AttributeError):
        _ = checks.Nonsense
