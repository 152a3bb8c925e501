"""Queries of a response, one class each, and the assertions that compare their values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator

from ecs_hooks.assertions.jsonpath import JsonPath, find, is_singular
from ecs_hooks.assertions.patterns import Pattern, first_group
from ecs_hooks.assertions.predicate import LiteralOrPredicate, Predicate  # noqa: F401 - a type of Predicate's fields
from ecs_hooks.core.lazy_model import LazyModel
from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name
from ecs_hooks.core.tagged_model import TaggedModel
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.assertions.filters import Filter
    from ecs_hooks.http.response import Response

    AnyFilter = str | Filter
else:
    AnyFilter = Annotated[
        Any,
        LazyModel(
            "ecs_hooks.assertions.filters:Filter",
            or_string="ecs_hooks.assertions.filters:WITHOUT_ARGUMENT",
            example='an object such as {"nth": 0}',
        ),
    ]

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class Found(NamedTuple):
    """The values that a query finds.

    Parameters
    ----------
    values
        The values; empty if there are none.
    is_text
        Whether values arrive as text, such as headers, so that numbers are read from it.
    hidden
        The text to show in place of a value that must not be shown, such as the size of a body.
    problem
        Why the query cannot be evaluated; empty if it can.
    sources
        The values before filters; empty without filters.
    """

    values: Sequence[Any]
    is_text: bool = False
    hidden: str | None = None
    problem: str = ""
    sources: Sequence[Any] = ()


class Query(TaggedModel):
    """A query of a response. Each subclass with a `query` of its own is a query that a plan can name."""

    tag_field: ClassVar[str] = "query"
    detail_field: ClassVar[str] = ""
    """The field that is part of the label, such as the name of a header; empty if there is none."""

    query: str
    """Name of the query."""
    filters: Annotated[tuple[AnyFilter, ...], Field(max_length=20)] = ()
    """Filters that transform the value, in this order: the name of a filter, or an object with its name and argument. A
    `jsonpath` that can find several values (`$.orders[*]`) passes them as one array."""

    @field_validator("filters")
    @classmethod
    def _end_with_a_comparable_value(cls, filters: tuple[str | Filter, ...]) -> tuple[str | Filter, ...]:
        if filters:
            from ecs_hooks.assertions.filters import check_last  # noqa: PLC0415 - a plan without filters need not load it

            check_last(filters[-1])
        return filters

    @property
    def detail(self) -> str:
        """The value of `detail_field`."""
        return str(getattr(self, self.detail_field)) if self.detail_field else ""

    @property
    def label(self) -> str:
        """The query as reasons show it, such as `header Content-Type` or `duration tls`."""
        names = [each if isinstance(each, str) else each.name for each in self.filters[:5]]
        return " ".join([self.query, *filter(None, [self.detail[:80]]), *names])

    @property
    def is_secret(self) -> bool:
        """Whether names in the query say that its value is a secret."""
        arguments = [each.argument for each in self.filters if not isinstance(each, str)]
        return any(map(is_secret_name, [self.detail, *(each for each in arguments if isinstance(each, str))]))

    def find(self, response: Response) -> Found:
        """Return the values in a response, after the filters."""
        found = self._find(response)
        if not self.filters or found.problem:
            return found
        from ecs_hooks.assertions.filters import FilterError, NothingFoundError, apply, is_public  # noqa: PLC0415 - as above

        sources = self._filtered_values(found)
        hidden = None if found.hidden is None or is_public(self.filters) else MASK
        try:
            values = [apply(self.filters, each) for each in sources]
        except FilterError as error:
            return Found([], problem=str(error))
        except NothingFoundError:
            values = []
        return Found(values, is_text=True, hidden=hidden, sources=sources)

    if TYPE_CHECKING:
        # Each query has its own.
        def _find(self, response: Response) -> Found: ...

    def _filtered_values(self, found: Found) -> Sequence[Any]:
        """Return the values that filters get, one after the other."""
        return found.values

    def shown(self, found: Found, redactor: Redactor) -> str | None:
        """Return the text to show in place of the values found; None if they may be shown.

        A filter can turn a secret that the redactor knows into one that it does not know.
        """
        if self.is_secret:
            return MASK
        if found.sources:
            from ecs_hooks.assertions.filters import is_public  # noqa: PLC0415 - as above

            if not is_public(self.filters) and redactor.knows(found.sources):
                return MASK
        return found.hidden


class StatusQuery(Query):
    """The status code."""

    query: Literal["status"]

    def _find(self, response: Response) -> Found:
        return Found([response.status])


class HeaderQuery(Query):
    """A header."""

    query: Literal["header"]
    detail_field = "name"
    name: _Name
    """Name of the header, in any case."""

    def _find(self, response: Response) -> Found:
        value = response.headers.get(self.name)
        return Found([] if value is None else [value], is_text=True)


class CookieQuery(Query):
    """A cookie that the response sets."""

    query: Literal["cookie"]
    name: _Name
    """Name of the cookie."""
    attribute: Literal["value", "expires", "max-age", "domain", "path", "secure", "httponly", "samesite"] = "value"
    """Attribute of the cookie."""

    @property
    def detail(self) -> str:
        """The name and the attribute."""
        return self.name if self.attribute == "value" else f"{self.name} {self.attribute}"

    @property
    def is_secret(self) -> bool:
        """Whether the value of the cookie is found, always a secret."""
        return self.attribute == "value"

    def _find(self, response: Response) -> Found:
        for line in response.headers.getlist("set-cookie"):
            cookie: SimpleCookie = SimpleCookie()
            try:
                cookie.load(line)
            except CookieError:
                continue
            morsel = cookie.get(self.name)
            if morsel is not None:
                value = morsel.value if self.attribute == "value" else morsel[self.attribute]
                return Found([] if value == "" and self.attribute != "value" else [value], is_text=True)
        return Found([])


class BodyQuery(Query):
    """The body as text."""

    query: Literal["body"]

    def _find(self, response: Response) -> Found:
        return Found([response.text], is_text=True, hidden=f"{len(response.content)} bytes")


class BytesQuery(Query):
    """The size of the body in bytes."""

    query: Literal["bytes"]

    def _find(self, response: Response) -> Found:
        return Found([len(response.content)])


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

    def _filtered_values(self, found: Found) -> Sequence[Any]:
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


class DurationQuery(Query):
    """The duration of the exchange, or of one phase, in milliseconds."""

    query: Literal["duration"]
    detail_field = "phase"
    phase: Literal["total", "resolve", "connect", "tls", "first_byte", "transfer"] = "total"
    """The phase: `resolve`, `connect`, `tls`, `first_byte` (from the request to the response's head) or `transfer` (of the
    body). Default: all."""

    def _find(self, response: Response) -> Found:
        return Found([round(getattr(response.timings, self.phase) * 1000, 3)])


class TlsVersionQuery(Query):
    """The version of TLS, such as `TLSv1.3`."""

    query: Literal["tls_version"]

    def _find(self, response: Response) -> Found:
        return Found([] if response.tls is None else [response.tls.version], is_text=True)


class CertificateQuery(Query):
    """A field of the server's certificate."""

    query: Literal["certificate"]
    detail_field = "field"
    field: Literal[
        "expires_in_days", "subject", "issuer", "not_before", "not_after", "serial_number", "alternative_names"
    ] = "expires_in_days"
    """Field of the certificate; times are in seconds since the epoch."""

    def _find(self, response: Response) -> Found:
        certificate = response.tls.certificate if response.tls else None
        if certificate is None:
            return Found([], problem="" if response.tls is None else "is unknown, since verify_tls is false")
        value = getattr(certificate, self.field)
        return Found([list(value) if isinstance(value, tuple) else value], is_text=True)


