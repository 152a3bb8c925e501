"""Queries of a response's body."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ecs_hooks.assertions.base_query import Found, Query
from ecs_hooks.assertions.jsonpath import JsonPath, find, is_singular
from ecs_hooks.assertions.patterns import Pattern, first_group
from ecs_hooks.http.errors import ContentError
from ecs_hooks.http.response import text_encoding

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

    @property
    def _is_of_numbers(self) -> bool:
        return True

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


def _check_xpath(path: str) -> str:
    from ecs_hooks.assertions.markup import check_xpath  # noqa: PLC0415 - a plan without markup need not load it

    return check_xpath(path)


def _check_selector(selector: str) -> str:
    from ecs_hooks.assertions.markup import check_selector  # noqa: PLC0415 - as above

    return check_selector(selector)


class XPathQuery(Query):
    """The values at an XPath in an HTML or XML body: the texts of elements and attributes, or a text, number or boolean."""

    query: Literal["xpath"]
    detail_field = "path"
    path: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_xpath)]
    """The XPath (1.0). In XML, prefixes are those of the document, and `_` is its default namespace."""

    def _find(self, response: Response) -> Found:
        from ecs_hooks.assertions.markup import MarkupError, find_xpath  # noqa: PLC0415 - as above

        text, xml = _markup(response)
        try:
            return Found(find_xpath(self.path, text, xml=xml), is_text=True)
        except MarkupError as error:
            return Found([], problem=str(error))

    def _sources(self, found: Found, _: Response) -> Sequence[Any]:
        from ecs_hooks.assertions.markup import is_scalar  # noqa: PLC0415 - as above

        return found.values if is_scalar(self.path) else [list(found.values)]


class CssQuery(Query):
    """The texts of the elements in an HTML or XML body that a CSS selector selects, or an attribute of theirs."""

    query: Literal["css"]
    detail_field = "selector"
    selector: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_selector)]
    """The CSS selector."""
    attribute: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """The attribute; elements without it are left out."""

    @property
    def detail(self) -> str:
        """The selector and the attribute."""
        return self.selector if self.attribute is None else f"{self.selector} {self.attribute}"

    def _find(self, response: Response) -> Found:
        from ecs_hooks.assertions.markup import MarkupError, find_css  # noqa: PLC0415 - as above

        text, xml = _markup(response)
        try:
            return Found(find_css(self.selector, self.attribute, text, xml=xml), is_text=True)
        except MarkupError as error:
            return Found([], problem=str(error))

    def _sources(self, found: Found, _: Response) -> Sequence[Any]:
        return [list(found.values)]


def _markup(response: Response) -> tuple[str, bool]:
    """Return a body as text, in the charset that the response or the document declares, and whether it is XML."""
    from ecs_hooks.assertions.markup import declared_charset, is_xml  # noqa: PLC0415 - as above

    media_type = response.headers.get("content-type") or ""
    declared = "" if "charset" in media_type.lower() else declared_charset(response.content)
    encoding = text_encoding(declared) if declared else None
    text = response.content.decode(encoding, "replace") if encoding else response.text
    return text, is_xml(media_type, text)
