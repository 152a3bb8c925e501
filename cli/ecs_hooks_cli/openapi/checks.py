"""Checks of a plan, from the operations of an OpenAPI document and their documented responses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.checks.request.template import as_literal
from ecs_hooks.core.validation_errors import error_lines
from ecs_hooks_cli.openapi.document import Document
from ecs_hooks_cli.openapi.operations import NoValueError, Operation, request_of, safe_operations
from ecs_hooks_cli.openapi.schemas import StandAlone, UnsupportedSchemaError

_MAX_NAME = 80
_JSON = re.compile(r"(application|text)/json|[^/]+/[^/]+\+json", re.IGNORECASE)
_ANY = {"*/*", "application/*"}
_STRUCTURES = {"object", "array"}


class Choice(NamedTuple):
    """The operations to import, all or those with one of the tags.

    `secured` includes operations that require credentials, without any. `base_path` replaces the prefix of the paths.
    `schemas` compares responses with their schemas.
    """

    tags: Collection[str] = ()
    secured: bool = False
    base_path: str | None = None
    schemas: bool = True


class Imported(NamedTuple):
    """The checks as in a plan; skipped operations with the reason; notes about parts that a check leaves out or requires."""

    checks: list[dict[str, Any]]
    skipped: list[tuple[str, str]]
    notes: list[tuple[str, str]]


class Expected(NamedTuple):
    """The expectations about a response as in a check, the media type to request if there are several, and omitted parts."""

    expect: dict[str, Any]
    accept: str = ""
    notes: tuple[str, ...] = ()


class NoSuccessError(ValueError):
    """An operation has no documented success."""


class _SkippedError(ValueError):
    """An operation has no check."""


def checks_of(document: Document, choice: Choice) -> Imported:
    """Return a check for each safe operation with a complete request; a server without a valid URL is a DocumentError."""
    imported = Imported([], [], [])
    for operation in safe_operations(document):
        if choice.tags and not set(choice.tags) & set(operation.tags):
            continue
        mistake = document.mistake_in(operation.path, operation.method.lower())
        if operation.needs_body:
            mistake = mistake or "requires a body, which the check does not send"
        if mistake:
            imported.skipped.append((operation.shown, mistake))
            continue
        try:
            check, notes = _check(document, operation, choice)
        except (_SkippedError, NoValueError, NoSuccessError) as error:
            imported.skipped.append((operation.shown, str(error)))
            continue
        check["name"] = _unused(check["name"], {each["name"] for each in imported.checks})
        imported.checks.append(check)
        imported.notes.extend((operation.shown, note) for note in notes)
    return imported


def expected(document: Document, operation: Operation, *, with_schemas: bool) -> Expected:
    """Return the expectations about an operation's response: status, media type and the schema of its JSON.

    Without a successful response there is a NoSuccessError.
    """
    responses = _successes(operation.responses)
    statuses = list(responses)
    status = {"status": statuses if len(statuses) > 1 else statuses[0]}
    contents = [response.get("content", {}) for response in responses.values()]
    if operation.method == "HEAD" or not any(contents):
        return Expected(status)
    if not all(contents):
        bodiless = next(each for each, content in zip(statuses, contents, strict=True) if not content)
        return Expected(status, notes=(f"the body is not compared, since status {bodiless} has none",))
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


def _check(document: Document, operation: Operation, choice: Choice) -> tuple[dict[str, Any], list[str]]:
    notes = []
    if operation.elsewhere:
        raise _SkippedError(f"another server serves it ({operation.elsewhere})")
    if operation.security:
        if not choice.secured:
            raise _SkippedError(
                f"requires credentials ({operation.security}); --include-secured imports it without any"
            )
        notes.append(f"requires credentials ({operation.security}), which the check does not send")
    if choice.base_path is not None:
        operation = operation._replace(base_path=choice.base_path.rstrip("/"))
    path, query, headers = request_of(document, operation)
    expect, accept, more = expected(document, operation, with_schemas=choice.schemas)
    name = operation.operation_id or operation.shown
    check: dict[str, Any] = {"type": "http", "name": name[:_MAX_NAME], "path": path, "expect": expect}
    if operation.method != "GET":
        check["method"] = operation.method
    if query:
        check["query"] = query
    if accept:
        headers["Accept"] = accept
    if headers:
        check["headers"] = headers
    check = {**as_literal(check), "name": check["name"]}  # braces in a document are no variables
    try:
        HttpCheck.model_validate(check)
    except ValidationError as error:
        raise _SkippedError("; ".join(error_lines(error, "the check", HttpCheck))) from None
    return check, [*notes, *more]


def _unused(name: str, names: Collection[str]) -> str:
    number, unused = 2, name
    while unused in names:
        end = f" #{number}"
        number, unused = number + 1, name[: _MAX_NAME - len(end)] + end
    return unused


def _successes(responses: Mapping[str, Any]) -> dict[int | str, Any]:
    """Return the successful responses by a check's status: 2xx, else 3xx, else `default`."""
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
    raise NoSuccessError("no successful response is documented")


def _json_type(document: Document, content: Mapping[str, Any]) -> str:
    """Return the media type of JSON among those of a response; empty without one."""
    for name, media in content.items():
        if _JSON.fullmatch(_bare(name)):
            return name
        # A wildcard with the schema of an object or array can be requested as JSON.
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
        return {}, (f"the body is not compared with the schema: {error}",)
