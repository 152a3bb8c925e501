from __future__ import annotations

import pytest

from ecs_hooks_simulator.aws.metric_math import MetricMathError, evaluate

SERIES = {"a": {0.0: 6.0, 60.0: 8.0, 120.0: 1.0}, "b": {0.0: 2.0, 120.0: 0.0}, "none": {}}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a", {0: 6, 60: 8, 120: 1}),
        ("a + b", {0: 8, 120: 1}),
        ("a / b", {0: 3}),
        ("-(a - 1) * 2", {0: -10, 60: -14, 120: 0}),
        ("b ^ 2", {0: 4, 120: 0}),
        ("FILL(b, 7)", {0: 2, 60: 7, 120: 0}),
        ("100 * FILL(none, 0) / a", {0: 0, 60: 0, 120: 0}),
        ("none", {}),
    ],
)
def test_expressions(expression: str, values: dict[float, float]) -> None:
    assert evaluate(expression, SERIES) == values


@pytest.mark.parametrize(
    "expression", ["c", "", "a; b", "a if b else c", "FILL(a, REPEAT)", "'a'", "~a", "a % b", "\0"]
)
def test_invalid_expressions_are_errors(expression: str) -> None:
    with pytest.raises(MetricMathError):
        evaluate(expression, SERIES)
