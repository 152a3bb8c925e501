"""Conditions for one value of a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from ecs_hooks.assertions.patterns import check_pattern, matches
from ecs_hooks.core.formatting import json_equal, json_type
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import FieldError


def _check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    from ecs_hooks.assertions.json_schema import check_schema  # noqa: PLC0415 - a plan without a schema need not load it

    return check_schema(schema)


class CapturedNumber(NamedTuple):
    """A number from a response that may be part of a text: `contains` uses its text there."""

    number: float
    text: str


def _number_or_json(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, CapturedNumber) else handler(value)


class Predicate(BaseModel):
    """Conditions for one value; all of those given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, populate_by_name=True)

    equals: JsonValue = None
    """The expected value, compared as JSON: 1 and 1.0 are equal, 1 and true or "1" are not."""
    not_equals: JsonValue = None
    """A value that is not allowed."""
    contains: Annotated[JsonValue, WrapValidator(_number_or_json)] = None
    """A part of a string, an item of an array, or a key of an object."""
    matches: Annotated[str, Field(max_length=1000), AfterValidator(check_pattern)] | None = None
    r"""A regular expression that matches somewhere in the string, in RE2's syntax: without look-around and back references;
    `\w`, `\d`, `\s` and `\b` are ASCII (`\p{L}` is any letter), and `$` accepts one final line feed."""
    exists: bool | None = None
    """Whether a value is required; `false`, which excludes all other conditions, allows none."""
    min: float | None = None
    """The smallest allowed number."""
    max: float | None = None
    """The largest allowed number."""
    in_: Annotated[tuple[JsonValue, ...], Field(min_length=1, max_length=1000)] | None = Field(default=None, alias="in")
    """The allowed values."""
    range: tuple[float, float] | None = None
    """The smallest and the largest allowed number."""
    type: Literal["string", "number", "integer", "boolean", "array", "object", "null"] | None = None
    """The JSON type; an integer is a number, too."""
    empty: bool | None = None
    """Whether a string, an array or an object is empty."""
    length: LiteralOrPredicate | None = None
    """The number of characters, items or keys of a string, an array or an object: a number, or a predicate."""
    json_schema: Annotated[dict[str, JsonValue], AfterValidator(_check_schema)] | None = None
    """A JSON Schema against which the value is valid."""
    not_: Predicate | None = Field(default=None, alias="not")
    """Conditions that do not all hold."""

    @model_validator(mode="after")
    def _has_conditions(self) -> Self:
        given = self.model_fields_set & Predicate.model_fields.keys()
        if not given:
            names = (info.alias or name for name, info in Predicate.model_fields.items())
            raise ValueError(f"requires at least one of {', '.join(names)}")
        for name in sorted(given - {"equals", "not_equals", "contains"}):
            if getattr(self, name) is None:
                raise ValueError(f"{name.rstrip('_')} must not be null")
        if self.exists is False and given != {"exists"}:
            raise FieldError("exists: false cannot be combined with other conditions")
        return self

    def problem_among(
        self, values: Sequence[Any], redactor: Redactor, *, shown: str | None = None, is_text: bool = False
    ) -> str | None:
        """Return what is wrong with the values at one place: at least one is required, and each must be as expected.

        The parameters are those of `problem`.
        """
        if not values:
            return None if self.exists is False else "is missing"
        for index, value in enumerate(values, start=1):
            problem = self.problem(value, redactor, shown=shown, is_text=is_text)
            if problem:
                return problem if len(values) == 1 else f"{problem} (value {index} of {len(values)})"
        return None

    def problem(
        self, actual: Any, redactor: Redactor, *, shown: str | None = None, is_text: bool = False
    ) -> str | None:
        """Return what is wrong with a value, such as `is 500, expected 200`; None if nothing is.

        Parameters
        ----------
        actual
            The value.
        redactor
            Masks the secrets.
        shown
            The text to show in place of a value that must not be shown.
        is_text
            Whether values arrive as text, such as headers, so that `min` and `max` read a number from it.
        """
        expected = next(self._unmet(actual, redactor, is_text=is_text), None)
        if expected is None:
            return None
        return f"is {redactor.show(actual) if shown is None else shown}, expected {expected}"

    def _unmet(self, actual: Any, redactor: Redactor, *, is_text: bool) -> Iterator[str]:
        """Yield each condition that does not hold, as reasons show it after `expected`."""
        given = self.model_fields_set
        if self.exists is False:
            yield "none"
        if "equals" in given and not json_equal(actual, self.equals):
            yield redactor.show(self.equals)
        if "not_equals" in given and json_equal(actual, self.not_equals):
            yield "anything else"
        if self.in_ is not None and not any(json_equal(actual, each) for each in self.in_):
            yield f"one of {', '.join(map(redactor.show, self.in_[:10]))}"
        if "contains" in given and not _contains(actual, self.contains):
            part = self.contains
            yield f"to contain {redactor.show(part.number if isinstance(part, CapturedNumber) else part)}"
        if self.matches is not None and not matches(self.matches, actual):
            yield f"to match {redactor.show(self.matches)}"
        yield from self._out_of_range(_number(actual, is_text=is_text))
        yield from self._wrong_structure(actual, redactor)
        if self.not_ is not None and self.not_.problem(actual, redactor, is_text=is_text) is None:
            yield "not to meet the conditions of `not`"

    def _out_of_range(self, number: float | None) -> Iterator[str]:
        low, high = self.range or (self.min, self.max)
        if low is None and high is None:
            return
        if number is None:
            yield "a number"
        # Written so that NaN is outside of every range.
        elif low is not None and not number >= low:
            yield f"at least {low:g}"
        elif high is not None and not number <= high:
            yield f"at most {high:g}"

    def _wrong_structure(self, actual: Any, redactor: Redactor) -> Iterator[str]:
        if self.type is not None and not _has_type(actual, self.type):
            yield f"type {self.type}"
        size = len(actual) if isinstance(actual, str | list | tuple | Mapping) else None
        if self.empty is not None and (size is None or (size == 0) is not self.empty):
            yield "to be empty" if self.empty else "not to be empty"
        if self.length is not None:
            problem = "has no length" if size is None else self.length.problem(size, redactor)
            if problem:
                yield f"another length: it {problem}"
        if self.json_schema is not None:
            from ecs_hooks.assertions.json_schema import violation  # noqa: PLC0415 - as above

            violated = violation(self.json_schema, actual)
            if violated is not None:
                yield f"to be valid against the schema, but {redactor.mask(violated)}"


