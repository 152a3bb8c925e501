"""Values for the required parameters of an operation, and how they are written into the request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from ecs_hooks_cli.openapi.document import Document
    from ecs_hooks_cli.openapi.operations import Operation

_IGNORED_HEADERS = {"accept", "content-type", "authorization"}
"""Parameters of these names mean nothing, says OpenAPI: media types and security schemes stand in for them."""
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_SEPARATORS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class NoValueError(ValueError):
    """A required parameter has no value that the document tells."""


class Filled(NamedTuple):
    """An operation with values for its required parameters.

    Parameters
    ----------
    path
        The path, encoded.
    query, headers
        Parameters and headers of the request.
    """

    path: str
    query: dict[str, Any]
    headers: dict[str, str]


def filled(document: Document, operation: Operation) -> Filled:
    """Return the request of an operation. Parameters that are not required are left out.

    Raises
    ------
    NoValueError
        If the document tells no value of a required parameter.
    """
    path, headers = operation.path, dict[str, str]()
    query, cookies = dict[str, Any](), dict[str, Any]()
    for parameter in operation.parameters:
        name, where = parameter["name"], parameter["in"]
        if not parameter.get("required") or (where == "header" and name.lower() in _IGNORED_HEADERS):
            continue
        # Neither null nor an empty segment of a path can be written into a request.
        unfit = (None, "") if where == "path" else (None,)
        value = next((each for each in _values(document, parameter) if each not in unfit), None)
        if value is None:
            raise NoValueError(f"the {where} parameter {name} is required and has no example, default or enum")
        style = parameter.get("style", _STYLES[where])
        explode = parameter.get("explode", style == "form")
        if "content" in parameter:
            value, style = json.dumps(value, separators=(",", ":")), _STYLES[where]
        match where:
            case "path":
                path = path.replace(f"{{{name}}}", _in_path(name, value, style, explode=explode))
            case "query":
                query |= _in_query(name, value, style, explode=explode)
            case "header":
                headers[name] = ",".join(_parts(value, explode=explode))
            case _:
                cookies |= _in_query(name, value, style, explode=explode)
    if cookies:
        pairs = [
            (name, each) for name, value in cookies.items() for each in (value if isinstance(value, list) else [value])
        ]
        headers["Cookie"] = "; ".join(f"{name}={quote(_text(each))}" for name, each in pairs)
    return Filled(operation.base_path + path, query, headers)


def _values(document: Document, parameter: Mapping[str, Any]) -> Iterator[Any]:
    """Yield values that the document tells of a parameter, or of its one media type, the nearest first; None is no value."""
    media: Mapping[str, Any] = next(iter(parameter.get("content", {}).values()), {})
    for holder in (parameter, media):
        yield holder.get("example")
        yield from (document.resolved(each).get("value") for each in holder.get("examples", {}).values())
        yield from _of_schema(document, holder.get("schema"), frozenset())


def _of_schema(document: Document, schema: Any, seen: frozenset[int]) -> Iterator[Any]:
    schema = document.resolved(schema)
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen |= {id(schema)}
    given = schema.get("example"), *schema.get("examples", ()), schema.get("default"), schema.get("const")
    yield from (*given, *schema.get("enum", ()))
    for name in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(name, ()):
            yield from _of_schema(document, each, seen)
    for each in _of_schema(document, schema.get("items"), seen):
        yield None if each is None else [each]


def _in_path(name: str, value: Any, style: str, *, explode: bool) -> str:
    parts = [
        quote(part, safe="=") if isinstance(value, Mapping) else quote(part, safe="")
        for part in _parts(value, explode=explode)
    ]
    match style:
        case "label":
            return "." + ("." if explode else ",").join(parts)
        case "matrix" if explode and isinstance(value, Mapping):
            return "".join(f";{part}" for part in parts)
        case "matrix" if explode:
            return "".join(f";{name}={part}" for part in parts)
        case "matrix":
            return f";{name}={','.join(parts)}"
        case _:
            return ",".join(parts)


def _in_query(name: str, value: Any, style: str, *, explode: bool) -> dict[str, Any]:
    match value:
        case Mapping() if style == "deepObject":
            return {f"{name}[{key}]": _text(each) for key, each in value.items()}
        case Mapping() if explode:
            return {key: _text(each) for key, each in value.items()}
        case list() if explode:
            return {name: [_text(each) for each in value]}
        case Mapping() | list():
            return {name: _SEPARATORS.get(style, ",").join(_parts(value, explode=False))}
        case _:
            return {name: value if isinstance(value, str | int | float) else _text(value)}


def _parts(value: Any, *, explode: bool) -> list[str]:
    match value:
        case Mapping() if explode:
            return [f"{key}={_text(each)}" for key, each in value.items()]
        case Mapping():
            return [part for key, each in value.items() for part in (key, _text(each))]
        case list():
            return [_text(each) for each in value]
        case _:
            return [_text(value)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
