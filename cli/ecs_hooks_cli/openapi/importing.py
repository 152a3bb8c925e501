"""From the operations of an OpenAPI document to the checks of a plan."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from ecs_hooks.checks.http import HttpCheck
from ecs_hooks.core.validation_errors import described
from ecs_hooks_cli.openapi.operations import Operation, safe_operations
from ecs_hooks_cli.openapi.parameters import NoValueError, filled
from ecs_hooks_cli.openapi.responses import NoSuccessError, expected

if TYPE_CHECKING:
    from ecs_hooks_cli.openapi.document import Document

_LONGEST_NAME = 80


class Choice(NamedTuple):
    """Which operations are wanted, and how.

    Parameters
    ----------
    tags
        Only operations with one of them; all where there are none.
    secured
        Whether those that need credentials are wanted, without any.
    base_path
        What stands in front of each path; None where the document says it.
    schemas
        Whether responses are compared with their schemas.
    """

    tags: Collection[str] = ()
    secured: bool = False
    base_path: str | None = None
    schemas: bool = True


class Imported(NamedTuple):
    """The checks, and what is to be said of operations.

    Parameters
    ----------
    checks
        As a plan has them.
    skipped
        Operations without a check, and why.
    notes
        What a check does not look at, or needs.
    """

    checks: list[dict[str, Any]]
    skipped: list[tuple[str, str]]
    notes: list[tuple[str, str]]


class _SkippedError(ValueError):
    """An operation has no check."""


def checks_of(document: Document, choice: Choice) -> Imported:
    """Return a check for each safe operation of a document that can be asked without knowing more.

    Raises
    ------
    DocumentError
        If a server has no address.
    """
    imported = Imported([], [], [])
    for operation in safe_operations(document):
        if choice.tags and not set(choice.tags) & set(operation.tags):
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


def _check(document: Document, operation: Operation, choice: Choice) -> tuple[dict[str, Any], list[str]]:
    notes = []
    if operation.elsewhere:
        raise _SkippedError(f"it is served elsewhere ({operation.elsewhere})")
    if operation.security and not choice.secured:
        raise _SkippedError(f"it needs credentials ({operation.security}); --include-secured imports it without any")
    if operation.security:
        notes.append(f"it needs credentials ({operation.security}), which the check does not have")
    if choice.base_path is not None:
        operation = operation._replace(base_path=choice.base_path.rstrip("/"))
    path, query, headers = filled(document, operation)
    expect, accept, more = expected(document, operation, with_schemas=choice.schemas)
    name = operation.operation_id or operation.shown
    check: dict[str, Any] = {"type": "http", "name": name[:_LONGEST_NAME], "path": path, "expect": expect}
    if operation.method != "GET":
        check["method"] = operation.method
    if query:
        check["query"] = query
    if accept:
        headers["Accept"] = accept
    if headers:
        check["headers"] = headers
    try:
        HttpCheck.model_validate(check)
    except ValidationError as error:
        raise _SkippedError("; ".join(described(error, "the check", HttpCheck))) from None
    return check, [*notes, *more]


def _unused(name: str, names: Collection[str]) -> str:
    number, unused = 2, name
    while unused in names:
        end = f" #{number}"
        number, unused = number + 1, name[: _LONGEST_NAME - len(end)] + end
    return unused
