"""A request before it is sent: checked, encoded, and changed by redirects."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from urllib3.filepost import encode_multipart_formdata

from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Query, Url, encode_query

if TYPE_CHECKING:
    from ecs_hooks.http.authorization import Authorization
    from ecs_hooks.http.client_certificate import ClientCertificate

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = {"content-length", "transfer-encoding", "connection"}
"""Headers that say where the request ends: two opinions about that are an attack."""
_BODY_HEADERS = {"content-type", "content-encoding", "content-language", "content-location"}


class File(NamedTuple):
    """A file of a multipart body.

    Parameters
    ----------
    filename
        Its name.
    content
        Its bytes.
    content_type
        Its media type.
    """

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


class Body(NamedTuple):
    """What a request carries.

    Parameters
    ----------
    content
        The bytes.
    content_type
        The `Content-Type`, unless the request's headers name another.
    """

    content: bytes
    content_type: str


def json_body(value: object) -> Body:
    """Return a value as JSON."""
    return Body(json.dumps(value, separators=(",", ":")).encode(), "application/json")


def form_body(fields: Query) -> Body:
    """Return the fields of a form, URL encoded."""
    return Body(encode_query(fields).encode(), "application/x-www-form-urlencoded")


def multipart_body(parts: Mapping[str, str | File]) -> Body:
    """Return the fields and files of an upload."""
    content, content_type = encode_multipart_formdata(
        [
            (name, part if isinstance(part, str) else (part.filename, part.content, part.content_type))
            for name, part in parts.items()
        ]
    )
    return Body(content, content_type)


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers that could not be sent, or that would be more than headers.

    Raises
    ------
    RequestError
        If there is one. No value is repeated: it could be a secret.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        problem = None
        if not _HEADER_NAME.fullmatch(name):
            problem = "is no valid name of a header"
        elif not _HEADER_VALUE.fullmatch(value):
            problem = "has a value with line breaks or characters that a header can't have"
        elif name.lower() in _OURS:
            problem = "is set by the client itself"
        elif name.lower() in seen:
            problem = "is given twice, in different case"
        if problem:
            message = f"header {name[:80]!r} {problem}"
            raise RequestError(message)
        seen.add(name.lower())


class Request(NamedTuple):
    """A request, ready to be sent.

    Parameters
    ----------
    method
        Such as `GET`.
    url
        Where to.
    headers
        All headers but those that the connection sets: `Host`, and the length of the body.
    body
        The bytes, or None.
    auth
        What it proves its sender with; None where that is in the headers or nowhere.
    """

    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | None = None
    auth: Authorization | None = None

    @classmethod
    def build(
        cls, method: str, url: Url, headers: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Request:
        """Return a request with the headers that every request has.

        Raises
        ------
        RequestError
            If method or headers are not valid.
        """
        if method not in METHODS:
            message = f"method must be one of {', '.join(METHODS)}"
            raise RequestError(message)
        given = dict(headers or {})
        check_headers(given)
        defaults = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"}
        if body is not None:
            defaults["Content-Type"] = body.content_type
        if url.userinfo:
            defaults["Authorization"] = f"Basic {base64.b64encode(url.userinfo.encode()).decode()}"
        merged = with_defaults(given, defaults)
        return cls(method, url.anonymous, merged, None if body is None else body.content)

    @property
    def shown(self) -> str:
        """Method and address for people."""
        return f"{self.method} {self.url.shown}"

    @property
    def server_name(self) -> str:
        """The name that the certificate must be valid for: that of the `Host` header where one is given.

        A test listener is often reached by the name of its load balancer, which no certificate bears.
        """
        host = self.host
        return (host and host_of(host)) or self.url.host

    @property
    def host(self) -> str:
        """The `Host` header; empty where none is given."""
        return next((value for name, value in self.headers.items() if name.lower() == "host"), "")

    @property
    def certificate(self) -> ClientCertificate | None:
        """The certificate that the connection has to have; None where it needs none."""
        return None if self.auth is None else self.auth.certificate

    def authorized(self) -> Request:
        """Return the request as it is to be sent just now, with its credentials.

        Raises
        ------
        ExplainedError
            If they can't be had.
        """
        return self if self.auth is None else self.auth.authorize(self)

    def redirected(self, status: int, location: str) -> Request:
        """Return the request that follows a redirect (RFC 9110, section 15.4).

        301 and 302 turn POST into GET, 303 turns everything but HEAD into GET, as browsers do; 307 and 308 keep method
        and body. Another scheme, host or port gets no credentials and no `Host` of the old one. A server that is asked
        under the name in `Host` redirects to that name, and means itself: the request stays at its address.
        """
        url = self.url.redirected(location)
        if url.scheme == self.url.scheme and url.authority.lower() == self.host.lower():
            url = url._replace(host=self.url.host, port=self.url.port)
        method, body, drop = self.method, self.body, set()
        if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):  # noqa: PLR2004
            method, body, drop = "GET", None, _BODY_HEADERS
        headers = {name: value for name, value in self.headers.items() if name.lower() not in drop}
        if url.origin == self.url.origin:
            return Request(method, url, headers, body, self.auth)
        headers = {
            name: value for name, value in headers.items() if name.lower() != "host" and not is_secret_name(name)
        }
        return Request(method, url, headers, body)


def with_defaults(headers: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Return headers, with those of the defaults that are not among them in any case."""
    if not headers:
        return dict(defaults)
    names = {name.lower() for name in headers}
    return {**{name: value for name, value in defaults.items() if name.lower() not in names}, **headers}


@cache
def user_agent() -> str:
    """Return the `User-Agent` that names this tool in the logs of those who are asked."""
    from ecs_hooks import __version__  # noqa: PLC0415 - the package itself is only complete later

    return f"ecs-hooks/{__version__} (+ECS deployment lifecycle hook)"


def host_of(host: str) -> str:
    """Return the name in a `Host` header; empty where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def as_file(part: Any) -> str | File:
    """Return a part of a multipart body from what a caller may write: text, `File`, or a tuple like it.

    Raises
    ------
    RequestError
        If it is something else.
    """
    match part:
        case str() | File():
            return part
        case (str(filename), bytes() | str() as content, *rest) if len(rest) <= 1:
            return File(filename, content.encode() if isinstance(content, str) else content, *rest)
        case _:
            message = "a part of a multipart body is text or (filename, content, content_type)"
            raise RequestError(message)
