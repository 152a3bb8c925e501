"""A request as a plan writes it: method, address, headers, credentials and body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar
from urllib.parse import parse_qs

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ecs_hooks.auth.secret_resolver import TextOrReference
from ecs_hooks.checks.request.body_fields import Base64Text, Fields, Parts, Text, decode_base64
from ecs_hooks.core.plan_model import LazyModel, PlanModel
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.http.errors import RequestError
from ecs_hooks.http.request import (
    Authorization,
    Request,
    check_headers,
    check_method,
)
from ecs_hooks.http.request_body import Body, form_body, json_body, multipart_body, text_body
from ecs_hooks.http.url import Url, as_http

if TYPE_CHECKING:
    from ecs_hooks.auth.fields import Auth, SigV4
    from ecs_hooks.auth.secret_resolver import SecretResolver
    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.checks.base import Requirements
    from ecs_hooks.checks.request.websocket_fields import WebSocket
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.deployment.endpoint import Endpoint, Listener
else:
    Auth = Annotated[Any, LazyModel("ecs_hooks.auth.fields:Auth")]
    WebSocket = Annotated[Any, LazyModel("ecs_hooks.checks.request.websocket_fields:WebSocket")]

R = TypeVar("R", bound="RequestFields")


def _check_method(method: str) -> str:
    try:
        return check_method(method)
    except RequestError as error:
        raise ValueError(error.message.removeprefix("method ")) from None


Method = Annotated[
    str,
    AfterValidator(_check_method),
    WithJsonSchema({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$"}),
]

_BODIES = {"body": "body", "body_base64": "body_base64", "json_value": "json", "form": "form", "multipart": "multipart"}
"""Fields that give the request a body, and their names in a plan."""

_MAX_REQUESTS = 20


class RequestFields(PlanModel):
    """Method, address, headers and body of a request."""

    # One spelling only: `json`, in a plan as in Python.
    model_config = ConfigDict(populate_by_name=False)

    method: Method = "GET"
    """HTTP method: a token, such as `GET` or `PROPFIND`; methods are case-sensitive."""
    path: str | None = None
    """Path below the address of green. Default: `/`."""
    url: str | None = None
    """Absolute URL, instead of `path`."""
    query: Fields = Field(default={})
    """Query parameters to append to the URL; an array repeats its name."""
    headers: dict[str, TextOrReference] = Field(default={})
    """Request headers, each a text or a secret by reference. `Host` is also the name that the server's certificate must
    be valid for."""
    auth: Auth | None = None
    """Credentials of the request."""
    body: Text | None = None
    """Body as text."""
    body_base64: Base64Text | None = None
    """Body as bytes, in Base64."""
    json_value: Any = Field(default=None, alias="json")
    """Body as JSON: any value."""
    form: Fields | None = None
    """Body as a URL-encoded form."""
    multipart: dict[str, Parts] | None = None
    """Body as `multipart/form-data`: fields and files; an array repeats its name."""
    websocket: WebSocket | None = None
    """To open a WebSocket: the response is the handshake with status 101, and its body is the message received."""

    @field_validator("path")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value is not None:
            if not value.startswith("/"):
                raise ValueError("must begin with /; for an absolute URL, use url")
            Url.join(
                "http://base", value
            )  # the base address is unknown here, and any base finds a path that is invalid
        return value

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None:
            Url.parse(as_http(value))
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str | Reference]) -> dict[str, str | Reference]:
        check_headers({name: value if isinstance(value, str) else "" for name, value in headers.items()})
        return headers

    @model_validator(mode="after")
    def _has_one_address_and_body(self) -> Self:
        if self.path is not None and self.url is not None:
            raise ValueError("has both path and url; remove one of them")
        if len(self._bodies()) > 1:
            raise ValueError(f"has more than one body; use at most one of {', '.join(_BODIES.values())}")
        if self.websocket is None and self.url is not None and as_http(self.url) != self.url:
            raise FieldError("url: begins with ws:// or wss://, which requires websocket")
        if self.websocket is not None:
            if self.method != "GET" or self._bodies():
                raise FieldError("websocket: requires the method GET and no body; use websocket.send")
            own = [
                name for name in self.headers if name.lower() == "upgrade" or name.lower().startswith("sec-websocket-")
            ]
            if own:
                raise FieldError(f"headers: {own[0]} is set by websocket; remove it")
        if self.auth is not None and self.auth.header in {name.lower() for name in self.headers}:
            raise ValueError(f"has both auth and the header {self.auth.header}; remove one of them")
        return self

    @property
    def to_green(self) -> bool:
        """Whether the request goes to green, not to a `url`."""
        return self.url is None

    @property
    def secrets(self) -> list[Reference]:
        """The secrets that are given by reference."""
        in_headers = [value for value in self.headers.values() if not isinstance(value, str)]
        return [*in_headers, *([] if self.auth is None else self.auth.secrets)]

    @property
    def signatures(self) -> list[SigV4]:
        """The SigV4 settings, if the request is signed."""
        return [] if self.auth is None or self.auth.sigv4 is None else [self.auth.sigv4]

    @property
    def urls(self) -> Iterator[str]:
        """The absolute URLs that requests go to: its own, and that of its token endpoint."""
        if self.url is not None:
            yield as_http(self.url)
        if self.auth is not None and self.auth.token_url is not None:
            yield self.auth.token_url

    def build(self, green: Endpoint, resolver: SecretResolver) -> Request:
        """Return the request.

        Parameters
        ----------
        green
            Address of green; not used if the request has a `url`.
        resolver
            Resolves the secrets in the request, and adds them to its redactor.

        Raises
        ------
        HttpError
            If the request is invalid, or would not match the listener rule of green.
        ExplainedError
            If a secret or a token is not available.
        """
        redactor = resolver.redactor
        self._redact_fields(redactor)
        headers = {name: value for name, value in self.headers.items() if isinstance(value, str)}
        auth = self._authorization(resolver)
        base, path = (green.base_url, self.path or "/") if self.url is None else ("", as_http(self.url))
        url = Url.join(base, path)
        redactor.add_userinfo(url.userinfo)
        if auth is not None and auth.certificate is not None and url.scheme != "https":
            raise RequestError("auth.mutual_tls requires https, but the address is http")
        if self.url is not None:
            request = Request.build(self.method, Url.join("", path, self.query), headers, self._body())
            request = request._replace(auth=auth)
        else:
            request = green.request(self.method, path, self.query, headers, self._body(), auth)
            # The listener rule may have added some.
            for name, value in request.headers.items():
                redactor.add_header(name, value)
            redactor.add_fields(parse_qs(request.url.target.partition("?")[2]))
        return request if self.websocket is None else request._replace(websocket=self.websocket.messages)

    def _authorization(self, resolver: SecretResolver) -> Authorization | None:
        """Return `auth`, with the headers whose values are secrets by reference; None without either."""
        secret_headers = {
            name: resolver.resolve(value) for name, value in self.headers.items() if not isinstance(value, str)
        }
        if self.auth is None and not secret_headers:
            return None
        auth = Authorization() if self.auth is None else self.auth.authorization(resolver)
        auth = auth._replace(headers={**auth.headers, **secret_headers})
        check_headers(auth.headers)
        return auth

    def _bodies(self) -> list[str]:
        """Return the names of the body fields that are set; `json: null` is a body."""
        given = self.model_fields_set & _BODIES.keys()
        return [name for name in given if name == "json_value" or getattr(self, name) is not None]

    def _body(self) -> Body | None:
        match self._bodies():
            case ["body"]:
                return text_body(self.body or "")
            case ["body_base64"]:
                return Body(decode_base64(self.body_base64 or ""), "application/octet-stream")
            case ["json_value"]:
                return json_body(self.json_value)
            case ["form"]:
                return form_body(self.form or {})
            case ["multipart"]:
                return multipart_body(
                    {name: [each.encode() for each in parts] for name, parts in (self.multipart or {}).items()}
                )
            case _:
                return None

    def _redact_fields(self, redactor: Redactor) -> None:
        """Add the secrets that the fields contain by their names, such as `password`, to a redactor."""
        for name, value in self.headers.items():
            if isinstance(value, str):
                redactor.add_header(name, value)
        multipart = {name: [each.content for each in parts] for name, parts in (self.multipart or {}).items()}
        _, _, query = (self.url or self.path or "").partition("?")
        in_address = parse_qs(query.partition("#")[0]) if query else {}
        for fields in filter(
            None,
            (self.query, self.form, self.json_value, multipart, in_address, self.websocket and self.websocket.send),
        ):
            redactor.add_fields(fields)


def _are_some(requests: tuple[R, ...]) -> tuple[R, ...]:
    # The length constraints of pydantic do not count requests that have an error of their own.
    if not 1 <= len(requests) <= _MAX_REQUESTS:
        raise ValueError(f"must have 1 to {_MAX_REQUESTS} requests, not {len(requests)}")
    return requests


Requests = Annotated[
    tuple[R, ...], AfterValidator(_are_some), Field(json_schema_extra={"minItems": 1, "maxItems": _MAX_REQUESTS})
]
"""The different requests that a check sends again and again."""


def with_requests(
    required: Requirements,
    requests: Sequence[RequestFields],
    listener: Listener,
    certificates: Sequence[Reference] = (),
) -> Requirements:
    """Return the requirements of a check with those of its requests, and of its CA certificates by reference."""
    to_green = [each for each in requests if each.to_green]
    return required._replace(
        listener=listener if to_green else None,
        urls=(*required.urls, *(url for each in requests for url in each.urls)),
        methods=tuple(dict.fromkeys(each.method for each in to_green)),
        requests=tuple(to_green),
        secrets=(*required.secrets, *(secret for each in requests for secret in each.secrets), *certificates),
        signatures=tuple(signature for each in requests for signature in each.signatures),
    )
