"""Queries of a response other than of its body: head, redirects, times, TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ecs_hooks.assertions.base_query import Found, Query
from ecs_hooks.http.errors import RequestError

if TYPE_CHECKING:
    from ecs_hooks.http.response import Response

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_FLAGS = {"secure", "httponly", "partitioned"}


class StatusQuery(Query):
    """The status code."""

    query: Literal["status"]

    @property
    def _is_of_numbers(self) -> bool:
        return True

    def _find(self, response: Response) -> Found:
        return Found([response.status])


class HeaderQuery(Query):
    """A header; a repeated one is joined with commas, and filters of arrays such as `count` get its lines."""

    query: Literal["header"]
    detail_field = "name"
    name: _Name
    """Name of the header, in any case."""

    def _find(self, response: Response) -> Found:
        value = response.headers.get(self.name)
        return Found([] if value is None else [value], is_text=True)

    def _sources(self, found: Found, response: Response) -> Sequence[Any]:
        is_array = found.values and "array" in self._first_takes
        return [response.headers.getlist(self.name)] if is_array else found.values


class CookieQuery(Query):
    """A cookie that the response sets; if it is set for several domains or paths, the cookie of each."""

    query: Literal["cookie"]
    name: _Name
    """Name of the cookie."""
    attribute: Literal[
        "value", "expires", "max-age", "domain", "path", "secure", "httponly", "samesite", "partitioned"
    ] = "value"
    """Attribute of the cookie; `secure`, `httponly` and `partitioned` are true, or missing."""

    @property
    def detail(self) -> str:
        """The name and the attribute."""
        return self.name if self.attribute == "value" else f"{self.name} {self.attribute}"

    @property
    def is_secret(self) -> bool:
        """Whether the value of the cookie is found, always a secret."""
        return self.attribute == "value"

    def _find(self, response: Response) -> Found:
        # Of two cookies with the same domain and path, the later one replaces the earlier one.
        cookies = {
            (cookie.get("domain"), cookie.get("path")): cookie
            for line in response.headers.getlist("set-cookie")
            if (cookie := _cookie(line)).get("name") == self.name
        }
        return Found([each[self.attribute] for each in cookies.values() if self.attribute in each], is_text=True)


def _cookie(line: str) -> dict[str, str | bool]:
    """Return name, value and attributes in a `Set-Cookie` header as browsers read it (RFC 6265, section 5.2)."""
    pair, *attributes = line.split(";")
    name, separator, value = pair.partition("=")
    cookie: dict[str, str | bool] = {}
    for each in attributes:
        key, _, text = each.partition("=")
        key, text = key.strip().lower(), text.strip()
        if key in _FLAGS:
            cookie[key] = True
        elif text:
            cookie[key] = text
    value = value.strip()
    unquoted = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return {**cookie, "name": name.strip(), "value": unquoted} if separator else {}


class DurationQuery(Query):
    """The duration of the exchange, or of one phase, in milliseconds."""

    query: Literal["duration"]
    detail_field = "phase"
    phase: Literal["total", "resolve", "connect", "tls", "first_byte", "transfer"] = "total"
    """The phase: `resolve`, `connect`, `tls`, `first_byte` (from the request to the response's head) or `transfer` (of the
    body). Default: all."""

    @property
    def _is_of_numbers(self) -> bool:
        return True

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

    @property
    def _is_of_numbers(self) -> bool:
        return self.field in {"expires_in_days", "not_before", "not_after"}

    def _find(self, response: Response) -> Found:
        certificate = response.tls.certificate if response.tls else None
        if certificate is None:
            return Found([], problem="" if response.tls is None else "is unknown, since verify_tls is false")
        value = getattr(certificate, self.field)
        return Found([list(value) if isinstance(value, tuple) else value], is_text=True)


class HttpVersionQuery(Query):
    """The version of HTTP in the response, such as `1.1`."""

    query: Literal["http_version"]

    def _find(self, response: Response) -> Found:
        return Found([response.http_version] if response.http_version else [], is_text=True)


class RedirectsQuery(Query):
    """The number of redirects that were followed."""

    query: Literal["redirects"]

    @property
    def _is_of_numbers(self) -> bool:
        return True

    def _find(self, response: Response) -> Found:
        return Found([response.redirects])


class RedirectQuery(Query):
    """A redirect that was followed."""

    query: Literal["redirect"]
    index: Annotated[int, Field(strict=True)]
    """Which one: 0 is the first, -1 the last."""
    part: Literal["location", "status", "url"] = "location"
    """Its target, its status code, or its own URL."""

    @property
    def detail(self) -> str:
        """The index and the part."""
        return f"{self.index} {self.part}"

    @property
    def _is_of_numbers(self) -> bool:
        return self.part == "status"

    def _find(self, response: Response) -> Found:
        followed = response.followed
        if not -len(followed) <= self.index < len(followed):
            return Found([])
        redirect = followed[self.index]
        if self.part == "location":
            return _location(redirect)
        return Found([redirect.status if self.part == "status" else redirect.url.shown])


class LocationQuery(Query):
    """The target of a redirect as an absolute URL, resolved against that of the request."""

    query: Literal["location"]

    def _find(self, response: Response) -> Found:
        return _location(response)


def _location(response: Response) -> Found:
    header = response.headers.get("location")
    if header is None:
        return Found([])
    try:
        # A response that is not of HTTP, such as a function's, has no bytes of the header.
        url = response.url.resolved(response.location or header.encode(errors="replace").decode("latin-1"))
    except RequestError:
        return Found([], problem="is not a valid URL")
    # The query of the URL can be a secret.
    return Found([url], is_text=True, hidden=url.partition("?")[0])


class UrlQuery(Query):
    """The URL of the response."""

    query: Literal["url"]

    def _find(self, response: Response) -> Found:
        return Found([response.url.shown])
