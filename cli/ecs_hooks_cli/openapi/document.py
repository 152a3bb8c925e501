"""An OpenAPI document, read and validated, and its references (`$ref`)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO
from urllib.parse import unquote

import yaml
from jsonschema_path.handlers import file_handler
from jsonschema_path.loaders import JsonschemaSafeLoader
from referencing.exceptions import Unresolvable

from ecs_hooks.core.json_text import JsonError, read_json, refuse_unportable
from ecs_hooks.core.redaction import one_line
from ecs_hooks_cli.openapi.mistakes import VERSIONS, Mistake, children, place_text, violations

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
    """An OpenAPI document, version `3.0` or `3.1`, without references to other documents.

    It is valid but for `mistakes`, each of which concerns some of its operations alone.
    """

    root: Mapping[str, Any]
    version: str
    mistakes: tuple[Mistake, ...] = ()

    def mistake_in(self, path: str, method: str) -> str:
        """Return the first mistake that concerns an operation, with its place; empty without one."""
        places: set[tuple[str, ...]] = {
            ("paths", path, method),
            ("paths", path, "parameters"),
            ("paths", path, "servers"),
            ("paths", path, "$ref"),
        }
        pending: list[Any] = [self.root["paths"][path].get(each) for each in (method, "parameters", "servers")]
        reference = self.root["paths"][path].get("$ref")
        if isinstance(reference, str):
            pending.append({"$ref": reference})
        while self.mistakes and pending:
            node = pending.pop()
            reference = node.get("$ref", "") if isinstance(node, Mapping) else ""
            is_local = isinstance(reference, str) and reference.startswith("#/")
            if is_local and (place := tuple(tokens(reference))) not in places:
                places.add(place)
                pending.append(target(self.root, reference))
            pending += [each for _, each in children(node)]
        return next((each.text for each in self.mistakes if each.is_in(places)), "")

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
        problems = reference_problems(root)
        mistakes = () if problems else violations(root, version)
        problems = problems or [each.text for each in mistakes if not each.is_local]
    except UnicodeDecodeError:
        problems = ["is not UTF-8 text"]
    except RecursionError:
        problems = ["is nested too deeply"]
    except Unresolvable as error:
        # A $id or $dynamicRef.
        problems = [f"{str(error.ref)[:_MAX_MESSAGE]!r} has no target within this document"]
    if problems:
        raise DocumentError(problems)
    return Document(root, version, tuple(mistakes))


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
            problems.append(f"{place_text(path)}.$ref: {reference[:100]!r} {problem}")
    return problems


def _references(root: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield each reference with the place of its object, in the order of the document."""
    pending: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            yield path, node["$ref"]
        pending += [((*path, step), each) for step, each in reversed(children(node))]


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
    if minor not in VERSIONS:
        raise DocumentError([f"openapi: version {version[:20]!r} is not supported; supported: {', '.join(VERSIONS)}"])
    return minor
