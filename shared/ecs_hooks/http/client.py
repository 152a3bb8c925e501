"""The HTTP client for custom hooks: `hook.green.get("/orders").json()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.request import Request, with_defaults
from ecs_hooks.http.request_body import Body, File, as_file, form_body, json_body, multipart_body, text_body
from ecs_hooks.http.resolver import Resolver, resolve
from ecs_hooks.http.retry import exchange, send
from ecs_hooks.http.url import Query, Url

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.sent_requests import SentRequests
    from ecs_hooks.http.response import Response

_ABSENT: Any = object()

Build = Callable[[str, str, Query, Mapping[str, str], Body | None], Request]
"""Returns a request from its method, its path below the base URL, its query, headers and body."""


class HttpClient:
    """Sends requests to one base URL, within one deadline, with the address guard and the limits of the HTTP check.

    Proxies of the environment are not used: with a proxy, the address guard would not see the server's address.

    Parameters
    ----------
    base_url
        The URL that paths are appended to.
    deadline
        When the invocation ends.
    limits
        Limits of each request.
    headers, query
        Headers and parameters of every request to the base URL, in addition to its own.
    sent
        Counts the requests to the base URL; None to count nothing.
    build
        Makes each request to the base URL, instead of `headers`, `query` and `sent`.
    resolver
        Looks up names.
    """

    def __init__(  # noqa: PLR0913 - one argument for each property
        self,
        base_url: str,
        deadline: Deadline,
        limits: Limits | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Query | None = None,
        sent: SentRequests | None = None,
        build: Build | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self.base_url = base_url
        self.deadline = deadline
        self.limits = limits or Limits()
        self.headers = dict(headers or {})
        self.query = dict(query or {})
        self._sent = sent
        self._build = build or self._below_base_url
        self._resolver = resolver

    def get(self, path: str, **options: Any) -> Response:
        """Send a GET; see `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Send a POST; see `request`."""
        return self.request("POST", path, **options)

    def request(  # noqa: PLR0913 - one argument for each part that a request can have
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        json: Any = _ABSENT,
        form: Query | None = None,
        multipart: Mapping[str, str | File | tuple[Any, ...] | list[Any]] | None = None,
        **limits: Any,
    ) -> Response:
        """Send a request and return its response, whatever its status.

        Parameters
        ----------
        method
            Such as `GET`.
        path
            A path below the base URL, or an absolute URL.
        query
            Query parameters to append.
        headers
            Headers to send.
        body, json, form, multipart
            The body; at most one of them. A file of a multipart body is `(filename, content, content_type)`; a list
            of parts repeats their name.
        **limits
            `timeout_seconds`, `connect_retries`, `follow_redirects`, `max_redirects`, `max_body_bytes`, `verify_tls`,
            `ca_certificates`, `min_tls_version`: in place of the client's.

        Raises
        ------
        HttpError
            If there is no response. If it is not caught, the hook's result is the right one for it.
        """
        given: list[Body] = []
        if body is not None:
            given.append(_text_body(body))
        if json is not _ABSENT:
            given.append(json_body(json))
        if form is not None:
            given.append(form_body(form))
        if multipart is not None:
            parts = {name: part if isinstance(part, list) else [part] for name, part in multipart.items()}
            given.append(multipart_body({name: [as_file(each) for each in part] for name, part in parts.items()}))
        if len(given) > 1:
            raise RequestError("give at most one of body, json, form and multipart")
        own, parameters, content = dict(headers or {}), dict(query or {}), given[0] if given else None
        # An absolute URL may be of another server.
        build = self._build if path.startswith("/") else self._elsewhere
        request = build(method, path, parameters, own, content)
        redactor = request.redactor_by_names()
        redactor.add_fields([form, {} if json is _ABSENT else json, multipart])
        request = request._replace(redactor=redactor)
        return send(request, self.limits._replace(**limits), self.deadline, partial(exchange, self._resolver))

    def _below_base_url(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: Body | None
    ) -> Request:
        request = self._elsewhere(method, path, {**self.query, **query}, with_defaults(headers, self.headers), body)
        return request._replace(sent=self._sent)

    def _elsewhere(
        self, method: str, path: str, query: Query, headers: Mapping[str, str], body: Body | None
    ) -> Request:
        return Request.build(method, Url.join(self.base_url, path, query), headers, body)


def _text_body(body: str | bytes) -> Body:
    if isinstance(body, str):
        return text_body(body)
    return Body(body, "application/octet-stream")
