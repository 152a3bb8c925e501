"""What may be said about one value of a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from ecs_hooks.assertions.json_schema import check_schema, violation
from ecs_hooks.assertions.matching import contains, is_of_type, number, same
from ecs_hooks.assertions.patterns import check_pattern, matches
from ecs_hooks.core.redaction import Redactor

JsonType = Literal["string", "number", "integer", "boolean", "array", "object", "null"]


class Predicate(BaseModel):
    """Conditions for one value; all of those given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, populate_by_name=True)

    equals: JsonValue = None
    """The value, compared as JSON: 1 and 1.0 are equal, 1 and true or "1" are not."""
    not_equals: JsonValue = None
    """What it must not be."""
    contains: JsonValue = None
    """A part of it: of a text, an item of an array, or a key of an object."""
    matches: Annotated[str, Field(max_length=1000), AfterValidator(check_pattern)] | None = None
    r"""A regular expression that is found somewhere in the text, in the syntax of RE2: without look-around and back references;
    `\w`, `\d`, `\s` and `\b` are ASCII (`\p{L}` is every letter), and `$` accepts one final line feed."""
    exists: bool | None = None
    """Whether there has to be a value at all; `false` stands alone."""
    min: float | None = None
    """The smallest number."""
    max: float | None = None
    """The largest number."""
    in_: Annotated[tuple[JsonValue, ...], Field(min_length=1, max_length=1000)] | None = Field(default=None, alias="in")
    """The values, one of which it has to equal."""
    range: tuple[float, float] | None = None
    """The smallest and the largest number."""
    type: JsonType | None = None
    """What JSON calls its type; an integer is a number, too."""
    empty: bool | None = None
    """Whether a text, an array or an object has nothing in it."""
    length: LiteralOrPredicate | None = None
    """How many characters, items or keys a text, an array or an object has: a number, or a predicate."""
    json_schema: Annotated[dict[str, JsonValue], AfterValidator(check_schema)] | None = None
    """A JSON Schema that it is valid against."""
    not_: Predicate | None = Field(default=None, alias="not")
    """Conditions that must not all hold."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = self.model_fields_set & Predicate.model_fields.keys()
        if not given:
            names = (info.alias or name for name, info in Predicate.model_fields.items())
            message = f"needs at least one of {', '.join(names)}"
            raise ValueError(message)
        for name in given - {"equals", "not_equals", "contains"}:
            if getattr(self, name) is None:
                message = f"{name.rstrip('_')} must not be null"
                raise ValueError(message)
        if self.exists is False and given != {"exists"}:
            message = "exists: false can't stand with other conditions"
            raise ValueError(message)
        return self

    def problem_among(
        self, values: Sequence[Any], redactor: Redactor, *, shown: str | None = None, is_text: bool = False
    ) -> str | None:
        """Return what is wrong with the values that stand in one place; each must be as expected, and one must be there.

        Parameters are those of `problem`.
        """
        if not values:
            return None if self.exists is False else "is missing"
        for number_, value in enumerate(values, start=1):
            problem = self.problem(value, redactor, shown=shown, is_text=is_text)
            if problem:
                return problem if len(values) == 1 else f"{problem} (value {number_} of {len(values)})"
        return None

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
        expected = next(self._violated(actual, redactor, is_text=is_text), None)
        if expected is None:
            return None
        return f"is {redactor.show(actual) if shown is None else shown}, expected {expected}"

    def _violated(self, actual: Any, redactor: Redactor, *, is_text: bool) -> Iterator[str]:
        """Yield each condition that does not hold."""
        given = self.model_fields_set
        if self.exists is False:
            yield "none"
        if "equals" in given and not same(actual, self.equals):
            yield redactor.show(self.equals)
        if "not_equals" in given and same(actual, self.not_equals):
            yield "anything else"
        if self.in_ is not None and not any(same(actual, each) for each in self.in_):
            yield f"one of {', '.join(map(redactor.show, self.in_[:10]))}"
        if "contains" in given and not contains(actual, self.contains):
            yield f"to contain {redactor.show(self.contains)}"
        if self.matches is not None and not matches(self.matches, actual):
            yield f"to match {redactor.show(self.matches)}"
        yield from self._outside(number(actual, is_text=is_text))
        yield from self._wrong_in_kind(actual, redactor)
        if self.not_ is not None and self.not_.problem(actual, redactor, is_text=is_text) is None:
            yield "what `not` excludes not to hold"

    def _outside(self, found: float | None) -> Iterator[str]:
        low, high = self.range or (self.min, self.max)
        if low is None and high is None:
            return
        if found is None:
            yield "a number"
        # Written so that NaN is outside of every range.
        elif low is not None and not found >= low:
            yield f"at least {low:g}"
        elif high is not None and not found <= high:
            yield f"at most {high:g}"

    def _wrong_in_kind(self, actual: Any, redactor: Redactor) -> Iterator[str]:
        if self.type is not None and not is_of_type(actual, self.type):
            yield f"to be of the type {self.type}"
        size = len(actual) if isinstance(actual, str | list | tuple | Mapping) else None
        if self.empty is not None and (size is None or (size == 0) is not self.empty):
            yield "to be empty" if self.empty else "not to be empty"
        if self.length is not None:
            problem = "has no length" if size is None else self.length.problem(size, redactor)
            if problem:
                yield f"another length: it {problem}"
        if self.json_schema is not None:
            violated = violation(self.json_schema, actual)
            if violated is not None:
                yield f"to be valid against the schema, but {redactor.mask(violated)}"


def _from_literal(value: Any) -> Any:
    return value if isinstance(value, Mapping | Predicate) else {"equals": value}


LiteralOrPredicate = Annotated[
    Predicate,
    BeforeValidator(_from_literal, json_schema_input_type=Predicate | str | int | float | bool | list[Any] | None),
]
"""A predicate, or a value that must be equal. An object to be compared is written `{"equals": {...}}`."""
