"""JSON Schema. Import it where a plan has a schema: jsonschema takes longer to import than many a request.

References to other documents are refused, and patterns are RE2's. The cost of a validation is bounded by a number of steps and
by the deadline, for any schema and document.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache, lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import attrs
from jsonschema import FormatChecker, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from ecs_hooks.assertions.patterns import matches, pattern_problem
from ecs_hooks.assertions.re2_syntax import PatternError
from ecs_hooks.assertions.schema_formats import format_checker
from ecs_hooks.assertions.schema_keywords import DEFAULT, draft_of, parts_of, references, structure_problem
from ecs_hooks.core.deadline import check_deadline
from ecs_hooks.core.formatting import json_equal, json_type
from ecs_hooks.core.json_text import HugeNumber

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MAX_STEPS = 2_000_000
"""Limit of the rules applied to values, and of the values compared, in one validation."""

_MAX_ERRORS = 10
"""Violations kept of each alternative of `anyOf` and `oneOf`, to find the most relevant one."""
_MAX_KEPT = 10_000
"""Violations kept of all alternatives in one validation."""
_DIGITS = 300
"""Digits of a long number that are divided at a time."""
_LONG_TEXT = 100
_WALKS = {"additionalProperties", "contains", "items", "patternProperties", "propertyNames"}
"""Keywords that visit all items or properties of a value."""
_REFERENCES = {"$ref", "$dynamicRef", "$recursiveRef"}
_REFERENCE_STEPS = 10
_SQUARE = {"unevaluatedItems", "unevaluatedProperties"}
"""Keywords that search a list for each item or property."""


class _TooManyStepsError(Exception):
    """A validation requires more than `MAX_STEPS`."""


class Undecided(str):
    """Why a validation could not be finished, so that the value is neither valid nor invalid."""

    __slots__ = ()


class _Use(threading.local):
    """The steps and violations left to the validation in this thread."""

    steps = errors = 0

    def begin(self) -> None:
        """Begin a validation."""
        self.steps, self.errors = MAX_STEPS, _MAX_KEPT


_left = _Use()


# Short in the messages of jsonschema, which repeat each invalid value, possibly thousands of times.
_Array = type("_Array", (list,), {"__repr__": lambda _: "[...]"})
_Object = type("_Object", (dict,), {"__repr__": lambda _: "{...}"})
_LongString = type("_LongString", (str,), {"__repr__": lambda _: "'...'"})


def check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema; raise ValueError if it is not valid."""
    if draft_of(schema) is None:
        raise ValueError(f"is not a valid JSON Schema: $.$schema: is not a known draft, such as {DEFAULT}")
    for path, part in _parts(schema):
        try:
            problem: str | None = _problem(json.dumps(part, sort_keys=True))
        except RecursionError:
            problem = ": nested too deeply"
        if problem:
            raise ValueError(f"is not a valid JSON Schema: ${path}{problem}")
    if any(not each.startswith("#") for each in references(schema)):
        raise ValueError("has a $ref to another document; only references within the schema (#/...) are followed")
    unchecked = structure_problem(json.dumps(schema))
    if unchecked:
        raise ValueError(f"is not a valid JSON Schema: ${unchecked}")
    if _evaluates_patterns(schema):
        raise ValueError("has patternProperties and unevaluatedProperties; write additionalProperties instead")
    # Drafts up to 6 do not require these names to be patterns.
    for names in (part.get("patternProperties") for _, part in parts_of(schema)):
        problem = next(filter(None, map(pattern_problem, names)), None) if isinstance(names, Mapping) else None
        if problem:
            raise ValueError(f"is not a valid JSON Schema: patternProperties: {problem}")
    return schema


