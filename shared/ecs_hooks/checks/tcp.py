"""The TCP check: green accepts a connection, and sends what is expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ecs_hooks.assertions.patterns import check_pattern, matches
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.session import Session, TlsFields, port_problem
from ecs_hooks.checks.request.template import LiteralTexts
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import FieldError, Form
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.request import host_of
from ecs_hooks.http.retry import with_retries
from ecs_hooks.http.tcp_probe import TcpProbe, TcpResult, run_probe
from ecs_hooks.http.tls import TlsOptions
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.http.limits import Budget

_ADDRESS = r"^(\[[0-9A-Fa-f:.]+\]|[^\x00-,/:-@\[-\^`{-\x7f]+):[0-9]{1,5}$"
_ENDS = {"end": "then the connection ended", "limit": "and more came", "timeout": "nothing more within {:g} s"}


class TcpBody(PlanModel):
    """What the first bytes of a response must contain; all conditions that are set must hold."""

    contains: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Text that occurs in them."""
    matches: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_pattern)] | None = None
    r"""A regular expression that is found somewhere in them, in the syntax of RE2: without look-around and back
    references; `\w`, `\d`, `\s` and `\b` are ASCII (`\p{L}` is every letter), and `$` accepts one final line feed."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if self.contains is None and self.matches is None:
            raise ValueError("requires at least one of contains, matches")
        return self

    def unmet(self, content: bytes, redactor: Redactor) -> str:
        """Return the condition that does not hold, such as `to contain "PONG"`; empty if all hold."""
        text = content.decode(errors="replace")
        if self.contains is not None and self.contains not in text:
            return f"to contain {redactor.show(self.contains)}"
        if self.matches is not None and not matches(self.matches, text):
            return f"to match {redactor.show(self.matches)}"
        return ""


class TcpExpect(PlanModel):
    """What must hold of a connection."""

    body: TcpBody | None = None
    """What green must send, in its first 64 KiB. Default: the check does not wait for data."""
    max_connect_ms: Annotated[float, Field(gt=0)] | None = None
    """Maximum time to connect in milliseconds, without DNS and TLS."""


class TcpCheck(LiteralTexts, TlsFields, Check):
    """Connects to green over TCP, and checks what green sends, if that is expected.

    It is for protocols other than HTTP: behind a Network Load Balancer, or at a task. If the connection fails, the
    check tries again, and is then an `ERROR`, as `http`; a response that is not as expected is a `FAIL`.
    """

    type: Literal["tcp"] = "tcp"
    listener: Listener = "test"
    """Listener for the connection; see `http`."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Port, if it differs from that of green's address, and that address is a task's or the plan's `base_url`."""
    address: Annotated[str, Field(pattern=_ADDRESS, max_length=300), Form("HOST:PORT")] | None = None
    """Host and port instead of green's address, such as `cache.internal:6379`."""
    tls: bool = False
    """Whether to use TLS. The certificate must be valid for the plan's `host`, or else for the host of the address."""
    send: Annotated[str, Field(max_length=65_536)] = ""
    """Text to send first."""
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Timeout of one attempt, from DNS to the expected response."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts if the connection fails, or ends before the first byte of an expected response."""
    expect: TcpExpect = Field(default_factory=TcpExpect.model_construct)
    """What must hold of the connection. Default: it is established."""

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        if address is not None and (not re.fullmatch(_ADDRESS, address) or not Url.parse(f"http://{address}").port):
            raise ValueError("must be a host and a port, such as cache.internal:6379")
        return address

    @model_validator(mode="after")
    def _has_no_conflicting_fields(self) -> Self:
        for name in ("port", "listener"):
            if self.address is not None and name in self.model_fields_set:
                raise ValueError(f"has both address and {name}; remove one of them")
        if not self.tls:
            for name in sorted(TlsFields.model_fields.keys() & self.model_fields_set):
                raise FieldError(f"{name}: requires TLS; set tls to true")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        return (
            super()
            .requirements()
            ._replace(
                listener=self.listener if self.address is None else None,
                urls=() if self.address is None else (f"http://{self.address}",),
                port=self.port,
                secrets=tuple(self.certificate_references),
                address_problem=self._address_problem,
            )
        )

    def _address_problem(self, green: Endpoint) -> str:
        """Return why a connection to an address says nothing about green; empty if it does."""
        if green.protocol in {"HTTP", "HTTPS"}:
            problem = "an Application Load Balancer accepts connections itself, even if green does not"
            return f"{problem}: use a check of type http"
        problem = port_problem(green, self.port)
        if problem:
            return f"{problem}: set address"
        if green.protocol == "TLS" and self.expect.body is None:
            return (
                "a TLS listener accepts connections itself, even if green does not: set expect.body to green's response"
            )
        if green.protocol == "TLS" and not self.tls:
            return "the listener uses TLS: set tls to true"
        return ""

    def run(self, context: CheckContext) -> Outcome:
        """Connect, and evaluate the connection."""
        session = Session.start(context, self.requirements().listener)
        if self.address is not None:
            session = session._replace(green=Endpoint(f"http://{self.address}"))
        limits = self.limits(session, self.timeout_seconds, self.connect_retries)
        try:
            problem = self._address_problem(session.green)
            if problem:
                return Outcome.failed(problem)
            probe = self._probe(session, limits)
            result, attempts = with_retries(lambda budget: _attempt(probe, budget), limits, session.deadline)
        except HttpError as error:
            return session.outcome_of(error)
        return self._evaluate(result, _where(probe), attempts, session.redactor)

    def _probe(self, session: Session, limits: Limits) -> TcpProbe:
        url, body = Url.parse(session.green.base_url), self.expect.body
        server_name = host_of(session.green.all_headers.get("Host", "")) or url.host
        return TcpProbe(
            url.host,
            self.port or url.port,
            self.send.encode(),
            None if body is None else lambda content: not body.unmet(content, session.redactor),
            TlsOptions(server_name, limits.trust) if self.tls else None,
        )

    def _evaluate(self, result: TcpResult, where: str, attempts: int, redactor: Redactor) -> Outcome:
        connect_ms = result.timings.connect * 1000
        limit = self.expect.max_connect_ms
        evidence = {
            "connect_ms": round(connect_ms, 1),
            **({} if limit is None else {"connect_ms_limit": limit}),
            "body_bytes": len(result.content),
            "attempts": attempts,
        }
        connected = f"{where} connected in {connect_ms:.0f} ms"
        if limit is not None and connect_ms > limit:
            return Outcome.failed(f"{connected}, expected at most {limit:g} ms", evidence)
        body = self.expect.body
        if body is None:
            return Outcome.passed(connected, evidence)
        size = counted(len(result.content), "byte")
        if result.end == "enough":
            return Outcome.passed(
                f"{connected}, answered {size} in {result.timings.first_byte * 1000:.0f} ms", evidence
            )
        unmet, end = body.unmet(result.content, redactor), _ENDS[result.end].format(self.timeout_seconds)
        return Outcome.failed(f"{where} response is {size}, {end}; expected {unmet}", evidence)


def _attempt(probe: TcpProbe, budget: Budget) -> TcpResult:
    try:
        return run_probe(probe, budget)
    except HttpError as error:
        error.where = _where(probe)
        raise


def _where(probe: TcpProbe) -> str:
    host = f"[{probe.host}]" if ":" in probe.host else probe.host
    return f"TCP {host}:{probe.port}"
