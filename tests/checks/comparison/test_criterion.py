from __future__ import annotations

import pytest

from ecs_hooks.checks.comparison.criterion import Criterion


@pytest.mark.parametrize(
    ("text", "green", "blue", "held"),
    [
        ("< 600", 599.9, None, True),
        ("< 600", 600, None, False),
        ("<=600", 600, None, True),
        ("> 0.5", 0.5, None, False),
        (">= .5", 0.5, None, True),
        ("<= +10%", 1.1, 1.0, True),
        ("<= +10%", 1.11, 1.0, False),
        ("< +0%", 1.0, 1.0, False),
        (">= -5%", 95, 100, True),
        (">= -5%", 94, 100, False),
        ("<= +10%", -89, -100, False),
        ("<= +10%", -91, -100, True),
        ("<= +0.5", 1.5, 1.0, True),
        ("<= +0.5", 1.6, 1.0, False),
        (">= -0.5", 0.4, 1.0, False),
        ("<= +10%", 0.0, 0.0, True),
    ],
)
def test_a_criterion_is_fixed_or_relative_to_blue(text: str, green: float, blue: float | None, held: bool) -> None:
    assert Criterion.parse(text).holds(green, blue) is held


@pytest.mark.parametrize("text", ["", "600", "== 3", "< ", "< a", "<= 10 ms", "< 1e3", "< +-3", "=< 3", "< nan"])
def test_another_text_is_not_a_criterion(text: str) -> None:
    with pytest.raises(ValueError, match="'< 600', or relative to blue, '<= \\+10%'"):
        Criterion.parse(text)


def test_a_percentage_requires_a_sign() -> None:
    with pytest.raises(ValueError, match="requires a sign"):
        Criterion.parse("<= 10%")


def test_a_relative_limit_requires_a_value_of_blue() -> None:
    with pytest.raises(ValueError, match="blue has no value"):
        Criterion.parse("<= +10%").limit(None)