def _contains(actual: Any, part: Any) -> bool:
    if isinstance(part, CapturedNumber):
        part = part.text if isinstance(actual, str) else part.number
    if isinstance(actual, str | Mapping):
        return isinstance(part, str) and part in actual
    return isinstance(actual, list) and any(json_equal(item, part) for item in actual)


def _number(actual: Any, *, is_text: bool) -> float | int | None:
    """Return a number, or the number in a value that arrived as text; None if there is none."""
    if isinstance(actual, int | float) and not isinstance(actual, bool):
        return actual
    try:
        return float(actual) if is_text and isinstance(actual, str) else None
    except ValueError:
        return None


def _has_type(actual: Any, name: str) -> bool:
    """Return whether a value has a JSON type; 1.0 is an integer, as in JSON Schema."""
    found = json_type(actual)
    return found == name or (
        (found, name) == ("number", "integer") and (isinstance(actual, int) or actual.is_integer())
    )


def _from_literal(value: Any) -> Any:
    return value if isinstance(value, Mapping | Predicate) else {"equals": value}


LiteralOrPredicate = Annotated[
    Predicate,
    BeforeValidator(_from_literal, json_schema_input_type=Predicate | str | int | float | bool | list[Any] | None),
]
"""A predicate, or a value that must be equal. To compare with an object, write `{"equals": {...}}`."""


class Condition(BaseModel):
    """Limits: the condition holds for a number beyond one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    above: float | None = None
    """Holds for a greater number."""
    below: float | None = None
    """Holds for a smaller number."""

    @model_validator(mode="after")
    def _has_a_limit(self) -> Condition:
        if self.above is None and self.below is None:
            raise ValueError("requires above, below or both")
        return self

    def holds(self, value: float) -> bool:
        """Return whether a number is beyond a limit."""
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)

    def limits(self, name: str) -> dict[str, float]:
        """Return the limits as evidence, beside the number of this name."""
        limits = {f"{name}_limit": self.above, f"{name}_lower_limit": self.below}
        return {key: limit for key, limit in limits.items() if limit is not None}

    def __str__(self) -> str:
        """Return the limits as reasons show them, such as `above 5 or below 1`."""
        limits = {"above": self.above, "below": self.below}
        return " or ".join(f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
