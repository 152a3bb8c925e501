"""A request before it is sent: validation, credentials, redirects."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ecs_hooks.core.host import ascii_authority
from ecs_hooks.core.redaction import Redactor, is_secret_name
from ecs_hooks.core.version import __version__
from ecs_hooks.http.cookies.jar import Address
from ecs_hooks.http.errors import RedirectError, RequestError
from ecs_hooks.http.url import Url, encode_query

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict

    from ecs_hooks.core.sent_requests import SentRequests
    from ecs_hooks.http.cookies.jar import CookieJar
    from ecs_hooks.http.request_body import Body
    from ecs_hooks.http.tls import ClientCertificate
    from ecs_hooks.http.websocket import Messages

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
"""The methods of RFC 9110 and PATCH; others are tokens of an application's choice."""
USER_AGENT = f"ecs-hooks/{__version__} (+ECS deployment lifecycle hook)"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = {"content-length", "transfer-encoding", "connection"}
"""Headers that define where the request ends: two of them are request smuggling."""
_LONGEST_SHOWN = 200
_BODY_HEADERS = {"content-type", "content-encoding", "content-language", "content-location"}


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
    cookies
        Returns the jar of an attempt, redirects included. None for cookies of redirects alone.
    guard
        Raises an error if the request, as it is sent, would not reach its target; also for each redirect. None for any
        target.
    redactor
        Knows the secrets in the request, which are not sent to another origin. None if they are known by name alone.
    websocket
        The messages of a WebSocket that the request opens; None for any other request.
    """

    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | None = None
    auth: Authorization | None = None
    sent: SentRequests | None = None
    cookies: Callable[[], CookieJar] | None = None
    guard: Callable[[Request], None] | None = None
    redactor: Redactor | None = None
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
        check_method(method)
        given = {
            name: _ascii_host(value) if name.lower() == "host" else value for name, value in (headers or {}).items()
        }
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
        text = f"{self.method} {self.url.shown}"
        # A secret is masked before the address is cut, since no one recognises the rest of it afterwards.
        return text if len(text) <= _LONGEST_SHOWN else (self.redactor or Redactor()).cut(text, _LONGEST_SHOWN)

    @property
    def server_name(self) -> str:
        """The name that the certificate must be valid for: that of `Host`, as a load balancer's is often not in it."""
        host = self.host
        return (host and host_of(host)) or self.url.host

    @property
    def host(self) -> str:
        """The `Host` header; empty if there is none."""
        return next((value for name, value in self.headers.items() if name.lower() == "host"), "")

    @property
    def cookie_header(self) -> str:
        """The `Cookie` header; empty if there is none."""
        return next((value for name, value in self.headers.items() if name.lower() == "cookie"), "")

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

    def verify(self) -> None:
        """Raise an error if the request, as it is sent, would not reach its target."""
        if self.guard is not None:
            self.guard(self)

    def redirected(self, status: int, location: str) -> Request:
        """Return the request that follows a redirect (RFC 9110, section 15.4).

        301 and 302 turn POST into GET, 303 turns everything but HEAD into GET, as browsers do; 307 and 308 keep method
        and body. Another scheme, host or port gets neither the `Host` of the first one nor anything with a secret or a
        captured value. A redirect to the name in `Host` means the same server: the request keeps its address.
        Raises `RequestError` if the address is not valid, `RedirectError` if it or the body would take a secret along.
        """
        url = self.url.redirected(location)
        if self._has_in_host(url):
            url = url._replace(host=self.url.host, port=self.url.port)
        method, body, drop = self.method, self.body, set()
        if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):  # noqa: PLR2004
            method, body, drop = "GET", None, _BODY_HEADERS
        headers = {name: value for name, value in self.headers.items() if name.lower() not in drop}
        if url.origin == self.url.origin:
            return self._replace(method=method, url=url, headers=headers, body=body)
        redactor = self.redactor or self.redactor_by_names()
        if redactor.was_given(url.target):
            raise RedirectError(f"status {status} redirects to another origin with a secret in the address")
        if body is not None and redactor.binds(body):
            raise RedirectError(f"status {status} would send a secret or a captured value to another origin")
        headers = {
            name: value
            for name, value in headers.items()
            if name.lower() != "host" and not is_secret_name(name) and not redactor.binds([name, value])
        }
        return Request(method, url, headers, body, cookies=self.cookies, guard=self.guard, redactor=redactor)

    def redactor_by_names(self) -> Redactor:
        """Return a redactor that knows the secrets of the request by the names of its headers and parameters."""
        redactor = Redactor()
        for name, value in self.headers.items():
            redactor.add_header(name, value)
        redactor.add_fields(parse_qs(self.url.target.partition("?")[2]))
        return redactor

    def with_cookies(self, jar: CookieJar) -> Request:
        """Return the request with the cookies of a jar that belong to its address.

        Its own `Cookie` header replaces cookies of the jar by name.
        """
        own = self.cookie_header
        cookies = jar.header(self._address, own)
        if cookies == own:
            return self
        others = {name: value for name, value in self.headers.items() if name.lower() != "cookie"}
        return self._replace(headers={**others, "Cookie": cookies})

    def keep_cookies(self, jar: CookieJar, headers: HTTPHeaderDict) -> None:
        """Keep the cookies in the headers of the response in a jar."""
        jar.keep(self._address, headers.getlist("set-cookie"))

    def _has_in_host(self, url: Url) -> bool:
        """Return whether the `Host` header has the host and port of a URL."""
        try:
            return bool(self.host) and url.origin == Url.parse(f"{self.url.scheme}://{self.host}").origin
        except RequestError:
            return False

    @property
    def _address(self) -> Address:
        # Cookies belong to the server name: with a Host header, the host of the URL is that of the load balancer.
        return Address.of(self.url.scheme, self.server_name, self.url.target)


def check_method(method: str) -> str:
    """Return a method; raise RequestError if it is not a token of up to 40 characters, or a known one in another case.

    `CONNECT` has no response but a tunnel.
    """
    if not _TOKEN.fullmatch(method) or method.upper() == "CONNECT":
        raise RequestError(f"method must be one of {', '.join(METHODS)}, or another token, but not CONNECT")
    if method not in METHODS and method.upper() in METHODS:
        raise RequestError(f"method must be one of {', '.join(METHODS)}; did you mean {method.upper()!r}?")
    return method


def with_defaults(headers: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Return headers, with the defaults that are not among them in any case."""
    if not headers:
        return dict(defaults)
    names = {name.lower() for name in headers}
    return {**{name: value for name, value in defaults.items() if name.lower() not in names}, **headers}


def host_of(host: str) -> str:
    """Return the name in a `Host` header, in ASCII; empty if there is none."""
    try:
        return urlsplit(f"//{ascii_authority(host)}").hostname or ""
    except ValueError:
        return ""


def _ascii_host(host: str) -> str:
    """Return the value of a `Host` header in ASCII. What is not valid stays, since a server may be tested with it."""
    try:
        return host if host.isascii() else ascii_authority(host)
    except ValueError:
        return host
