"""JSON Schema, loaded where a plan uses it. Nothing is fetched: a schema that refers to an address is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecs_hooks.assertions.matching import mismatch, regex_problem

if TYPE_CHECKING:
    from jsonschema import FormatChecker, ValidationError
    from jsonschema.protocols import Validator


def check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, if it is one.

    Raises
    ------
    ValueError
        If it is none; the message names the place in it.
    """
    for place, part in _parts(schema):
        try:
            problem = _problem(json.dumps(part, sort_keys=True))
        except RecursionError:
            problem = " nested too deeply"
        if problem:
            message = f"is no valid JSON Schema: ${place}{problem}"
            raise ValueError(message)
    outside = next((reference for reference in _references(schema) if not reference.startswith("#")), None)
    if outside is not None:
        message = f"refers to {outside[:80]!r}; only references within the schema (#/...) are followed"
        raise ValueError(message)
    if _evaluates_patterns(schema):
        message = "has patternProperties beside unevaluatedProperties; say additionalProperties"
        raise ValueError(message)
    return schema


def violation(schema: Mapping[str, Any], value: Any) -> str | None:
    """Return the place in a value that violates a schema most, and the rule, None where it is valid.

    The value is not repeated: the rule and the place tell what to look for.
    """
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see above
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - see above

    try:
        error: ValidationError | None = best_match(_validator(json.dumps(schema, sort_keys=True)).iter_errors(value))
    except RecursionError:
        return "$ nested too deeply"
    except Unresolvable:
        return "$ a $ref of the schema leads nowhere"
    if error is None:
        return None
    rule = json.dumps(error.validator_value, default=str)
    return f"{error.json_path} violates {error.validator}: {rule if len(rule) <= 80 else f'{rule[:80]}...'}"  # noqa: PLR2004


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is examined by itself, with its place: plans of one service have many definitions in common."""
    definitions = schema.get("$defs")
    if "$schema" in schema or not isinstance(definitions, dict):
        yield "", schema
        return
    yield "", {name: each for name, each in schema.items() if name != "$defs"}
    yield from ((f".$defs.{name}", each) for name, each in definitions.items())


@lru_cache(maxsize=1000)
def _problem(schema: str) -> str:
    """Return what is wrong with a schema, empty where nothing is."""
    from jsonschema import SchemaError  # noqa: PLC0415 - a plan without schemas need not load it
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415 - see above

    loaded = json.loads(schema)
    base = validator_for(loaded if isinstance(loaded, dict) else True, default=Draft202012Validator)
    try:
        base.check_schema(loaded, format_checker=_formats())  # type: ignore[call-arg] # not in typeshed
    except SchemaError as error:
        return f"{error.json_path.removeprefix('$')} {error.message[:120]}"
    return ""


@lru_cache(maxsize=1)
def _formats() -> FormatChecker:
    """Return what examines the regular expressions of a schema: they are read as those of `matches`."""
    from jsonschema import FormatChecker  # noqa: PLC0415 - see above

    checker = FormatChecker(formats=())
    checker.checks("regex")(lambda text: not isinstance(text, str) or regex_problem(text) is None)
    return checker


@lru_cache(maxsize=64)
def _validator(schema: str) -> Validator:
    from jsonschema.validators import Draft202012Validator, extend, validator_for  # noqa: PLC0415 - see above
    from referencing import Registry  # noqa: PLC0415 - see above

    loaded = json.loads(schema)
    base = validator_for(loaded, default=Draft202012Validator)
    # Their regular expressions run without a time limit, and hold up every other check.
    limited: Callable[..., Validator] = extend(  # type: ignore[no-untyped-call] # of a library that is typed elsewhere
        base,
        {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
        },
    )
    return limited(loaded, registry=Registry())


def _pattern(_: Validator, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError  # noqa: PLC0415 - see above

    if isinstance(instance, str) and mismatch(pattern, instance) is not None:
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, Mapping):
        return
    for pattern, schema in patterns.items():
        for name, value in instance.items():
            if mismatch(pattern, name) is None:
                yield from validator.descend(instance=value, schema=schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError  # noqa: PLC0415 - see above

    if not isinstance(instance, Mapping):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
    for name, value in instance.items():
        if name in known or any(mismatch(pattern, name) is None for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError("is not allowed")
            return
        yield from validator.descend(instance=value, schema=rule, path=name)


def _references(schema: Any) -> Iterator[str]:
    match schema:
        case Mapping():
            reference = schema.get("$ref")
            if isinstance(reference, str):
                yield reference
            for each in schema.values():
                yield from _references(each)
        case list():
            for each in schema:
                yield from _references(each)


def _evaluates_patterns(schema: Any) -> bool:
    """Return whether names would be matched with patterns where they can't be given up: for `unevaluatedProperties`."""
    text = json.dumps(schema)
    return '"patternProperties": ' in text and '"unevaluatedProperties": ' in text
