"""The mistakes in an OpenAPI document: those that concern the whole, and those in a few of its operations."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jsonschema.exceptions import best_match
from jsonschema_path import SchemaPath
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import ExtraParametersError, UnresolvableParameterError
from openapi_spec_validator.validation.keywords import OpenAPIV30ValueValidator, OpenAPIV31ValueValidator

from ecs_hooks.core.redaction import one_line

if TYPE_CHECKING:
    from jsonschema import ValidationError

_COMBINING = ("allOf", "anyOf", "oneOf")
_MAX_MESSAGE = 200
"""Characters of a validator's message, which can repeat a large part of the document."""
_PATH_PARAMETER = re.compile(r"Path parameter .* for '(\w+)' operation in '(.*)' was not resolved", re.DOTALL)


class Mistake(NamedTuple):
    """A mistake at a place of the document.

    `is_local` is whether operations that do not contain or refer to the place can be imported.
    """

    place: tuple[Any, ...]
    text: str
    is_local: bool

    def is_in(self, places: Collection[tuple[Any, ...]]) -> bool:
        """Return whether the mistake is at one of these places, or below it."""
        steps = tuple(map(str, self.place))
        return any(steps[: len(each)] == each for each in places)


class _PlacedDefault30(OpenAPIV30ValueValidator):
    """Validates default values; an error has the schema with the default."""

    def __call__(self, schema: SchemaPath, value: Any) -> Iterator[ValidationError]:
        yield from _placed(schema, super().__call__(schema, value))


class _PlacedDefault31(OpenAPIV31ValueValidator):
    """As for 3.0."""

    def __call__(self, schema: SchemaPath, value: Any) -> Iterator[ValidationError]:
        yield from _placed(schema, super().__call__(schema, value))


def _placed(schema: SchemaPath, errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    with schema.resolve() as resolved:
        holder = resolved.contents
    for error in errors:
        error.default_of = holder  # type: ignore[attr-defined] # read below
        yield error


class _Validator30(OpenAPIV30SpecValidator):
    keyword_validators = {**OpenAPIV30SpecValidator.keyword_validators, "default": _PlacedDefault30}  # noqa: RUF012 - as there


class _Validator31(OpenAPIV31SpecValidator):
    keyword_validators = {**OpenAPIV31SpecValidator.keyword_validators, "default": _PlacedDefault31}  # noqa: RUF012 - as there


_VALIDATORS = {"3.0": _Validator30, "3.1": _Validator31}
VERSIONS = tuple(_VALIDATORS)


def place_text(path: Sequence[Any]) -> str:
    """Return a place in a document for messages, such as `paths./pets.get.parameters[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def children(node: Any) -> list[tuple[Any, Any]]:
    """Return the parts of an object or an array with their keys."""
    if isinstance(node, Mapping):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


class _NothingOutside(dict[str, Any]):
    """The validator's handlers by URL scheme: none, so that it opens no address of a document."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Any:
        raise ValueError(f"{scheme}: is not opened")


def violations(root: Mapping[str, Any], version: str) -> list[Mistake]:
    """Return the mistakes that the validator finds, without duplicates."""
    validator = _VALIDATORS[version](SchemaPath.from_dict(dict(root), handlers=_NothingOutside()))
    mistakes = _mistakes(root, map(_deepest, validator.schema_validator.iter_errors(root)))
    if all(each.is_local for each in mistakes):
        # The root validator requires a document without other mistakes.
        mistakes += _mistakes(root, validator.root_validator(validator.schema_path))
    return list(dict.fromkeys(mistakes))


def _mistakes(root: Mapping[str, Any], errors: Iterator[ValidationError]) -> list[Mistake]:
    # The validator checks patterns with Python's module re; JavaScript's have more.
    return [_mistake(root, each) for each in errors if each.validator_value != "regex"]


def _mistake(root: Mapping[str, Any], error: ValidationError) -> Mistake:
    message = one_line(error.message)[:_MAX_MESSAGE]
    default_of = getattr(error, "default_of", None)
    if default_of is not None:
        place = (*_place_of(root, default_of), "default")
        return Mistake(place, f"{place_text((*place, *error.absolute_path))}: {message}", is_local=True)
    parameter = _PATH_PARAMETER.fullmatch(error.message)
    if isinstance(error, UnresolvableParameterError) and parameter:
        return Mistake(("paths", parameter[2], parameter[1]), message, is_local=True)
    place = _whole_path(root, tuple(error.absolute_path), error.instance)
    is_local = "enum" in place[-2:] or error.validator == "format" or isinstance(error, ExtraParametersError)
    return Mistake(place, f"{place_text(place)}: {message}" if place else message, is_local)


def _place_of(root: Any, wanted: Any) -> tuple[Any, ...]:
    """Return the place of an object in the document; empty if it is not part of it."""
    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if node is wanted:
            return path
        pending += [((*path, step), each) for step, each in reversed(children(node))]
    return ()  # pragma: no cover - every mistake is in an object of the document


def _deepest(error: ValidationError) -> ValidationError:
    best = best_match(iter([error])) or error
    # Almost any object may be a reference; "not a reference" is seldom the mistake.
    others = [each for each in best.context or () if each.validator not in _COMBINING and "'$ref'" not in each.message]
    return others[0] if len(others) == 1 else best


def _whole_path(root: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Return the path from the root: an error in a schema has the path from the schema."""
    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)] if path else []
    while pending:
        above, node = pending.pop(0)
        if _has(node, path, value):
            return (*above, *path)
        pending += [((*above, step), each) for step, each in children(node)]
    return path


def _has(node: Any, path: Sequence[Hashable], value: Any) -> bool:
    for step in path:
        try:
            node = node[step]
        except (LookupError, TypeError):
            return False
    return bool(node == value)
