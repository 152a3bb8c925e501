"""What may be said about one value of a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from ecs_hooks.redact import Redactor

_REGEX_SECONDS = 1.0
"""Time for one regular expression on one value: some need longer than the age of the universe."""


class Predicate(BaseModel):
    """Conditions for one value; all of those given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    equals: JsonValue = None
    """The value, compared as JSON: 1 and 1.0 are equal, 1 and true or "1" are not."""
    not_equals: JsonValue = None
    """What it must not be."""
    contains: JsonValue = None
    """A part of it: of a text, an item of an array, or a key of an object."""
    matches: Annotated[str, Field(max_length=1000)] | None = None
    """A regular expression (of the Python package regex) that is found somewhere in the text."""
    exists: bool | None = None
    """Whether there has to be a value at all; `false` stands alone."""
    min: float | None = None
    """The smallest number."""
    max: float | None = None
    """The largest number."""

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            import regex  # noqa: PLC0415 - a plan without regular expressions need not load it

            try:
                regex.compile(pattern)
            except (regex.error, RecursionError, OverflowError) as error:
                message = f"is no valid regular expression: {getattr(error, 'msg', 'too large')}"
                raise ValueError(message) from None
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> Predicate:
        given = self.model_fields_set
        if not given:
            message = f"needs at least one of {', '.join(type(self).model_fields)}"
            raise ValueError(message)
        for name in given - {"equals", "not_equals", "contains"}:
            if getattr(self, name) is None:
                message = f"{name} must not be null"
                raise ValueError(message)
        if self.exists is False and given != {"exists"}:
            message = "exists: false can't stand with other conditions"
            raise ValueError(message)
        return self

    def problem(
        self, actual: Any, redactor: Redactor, *, shown: str | None = None, is_text: bool = False
    ) -> str | None:
        """Return what is wrong with a value, None where nothing is.

        Parameters
        ----------
        actual
            The value.
        redactor
            What knows the secrets.
        shown
            How to name the actual value where it must not be shown.
        is_text
            Whether the value came as text whatever it is, so that `min` and `max` read a number out of it.
        """
        expected = self._violated(actual, redactor, is_text=is_text)
        if expected is None:
            return None
        return f"is {redactor.show(actual) if shown is None else shown}, expected {expected}"

    def _violated(self, actual: Any, redactor: Redactor, *, is_text: bool) -> str | None:
        """Return the first condition that does not hold."""
        given = self.model_fields_set
        if self.exists is False:
            return "none"
        if "equals" in given and not same(actual, self.equals):
            return redactor.show(self.equals)
        if "not_equals" in given and same(actual, self.not_equals):
            return "anything else"
        if "contains" in given and not _contains(actual, self.contains):
            return f"to contain {redactor.show(self.contains)}"
        if self.matches is not None:
            slow = _mismatch(self.matches, actual)
            if slow is not None:
                return f"to match {redactor.show(self.matches)}{slow}"
        return self._outside(_number(actual, is_text=is_text))

    def _outside(self, number: float | None) -> str | None:
        if self.min is None and self.max is None:
            return None
        if number is None:
            return "a number"
        # Written so that NaN is outside of every range.
        if self.min is not None and not number >= self.min:
            return f"at least {self.min:g}"
        if self.max is not None and not number <= self.max:
            return f"at most {self.max:g}"
        return None


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal. For Python `True` is 1, for JSON it is not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _contains(actual: Any, part: Any) -> bool:
    match actual:
        case str():
            return isinstance(part, str) and part in actual
        case list():
            return any(same(item, part) for item in actual)
        case Mapping():
            return isinstance(part, str) and part in actual
        case _:
            return False


def _mismatch(pattern: str, actual: Any) -> str | None:
    """Return None where a pattern is found, else what to add to that."""
    if not isinstance(actual, str):
        return ""
    import regex  # noqa: PLC0415 - a plan without regular expressions need not load it

    try:
        return None if regex.search(pattern, actual, timeout=_REGEX_SECONDS, concurrent=True) else ""
    except TimeoutError:
        return f", which took longer than {_REGEX_SECONDS:g} s to find out"


def _number(actual: Any, *, is_text: bool) -> float | int | None:
    if isinstance(actual, bool):
        return None
    if isinstance(actual, int | float):
        return actual
    if is_text and isinstance(actual, str):
        try:
            return float(actual)
        except ValueError:
            return None
    return None


def _from_literal(value: Any) -> Any:
    return value if isinstance(value, Mapping | Predicate) else {"equals": value}


LiteralOrPredicate = Annotated[
    Predicate,
    BeforeValidator(_from_literal, json_schema_input_type=Predicate | str | int | float | bool | list[Any] | None),
]
"""A predicate, or a value that must be equal. An object to be compared is written `{"equals": {...}}`."""
