"""JSON as RFC 8259 defines it: one reader for every text that comes from outside, and the writer of its values.

Python's own reader accepts NaN and UTF-16, fails at integers of 4,300 digits, and overflows the stack at deep nesting.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, Self

MAX_DEPTH = 500
"""Levels of nesting. RFC 8259 allows a limit; the parser of Python 3.11 overflows the stack at twice as many."""

_MAX_DIGITS = 308
"""Characters of an integer that is certainly in the range of a double."""
_BOM = "\ufeff"
_WIDE = re.compile(rb"[\t\n\r -~]\0|\0(\0\0)?[\t\n\r -~]|\xff\xfe|(\0\0)?\xfe\xff")
"""How JSON in UTF-16 or UTF-32 begins: its first character is ASCII. Other bytes may be gzip, or an image."""
_MAX_SHOWN = 80
"""Characters of a number or key in a message."""


class JsonError(ValueError):
    """A text is not JSON, or not JSON that can be used.

    Parameters
    ----------
    problem
        The problem, after the subject, such as `is nested too deeply`; without values of the text, which may be secrets.
    is_syntax
        Whether the text is no JSON at all, such as HTML, so that the place is of little use.
    """

    def __init__(self, problem: str, *, is_syntax: bool = False) -> None:
        super().__init__(problem)
        self.is_syntax = is_syntax


class HugeNumber(float):
    """A number of JSON beyond the range of a double: as a float infinite, but with its digits, and compared by them.

    Parameters
    ----------
    text
        The number as in the JSON.
    """

    __slots__ = ("_exact", "text")

    def __new__(cls, text: str) -> Self:
        """Return the number in a text.

        Raises
        ------
        JsonError
            If its exponent has too many digits.
        """
        number = super().__new__(cls, "-inf" if text.startswith("-") else "inf")
        number.text = text
        try:
            number._exact = Decimal(text)
        except InvalidOperation:
            raise JsonError("has a number whose exponent is too large") from None
        return number

    text: str
    _exact: Decimal

    @property
    def parts(self) -> tuple[str, int]:
        """The digits with their sign and without zeros at the end, and the exponent: equal for equal numbers."""
        mantissa, _, exponent = f"{self._exact:e}".partition("e")
        digits = mantissa.replace(".", "").rstrip("0")
        return digits, int(exponent) + 1 - len(digits.lstrip("-"))

    def is_integer(self) -> bool:
        """Return whether the number has no fraction."""
        return self._exact == self._exact.to_integral_value()

    def __reduce__(self) -> tuple[type[HugeNumber], tuple[str]]:
        return HugeNumber, (self.text,)

    def __eq__(self, other: object) -> bool:
        return self._exact == _decimal(other) if isinstance(other, int | float) else NotImplemented

    def __ne__(self, other: object) -> bool:  # float has one of its own
        return not self == other

    def __hash__(self) -> int:
        return hash(self._exact)

    def __lt__(self, other: float) -> bool:
        return self._exact < _decimal(other)

    def __le__(self, other: float) -> bool:
        return self._exact <= _decimal(other)

    def __gt__(self, other: float) -> bool:
        return self._exact > _decimal(other)

    def __ge__(self, other: float) -> bool:
        return self._exact >= _decimal(other)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text if len(self.text) <= _MAX_SHOWN else f"{self.text[:_MAX_SHOWN]}..."

    def __format__(self, _: str) -> str:
        return repr(self)


def _decimal(number: float) -> Decimal:
    return number._exact if isinstance(number, HugeNumber) else Decimal(number)  # noqa: SLF001 - of this module


def has_bom(content: bytes) -> bool:
    """Return whether a text begins with a byte order mark, which RFC 8259 forbids to send and allows to ignore."""
    return content.startswith(codecs.BOM_UTF8)


def read_json(content: str | bytes, encoding: str = "utf-8", *, strict: bool = False) -> Any:
    """Return the value of a JSON text. The last of several members of one name counts, as in browsers.

    Parameters
    ----------
    content
        The text. A byte order mark before it is ignored.
    encoding
        The charset of bytes, by Python's name.
    strict
        Whether members of one name, and numbers beyond the range of a double, are refused, as in a plan: of two fields
        with one name, one would have no effect.

    Raises
    ------
    JsonError
        If it is not JSON, or is nested too deeply.
    """
    text = (content if isinstance(content, str) else _decoded(content, encoding)).removeprefix(_BOM)
    try:
        decoder = json.JSONDecoder(
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_with_unique_keys if strict else None,
        )
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise JsonError(f"is not JSON: {error.msg}, {place}", is_syntax=True) from None
    except RecursionError:
        raise JsonError("is nested too deeply") from None
    if strict:
        refuse_unportable(value)
    elif text.count("[") + text.count("{") > MAX_DEPTH:
        for _ in _levels(value):
            pass
    return value


def refuse_unportable(value: Any) -> None:
    """Refuse a value that another reader may not read.

    Parameters
    ----------
    value
        The value.

    Raises
    ------
    JsonError
        If it has more levels than `MAX_DEPTH`, or contains a number beyond the range of a double, or NaN.
    """
    for level in _levels(value):
        for each in level:
            if isinstance(each, HugeNumber):
                raise JsonError(f"has a number that is too large ({len(each.text)} characters)")
            if isinstance(each, float) and not math.isfinite(each):
                raise JsonError("has a number that JSON does not have, NaN or an infinite one")


def write_json(value: object, separators: tuple[str, str] = (",", ":")) -> str:
    """Return a value of JSON as a text in ASCII, with numbers as they were read.

    Parameters
    ----------
    value
        The value.
    separators
        Of items, and of names and values.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    try:
        return json.dumps(value, separators=separators, allow_nan=False)
    except ValueError:
        # json.dumps writes every float, also of a class of its own, as Python does.
        mark, numbers = secrets.token_hex(8), list[str]()
        text = json.dumps(_marked(value, mark, numbers), separators=separators, allow_nan=False)
    return re.sub(rf'"{mark}-([0-9]+)"', lambda found: numbers[int(found[1])], text)


def _marked(value: object, mark: str, numbers: list[str]) -> object:
    match value:
        case HugeNumber():
            numbers.append(value.text)
            return f"{mark}-{len(numbers) - 1}"
        case Mapping():
            return {name: _marked(inner, mark, numbers) for name, inner in value.items()}
        case list() | tuple():
            return [_marked(inner, mark, numbers) for inner in value]
        case _:
            return value


def _decoded(content: bytes, encoding: str) -> str:
    if has_bom(content):
        encoding = "utf-8"  # the mark itself says so, whatever the server declares
    elif encoding == "utf-8" and _WIDE.match(content):
        raise JsonError("is not JSON: it is UTF-16 or UTF-32, without a charset that says so")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise JsonError(f"is not JSON: its text is not {encoding.upper()}") from None


def _integer(text: str) -> int | HugeNumber:
    return int(text) if len(text) <= _MAX_DIGITS else HugeNumber(text)


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else HugeNumber(text)


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"is not JSON: {name} is not a number of JSON")


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise JsonError(f"has the key {twice[:_MAX_SHOWN]!r} twice in one object")
    return found


def _levels(value: Any) -> Iterator[list[Any]]:
    """Yield the values at each depth, the value itself first; raise JsonError if they are nested too deeply."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        yield level
        outer = [each for each in level if isinstance(each, dict | list)]
        if not outer:
            return
        level = [each for one in outer for each in (one.values() if isinstance(one, dict) else one)]
    raise JsonError("is nested too deeply")
