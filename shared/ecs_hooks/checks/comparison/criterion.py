"""The criteria of a comparison, in the notation of Keptn: `< 600`, `<= +10%`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

_CRITERION = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Criterion(NamedTuple):
    """A limit for a value of green, fixed or relative to blue's value, in the notation of Keptn: `< 600`, `<= +10%`."""

    comparison: str
    """`<`, `<=`, `>` or `>=`."""
    number: float
    """The limit, with a sign if it is relative."""
    relative: bool
    """Whether the limit is relative to blue's value."""
    percent: bool
    """Whether the limit is a percentage of blue's value; else it is a difference, in percentage points for percentages."""

    @classmethod
    def parse(cls, text: str) -> Criterion:
        """Return the criterion of a text: `< 600` is fixed, `<= +10%` and `<= +0.5` are relative to blue.

        Raises
        ------
        ValueError
            If the text is not a criterion; the message has the allowed forms.
        """
        match = _CRITERION.fullmatch(text)
        if match is None:
            raise ValueError("must be <, <=, > or >= and a limit: '< 600', or relative to blue, '<= +10%' or '<= +0.5'")
        comparison, sign, number, percent = match.groups()
        if percent and not sign:
            raise ValueError("a limit in percent is relative to blue and requires a sign: '<= +10%', '>= -5%'")
        return cls(comparison, float(sign + number), bool(sign), bool(percent))

    def limit(self, blue: float | None) -> float:
        """Return the limit in the unit of the value.

        Raises
        ------
        ValueError
            If the criterion is relative, and blue has no value.
        """
        if not self.relative:
            return self.number
        if blue is None:
            raise ValueError("blue has no value")
        return blue + (abs(blue) * self.number / 100 if self.percent else self.number)

    def holds(self, green: float, blue: float | None) -> bool:
        """Return whether a value of green meets the criterion; see `limit`."""
        return _OPERATORS[self.comparison](green, self.limit(blue))


def _check_criterion(text: str) -> str:
    Criterion.parse(text)
    return text


CriterionText = Annotated[str, Field(max_length=40), AfterValidator(_check_criterion)]
"""A criterion in a plan."""
