"""What an OpenAPI document says of the response of an operation, as expectations of a check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks_cli.openapi.schemas import StandAlone, UnsupportedSchemaError

if TYPE_CHECKING:
    from ecs_hooks_cli.openapi.document import Document
    from ecs_hooks_cli.openapi.operations import Operation

_JSON = re.compile(r"(application|text)/json|[^/]+/[^/]+\+json", re.IGNORECASE)
_ANY = {"*/*", "application/*"}
_STRUCTURES = {"object", "array"}


class NoSuccessError(ValueError):
    """The document tells of no success of an operation."""


class Expected(NamedTuple):
    """What is expected of a response.

    Parameters
    ----------
    expect
        As a check has it.
    accept
        The media type to ask for; empty where there is no choice.
    notes
        What of the document is not among it, and why.
    """

    expect: dict[str, Any]
    accept: str = ""
    notes: tuple[str, ...] = ()


def expected(document: Document, operation: Operation, *, with_schemas: bool) -> Expected:
    """Return what is expected of the response of an operation: status, media type and, where it is JSON, its schema.

    Raises
    ------
    NoSuccessError
        If the document only tells of failures.
    """
    responses = _successes(operation.responses)
    statuses = list(responses)
    status = {"status": statuses if len(statuses) > 1 else statuses[0]}
    contents = [response.get("content", {}) for response in responses.values()]
    if operation.method == "HEAD" or not any(contents):
        return Expected(status)
    if not all(contents):
        bodiless = next(each for each, content in zip(statuses, contents, strict=True) if not content)
        return Expected(status, notes=(f"its body is not compared, since status {bodiless} has none",))
    chosen = [_json_type(document, content) for content in contents]
    if not all(chosen):
        return Expected(status | _content_type([name for content in contents for name in content]))
    asserts: list[dict[str, Any]] = [{"query": "jsonpath", "path": "$", "exists": True}]
    notes: tuple[str, ...] = ()
    if with_schemas:
        media = [content[name] for content, name in zip(contents, chosen, strict=True)]
        schema, notes = _schema(document, [each.get("schema", True) for each in media])
        if schema:
            asserts[0] = {"query": "jsonpath", "path": "$", "json_schema": schema}
    choice = any(len(content) > 1 for content in contents) or not _ANY.isdisjoint(chosen)
    accept = ", ".join(dict.fromkeys("application/json" if name in _ANY else name for name in chosen)) if choice else ""
    return Expected({**status, **_content_type(chosen), "asserts": asserts}, accept, notes)


def _successes(responses: Mapping[str, Any]) -> dict[int | str, Any]:
    """Return the responses of success by status, as a check names it: 2xx, else 3xx, else what stands for all others."""
    for digit in "23":
        found = {
            int(status) if status.isdigit() else status.lower(): response
            for status, response in responses.items()
            if status.startswith(digit)
        }
        if found:
            return found
    if "default" in responses:
        return {"2xx": responses["default"]}
    raise NoSuccessError("no response of success is documented")


def _json_type(document: Document, content: Mapping[str, Any]) -> str:
    """Return the media type of JSON among those of a response; empty where there is none."""
    for name, media in content.items():
        if _JSON.fullmatch(_bare(name)):
            return name
        # Of anything at all, what has parts is JSON, if that is asked for.
        schema = document.resolved(media.get("schema"))
        if name in _ANY and isinstance(schema, Mapping) and schema.get("type") in _STRUCTURES:
            return name
    return ""


def _content_type(names: Sequence[str]) -> dict[str, Any]:
    if "*/*" in names:
        return {}
    patterns = dict.fromkeys(re.escape(_bare(name)).replace(r"\*", r"[^;\s]+") for name in names)
    return {"headers": {"Content-Type": {"matches": rf"(?i)^({'|'.join(patterns)})\s*(;|$)"}}}


def _bare(name: str) -> str:
    return name.partition(";")[0].strip()


def _schema(document: Document, schemas: Sequence[Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    alternatives = [each for number, each in enumerate(schemas) if each not in schemas[:number]]
    made = StandAlone(document)
    try:
        return made.schema(alternatives), tuple(dict.fromkeys(made.notes))
    except UnsupportedSchemaError as error:
        return {}, (f"its body is not compared with the schema: {error}",)