def violation(schema: Mapping[str, Any], value: Any) -> str | None:  # noqa: PLR0911 - one case for each end
    """Return the most relevant violation of a schema, its path and rule without the value; None for a valid value.

    The result is `Undecided` if the validation cannot be finished.
    """
    _left.begin()
    try:
        validator = _validator(json.dumps(schema, sort_keys=True))
        errors = validator.iter_errors(_brief(value))
        # best_match cannot rank violations of a `type` that contains schemas, which draft 3 allows.
        error = next(errors, None) if "extends" in draft_of(schema).VALIDATORS else best_match(errors)
    except RecursionError:
        return Undecided("$: nested too deeply")
    except Unresolvable:
        return Undecided("$: a $ref of the schema cannot be resolved")
    except PatternError as problem:
        return Undecided(f"$: a pattern of the schema is not valid: {problem}")
    except OverflowError:
        return Undecided("$: a number is too large for multipleOf")
    except _TooManyStepsError:
        return Undecided(
            f"$: validation requires more than {MAX_STEPS:,} steps; simplify the schema, or check a part of the document"
        )
    if error is None:
        return None
    rule = json.dumps(error.validator_value, default=str)
    return f"{error.json_path} violates {error.validator}: {rule if len(rule) <= 80 else f'{rule[:80]}...'}"  # noqa: PLR2004


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the parts to validate separately, each with its path: plans of one service share many definitions."""
    definitions = schema.get("$defs")
    if "$schema" in schema or not isinstance(definitions, dict):
        yield "", schema
        # Drafts up to 7 do not have $defs, which is nevertheless in use.
        for path, part in parts_of(schema) if "$schema" in schema else ():
            inner = part.get("$defs")
            for name, each in inner.items() if isinstance(inner, dict) else ():
                yield f"{path}.$defs.{name}", {"$schema": schema["$schema"], **each} if isinstance(each, dict) else each
        return
    yield "", {name: each for name, each in schema.items() if name != "$defs"}
    yield from ((f".$defs.{name}", each) for name, each in definitions.items())


@lru_cache(maxsize=1000)
def _problem(schema: str) -> str:
    """Return what is wrong with a schema; empty if it is valid."""
    loaded = json.loads(schema)
    base = draft_of(loaded) or Draft202012Validator
    _left.begin()
    try:
        error = next(_bounded(base)(base.META_SCHEMA, format_checker=_formats()).iter_errors(loaded), None)
    except _TooManyStepsError:
        return f": validation requires more than {MAX_STEPS:,} steps"
    if error is None:
        return ""
    problem = pattern_problem(error.instance) if error.validator == "format" else _broken_rule(error)
    return f"{error.json_path.removeprefix('$')}: {problem}"


def _broken_rule(error: ValidationError) -> str:
    """Return the rule of the meta-schema that a schema breaks. jsonschema's own text repeats values of the schema."""
    rule: Any = error.validator_value
    match error.validator:
        case "type":
            return f"must be of type {rule if isinstance(rule, str) else ' or '.join(rule)}, not {json_type(error.instance)}"
        case _ if isinstance(rule, int | float):
            return f"breaks the rule {error.validator} {rule:g} of JSON Schema"
        case _:
            return f"breaks the rule {error.validator} of JSON Schema"


@cache
def _formats() -> FormatChecker:
    """Return a checker of the patterns in a schema, with the rules of `matches`."""
    checker = FormatChecker(formats=())
    checker.checks("regex")(lambda text: not isinstance(text, str) or pattern_problem(text) is None)
    return checker


@lru_cache(maxsize=64)
def _validator(schema: str) -> Validator:
    loaded = json.loads(schema)
    bounded = _bounded(draft_of(loaded) or Draft202012Validator)
    return cast("Validator", bounded(_brief(loaded), registry=Registry(), format_checker=format_checker()))


@lru_cache(maxsize=8)
def _bounded(base: Any) -> Any:
    """Return the validator of a draft with counted steps and RE2's patterns."""
    own: dict[str, Callable[..., Any]] = {
        "additionalProperties": _additional_properties,
        "anyOf": partial(_alternatives, one=False),
        "const": lambda validator, rule, instance, schema: _enum(validator, [rule], instance, schema),
        "enum": _enum,
        "multipleOf": _multiple_of,
        "oneOf": partial(_alternatives, one=True),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique_items,
    }
    keywords = {name: partial(_counted, name, own.get(name, function)) for name, function in base.VALIDATORS.items()}
    bounded = extend(base, keywords)  # type: ignore[no-untyped-call] # of a library that is typed elsewhere
    # jsonschema's own uses the unbounded class for each part of a schema with a `$schema`.
    bounded.evolve = attrs.evolve
    return bounded


def _counted(name: str, function: Callable[..., Any], validator: Any, rule: Any, instance: Any, schema: Any) -> Any:
    steps = _REFERENCE_STEPS if name in _REFERENCES else 1 + (len(rule) if isinstance(rule, list | Mapping) else 0)
    if isinstance(instance, list | Mapping):
        steps += len(instance) if name in _WALKS else len(instance) ** 2 // 100 if name in _SQUARE else 0
    _spend(steps)
    return function(validator, rule, instance, schema)


