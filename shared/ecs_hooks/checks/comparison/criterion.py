"""Criteria of service level objectives, fixed or relative to blue, in the form that Keptn made known: `< 600`, `<= +10%`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

_FORM = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Criterion(NamedTuple):
    """What a value of green has to be.

    Parameters
    ----------
    comparison
        `<`, `<=`, `>` or `>=`.
    number
        The limit; with its sign where it is relative.
    relative
        Whether the limit is counted from blue's value.
    percent
        Whether it is so many per cent of blue's value; else it is a difference, which of shares are percentage points.
    """

    comparison: str
    number: float
    relative: bool
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Criterion:
        """Read a criterion: `< 600` is fixed, `<= +10%` and `<= +0.5` are relative to blue.

        Raises
        ------
        ValueError
            If it is none; the message says how to write one.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(
                "a criterion is <, <=, > or >= and a limit: '< 600', or relative to blue '<= +10%' or '<= +0.5'"
            )
        comparison, sign, number, percent = match.groups()
        if percent and not sign:
            raise ValueError("a limit in per cent is relative to blue, and has a sign: '<= +10%', '>= -5%'")
        return cls(comparison, float(sign + number), bool(sign), bool(percent))

    def limit(self, blue: float | None) -> float:
        """Return the limit in the unit of the value.

        Raises
        ------
        ValueError
            If it hangs on a value of blue that is not there.
        """
        if not self.relative:
            return self.number
        if blue is None:
            raise ValueError("blue has no value")
        return blue + (abs(blue) * self.number / 100 if self.percent else self.number)

    def holds(self, green: float, blue: float | None) -> bool:
        """Return whether a value of green is as it has to be; see `limit`."""
        return _OPERATORS[self.comparison](green, self.limit(blue))


def _is_readable(text: str) -> str:
    Criterion.parse(text)
    return text


CriterionText = Annotated[str, Field(max_length=40), AfterValidator(_is_readable)]
"""A criterion as a plan has it."""
