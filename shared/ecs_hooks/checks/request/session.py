"""What the checks that send requests have in common: TLS and limits in a plan, and the set-up of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.auth.secret_resolver import SecretResolver, TextOrReference
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.http.errors import HttpError, RequestError, TransportError
from ecs_hooks.http.limits import Limits, MinVersion
from ecs_hooks.http.tls import authorities_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecs_hooks.auth.secret_store import Reference
    from ecs_hooks.checks.context import CheckContext
    from ecs_hooks.checks.request.request_fields import RequestFields
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.endpoint import Listener
    from ecs_hooks.http.request import Request


def _are_certificates(value: str | Reference) -> str | Reference:
    problem = authorities_problem(value) if isinstance(value, str) else None
    if problem:
        raise ValueError(problem)
    return value


class TlsFields(BaseModel):
    """What a TLS connection requires of the server."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    verify_tls: bool = True
    """Whether the server's certificate must be valid."""
    ca_certificates: Annotated[TextOrReference, AfterValidator(_are_certificates)] | None = None
    """PEM of CA certificates to trust in addition to the system's: a text, or a secret by reference."""
    min_tls_version: MinVersion = "1.2"
    """The lowest TLS version that is allowed."""

    @model_validator(mode="after")
    def _verifies_with_certificates(self) -> Self:
        if self.ca_certificates is not None and not self.verify_tls:
            raise FieldError("ca_certificates: has no effect while verify_tls is false; remove one of them")
        return self

    @property
    def certificate_references(self) -> list[Reference]:
        """The CA certificates, if they are given by reference."""
        given = self.ca_certificates
        return [] if given is None or isinstance(given, str) else [given]

    def limits(self, session: Session, timeout_seconds: float, connect_retries: int = 0) -> Limits:
        """Return the limits of a request.

        Raises
        ------
        FactError
            If CA certificates by reference are not available.
        """
        return Limits(
            timeout_seconds=timeout_seconds,
            connect_retries=connect_retries,
            verify_tls=self.verify_tls,
            ca_certificates="" if self.ca_certificates is None else session.resolver.resolve_text(self.ca_certificates),
            min_tls_version=self.min_tls_version,
        )


class ExchangeFields(TlsFields):
    """Limits of a request besides time: redirects, size of the response, TLS."""

    follow_redirects: bool = False
    """Whether to follow redirects."""
    max_redirects: Annotated[int, Field(ge=1, le=50)] = 10
    """Maximum number of redirects."""
    max_body_bytes: Annotated[int, Field(ge=1, le=10_485_760)] = 1_048_576
    """Maximum size of the response body in bytes, after decompression; a larger body is a failure."""

    def limits(self, session: Session, timeout_seconds: float, connect_retries: int = 0) -> Limits:
        """Return the limits of a request; see `TlsFields.limits`."""
        expect = getattr(self, "expect", None)
        return (
            super()
            .limits(session, timeout_seconds, connect_retries)
            ._replace(
                follow_redirects=self.follow_redirects,
                max_redirects=self.max_redirects,
                max_body_bytes=self.max_body_bytes,
                first_bytes=None if expect is None else expect.first_bytes,
            )
        )


class ObjectionError(RequestError):
    """A request must not be sent to an address."""


class Session(NamedTuple):
    """What the requests of one run of a check have in common."""

    green: Endpoint
    """Address of green; empty if no request goes there."""
    resolver: SecretResolver
    """Resolves secrets; with the redactor, the limits (which hold for requests for tokens, too) and the deadline."""
    objection: Callable[[Request], str] = lambda _: ""
    """Returns why a request to the address must not be sent, such as one to blue that would reach green."""

    @classmethod
    def start(cls, context: CheckContext, listener: Listener | None) -> Session:
        """Return a session of a check that sends requests through a listener; None if none of them goes to green.

        Raises
        ------
        ExplainedError
            If the address of green is unknown.
        """
        green = Endpoint("") if listener is None else context.endpoint(listener)
        return cls(green, SecretResolver(Redactor(), lambda: context.region, Limits(), context.deadline))

    @property
    def redactor(self) -> Redactor:
        """Masks the secrets of the requests."""
        return self.resolver.redactor

    @property
    def limits(self) -> Limits:
        """The limits of each request."""
        return self.resolver.limits

    @property
    def deadline(self) -> Deadline:
        """When the last request must be over."""
        return self.resolver.deadline

    def limited(
        self,
        fields: ExchangeFields,
        timeout_seconds: float,
        connect_retries: int = 0,
        deadline: Deadline | None = None,
    ) -> Session:
        """Return the session with the limits that a plan sets, and with an earlier deadline.

        Raises
        ------
        FactError
            If CA certificates by reference are not available.
        """
        limits = fields.limits(self, timeout_seconds, connect_retries)
        return self._replace(resolver=self.resolver._replace(limits=limits, deadline=deadline or self.deadline))

    def build(self, request: RequestFields) -> Request:
        """Return a request to green, or to its own `url`; see `RequestFields.build`.

        Raises
        ------
        ObjectionError
            If it must not be sent.
        """
        built = request.build(self.green, self.resolver)
        if request.url is None:
            # An API key may be the very header that a listener rule requires.
            problem = self.objection(built if built.auth is None else built.auth._replace(sign=None).authorize(built))
            if problem:
                raise ObjectionError(problem)
        return built

    def outcome_of(self, error: HttpError, endpoint: Endpoint | None = None) -> Outcome:
        """Return the outcome of a check whose request, to green or to another endpoint, got no response."""
        advice = (endpoint or self.green).advice if isinstance(error, TransportError) else ""
        return error.outcome._replace(reason=self.redactor.mask(f"{error}; {advice}" if advice else f"{error}"))


def missing_time(context: CheckContext, fields: str, seconds: float) -> Outcome | None:
    """Return the failure of a check that requires more time than this invocation has left; None if it does not.

    The fields are those that set the time of the check.
    """
    left = context.deadline.remaining()
    if left >= seconds:
        return None
    return Outcome.failed(
        f"{fields}: the check requires {seconds:g} s, but this invocation has {left:.0f} s left; lower {fields}, or "
        f"raise the function's Timeout"
    )
