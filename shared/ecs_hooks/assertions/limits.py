"""Limits of a value: numbers, dates or texts."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainValidator

from ecs_hooks.assertions.dates import read_date
from ecs_hooks.assertions.numbers import at_most, plain, read_number
from ecs_hooks.core.formatting import json_type


def _check_number(value: Any) -> float:
    number = read_number(value) if isinstance(value, str) else None
    if number is not None:
        return plain(number)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {json_type(value)}")  # noqa: TRY004 - pydantic's
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _check_limit(value: Any) -> float | str:
    if isinstance(value, str) and read_number(value) is None:
        return value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return _check_number(value)
    raise ValueError(f"must be a number, a date or another text, not {json_type(value)}")


Number = Annotated[int | float, PlainValidator(_check_number, json_schema_input_type=float)]
"""A finite number. An integer stays one: a float has 53 bits."""

Limit = Annotated[int | float | str, PlainValidator(_check_limit, json_schema_input_type=float | str)]
"""A number, a date of RFC 3339, or another text. A text that is a number is one."""


def kind_of(limit: float | str) -> str:
    """Return the kind of values that a limit is for, such as `a number`."""
    if not isinstance(limit, str):
        return "a number"
    return "a string" if read_date(limit) is None else "a date"


def comparable(value: Any, kind: str, *, is_text: bool) -> Any:
    """Return a value as its limits of a kind compare it; None if it is of another kind.

    Parameters
    ----------
    value
        The value.
    kind
        That of the limits; see `kind_of`.
    is_text
        Whether values arrive as text, such as headers, so that numbers are read from it.
    """
    if kind == "a number":
        if isinstance(value, str):
            return read_number(value) if is_text else None
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
        return value if is_number else None
    if not isinstance(value, str):
        return None
    return value if kind == "a string" else read_date(value)


def is_ordered(low: Any, high: Any) -> bool:
    """Return whether a value is at most another one of the same kind. Texts are ordered by their code points."""
    if isinstance(low, str | datetime):
        return bool(low <= high)
    return at_most(low, high)
