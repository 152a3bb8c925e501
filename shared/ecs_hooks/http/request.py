"""A request before it is sent: validation, bodies, credentials, redirects."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import parse_qs, urlsplit

from urllib3.filepost import encode_multipart_formdata

from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks.core.version import __version__
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.url import Query, Url, encode_query

if TYPE_CHECKING:
    from ecs_hooks.core.sent_requests import SentRequests
    from ecs_hooks.http.tls import ClientCertificate
    from ecs_hooks.http.websocket import Messages

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
USER_AGENT = f"ecs-hooks/{__version__} (+ECS deployment lifecycle hook)"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = {"content-length", "transfer-encoding", "connection"}
"""Headers that define where the request ends: two of them are request smuggling."""
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


Part: TypeAlias = "str | File"
"""A part of a multipart body: the text of a field, or a file."""


class Body(NamedTuple):
    """The body of a request.

    Parameters
    ----------
    content
        The bytes.
    content_type
        The `Content-Type`, unless it is in the request's headers.
    """

    content: bytes
    content_type: str


def json_body(value: object) -> Body:
    """Return a JSON body."""
    return Body(json.dumps(value, separators=(",", ":")).encode(), "application/json")


def form_body(fields: Query) -> Body:
    """Return a form body, URL encoded."""
    return Body(encode_query(fields).encode(), "application/x-www-form-urlencoded")


def multipart_body(parts: Mapping[str, Part | Sequence[Part]]) -> Body:
    """Return a multipart body with fields and files; a list repeats the name."""
    content, content_type = encode_multipart_formdata(
        [
            (name, part if isinstance(part, str) else (part.filename, part.content, part.content_type))
            for name, given in parts.items()
            for part in ([given] if isinstance(given, str | File) else given)
        ]
    )
    return Body(content, content_type)


def check_headers(headers: Mapping[str, str]) -> None:
    """Validate names and values of headers.

    Raises
    ------
    RequestError
        If one is not valid. Its value is not repeated: it could be a secret.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        problem = None
        if not _HEADER_NAME.fullmatch(name):
            problem = "is not a valid header name"
        elif not _HEADER_VALUE.fullmatch(value):
            problem = "has a value with line breaks or other characters that are not allowed in a header"
        elif name.lower() in _OURS:
            problem = "is set by the client itself"
        elif name.lower() in seen:
            problem = "is given twice, in different case"
        if problem:
            raise RequestError(f"header {name[:80]!r} {problem}")
        seen.add(name.lower())


class Authorization(NamedTuple):
    """Credentials of a request. They belong to one origin, and are not sent to another one.

    Parameters
    ----------
    headers, query
        Headers and parameters that are or hold credentials.
    certificate
        Client certificate of the connection, with its key.
    sign
        Returns the request with credentials that are computed when it is sent, such as a signature.
    """

    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})
    certificate: ClientCertificate | None = None
    sign: Callable[[Request], Request] | None = None

    def authorize(self, request: Request) -> Request:
        """Return a request with the credentials in it."""
        path, _, query = request.url.target.partition("?")
        # A redirect may have returned a parameter.
        given = parse_qs(query, keep_blank_values=True)
        added = encode_query({name: value for name, value in self.query.items() if name not in given})
        target = f"{path}?{'&'.join(filter(None, (query, added)))}" if added else request.url.target
        headers = with_defaults(self.headers, request.headers)
        ready = request._replace(url=request.url._replace(target=target), headers=headers)
        return ready if self.sign is None else self.sign(ready)


class Request(NamedTuple):
    """A request, ready to be sent.

    Parameters
    ----------
    method
        Such as `GET`.
    url
        The URL.
    headers
        All headers but `Host` and `Content-Length`, which are added when it is sent.
    body
        The bytes, or None.
    auth
        Credentials; None if they are in the headers, or if there are none.
    sent
        Counts the request each time it is sent, retries and redirects to the same origin included; None to count nothing.
    websocket
        The messages of a WebSocket that the request opens; None for any other request.
    """

    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | None = None
    auth: Authorization | None = None
    sent: SentRequests | None = None
    websocket: Messages | None = None

    @classmethod
    def build(
        cls, method: str, url: Url, headers: Mapping[str, str] | None = None, body: Body | None = None
    ) -> Request:
        """Return a request with the default headers.

        Raises
        ------
        RequestError
            If method or headers are not valid.
        """
        if method not in METHODS:
            raise RequestError(f"method must be one of {', '.join(METHODS)}")
        given = dict(headers or {})
        check_headers(given)
        defaults = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        if body is not None:
            defaults["Content-Type"] = body.content_type
        if url.userinfo:
            defaults["Authorization"] = f"Basic {base64.b64encode(url.userinfo.encode()).decode()}"
        merged = with_defaults(given, defaults)
        return cls(method, url.anonymous, merged, None if body is None else body.content)

    @property
    def shown(self) -> str:
        """Method and URL for messages, without secrets."""
        return f"{self.method} {self.url.shown}"

    @property
    def server_name(self) -> str:
        """The name that the certificate must be valid for: that of the `Host` header if there is one.

        A test listener is often reached by the name of its load balancer, which is not in the certificate.
        """
        host = self.host
        return (host and host_of(host)) or self.url.host

    @property
    def host(self) -> str:
        """The `Host` header; empty if there is none."""
        return next((value for name, value in self.headers.items() if name.lower() == "host"), "")

    @property
    def certificate(self) -> ClientCertificate | None:
        """The client certificate of the connection; None if it needs none."""
        return None if self.auth is None else self.auth.certificate

    def authorized(self) -> Request:
        """Return the request with its credentials, to be sent now.

        Raises
        ------
        ExplainedError
            If the credentials are not available.
        """
        return self if self.auth is None else self.auth.authorize(self)

    def redirected(self, status: int, location: str) -> Request:
        """Return the request that follows a redirect (RFC 9110, section 15.4).

        301 and 302 turn POST into GET, 303 turns everything but HEAD into GET, as browsers do; 307 and 308 keep method
        and body. Another scheme, host or port gets neither the credentials nor the `Host` of the first one. A redirect to
        the name in `Host` means the same server: the request keeps its address.
        """
        url = self.url.redirected(location)
        if url.scheme == self.url.scheme and url.authority.lower() == self.host.lower():
            url = url._replace(host=self.url.host, port=self.url.port)
        method, body, drop = self.method, self.body, set()
        if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):  # noqa: PLR2004
            method, body, drop = "GET", None, _BODY_HEADERS
        headers = {name: value for name, value in self.headers.items() if name.lower() not in drop}
        if url.origin == self.url.origin:
            return Request(method, url, headers, body, self.auth, self.sent)
        headers = {
            name: value for name, value in headers.items() if name.lower() != "host" and not is_secret_name(name)
        }
        return Request(method, url, headers, body)


def with_defaults(headers: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Return headers, with the defaults that are not among them in any case."""
    if not headers:
        return dict(defaults)
    names = {name.lower() for name in headers}
    return {**{name: value for name, value in defaults.items() if name.lower() not in names}, **headers}


def host_of(host: str) -> str:
    """Return the name in a `Host` header; empty if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def as_file(part: Any) -> str | File:
    """Return a part of a multipart body from text, a `File`, or a tuple like it.

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
            raise RequestError("a part of a multipart body must be text or (filename, content, content_type)")