def _spend(steps: int) -> None:
    check_deadline()
    _left.steps -= steps
    if _left.steps < 0:
        raise _TooManyStepsError


def _brief(value: Any) -> Any:
    """Return a copy of a JSON value that is short in a message."""
    whole = [value]
    waiting: list[Any] = [whole]
    while waiting:
        node = waiting.pop()
        for key, each in node.items() if isinstance(node, Mapping) else enumerate(node):
            if isinstance(each, Mapping | list):
                node[key] = _Object(each) if isinstance(each, Mapping) else _Array(each)
                waiting.append(node[key])
            elif isinstance(each, str) and len(each) > _LONG_TEXT:
                node[key] = _LongString(each)
    return whole[0]


def _canonical(value: Any) -> str:
    """Return the same string for equal JSON values: 1 and 1.0 are equal, 1 and true are not."""
    _spend(1)
    match value:
        case Mapping():
            return f"{{{','.join(f'{json.dumps(name)}:{_canonical(value[name])}' for name in sorted(value))}}}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case HugeNumber():
            return "e".join(map(str, value.parts))
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return json.dumps(value)


def _unique_items(_: Validator, rule: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    # Strings: numbers in a document can be chosen to collide in a set.
    if rule and isinstance(instance, list) and len(set(map(_canonical, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has equal items")


def _multiple_of(_: Validator, rule: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    # In decimal notation, as in the document: 19.99 is a multiple of 0.01, which the division of doubles denies.
    if isinstance(instance, int | float) and not isinstance(instance, bool) and _remainder(instance, rule) != 0:
        yield ValidationError(f"{instance!r} is not a multiple of {rule!r}")


def _remainder(number: float, divisor: float) -> int:
    """Return 0 for a multiple of a divisor; raise OverflowError if it cannot be computed."""
    numerator, denominator = _fraction(divisor).as_integer_ratio()
    if not isinstance(number, HugeNumber):
        return _fraction(number) * denominator % numerator != 0
    digits, exponent = number.parts
    if exponent < 0:
        raise OverflowError
    digits, remainder = digits.lstrip("-"), 0
    for start in range(0, len(digits), _DIGITS):  # the conversion of all of them takes quadratic time
        piece = digits[start : start + _DIGITS]
        remainder = (remainder * 10 ** len(piece) + int(piece)) % numerator
    return remainder * pow(10, exponent, numerator) * denominator % numerator


def _fraction(number: float) -> Fraction:
    if isinstance(number, float) and not math.isfinite(number):
        raise OverflowError
    return Fraction(number if isinstance(number, int) else str(number))


def _enum(_: Validator, rule: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if not any(_equal(each, instance) for each in rule):
        yield ValidationError(f"{instance!r} is not one of {rule!r}")


def _equal(rule: Any, instance: Any) -> bool:
    if isinstance(rule, Mapping | list) and isinstance(instance, Mapping | list):
        return len(rule) == len(instance) and _canonical(rule) == _canonical(instance)
    return json_equal(rule, instance)


def _alternatives(validator: Any, rule: Any, instance: Any, _: Any, *, one: bool) -> Iterator[ValidationError]:
    problems: list[ValidationError] = []
    for index, schema in enumerate(rule):
        found = list(islice(validator.descend(instance, schema, schema_path=index), _MAX_ERRORS))
        if not found:
            break
        kept = found[: max(_left.errors, 0)]
        _left.errors -= len(kept)
        problems += kept
    else:
        yield ValidationError(f"{instance!r} is not valid under any of the alternatives", context=problems)
        return
    if one and any(validator.evolve(schema=each).is_valid(instance) for each in rule[index + 1 :]):
        yield ValidationError(f"{instance!r} is valid under several of the alternatives")


def _pattern(_: Validator, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, Mapping):
        return
    for pattern, schema in patterns.items():
        for name, value in instance.items():
            if matches(pattern, name):
                yield from validator.descend(instance=value, schema=schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, Mapping):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
    for name, value in instance.items():
        if name in known or any(matches(pattern, name) for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError("is not allowed")
            return
        yield from validator.descend(instance=value, schema=rule, path=name)


def _evaluates_patterns(schema: Any) -> bool:
    """Return whether `unevaluatedProperties` would match names with patterns, which no deadline bounds there."""
    text = json.dumps(schema)
    return '"patternProperties": ' in text and '"unevaluatedProperties": ' in text
