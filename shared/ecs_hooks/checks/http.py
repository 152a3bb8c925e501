"""The HTTP check: one request, and what must hold of the response."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.checks.base import Check, CheckContext
from ecs_hooks.checks.expect import Expect, describe
from ecs_hooks.checks.http_body import Base64Text, Fields, TextOrPart, decode_base64
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.errors import HttpError, TransportError
from ecs_hooks.http.request import (
    Body,
    Request,
    check_headers,
    form_body,
    json_body,
    multipart_body,
    with_defaults,
)
from ecs_hooks.http.sending import Limits, send
from ecs_hooks.http.url import Url
from ecs_hooks.outcome import Outcome, Status
from ecs_hooks.redact import Redactor

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_BODIES = {"body": "body", "body_base64": "body_base64", "json_value": "json", "form": "form", "multipart": "multipart"}
"""Fields that give the request a body, and how a plan names them."""


class Until(BaseModel):
    """How long to ask again."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)]
    """Seconds since the first invocation at this step, after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 10
    """Seconds between two requests."""


class HttpCheck(Check):
    """Sends one request to green and compares the response.

    Where there is no connection, or it ends before the first byte of a response, the request is sent again up to
    `connect_retries` times, a POST too; then the check is an `ERROR`, and ECS is told to ask again. Any other trouble, and
    a response that is not as expected, is a `FAIL`, unless `until` says that the check polls.
    """

    # One spelling only: `json`, in a plan as in Python.
    model_config = ConfigDict(populate_by_name=False)

    type: Literal["http"] = "http"
    method: Method = "GET"
    """Method of the request."""
    path: str | None = None
    """Path below the address of green. Default: `/`."""
    url: str | None = None
    """An absolute address, in place of `path`."""
    listener: Listener = "test"
    """Through which listener green is asked: `test`, or `production` for POST_PRODUCTION_TRAFFIC_SHIFT, when all customers
    are at green. Sooner it is a failure, since blue would be tested. `base_url` and `APP_URL` lead to the test side, so
    AWS is asked for the address; `host` counts for both."""
    query: Fields = Field(default={})
    """Parameters to append to the address; a list repeats its name."""
    headers: dict[str, str] = Field(default={})
    """Headers of the request. A `Host` is also the name that the certificate must be valid for."""
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
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Time for one attempt, from the look-up of the name to the last byte of the body, redirects included."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts where there was no connection, or it ended before the first byte of a response."""
    follow_redirects: bool = False
    """Whether to go where a redirect leads."""
    max_redirects: Annotated[int, Field(ge=1, le=50)] = 10
    """How many times."""
    verify_tls: bool = True
    """Whether the certificate must be valid."""
    max_body_bytes: Annotated[int, Field(ge=1, le=10_485_760)] = 1_048_576
    """The largest body, after decompression; a larger one is a failure."""
    until: Until | None = None
    """To poll: ask again while something is not as expected."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the response. Default: a status from 200 to 299."""

    @field_validator("path")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value is not None:
            if not value.startswith("/"):
                message = "must begin with /; an absolute address goes into url"
                raise ValueError(message)
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
    def _are_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        check_headers(headers)
        return headers

    @model_validator(mode="after")
    def _has_one_of_each(self) -> HttpCheck:
        if self.until is not None and self.watch is not None:
            message = "give one of until and watch"
            raise ValueError(message)
        if self.path is not None and self.url is not None:
            message = "give one of path and url"
            raise ValueError(message)
        if self.url is not None and "listener" in self.model_fields_set:
            message = "a url needs no listener"
            raise ValueError(message)
        if len(self._bodies()) > 1:
            message = f"give at most one of {', '.join(_BODIES.values())}"
            raise ValueError(message)
        return self

    @property
    def asked_listener(self) -> Listener | None:
        """The listener, but for a `url`, which may be anybody's."""
        return self.listener if self.url is None else None

    def run(self, context: CheckContext) -> Outcome:
        """Send the request, and judge the response.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """
        redactor = self._redactor()
        green = context.endpoint(self.listener) if self.url is None else Endpoint("")
        problem = green.objection(self.method, self.headers, self.query)
        if problem:
            return Outcome.failed(problem)
        for name, value in green.headers.items():
            redactor.add_header(name, value)
        try:
            url = Url.join(green.base_url, self.url or self.path or "/", {**green.query, **self.query})
            redactor.add_userinfo(url.userinfo)
            request = Request.build(self.method, url, with_defaults(self.headers, green.all_headers), self._body())
            response = send(request, self._limits(), context.deadline)
        except HttpError as error:
            advice = f"; {green.advice}" if green.advice and isinstance(error, TransportError) else ""
            outcome = error.outcome._replace(reason=redactor.mask(f"{error}{advice}"))
            return outcome if error.permanent else self._polled(outcome, context)
        unmet = self.expect.unmet(response, redactor)
        evidence = {
            "status": response.status,
            "latency_ms": round(response.latency * 1000, 1),
            "body_bytes": len(response.content),
            "attempts": response.attempts,
            "redirects": response.redirects,
        }
        if self.expect.max_latency_ms is not None:
            evidence["latency_ms_limit"] = self.expect.max_latency_ms
        if not unmet:
            took = f"{response.latency * 1000:.0f} ms"
            return Outcome.passed(redactor.mask(f"{response.where} status {response.status} in {took}"), evidence)
        reason = redactor.mask(f"{response.where} {describe(unmet)}")
        return self._polled(Outcome.failed(reason, evidence), context)

    def _bodies(self) -> list[str]:
        """Return the names of the fields that give a body; `json: null` gives one."""
        return [
            name
            for name in _BODIES
            if name in self.model_fields_set and (name == "json_value" or getattr(self, name) is not None)
        ]

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

    def _limits(self) -> Limits:
        return Limits(
            timeout_seconds=self.timeout_seconds,
            connect_retries=self.connect_retries,
            follow_redirects=self.follow_redirects,
            max_redirects=self.max_redirects,
            max_body_bytes=self.max_body_bytes,
            verify_tls=self.verify_tls,
        )

    def _redactor(self) -> Redactor:
        redactor = Redactor()
        for name, value in self.headers.items():
            redactor.add_header(name, value)
        for fields in (self.query, self.form, self.json_value):
            redactor.add_fields(fields)
        redactor.add_fields({name: part.content for name, part in (self.multipart or {}).items()})
        _, _, query = (self.url or self.path or "").partition("?")
        redactor.add_fields(parse_qs(query.partition("#")[0]))
        return redactor

    def _polled(self, outcome: Outcome, context: CheckContext) -> Outcome:
        """Return what an outcome that is no pass means for a check that polls."""
        if self.until is None or outcome.status is Status.WAIT:
            return outcome
        left = self.until.timeout_seconds - context.elapsed
        if left <= 0:
            reason = f"{outcome.reason} (still so after {self.until.timeout_seconds:g} s)"
            return Outcome.failed(reason, outcome.evidence)
        pause = max(1.0, min(self.until.interval_seconds, left))
        return Outcome.wait(outcome.reason, outcome.evidence, retry_after=pause)
