"""A request to green, as a plan writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.auth.secret import TextOrReference
from ecs_hooks.checks.request.body import Base64Text, Fields, TextOrPart, decode_base64
from ecs_hooks.core.lazy_model import Later
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.http.errors import HttpError, RequestError, TransportError
from ecs_hooks.http.request import (
    Authorization,
    Body,
    Request,
    check_headers,
    form_body,
    json_body,
    multipart_body,
    with_defaults,
)
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.auth.fields import Auth, SigV4
    from ecs_hooks.auth.reference import Reference
    from ecs_hooks.auth.secret_resolver import Keyring
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.deployment.endpoint import Endpoint
else:
    Auth = Annotated[Any, Later("ecs_hooks.auth.fields:Auth")]

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_BODIES = {"body": "body", "body_base64": "body_base64", "json_value": "json", "form": "form", "multipart": "multipart"}
"""Fields that give the request a body, and how a plan names them."""


class RequestFields(BaseModel):
    """Method, address, headers and body of a request."""

    # One spelling only: `json`, in a plan as in Python.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, defer_build=True)

    method: Method = "GET"
    """Method of the request."""
    path: str | None = None
    """Path below the address of green. Default: `/`."""
    url: str | None = None
    """An absolute address, in place of `path`."""
    query: Fields = Field(default={})
    """Parameters to append to the address; a list repeats its name."""
    headers: dict[str, TextOrReference] = Field(default={})
    """Headers of the request, each a text or a secret by reference. A `Host` is also the name that the certificate must be
    valid for."""
    auth: Auth | None = None
    """How the request authenticates."""
    body: str | None = None
    """Text to send."""
    body_base64: Base64Text | None = None
    """Bytes to send, in Base64."""
    json_value: Any = Field(default=None, alias="json")
    """Any JSON value to send."""
    form: Fields | None = None
    """Fields of a form to send, URL encoded."""
    multipart: dict[str, TextOrPart] | None = None
    """Fields and files of an upload."""

    @field_validator("path")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value is not None:
            if not value.startswith("/"):
                raise ValueError("must begin with /; an absolute address goes into url")
            # The base address is not known yet; any will do to see whether the path can be joined.
            Url.join("http://base", value)
        return value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            Url.parse(value)
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str | Reference]) -> dict[str, str | Reference]:
        check_headers({name: value if isinstance(value, str) else "" for name, value in headers.items()})
        return headers

    @model_validator(mode="after")
    def _has_one_address_and_body(self) -> RequestFields:
        if self.path is not None and self.url is not None:
            raise ValueError("give one of path and url")
        if len(self._bodies()) > 1:
            raise ValueError(f"give at most one of {', '.join(_BODIES.values())}")
        if self.auth is not None and self.auth.header in {name.lower() for name in self.headers}:
            raise ValueError(f"give one of auth and the header {self.auth.header}")
        return self

    @property
    def secrets(self) -> list[Reference]:
        """The secrets that are given by reference."""
        in_headers = [value for value in self.headers.values() if not isinstance(value, str)]
        return [*in_headers, *([] if self.auth is None else self.auth.secrets)]

    @property
    def signatures(self) -> list[SigV4]:
        """How it is signed, where it is."""
        return [] if self.auth is None or self.auth.sigv4 is None else [self.auth.sigv4]

    @property
    def urls(self) -> Iterator[str]:
        """The absolute addresses that requests go to: where it goes itself, and where a token comes from."""
        if self.url is not None:
            yield self.url
        if self.auth is not None and self.auth.token_url is not None:
            yield self.auth.token_url

    def build(self, green: Endpoint, keyring: Keyring) -> Request:
        """Return the request.

        Parameters
        ----------
        green
            Where green answers; of no account where the request has a `url`, which may be anybody's.
        keyring
            What opens the secrets in the request; its redactor learns them.

        Raises
        ------
        HttpError
            If it can't be sent, or would miss green.
        ExplainedError
            If a secret or a token can't be had.
        """
        redactor = keyring.redactor
        self._teach(redactor)
        headers: Mapping[str, str] = {name: value for name, value in self.headers.items() if isinstance(value, str)}
        auth = self._authorization(keyring)
        if self.url is not None:
            url = Url.join("", self.url, self.query)
        else:
            own = headers if auth is None else {**headers, **auth.headers}
            problem = green.objection(self.method, own, self.query)
            if problem:
                raise RequestError(problem)
            for name, value in green.headers.items():
                redactor.add_header(name, value)
            url = Url.join(green.base_url, self.path or "/", {**green.query, **self.query})
            headers = with_defaults(headers, green.all_headers)
        redactor.add_userinfo(url.userinfo)
        if auth is not None and auth.certificate is not None and url.scheme != "https":
            raise RequestError("auth.mutual_tls needs https, and the address is http")
        request = Request.build(self.method, url, headers, self._body())
        return request if auth is None else request._replace(auth=auth)

    def _authorization(self, keyring: Keyring) -> Authorization | None:
        """Return the credentials of the request: what `auth` says, and headers whose values are kept as secrets."""
        kept = {name: keyring.open(value) for name, value in self.headers.items() if not isinstance(value, str)}
        if self.auth is None and not kept:
            return None
        auth = Authorization() if self.auth is None else self.auth.authorization(keyring)
        auth = auth._replace(headers={**auth.headers, **kept})
        check_headers(auth.headers)
        return auth

    def _bodies(self) -> list[str]:
        """Return the names of the fields that give a body; `json: null` gives one."""
        given = self.model_fields_set & _BODIES.keys()
        return [name for name in given if name == "json_value" or getattr(self, name) is not None]

    def _body(self) -> Body | None:
        match self._bodies():
            case ["body"]:
                return Body((self.body or "").encode(), "text/plain; charset=utf-8")
            case ["body_base64"]:
                return Body(decode_base64(self.body_base64 or ""), "application/octet-stream")
            case ["json_value"]:
                return json_body(self.json_value)
            case ["form"]:
                return form_body(self.form or {})
            case ["multipart"]:
                return multipart_body({name: part.encode() for name, part in (self.multipart or {}).items()})
            case _:
                return None

    def _teach(self, redactor: Redactor) -> None:
        for name, value in self.headers.items():
            if isinstance(value, str):
                redactor.add_header(name, value)
        multipart = {name: part.content for name, part in (self.multipart or {}).items()}
        _, _, query = (self.url or self.path or "").partition("?")
        in_address = parse_qs(query.partition("#")[0]) if query else {}
        for fields in filter(None, (self.query, self.form, self.json_value, multipart, in_address)):
            redactor.add_fields(fields)


def outcome_of(error: HttpError, green: Endpoint, redactor: Redactor) -> Outcome:
    """Return what it means for a check that a request brought no response.

    Parameters
    ----------
    error
        The trouble.
    green
        Where green was asked, and what to do where there is no connection.
    redactor
        What knows the secrets of the request.
    """
    advice = f"; {green.advice}" if green.advice and isinstance(error, TransportError) else ""
    return error.outcome._replace(reason=redactor.mask(f"{error}{advice}"))
