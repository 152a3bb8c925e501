"""References (`$ref`) of an OpenAPI document: each has to lead somewhere within it, and not to itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote


def target(root: Any, reference: str) -> Any:
    """Return what a reference of the form `#/a/b` leads to.

    Raises
    ------
    LookupError
        If that is nothing.
    """
    here = root
    for step in tokens(reference):
        if isinstance(here, Mapping):
            here = here[step]
        elif isinstance(here, list) and step.isascii() and step.isdigit():
            here = here[int(step)]
        else:
            raise LookupError(step)
    return here


def tokens(reference: str) -> list[str]:
    """Return the steps of a reference of the form `#/a/b` (JSON Pointer, RFC 6901)."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:]]


def in_words(path: Sequence[Any]) -> str:
    """Return a place in a document as messages name it, such as `paths./pets.get.parameters[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def problems_of_references(root: Any) -> list[str]:
    """Return a line for each reference that can't be followed, beginning with the place."""
    problems: list[str] = []
    circular: dict[str, bool] = {}
    for path, reference in _references(root):
        problem = ""
        if not reference.startswith("#"):
            problem = "lies outside of this document: bundle it into one document first, as `redocly bundle` does"
        elif reference.startswith("#/"):
            try:
                target(root, reference)
                if reference not in circular:
                    circular[reference] = _comes_back(root, reference)
                if circular[reference]:
                    problem = "leads back to itself"
            except LookupError:
                problem = "leads nowhere"
        if problem:
            problems.append(f"{in_words(path)}.$ref: {reference[:100]!r} {problem}")
    return problems


def _references(root: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield each reference with the place of what has it, in the order of the document."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        inner: list[tuple[Any, Any]] = []
        if isinstance(node, Mapping):
            if isinstance(node.get("$ref"), str):
                yield path, node["$ref"]
            inner = list(node.items())
        elif isinstance(node, list):
            inner = list(enumerate(node))
        waiting += [((*path, step), each) for step, each in reversed(inner)]


def _comes_back(root: Any, reference: str) -> bool:
    """Return whether what a reference leads to is defined by itself. That it has itself within is another matter."""
    seen: set[str] = set()
    waiting = [reference]
    while waiting:
        for each in _of_the_same_value(target(root, waiting.pop())):
            if each == reference:
                return True
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return False


def _of_the_same_value(schema: Any) -> Iterator[str]:
    """Yield the references of a schema that are about the very value which the schema is about, not about what is in it."""
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        yield reference
    for name in ("allOf", "anyOf", "oneOf"):
        alternatives = schema.get(name)
        for each in alternatives if isinstance(alternatives, list) else ():
            yield from _of_the_same_value(each)
    for name in ("not", "if", "then", "else"):
        yield from _of_the_same_value(schema.get(name))
