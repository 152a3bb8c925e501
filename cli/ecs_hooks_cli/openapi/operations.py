"""The safe operations of an OpenAPI document: those that only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ecs_hooks_cli.openapi.document import Document, DocumentError

_SAFE = ("get", "head")
_UNSAFE = ("put", "post", "delete", "options", "patch", "trace")


class Operation(NamedTuple):
    """A method at a path.

    Parameters
    ----------
    method, path
        `GET` or `HEAD`, and the path as the document has it.
    base_path
        What stands in front of the path: the path of the server; empty where that is the root.
    operation_id
        Its name; empty where it has none.
    parameters
        Its own and those of the path.
    responses
        By status.
    security
        The security schemes that it needs, such as `apiKey or oauth2`; empty where it can do without.
    tags
        Its tags.
    elsewhere
        Host of another server that serves it; empty where that of all others does.
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

    @property
    def shown(self) -> str:
        """The operation as people name it."""
        return f"{self.method} {self.path}"


def safe_operations(document: Document) -> Iterator[Operation]:
    """Yield the safe operations in the order of the document.

    Raises
    ------
    DocumentError
        If a server has no address.
    """
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
                _needed(operation.get("security", root.get("security", ()))),
                tuple(operation.get("tags", ())),
                server.host if server and usual and server.host and usual.host not in {"", server.host} else "",
            )


def count_others(document: Document) -> int:
    """Return how many operations there are that may change something."""
    return sum(method in item for _, item in _paths(document) for method in _UNSAFE)


def _paths(document: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in document.root.get("paths", {}).items():
        if path.startswith("/"):  # others are extensions
            yield path, document.resolved(item)


class _Server(NamedTuple):
    host: str
    path: str


def _server(servers: Sequence[Mapping[str, Any]] | None) -> _Server | None:
    """Return host and path of the first server, with the defaults of its variables.

    Raises
    ------
    DocumentError
        If its address is none.
    """
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
        raise DocumentError([f"servers: {url[:100]!r} is no address"])
    return _Server(host, f"/{path.strip('/')}")


def _needed(security: Sequence[Mapping[str, Any]]) -> str:
    # An empty requirement stands for nobody in particular.
    if not security or {} in security:
        return ""
    return " or ".join(" and ".join(each) for each in security)
