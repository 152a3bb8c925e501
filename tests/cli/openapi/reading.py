"""OpenAPI documents for tests."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from ecs_hooks_cli.openapi.document import Document, read_document
from ecs_hooks_cli.openapi.operations import Operation, safe_operations

DOCUMENTS = Path(__file__).parent / "documents"
OK: dict[str, Any] = {"200": {"description": "ok"}}


def root(version: str = "3.0.3", paths: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a minimal valid document with other fields."""
    return {"openapi": version, "info": {"title": "a", "version": "1"}, "paths": paths or {}, **fields}


def read(value: Any) -> Document:
    """Read a document, or the text of one."""
    return read_document(io.StringIO(value if isinstance(value, str) else json.dumps(value)))


def named(name: str) -> Document:
    """Read a document of the folder."""
    return read((DOCUMENTS / name).read_text(encoding="utf-8"))


def only_operation(document: Document) -> Operation:
    """Return the one safe operation of a document."""
    (operation,) = safe_operations(document)
    return operation
