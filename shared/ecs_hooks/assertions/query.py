"""Questions about a response, each with the values that it finds: the one half of an assertion, and of a capture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.assertions.jsonpath import check_path, find, is_singular
from ecs_hooks.assertions.patterns import check_pattern, first_group
from ecs_hooks.core.lazy_model import Later
from ecs_hooks.core.redaction import MASK, Redactor, is_secret_name
from ecs_hooks.http.errors import ContentError

if TYPE_CHECKING:
    from ecs_hooks.assertions.filters.fields import Filter
    from ecs_hooks.http.response import Response

QueryName = Literal[
    "status",
    "header",
    "cookie",
    "body",
    "bytes",
    "jsonpath",
    "regex",
    "sha256",
    "duration",
    "tls_version",
    "certificate",
    "redirects",
    "location",
    "url",
]
Phase = Literal["total", "resolve", "connect", "tls", "first_byte", "transfer"]
CookieAttribute = Literal["value", "expires", "max-age", "domain", "path", "secure", "httponly", "samesite"]
CertificateField = Literal[
    "expires_in_days", "subject", "issuer", "not_before", "not_after", "serial_number", "alternative_names"
]


FILTERS = (
    "base64_decode",
    "base64_encode",
    "base64_url_safe_decode",
    "base64_url_safe_encode",
    "count",
    "days_after_now",
    "days_before_now",
    "first",
    "html_escape",
    "html_unescape",
    "last",
    "to_date",
    "to_float",
    "to_hex",
    "to_int",
    "to_string",
    "url_decode",
    "url_encode",
    "utf8_decode",
    "utf8_encode",
)
"""The filters that need not be told anything, here since a plan without filters need not load them."""

_TELL_NOTHING = {"count", "days_after_now", "days_before_now"}
"""Filters whose numbers may be shown, whatever they are made of."""

_NO_VALUES = {
    **dict.fromkeys(("base64_decode", "base64_url_safe_decode", "utf8_encode"), "bytes: add utf8_decode or to_hex"),
    "to_date": "a date: add date_format, days_after_now or days_before_now",
}
"""Filters that make what nothing can be compared with, with what else is needed."""

if TYPE_CHECKING:
    AnyFilter = str | Filter
else:
    AnyFilter = Annotated[
        Any,
        Later("ecs_hooks.assertions.filters.fields:Filter", or_text=FILTERS, such_as='an object such as {"nth": 0}'),
    ]


class Found(NamedTuple):
    """What a query finds.

    Parameters
    ----------
    values
        The values; none where there is none.
    is_text
        Whether they come as text whatever they are, so that a number may be read out of them.
    hidden
        How to name them where they must not be shown, such as a body by its size.
    problem
        Why it could not look; empty where it could.
    sources
        What filters have made the values of; none where there are no filters.
    """

    values: Sequence[Any]
    is_text: bool = False
    hidden: str | None = None
    problem: str = ""
    sources: Sequence[Any] = ()


class Query(BaseModel):
    """A question about a response."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    query: QueryName
    """What is looked at: `status`, `header`, `cookie`, `body` (as text), `bytes` (how many), `jsonpath`, `regex` (on the
    body), `sha256` (of the body), `duration` (milliseconds), `tls_version`, `certificate`, `redirects` (how many),
    `location` (where a redirect leads) or `url` (that answered)."""
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the `header` or `cookie`."""
    attribute: CookieAttribute = "value"
    """What of a `cookie`."""
    path: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_path)] | None = None
    """The `jsonpath` (RFC 9535)."""
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_pattern)] | None = None
    """The `regex` (RE2, as of `matches`): its first group, or all of what it finds where it has none."""
    phase: Phase = "total"
    """Which part of the `duration`: `resolve`, `connect`, `tls`, `first_byte` (from the request to the response's header) or
    `transfer` (of the body). Default: all."""
    field: CertificateField = "expires_in_days"
    """What of a `certificate`; times are in seconds since the epoch."""
    filters: Annotated[tuple[AnyFilter, ...], Field(max_length=20)] = ()
    """What is made of the value, in this order: the name of a filter, or an object with the name and what it is told. They
    get one value: of a `jsonpath` that can find several (`$.orders[*]`) an array."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Query:
        needs = {"header": "name", "cookie": "name", "jsonpath": "path", "regex": "pattern"}.get(self.query)
        if needs and getattr(self, needs) is None:
            message = f"{needs}: is missing, which the query {self.query} needs"
            raise ValueError(message)
        takes = {"cookie": {"name", "attribute"}, "duration": {"phase"}, "certificate": {"field"}}
        others = {"name", "attribute", "path", "pattern", "phase", "field"} - takes.get(self.query, {needs})
        for name in sorted(others & self.model_fields_set):
            message = f"{name}: is nothing that the query {self.query} takes"
            raise ValueError(message)
        return self

    @field_validator("filters")
    @classmethod
    def _end_with_a_value(cls, filters: tuple[str | Filter, ...]) -> tuple[str | Filter, ...]:
        names = _names(filters)
        if names and names[-1] in _NO_VALUES:
            message = f"the last one, {names[-1]}, makes {_NO_VALUES[names[-1]]}"
            raise ValueError(message)
        return filters

    @property
    def label(self) -> str:
        """The query as reasons name it, such as `header Content-Type` or `duration tls`."""
        detail = {
            "header": self.name,
            "cookie": f"{self.name} {self.attribute}" if self.attribute != "value" else self.name,
            "jsonpath": self.path,
            "duration": self.phase,
            "certificate": self.field,
        }.get(self.query)
        return " ".join([f"{self.query} {detail[:80]}" if detail else self.query, *_names(self.filters)[:5]])

    @property
    def is_secret(self) -> bool:
        """Whether what it finds must not be shown, as far as names tell."""
        if self.query == "cookie":
            return self.attribute == "value"
        told = [each.argument for each in self.filters if not isinstance(each, str)]
        names = [self.name or self.path or "", *(each for each in told if isinstance(each, str))]
        return any(map(is_secret_name, names))

    def find(self, response: Response) -> Found:
        """Return what it finds in a response, as its filters make it."""
        found = _FIND[self.query](self, response)
        return self._filtered(found) if self.filters and not found.problem else found

    def _filtered(self, found: Found) -> Found:
        from ecs_hooks.assertions.filters.apply import filtered  # noqa: PLC0415 - a plan without filters need not load them
        from ecs_hooks.assertions.filters.errors import NothingFoundError, UnfitError  # noqa: PLC0415

        several = self.query == "jsonpath" and not is_singular(self.path or "")
        sources = [list(found.values)] if several else found.values
        hidden = None if found.hidden is None or _TELL_NOTHING & set(_names(self.filters)) else MASK
        try:
            values = [filtered(self.filters, each) for each in sources]
        except UnfitError as error:
            return Found([], problem=str(error))
        except NothingFoundError:
            values = []
        return Found(values, is_text=True, hidden=hidden, sources=sources)

    def shown(self, found: Found, redactor: Redactor) -> str | None:
        """Return how to name what it has found where that must not be shown, None where it may be.

        A filter could make a secret that nobody knows any more of one that the redactor knows.
        """
        if self.is_secret:
            return MASK
        if found.sources and not _TELL_NOTHING & set(_names(self.filters)) and redactor.knows(found.sources):
            return MASK
        return found.hidden


def _names(filters: Sequence[str | Filter]) -> list[str]:
    return [each if isinstance(each, str) else each.name for each in filters]


def _header(query: Query, response: Response) -> Found:
    value = response.headers.get(query.name or "")
    return Found([] if value is None else [value], is_text=True)


def _cookie(query: Query, response: Response) -> Found:
    for line in response.headers.getlist("set-cookie"):
        cookie: SimpleCookie = SimpleCookie()
        try:
            cookie.load(line)
        except CookieError:
            continue
        morsel = cookie.get(query.name or "")
        if morsel is not None:
            value = morsel.value if query.attribute == "value" else morsel[query.attribute]
            return Found([] if value == "" and query.attribute != "value" else [value], is_text=True)
    return Found([])


def _body(_: Query, response: Response) -> Found:
    return Found([response.text], is_text=True, hidden=f"{len(response.content)} bytes")


def _jsonpath(query: Query, response: Response) -> Found:
    try:
        return Found(find(query.path or "", response.json()))
    except ContentError as error:
        return Found([], problem=f"expected JSON, but {error.message}")
    except ValueError as error:
        return Found([], problem=str(error))


def _duration(query: Query, response: Response) -> Found:
    timings = response.timings
    seconds = timings.total if query.phase == "total" else getattr(timings, query.phase)
    return Found([round(seconds * 1000, 3)])


def _tls_version(_: Query, response: Response) -> Found:
    return Found([] if response.tls is None else [response.tls.version], is_text=True)


def _certificate(query: Query, response: Response) -> Found:
    certificate = response.tls.certificate if response.tls else None
    if certificate is None:
        return Found([], problem="" if response.tls is None else "nobody has examined it, since verify_tls is false")
    value = getattr(certificate, query.field)
    return Found([list(value) if isinstance(value, tuple) else value], is_text=True)


def _location(_: Query, response: Response) -> Found:
    value = response.headers.get("location")
    # What stands behind the path may be a secret.
    return Found([] if value is None else [value], is_text=True, hidden=value.partition("?")[0] if value else None)


_FIND: dict[str, Callable[[Query, Response], Found]] = {
    "status": lambda _, response: Found([response.status]),
    "header": _header,
    "cookie": _cookie,
    "body": _body,
    "bytes": lambda _, response: Found([len(response.content)]),
    "jsonpath": _jsonpath,
    "regex": lambda query, response: Found(first_group(query.pattern or "", response.text), is_text=True),
    "sha256": lambda _, response: Found([hashlib.sha256(response.content).hexdigest()]),
    "duration": _duration,
    "tls_version": _tls_version,
    "certificate": _certificate,
    "redirects": lambda _, response: Found([response.redirects]),
    "location": _location,
    "url": lambda _, response: Found([response.url.shown]),
}