class RedirectsQuery(Query):
    """The number of redirects that were followed."""

    query: Literal["redirects"]

    def _find(self, response: Response) -> Found:
        return Found([response.redirects])


class LocationQuery(Query):
    """The target of a redirect."""

    query: Literal["location"]

    def _find(self, response: Response) -> Found:
        value = response.headers.get("location")
        # The query of the URL can be a secret.
        return Found([] if value is None else [value], is_text=True, hidden=value.partition("?")[0] if value else None)


class UrlQuery(Query):
    """The URL of the response."""

    query: Literal["url"]

    def _find(self, response: Response) -> Found:
        return Found([response.url.shown])


class Assertion(Query, Predicate):
    """A query with conditions for each value that it finds. At least one value is required unless `exists` is false."""

    warn: bool = False
    """Whether a failure is only a warning."""

    if TYPE_CHECKING:
        # Type checkers do not know the fields of the class that `query` selects.
        def __init__(self, *, query: str, **fields: Any) -> None: ...

    def problem_in(self, response: Response, redactor: Redactor) -> str | None:
        """Return what is wrong with a response, such as `is 500, expected 200`; None if nothing is."""
        found = self.find(response)
        if found.problem:
            return found.problem
        # For `exists`, an empty body counts as missing.
        is_body = self.query == "body" and not self.filters
        values = [each for each in found.values if each or not (is_body and self.is_about_existence)]
        return self.problem_among(values, redactor, shown=self.shown(found, redactor), is_text=found.is_text)
