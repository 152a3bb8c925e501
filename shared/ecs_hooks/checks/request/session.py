"""What the checks that send requests have in common: TLS and limits in a plan, and the set-up of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ecs_hooks.auth.secret_resolver import SecretResolver, TextOrReference
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.endpoint import Endpoint
from ecs_hooks.http.cookies.jar import CookieJar
from ecs_hooks.http.errors import HttpError, TransportError
from ecs_hooks.http.limits import Limits, MinVersion
from ecs_hooks.http.tls import authorities_problem
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
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


def port_problem(green: Endpoint, port: int | None) -> str:
    """Return why another port of an address of green is not known to be green's; empty if it is."""
    if not green.protocol or port is None or port == Url.parse(green.base_url).port:
        return ""
    return f"port {port} belongs to another listener of the load balancer, which may forward to blue"


def at_port(green: Endpoint, port: int | None) -> Endpoint:
    """Return an address of green with another port; None leaves it as it is."""
    if port is None:
        return green
    parts = urlsplit(green.base_url)
    userinfo, at, host = parts.netloc.rpartition("@")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return green._replace(base_url=parts._replace(netloc=f"{userinfo}{at}{name}:{port}").geturl())


class TlsFields(PlanModel):
    """What a TLS connection requires of the server."""

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


class Session(NamedTuple):
    """What the requests of one run of a check have in common."""

    green: Endpoint
    """Address of green; empty if no request goes there."""
    resolver: SecretResolver
    """Resolves secrets; with the redactor, the limits (which hold for requests for tokens, too) and the deadline."""

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
        """Return a request to green, or to its own `url`; see `RequestFields.build`."""
        built = request.build(self.green, self.resolver)
        built = built._replace(redactor=self.redactor)
        return built._replace(cookies=self._jar_of_redirects) if self.limits.follow_redirects else built

    def _jar_of_redirects(self) -> CookieJar:
        return CookieJar(self.redactor.add_received)

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
