"""Numbers in text, as JSON writes them, and their exact comparison."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""The grammar of JSON's numbers."""
_LARGE = 10**30
_MOST_DIGITS = 300


def read_number(text: str) -> Decimal | None:
    """Return the number that a text consists of, in JSON's grammar; None if it is not one (`inf`, `1_000`, `+1`, `0x10`).

    JSON's whitespace may be around it, such as the line feed at the end of a body.
    """
    text = text.strip(" \t\r\n")
    if not JSON_NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of 20 digits
        return None


def plain(number: Decimal) -> float:
    """Return a number as Python has it: an integer if it is one, else a float."""
    is_integer = abs(number.adjusted()) < _MOST_DIGITS and number == number.to_integral_value()
    return int(number) if is_integer else float(number)


def at_most(low: float | Decimal, high: float | Decimal) -> bool:
    """Return whether a number is at most another one, without rounding; false for NaN.

    A float beside a number of a text is the decimal that a plan has written: 0.1 is not 0.1000000000000000055.
    """
    if isinstance(low, float) and isinstance(high, Decimal):
        return Decimal(repr(low)) <= high
    if isinstance(high, float) and isinstance(low, Decimal):
        return low <= Decimal(repr(high))
    return low <= high


def show_number(number: float) -> str:
    """Return a number as reasons show it: all digits of an integer, unless there are too many."""
    if isinstance(number, float) and not number.is_integer():
        return f"{number:.15g}"
    return str(int(number)) if abs(number) < _LARGE else f"{Decimal(number):.3e}"
