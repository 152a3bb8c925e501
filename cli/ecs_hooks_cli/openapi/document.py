"""Reads an OpenAPI document, and says what is wrong with it."""

from __future__ import annotations

import io
import json
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import yaml
from jsonschema.exceptions import best_match
from jsonschema_path import SchemaPath
from jsonschema_path.handlers import file_handler
from jsonschema_path.loaders import JsonschemaSafeLoader
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from referencing.exceptions import Unresolvable

from ecs_hooks.core.redaction import one_line
from ecs_hooks_cli.openapi.references import in_words, problems_of_references, target

if TYPE_CHECKING:
    from jsonschema import ValidationError

_VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
_COMBINING = {"anyOf", "oneOf"}
_DEEPEST = 500
"""Objects and arrays within each other."""
_LONGEST = 200
"""Characters of a message; some of them repeat a whole part of the document."""


class DocumentError(ValueError):
    """There is something wrong with a document.

    Parameters
    ----------
    problems
        One line for each, beginning with the place.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Document(NamedTuple):
    """A valid OpenAPI document that refers to nothing outside of itself.

    Parameters
    ----------
    root
        The whole of it.
    version
        `3.0` or `3.1`.
    """

    root: Mapping[str, Any]
    version: str

    def resolved(self, value: Any) -> Any:
        """Return what a reference leads to, and what is no reference as it is."""
        while isinstance(value, Mapping) and str(value.get("$ref", "")).startswith("#/"):
            value = target(self.root, value["$ref"])
        return value


def read_document(file: TextIO) -> Document:
    """Return the document in a file, JSON or YAML. Nothing else is opened, whatever it refers to.

    Raises
    ------
    DocumentError
        If it is no valid document of OpenAPI 3.0 or 3.1, or refers to others.
    """
    try:
        root = _parsed(file.read())
        version = _version(root)
        problems = problems_of_references(root) or _violations(root, version)
    except UnicodeDecodeError:
        problems = ["is no text in UTF-8"]
    except RecursionError:
        problems = ["is nested too deeply"]
    except Unresolvable as error:
        # By way of $id or $dynamicRef, which few documents have.
        problems = [f"{str(error.ref)[:_LONGEST]!r} leads nowhere within this document"]
    if problems:
        raise DocumentError(problems)
    return Document(root, version)


def _parsed(text: str) -> Any:
    json_problem = ""
    if text.lstrip().startswith("{"):
        # Most JSON is YAML, but not that with tabs.
        try:
            return json.loads(text)
        except ValueError as error:
            json_problem = f"is no JSON: {error}"
    try:
        _refuse_depth(text)
        return file_handler(io.StringIO(text))
    except yaml.MarkedYAMLError as error:
        at = (
            f" (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
            if error.problem_mark
            else ""
        )
        raise DocumentError([json_problem or f"is no YAML: {error.problem}{at}"]) from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        # Characters that YAML does not have, aliases that contain themselves, values that JSON does not have.
        raise DocumentError([json_problem or f"is no YAML that JSON could say: {one_line(str(error))}"]) from None


def _refuse_depth(text: str) -> None:
    """Refuse what the loader, which is written in C, would overflow its stack with."""
    depth = 0
    for event in yaml.parse(text, JsonschemaSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError


def _version(root: Any) -> str:
    if not isinstance(root, Mapping):
        raise DocumentError(["is no object, so it is no OpenAPI document"])
    version = root.get("openapi")
    if version is None and "swagger" in root:
        raise DocumentError(
            [
                "swagger: nothing of OpenAPI 2.0 (Swagger) is supported; convert the document to 3.0, as swagger2openapi does"
            ]
        )
    if not isinstance(version, str):
        problem = "is missing, so this is no OpenAPI document" if version is None else 'must be a text such as "3.0.3"'
        raise DocumentError([f"openapi: {problem}"])
    minor = ".".join(version.split(".")[:2])
    if minor not in _VALIDATORS:
        raise DocumentError([f"openapi: version {version[:20]!r} is not supported; 3.0 and 3.1 are"])
    return minor


class _NothingOutside(dict[str, Any]):
    """Handlers of the validator for any kind of address: it must not open what a document names."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Any:
        raise ValueError(f"{scheme}: is not opened")


def _violations(root: Mapping[str, Any], version: str) -> list[str]:
    validator = _VALIDATORS[version](SchemaPath.from_dict(dict(root), handlers=_NothingOutside()))
    errors = [_deepest(error) for error in validator.schema_validator.iter_errors(root)]
    if not errors:
        # This part takes the other for granted.
        errors = list(validator.root_validator(validator.schema_path))
    # To the validator, a regular expression is one of Python's module re; those of JavaScript have more.
    errors = [error for error in errors if error.validator_value != "regex"]
    return list(dict.fromkeys(_line(root, error) for error in errors))


def _deepest(error: ValidationError) -> ValidationError:
    best = best_match(iter([error])) or error
    # Almost everything may also be a reference: that it is none is seldom what is wrong.
    others = [each for each in best.context or () if each.validator not in _COMBINING and "'$ref'" not in each.message]
    return others[0] if len(others) == 1 else best


def _line(root: Mapping[str, Any], error: ValidationError) -> str:
    place = in_words(_whole_path(root, tuple(error.absolute_path), error.instance))
    message = one_line(error.message)[:_LONGEST]
    return f"{place}: {message}" if place else message


def _whole_path(root: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Return the path from the root: those of errors in a schema begin at the schema."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), root)] if path else []
    while waiting:
        above, node = waiting.pop(0)
        if _has(node, path, value):
            return (*above, *path)
        if isinstance(node, Mapping):
            waiting += [((*above, name), each) for name, each in node.items()]
        elif isinstance(node, list):
            waiting += [((*above, number), each) for number, each in enumerate(node)]
    return path


def _has(node: Any, path: Sequence[Hashable], value: Any) -> bool:
    for step in path:
        try:
            node = node[step]
        except (LookupError, TypeError):
            return False
    return bool(node == value)
