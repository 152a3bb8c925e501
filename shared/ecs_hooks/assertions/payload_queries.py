"""Queries of a response's body."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ecs_hooks.assertions.base_query import Found, Query
from ecs_hooks.assertions.jsonpath import JsonPath, find, is_singular
from ecs_hooks.assertions.patterns import Pattern, first_group
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.http.response import Response


class BodyQuery(Query):
    """The body as text; for filters of bytes such as `to_hex`, its bytes."""

    query: Literal["body"]

    def _find(self, response: Response) -> Found:
        return Found([response.text], is_text=True, hidden=f"{len(response.content)} bytes")

    def _sources(self, found: Found, response: Response) -> Sequence[Any]:
        return [response.content] if "bytes" in self._first_takes else found.values


class BytesQuery(Query):
    """The size of the body in bytes; for filters of bytes such as `to_hex`, the bytes."""

    query: Literal["bytes"]

    def _find(self, response: Response) -> Found:
        size = len(response.content)
        return Found([size], hidden=f"{size} bytes" if self.filters and "bytes" in self._first_takes else None)

    def _sources(self, found: Found, response: Response) -> Sequence[Any]:
        return [response.content] if "bytes" in self._first_takes else found.values


class HexQuery(Query):
    """The body in hexadecimal digits."""

    query: Literal["hex"]

    def _find(self, response: Response) -> Found:
        return Found([response.content.hex()], hidden=f"{len(response.content)} bytes")


class JsonPathQuery(Query):
    """The values at a JSONPath in the body."""

    query: Literal["jsonpath"]
    detail_field = "path"
    path: JsonPath
    """The JSONPath (RFC 9535)."""

    def _find(self, response: Response) -> Found:
        try:
            return Found(find(self.path, response.json()))
        except ContentError as error:
            return Found([], problem=f"expected JSON, but {error.message}")
        except ValueError as error:
            return Found([], problem=str(error))

    def _sources(self, found: Found, _: Response) -> Sequence[Any]:
        return found.values if is_singular(self.path) else [list(found.values)]


class RegexQuery(Query):
    """The text that a regular expression finds in the body."""

    query: Literal["regex"]
    pattern: Pattern
    """The regular expression (RE2, as in `matches`): its first group, or the whole match if it has no groups."""

    def _find(self, response: Response) -> Found:
        return Found(first_group(self.pattern, response.text), is_text=True)


class Sha256Query(Query):
    """The SHA-256 digest of the body in hexadecimal digits."""

    query: Literal["sha256"]

    def _find(self, response: Response) -> Found:
        return Found([hashlib.sha256(response.content).hexdigest()])


class Md5Query(Query):
    """The MD5 digest of the body in hexadecimal digits."""

    query: Literal["md5"]

    def _find(self, response: Response) -> Found:
        return Found([hashlib.md5(response.content, usedforsecurity=False).hexdigest()])
