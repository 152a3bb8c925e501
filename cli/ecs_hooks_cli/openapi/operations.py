"""The safe operations of an OpenAPI document (GET and HEAD), and their requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from ecs_hooks.assertions.json_schema import check_schema, violation
from ecs_hooks.core.json_text import read_json
from ecs_hooks_cli.openapi.document import Document, DocumentError
from ecs_hooks_cli.openapi.schemas import StandAlone

_SAFE = ("get", "head")
_UNSAFE = ("put", "post", "delete", "options", "patch", "trace")
_IGNORED_HEADERS = {"accept", "content-type", "authorization"}
"""Header parameters that OpenAPI ignores, in favour of media types and security schemes."""
_SCALAR = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?|true|false", re.ASCII)
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_SEPARATORS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class NoValueError(ValueError):
    """A required parameter has no value in the document."""


class Operation(NamedTuple):
    """A method of a path.

    `base_path` is the path of the server, empty for `/`. `parameters` includes those of the path. `security` has the
    required schemes, such as `apiKey or oauth2`, if any. `elsewhere` is the host of its server if most have another one, `needs_body` whether the
    request requires a body.
    """

    method: str
    path: str
    base_path: str
    operation_id: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Any]
    security: str
    tags: tuple[str, ...]
    elsewhere: str
    needs_body: bool = False

    @property
    def shown(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class Request(NamedTuple):
    """The request of an operation; the path is encoded."""

    path: str
    query: dict[str, Any]
    headers: dict[str, str]


def safe_operations(document: Document) -> Iterator[Operation]:
    """Yield the safe operations in the order of the document; a server without a valid URL is a DocumentError."""
    root = document.root
    usual = _server(root.get("servers"))
    for path, item in _paths(document):
        for method in _SAFE:
            if method not in item:
                continue
            operation = item[method]
            server = _server(operation.get("servers") or item.get("servers")) or usual
            parameters = {
                (each["name"], each["in"]): each
                for each in map(document.resolved, [*item.get("parameters", ()), *operation.get("parameters", ())])
            }
            yield Operation(
                method.upper(),
                path,
                server.path.rstrip("/") if server else "",
                operation.get("operationId", ""),
                tuple(parameters.values()),
                {status: document.resolved(each) for status, each in operation.get("responses", {}).items()},
                _required(operation.get("security", root.get("security", ()))),
                tuple(operation.get("tags", ())),
                server.host if server and usual and server.host and usual.host not in {"", server.host} else "",
                document.resolved(operation.get("requestBody", {})).get("required") is True,
            )


def count_others(document: Document) -> int:
    """Return the number of operations that are not safe."""
    return sum(method in item for _, item in _paths(document) for method in _UNSAFE)


def request_of(document: Document, operation: Operation) -> Request:
    """Return the request of an operation, with its required parameters only; one without a value is a NoValueError."""
    path, headers = operation.path, dict[str, str]()
    query, cookies = dict[str, Any](), dict[str, Any]()
    for parameter in operation.parameters:
        name, where = parameter["name"], parameter["in"]
        if not parameter.get("required") or (where == "header" and name.lower() in _IGNORED_HEADERS):
            continue
        # A request has no form for null, nor for an empty segment of a path.
        # A browser and a proxy remove the segments . and .. from a path.
        unfit = (None, "", ".", "..") if where == "path" else (None,)
        given = [each for each in _values(document, parameter) if each not in unfit]
        value = next((each for each in given if _is_allowed(document, parameter, each)), None)
        if value is None and given:
            raise NoValueError(f"the {where} parameter {name} has no example, default or enum that its schema allows")
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
    return Request(operation.base_path + path, query, headers)


def _paths(document: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in document.root.get("paths", {}).items():
        if path.startswith("/"):  # others are extensions
            yield path, document.resolved(item)


class _Server(NamedTuple):
    host: str
    path: str


def _server(servers: Sequence[Mapping[str, Any]] | None) -> _Server | None:
    """Return host and path of the first server, with the defaults of its variables."""
    if not servers:
        return None
    url = servers[0]["url"]
    for name, variable in servers[0].get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable["default"]))
    try:
        _, host, path, *_ = urlsplit(url)
    except ValueError:
        host, path = "", "{"
    if "{" in path:
        raise DocumentError([f"servers: {url[:100]!r} is not a URL"])
    return _Server(host, f"/{path.strip('/')}")


def _required(security: Sequence[Mapping[str, Any]]) -> str:
    # An empty requirement makes security optional.
    if not security or {} in security:
        return ""
    return " or ".join(" and ".join(each) for each in security)


def _values(document: Document, parameter: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values of a parameter in the document, or of its one media type, the nearest first; None is no value."""
    media: Mapping[str, Any] = next(iter(parameter.get("content", {}).values()), {})
    for holder in (parameter, media):
        yield holder.get("example")
        yield from (document.resolved(each).get("value") for each in holder.get("examples", {}).values())
        yield from _of_schema(document, holder.get("schema"), frozenset())


def _is_allowed(document: Document, parameter: Mapping[str, Any], value: Any) -> bool:
    """Return whether the schema of a parameter allows a value; a schema that a plan does not support allows any.

    A string is taken as it is: the examples of documents are often simpler than their patterns.
    """
    media: Mapping[str, Any] = next(iter(parameter.get("content", {}).values()), {})
    resolved = document.resolved(parameter.get("schema", media.get("schema")))
    if isinstance(value, str) and (not isinstance(resolved, Mapping) or resolved.get("type", "string") == "string"):
        return True
    try:
        schema = StandAlone(document).schema([parameter.get("schema", media.get("schema", True))])
        # In a URL, "100" and 100 are the same.
        forms = [value, read_json(value)] if isinstance(value, str) and _SCALAR.fullmatch(value) else [value]
        return any(violation(check_schema(schema), each) is None for each in forms)
    except ValueError:  # pragma: no cover - `StandAlone` leaves out what plans do not support
        return True


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
    safe = "=" if isinstance(value, Mapping) else ""
    parts = [quote(part, safe=safe) for part in _parts(value, explode=explode)]
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
