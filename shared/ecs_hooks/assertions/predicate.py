"""Conditions for one value of a response.

A condition holds, does not hold, or does not fit: `matches` requires a string. A value that does not fit fails the condition
and its negation (`not`), so that `{"not": {"matches": "5.."}}` does not pass for the number 500.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from ecs_hooks.assertions.formats import FORMATS
from ecs_hooks.assertions.limits import Limit, Number, comparable, is_ordered, kind_of
from ecs_hooks.assertions.numbers import at_most, read_number, show_number
from ecs_hooks.assertions.patterns import check_pattern, matches
from ecs_hooks.core.formatting import json_equal, json_type
from ecs_hooks.core.plan_model import PlanModel
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


_SHOWN_TYPES = {
    "null": "null",
    "string": "a string; write the number without quotes",
    "array": "an array",
    "object": "an object",
}


class _Failure(NamedTuple):
    """A condition that does not hold."""

    expected: str
    """The condition, as reasons show it after `expected`."""
    required: str = ""
    """The type of values that it is for, such as `a string`, if the value does not fit; else empty."""


class Predicate(PlanModel):
    """Conditions for one value; all of those given must hold."""

    model_config = ConfigDict(populate_by_name=True)

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
    min: Limit | None = None
    """The smallest allowed number; or the earliest date (of RFC 3339; the value may also have HTTP's format), or the first
    text in the order of the characters."""
    max: Limit | None = None
    """The largest allowed number, the latest date, or the last text."""
    in_: Annotated[tuple[JsonValue, ...], Field(min_length=1, max_length=1000)] | None = Field(default=None, alias="in")
    """The allowed values."""
    range: tuple[Limit, Limit] | None = None
    """The smallest and the largest allowed number, date or text."""
    type: Literal["string", "number", "integer", "boolean", "array", "object", "null"] | None = None
    """The JSON type; an integer is a number, too."""
    empty: bool | None = None
    """Whether a string, an array or an object is empty."""
    length: LiteralOrPredicate | None = None
    """The number of characters, items or keys of a string, an array or an object: a number, or a predicate."""
    is_uuid: bool | None = None
    """Whether a string is a UUID."""
    is_iso_date: bool | None = None
    """Whether a string is a date with time and offset (RFC 3339), such as `2026-12-01T03:00:00Z`."""
    is_ipv4: bool | None = None
    """Whether a string is an IPv4 address."""
    is_ipv6: bool | None = None
    """Whether a string is an IPv6 address."""
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
        if len({kind_of(each) for each in self._limits if each is not None}) > 1:
            raise ValueError("has limits of different types; write numbers, dates or other texts")
        if _is_reversed(*self._limits):
            raise ValueError("has a smallest value above the largest one, so that no value is within the limits")
        if self.length is not None:
            self.length.check_numeric("length")
        return self

    @property
    def _limits(self) -> tuple[float | str | None, float | str | None]:
        return self.range or (self.min, self.max)

    def check_numeric(self, what: str) -> None:
        """Raise ValueError if a value to compare with is not a number: every number would be different from it."""
        given = [getattr(self, name) for name in ("equals", "not_equals") if name in self.model_fields_set]
        for each in (*given, *(self.in_ or ())):
            # Variables have their values later, and the predicate is validated again then. A captured boolean is no mistake.
            if json_type(each) not in {"number", "boolean"} and not (isinstance(each, str) and "{{" in each):
                raise ValueError(f"{what} is a number, so it cannot be compared with {_SHOWN_TYPES[json_type(each)]}")
        if self.not_ is not None:
            self.not_.check_numeric(what)

    @property
    def allows_none(self) -> bool:
        """Whether the conditions require that there is no value: `exists: false`, or `not` with `exists: true`."""
        return self.exists is False or (
            self.not_ is not None
            and self.model_fields_set == {"not_"}
            and self.not_.exists is True
            and self.not_.model_fields_set == {"exists"}
        )

    @property
    def is_about_existence(self) -> bool:
        """Whether `exists` is one of the conditions, for which an empty body counts as missing."""
        return self.exists is not None or self.allows_none

    def problem_among(
        self, values: Sequence[Any], redactor: Redactor, *, shown: str | None = None, is_text: bool = False
    ) -> str | None:
        """Return what is wrong with the values at one place: at least one is required, and each must be as expected.

        The parameters are those of `problem`.
        """
        if not values:
            return None if self.allows_none else "is missing"
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
        failure = next(self._failures(actual, redactor, is_text=is_text), None)
        if failure is None:
            return None
        return f"is {redactor.show(actual) if shown is None else shown}, expected {failure.expected}"

    def _failures(self, actual: Any, redactor: Redactor, *, is_text: bool) -> Iterator[_Failure]:
        """Yield each condition that does not hold."""
        if self.exists is False:
            yield _Failure("none")
        yield from self._unequal(actual, redactor, is_text=is_text)
        yield from self._wrong_string(actual, redactor)
        yield from self._out_of_range(actual, redactor, is_text=is_text)
        yield from self._wrong_structure(actual, redactor)
        if self.not_ is not None:
            failures = list(self.not_._failures(actual, redactor, is_text=is_text))  # noqa: SLF001 - of this class
            required = next((each.required for each in failures if each.required), "")
            if required:
                yield _Failure(f"{required}, which the conditions of `not` require", required)
            elif not failures:
                yield _Failure("not to meet the conditions of `not`")

    def _unequal(self, actual: Any, redactor: Redactor, *, is_text: bool) -> Iterator[_Failure]:
        given = self.model_fields_set
        if "equals" in given and not json_equal(actual, self.equals):
            required = _type_of(self.equals) if is_text and _is_text_of(actual, self.equals) else ""
            yield _Failure(redactor.show(self.equals), required)
        if "not_equals" in given:
            if json_equal(actual, self.not_equals):
                yield _Failure("anything else")
            elif is_text and _is_text_of(actual, self.not_equals):
                text = redactor.show(json.dumps(self.not_equals) if isinstance(actual, str) else actual)
                kind = "text" if isinstance(actual, str) else f"a {json_type(actual)}"
                yield _Failure(f"anything else; the value is {kind}, so write {text}", _type_of(self.not_equals))
        if self.in_ is not None and not any(json_equal(actual, each) for each in self.in_):
            alike = [_type_of(each) for each in self.in_ if is_text and _is_text_of(actual, each)]
            required = alike[0] if alike else ""
            yield _Failure(f"one of {', '.join(map(redactor.show, self.in_[:10]))}", required)

    def _wrong_string(self, actual: Any, redactor: Redactor) -> Iterator[_Failure]:
        if "contains" in self.model_fields_set and not _contains(actual, self.contains):
            part = self.contains
            shown = redactor.show(part.number if isinstance(part, CapturedNumber) else part)
            yield _Failure(f"to contain {shown}", _container(actual, part))
        is_string = isinstance(actual, str)
        if self.matches is not None and not matches(self.matches, actual):
            yield _Failure(f"to match {redactor.show(self.matches)}", "" if is_string else "a string")
        for name, (noun, is_valid) in FORMATS.items():
            wanted = getattr(self, name)
            if wanted is not None and not (is_string and is_valid(actual) is wanted):
                negation = "" if wanted else "a string other than "
                yield _Failure(f"{negation}{noun}", "" if is_string else "a string")

    def _out_of_range(self, actual: Any, redactor: Redactor, *, is_text: bool) -> Iterator[_Failure]:
        low, high = self._limits
        kinds = [kind_of(each) for each in (low, high) if each is not None]
        if not kinds:
            return
        value = comparable(actual, kinds[0], is_text=is_text)
        bounds = [None if each is None else comparable(each, kinds[0], is_text=False) for each in (low, high)]
        if value is None:
            is_nan = isinstance(actual, float) and math.isnan(actual)
            least, limit = ("at most", high) if low is None else ("at least", low)
            text = f"{least} {self._show(limit, redactor)}" if is_nan else kinds[0]
            yield _Failure(text, kinds[0])
        elif bounds[0] is not None and not is_ordered(bounds[0], value):
            yield _Failure(f"at least {self._show(low, redactor)}")
        elif bounds[1] is not None and not is_ordered(value, bounds[1]):
            yield _Failure(f"at most {self._show(high, redactor)}")

    @staticmethod
    def _show(limit: float | str | None, redactor: Redactor) -> str:
        return redactor.show(limit) if isinstance(limit, str) else show_number(limit or 0)

    @staticmethod
    def _wrong_length(length: Predicate, size: int | None, required: str, redactor: Redactor) -> Iterator[_Failure]:
        if size is None:
            yield _Failure("another length: it has no length", required)
            return
        for each in length._failures(size, redactor, is_text=False):
            yield _Failure(f"another length: it is {size}, expected {each.expected}", each.required)

    def _wrong_structure(self, actual: Any, redactor: Redactor) -> Iterator[_Failure]:
        if self.type is not None and not _has_type(actual, self.type):
            yield _Failure(f"type {self.type}")
        size = len(actual) if isinstance(actual, str | list | tuple | Mapping) else None
        required = "" if size is not None else "a string, an array or an object"
        if self.empty is not None and (size is None or (size == 0) is not self.empty):
            yield _Failure("to be empty" if self.empty else "not to be empty", required)
        if self.length is not None:
            yield from self._wrong_length(self.length, size, required, redactor)
        if self.json_schema is not None:
            from ecs_hooks.assertions.json_schema import Undecided, violation  # noqa: PLC0415 - as above

            violated = violation(self.json_schema, actual)
            if violated is not None:
                required = "a value that can be validated" if isinstance(violated, Undecided) else ""
                yield _Failure(f"to be valid against the schema, but {redactor.mask(violated)}", required)


def _is_reversed(low: float | str | None, high: float | str | None) -> bool:
    """Return whether no value is within two limits of one kind."""
    if low is None or high is None or any(isinstance(each, str) and "{{" in each for each in (low, high)):
        return False
    kind = kind_of(low)
    return not is_ordered(comparable(low, kind, is_text=False), comparable(high, kind, is_text=False))


def _contains(actual: Any, part: Any) -> bool:
    if isinstance(part, CapturedNumber):
        part = part.text if isinstance(actual, str | Mapping) else part.number
    if isinstance(actual, str | Mapping):
        return isinstance(part, str) and part in actual
    return isinstance(actual, list | tuple) and any(json_equal(item, part) for item in actual)


def _container(actual: Any, part: Any) -> str:
    """Return the type of values that `contains` requires, if the value is of another type; else empty."""
    if isinstance(part, str | CapturedNumber):
        return "" if isinstance(actual, str | list | tuple | Mapping) else "a string, an array or an object"
    return "" if isinstance(actual, list | tuple) else "an array"


def _is_text_of(actual: Any, literal: Any) -> bool:
    """Return whether one is the text of the other, a number, true, false or null.

    A value that arrived as text can be a number by a filter, or by a function of an XPath.
    """
    if isinstance(literal, str) and not isinstance(actual, str):
        return _is_text_of(literal, actual)
    if not isinstance(actual, str) or isinstance(literal, str | Mapping | list):
        return False
    if literal is None or isinstance(literal, bool):
        return actual == json.dumps(literal)
    number = read_number(actual)
    return number is not None and at_most(number, literal) and at_most(literal, number)


def _type_of(literal: Any) -> str:
    return "another type of value" if isinstance(literal, str) else f"{json_type(literal)} in place of text"


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


class Condition(PlanModel):
    """Limits: the condition holds for a number beyond one of them."""

    above: Number | None = None
    """Holds for a greater number."""
    below: Number | None = None
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
        return " or ".join(f"{name} {show_number(limit)}" for name, limit in limits.items() if limit is not None)
