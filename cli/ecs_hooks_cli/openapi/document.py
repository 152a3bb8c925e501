"""An OpenAPI document, read and validated, and its references (`$ref`)."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO
from urllib.parse import unquote

import yaml
from jsonschema.exceptions import best_match
from jsonschema_path import SchemaPath
from jsonschema_path.handlers import file_handler
from jsonschema_path.loaders import JsonschemaSafeLoader
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from referencing.exceptions import Unresolvable

from ecs_hooks.core.json_text import JsonError, read_json, refuse_unportable
from ecs_hooks.core.redaction import one_line

if TYPE_CHECKING:
    from jsonschema import ValidationError

_VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
_COMBINING = ("allOf", "anyOf", "oneOf")
_MAX_DEPTH = 500
"""Nested objects and arrays."""
_MAX_MESSAGE = 200
"""Characters of a validator's message, which can repeat a large part of the document."""


class DocumentError(ValueError):
    """A document is invalid; each problem is a line that begins with the place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Document(NamedTuple):
    """A valid OpenAPI document, version `3.0` or `3.1`, without references to other documents."""

    root: Mapping[str, Any]
    version: str

    def resolved(self, value: Any) -> Any:
        """Return the target of a reference, and any other value unchanged."""
        while isinstance(value, Mapping) and str(value.get("$ref", "")).startswith("#/"):
            value = target(self.root, value["$ref"])
        return value


def read_document(file: TextIO) -> Document:
    """Return the document in a file, JSON or YAML. No other file or address is opened.

    Raises
    ------
    DocumentError
        If it is not a valid OpenAPI 3.0 or 3.1 document, or has references to other documents.
    """
    try:
        root = _parsed(file.read())
        version = _version(root)
        problems = reference_problems(root) or _violations(root, version)
    except UnicodeDecodeError:
        problems = ["is not UTF-8 text"]
    except RecursionError:
        problems = ["is nested too deeply"]
    except Unresolvable as error:
        # A $id or $dynamicRef.
        problems = [f"{str(error.ref)[:_MAX_MESSAGE]!r} has no target within this document"]
    if problems:
        raise DocumentError(problems)
    return Document(root, version)


def target(root: Any, reference: str) -> Any:
    """Return the target of a reference of the form `#/a/b`; without one, raise LookupError."""
    here = root
    for token in tokens(reference):
        if isinstance(here, Mapping):
            here = here[token]
        elif isinstance(here, list) and token.isascii() and token.isdigit():
            here = here[int(token)]
        else:
            raise LookupError(token)
    return here


def tokens(reference: str) -> list[str]:
    """Return the tokens of a reference of the form `#/a/b` (JSON Pointer, RFC 6901)."""
    return [unquote(token).replace("~1", "/").replace("~0", "~") for token in reference.split("/")[1:]]


def reference_problems(root: Any) -> list[str]:
    """Return a line for each reference without a usable target, beginning with the place."""
    problems: list[str] = []
    circular: dict[str, bool] = {}
    for path, reference in _references(root):
        problem = ""
        if not reference.startswith("#"):
            problem = "is outside of this document; bundle it into one document, for example with `redocly bundle`"
        elif reference.startswith("#/"):
            try:
                target(root, reference)
                if reference not in circular:
                    circular[reference] = _is_circular(root, reference)
                if circular[reference]:
                    problem = "refers to itself"
            except LookupError:
                problem = "has no target"
        if problem:
            problems.append(f"{_place(path)}.$ref: {reference[:100]!r} {problem}")
    return problems


def _place(path: Sequence[Any]) -> str:
    """Return a place in a document for messages, such as `paths./pets.get.parameters[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _references(root: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield each reference with the place of its object, in the order of the document."""
    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            yield path, node["$ref"]
        pending += [((*path, step), each) for step, each in reversed(_children(node))]


def _children(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, Mapping):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


def _is_circular(root: Any, reference: str) -> bool:
    """Return whether the target is defined by itself; it may contain itself, such as a tree."""
    seen: set[str] = set()
    pending = [reference]
    while pending:
        for each in _same_value(target(root, pending.pop())):
            if each == reference:
                return True
            if each not in seen:
                seen.add(each)
                pending.append(each)
    return False


def _same_value(schema: Any) -> Iterator[str]:
    """Yield the references of a schema about the value itself, not about its parts."""
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        yield reference
    for name in _COMBINING:
        alternatives = schema.get(name)
        for each in alternatives if isinstance(alternatives, list) else ():
            yield from _same_value(each)
    for name in ("not", "if", "then", "else"):
        yield from _same_value(schema.get(name))


def _parsed(text: str) -> Any:
    json_problem, text = "", text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        # JSON with tabs is not YAML.
        try:
            root = read_json(text)
            refuse_unportable(root)
        except JsonError as error:
            if not error.is_syntax:
                raise DocumentError([str(error)]) from None
            json_problem = str(error)
        else:
            return root
    try:
        _refuse_depth(text)
        return file_handler(io.StringIO(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise DocumentError([json_problem or f"is not YAML: {error.problem}{at}"]) from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # Characters that YAML forbids, aliases that contain themselves, values that JSON does not have.
        raise DocumentError([json_problem or f"is not YAML with JSON's types: {one_line(str(error))}"]) from None


def _refuse_depth(text: str) -> None:
    """Refuse a depth that would overflow the stack of the loader, which is written in C."""
    depth = 0
    for event in yaml.parse(text, JsonschemaSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise RecursionError


def _version(root: Any) -> str:
    if not isinstance(root, Mapping):
        raise DocumentError(["must be an object; this is not an OpenAPI document"])
    version = root.get("openapi")
    if version is None and "swagger" in root:
        raise DocumentError(
            [
                "swagger: OpenAPI 2.0 (Swagger) is not supported; convert the document to 3.0, for example with swagger2openapi"
            ]
        )
    if not isinstance(version, str):
        problem = (
            "is missing; this is not an OpenAPI document" if version is None else 'must be a string such as "3.0.3"'
        )
        raise DocumentError([f"openapi: {problem}"])
    minor = ".".join(version.split(".")[:2])
    if minor not in _VALIDATORS:
        raise DocumentError(
            [f"openapi: version {version[:20]!r} is not supported; supported: {', '.join(_VALIDATORS)}"]
        )
    return minor


class _NothingOutside(dict[str, Any]):
    """The validator's handlers by URL scheme: none, so that it opens no address of a document."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Any:
        raise ValueError(f"{scheme}: is not opened")


def _violations(root: Mapping[str, Any], version: str) -> list[str]:
    validator = _VALIDATORS[version](SchemaPath.from_dict(dict(root), handlers=_NothingOutside()))
    errors = [_deepest(error) for error in validator.schema_validator.iter_errors(root)]
    if not errors:
        # The root validator requires a document without such errors.
        errors = list(validator.root_validator(validator.schema_path))
    # The validator checks patterns with Python's module re; JavaScript's have more.
    errors = [error for error in errors if error.validator_value != "regex"]
    return list(dict.fromkeys(_line(root, error) for error in errors))


def _deepest(error: ValidationError) -> ValidationError:
    best = best_match(iter([error])) or error
    # Almost any object may be a reference; "not a reference" is seldom the mistake.
    others = [each for each in best.context or () if each.validator not in _COMBINING and "'$ref'" not in each.message]
    return others[0] if len(others) == 1 else best


def _line(root: Mapping[str, Any], error: ValidationError) -> str:
    place = _place(_whole_path(root, tuple(error.absolute_path), error.instance))
    message = one_line(error.message)[:_MAX_MESSAGE]
    return f"{place}: {message}" if place else message


def _whole_path(root: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Return the path from the root: an error in a schema has the path from the schema."""
    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)] if path else []
    while pending:
        above, node = pending.pop(0)
        if _has(node, path, value):
            return (*above, *path)
        pending += [((*above, step), each) for step, each in _children(node)]
    return path


def _has(node: Any, path: Sequence[Hashable], value: Any) -> bool:
    for step in path:
        try:
            node = node[step]
        except (LookupError, TypeError):
            return False
    return bool(node == value)
