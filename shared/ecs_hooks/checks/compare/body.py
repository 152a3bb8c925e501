"""The body of a response, reduced to what is compared: JSON, documents of NDJSON, markup, lines, or a digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.assertions.jsonpath import locations
from ecs_hooks.checks.compare.json_diff import IncomparableError, Value
from ecs_hooks.checks.compare.markup import markup_of, pieces_of
from ecs_hooks.checks.compare.normalize import without_hashes
from ecs_hooks.core.json_text import JsonError, has_bom, read_json
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.normalize import Normalize
    from ecs_hooks.http.response import Response

_MAX_LINES = 20_000
_LONG_LINE = 300
"""Characters from which on a line is minified code, and is compared statement by statement."""
_TEXTS = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_NO_PLACES: Mapping[str, Any] = MappingProxyType({})
_JSON_WITH_MARK = "JSON after a byte order mark"
_METRICS = re.compile(r"# (?:TYPE|HELP) \w+")


class Body(NamedTuple):
    """A body."""

    kind: str
    """`JSON` (after a byte order mark, or not), `NDJSON`, `text`, `binary` or `empty`."""
    roots: tuple[Any, ...] = ()
    """The JSON without what is ignored; empty if the body is not JSON, or all of it is ignored."""
    parts: tuple[Value, ...] = ()
    """The lines of a text, or the digest of a binary body."""
    size: int = 0
    """Bytes, as received."""
    places: Mapping[str, tuple[Value, ...]] = _NO_PLACES
    """The values of HTML or XML, by path."""
    embedded: Mapping[str, list[Any]] = _NO_PLACES
    """The JSON in scripts of HTML, by path."""
    secret_places: frozenset[str] = frozenset()

    @property
    def is_ignored(self) -> bool:
        """Whether all of it is ignored."""
        return self.kind in {"JSON", _JSON_WITH_MARK, "NDJSON"} and not self.roots


def body_of(response: Response, ignored: Sequence[str], normalize: Normalize) -> Body:
    """Return what is compared of the body of a response.

    Raises
    ------
    IncomparableError
        If a JSONPath cannot be evaluated.
    """
    content = response.content
    if not content:
        return Body("empty")
    media_type = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type.endswith("json") or content.lstrip()[:1] in {b"{", b"["}:
        with suppress(ContentError):
            kind = _JSON_WITH_MARK if has_bom(content) else "JSON"  # not every client accepts the mark
            return Body(kind, _without_ignored(response.json(), ignored), size=len(content))
        documents = _documents(response.text)
        if documents is not None:
            return Body("NDJSON", _without_ignored(documents, ignored), size=len(content))
    if not _is_text(media_type, content):
        return _digest(content)
    return _text(response.text, media_type, content, normalize)


def _text(text: str, media_type: str, content: bytes, normalize: Normalize) -> Body:
    is_html = media_type in {"text/html", "application/xhtml+xml"} or _HTML.match(text) is not None
    is_xml = not is_html and (media_type.endswith("xml") or text.lstrip("\ufeff \t\r\n").startswith("<?xml"))
    if (is_html or is_xml) and "<" in text:
        found = markup_of(text, normalize, is_xml=is_xml)
        if found is not None:
            return Body("text", (), (), len(content), found.values, found.embedded, found.secret_paths)
    lines = text.splitlines()
    if _METRICS.match(text):
        # Counters and gauges are those of one process, and labels come with its first requests.
        lines = [line for line in lines if line.startswith("# TYPE")]
    if len(lines) > _MAX_LINES:
        return _digest(content)
    pieces = (piece for line in lines for piece in (pieces_of(line) if len(line) > _LONG_LINE else (line,)))
    return Body(
        "text", parts=tuple(Value("line", without_hashes(normalize(each))) for each in pieces), size=len(content)
    )


def _digest(content: bytes) -> Body:
    return Body("binary", parts=(Value("digest", hashlib.sha256(content).hexdigest()),), size=len(content))


def _documents(text: str) -> list[Any] | None:
    """Return the documents of NDJSON, one a line; None if it is something else."""
    documents = []
    for line in text.splitlines():
        if line and not line.isspace():
            try:
                documents.append(read_json(line))
            except JsonError:
                return None
    return documents or None


def _is_text(media_type: str, content: bytes) -> bool:
    if media_type.startswith(_TEXTS) or media_type.endswith(("+xml", "json")):
        return True
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _without_ignored(document: Any, paths: Sequence[str]) -> tuple[Any, ...]:
    """Delete what some JSONPaths select from a document, and return it; empty if they select all of it."""
    found: set[tuple[str | int, ...]] = set()
    for path in paths:
        try:
            found |= set(locations(path, document))
        except ValueError as error:
            raise IncomparableError(f"ignore {path[:80]} {error}") from None
    if () in found:
        return ()
    # Delete the last items of an array first, because later items move up, and children before their parent.
    for *way, last in sorted(found, key=lambda each: [(isinstance(step, int), step) for step in each], reverse=True):
        parent = document
        for step in way:
            parent = parent[step]
        del parent[last]
    return (document,)
