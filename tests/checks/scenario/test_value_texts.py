from __future__ import annotations

import re

import pytest

from ecs_hooks.checks.scenario.value_texts import pattern_text, read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), ("-0.5e1", -5.0), ("05", None), ("inf", None), ("1_000", None), ("", None), (f"1e{'9' * 30}", None)],
)
def test_numbers_are_those_of_json(text: str, number: float | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["a.b", "(x|y)*", "1\n2", "\\d", "{5}"])
def test_a_text_in_a_pattern_matches_itself_alone(text: str) -> None:
    assert re.fullmatch(pattern_text(text), text)
    assert not re.fullmatch(pattern_text(text), f"{text}x")
