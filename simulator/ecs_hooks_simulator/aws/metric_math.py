"""Metric math of CloudWatch: the operators, and FILL."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

Series = Mapping[float, float]
"""Datapoints: value by the second at which the period begins."""
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class MetricMathError(ValueError):
    """The expression is invalid or not supported; the message says why."""


def evaluate(expression: str, series: Mapping[str, Series]) -> Series:
    """Return the series that an expression makes of other series.

    The result has no datapoint where an operand has none, or is divided by zero. `FILL(id, number)` adds a datapoint at
    every time at which any of the series has one.

    Parameters
    ----------
    expression
        Such as `100 * FILL(errors, 0) / requests`.
    series
        Series by the id that the expression uses.

    Raises
    ------
    MetricMathError
        If the expression is invalid or not supported.
    """
    try:
        tree = ast.parse(expression.replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise MetricMathError("invalid syntax") from error
    _value(tree, series, 0.0)  # without datapoints, too, an expression that is not supported is an error
    stamps = sorted({stamp for each in series.values() for stamp in each})
    values = {stamp: _value(tree, series, stamp) for stamp in stamps}
    return {stamp: value for stamp, value in values.items() if value is not None}


def _value(node: ast.expr, series: Mapping[str, Series], stamp: float) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name) if name in series:
            return series[name].get(stamp)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combined(operator.sub, 0.0, _value(operand, series, stamp))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _combined(_OPERATORS[type(op)], _value(left, series, stamp), _value(right, series, stamp))
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as default)]):
            found = _value(filled, series, stamp)
            return float(default) if found is None else found
        case _:
            raise MetricMathError(f"{ast.unparse(node)} is not supported by the simulator; use + - * / ^, FILL and ids")


def _combined(function: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        return function(left, right)
    except ZeroDivisionError:
        return None
