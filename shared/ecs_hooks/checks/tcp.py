"""The TCP check: green takes a connection, and says what it should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.assertions.patterns import check_pattern, matches
from ecs_hooks.auth.secret_resolver import Keyring
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.http_request import outcome_of
from ecs_hooks.checks.request.transport import TlsFields
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
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

_ADDRESS = r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$"
_ENDS = {"end": "then the connection ended", "limit": "and more came", "timeout": "nothing more within {:g} s"}


class TcpBody(BaseModel):
    """What the first bytes of an answer must have in them; all of those given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    contains: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """A text."""
    matches: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(check_pattern)] | None = None
    r"""A regular expression that is found somewhere in them, in the syntax of RE2: without look-around and back references;
    `\w`, `\d`, `\s` and `\b` are ASCII (`\p{L}` is every letter), and `$` accepts one final line feed."""

    @model_validator(mode="after")
    def _says_something(self) -> TcpBody:
        if self.contains is None and self.matches is None:
            message = "needs at least one of contains, matches"
            raise ValueError(message)
        return self

    def unmet(self, content: bytes, redactor: Redactor) -> str:
        """Return what is expected and not there, such as `to contain "PONG"`; empty where all of it is."""
        text = content.decode(errors="replace")
        if self.contains is not None and self.contains not in text:
            return f"to contain {redactor.show(self.contains)}"
        if self.matches is not None and not matches(self.matches, text):
            return f"to match {redactor.show(self.matches)}"
        return ""


class TcpExpect(BaseModel):
    """Everything that must hold of a connection."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    body: TcpBody | None = None
    """What green must send, in its first 64 KiB. Default: nothing is waited for."""
    max_connect_ms: Annotated[float, Field(gt=0)] | None = None
    """Longest time until there is a connection, in milliseconds, without the look-up of the name and without TLS."""


class TcpCheck(TlsFields, Check):
    """Connects to green over TCP, and listens to what it says, where that is expected.

    It is for what speaks no HTTP: behind a Network Load Balancer, or at a task. Where there is no connection the check is
    tried again, and then an `ERROR`, as of `http`; an answer that is not as expected is a `FAIL`.
    """

    type: Literal["tcp"] = "tcp"
    listener: Listener = "test"
    """Through which listener green is asked, as of `http`."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Another port than that of green's address, where that is a task's or the plan's `base_url`."""
    address: Annotated[str, Field(pattern=_ADDRESS, max_length=300)] | None = None
    """A host and a port, such as `cache.internal:6379`, in place of green's."""
    tls: bool = False
    """Whether TLS is spoken. The certificate must be valid for the plan's `host`, or else the host of the address."""
    send: Annotated[str, Field(max_length=65_536)] = ""
    """Text to send first."""
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Time for one attempt, from the look-up of the name to the answer."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts where there was no connection, or it ended before the first byte of an answer that is expected."""
    expect: TcpExpect = Field(default_factory=TcpExpect.model_construct)
    """What must hold of the connection. Default: there is one."""

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        if address is not None and (not re.fullmatch(_ADDRESS, address) or not Url.parse(f"http://{address}").port):
            message = "must be a host and a port, such as cache.internal:6379"
            raise ValueError(message)
        return address

    @model_validator(mode="after")
    def _has_one_address(self) -> TcpCheck:
        for name in ("port", "listener"):
            if self.address is not None and name in self.model_fields_set:
                message = f"an address needs no {name}"
                raise ValueError(message)
        if not self.tls:
            for name in sorted(TlsFields.model_fields.keys() & self.model_fields_set):
                message = f"{name}: is for TLS, see tls"
                raise ValueError(message)
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(
            listener=self.listener if self.address is None else None,
            urls=() if self.address is None else (f"http://{self.address}",),
            port=self.port,
            secrets=tuple(self.authorities),
            address_problem=self._address_problem,
        )

    def _address_problem(self, green: Endpoint) -> str:
        """Return why a connection to an address would tell nothing of green; empty where it would."""
        if green.protocol in {"HTTP", "HTTPS"}:
            return "an Application Load Balancer takes connections itself, whatever becomes of green: use a check of type http"
        if green.protocol and self.port is not None and self.port != Url.parse(green.base_url).port:
            return (
                f"port {self.port} of the load balancer is another listener, which could lead to blue: give the address"
            )
        if green.protocol == "TLS" and self.expect.body is None:
            return "a TLS listener takes connections itself, whatever becomes of green: say what green answers (expect.body)"
        if green.protocol == "TLS" and not self.tls:
            return "the listener speaks TLS: set tls to true"
        return ""

    def run(self, context: CheckContext) -> Outcome:
        """Connect, and judge what comes.

        Parameters
        ----------
        context
            Deadline and the address of green.
        """
        green = context.endpoint(self.listener) if self.address is None else Endpoint(f"http://{self.address}")
        redactor = Redactor()
        limits = Limits(timeout_seconds=self.timeout_seconds, connect_retries=self.connect_retries)
        limits = self.trusting(limits, Keyring(redactor, lambda: context.region, limits, context.deadline))
        try:
            problem = self._address_problem(green)
            if problem:
                return Outcome.failed(problem)
            probe = self._probe(green, limits, redactor)
            result, attempts = with_retries(lambda budget: _attempt(probe, budget), limits, context.deadline)
        except HttpError as error:
            return outcome_of(error, green, redactor)
        return self._judged(result, _where(probe), attempts, redactor)

    def _probe(self, green: Endpoint, limits: Limits, redactor: Redactor) -> TcpProbe:
        url, body = Url.parse(green.base_url), self.expect.body
        server_name = host_of(green.all_headers.get("Host", "")) or url.host
        return TcpProbe(
            url.host,
            self.port or url.port,
            self.send.encode(),
            None if body is None else lambda content: not body.unmet(content, redactor),
            TlsOptions(server_name, limits.trust) if self.tls else None,
        )

    def _judged(self, result: TcpResult, where: str, attempts: int, redactor: Redactor) -> Outcome:
        connect_ms = result.timings.connect * 1000
        most = self.expect.max_connect_ms
        evidence = {
            "connect_ms": round(connect_ms, 1),
            **({} if most is None else {"connect_ms_limit": most}),
            "body_bytes": len(result.content),
            "attempts": attempts,
        }
        if most is not None and connect_ms > most:
            return Outcome.failed(f"{where} connected in {connect_ms:.0f} ms, expected at most {most:g} ms", evidence)
        body = self.expect.body
        if body is None:
            return Outcome.passed(f"{where} connected in {connect_ms:.0f} ms", evidence)
        size = counted(len(result.content), "byte")
        if result.end == "enough":
            answered = f"answered {size} in {result.timings.first_byte * 1000:.0f} ms"
            return Outcome.passed(f"{where} connected in {connect_ms:.0f} ms, {answered}", evidence)
        unmet, end = body.unmet(result.content, redactor), _ENDS[result.end].format(self.timeout_seconds)
        return Outcome.failed(f"{where} answer is {size}, {end}; expected {unmet}", evidence)


def _attempt(probe: TcpProbe, budget: Budget) -> TcpResult:
    try:
        return run_probe(probe, budget)
    except HttpError as error:
        error.where = _where(probe)
        raise


def _where(probe: TcpProbe) -> str:
    host = f"[{probe.host}]" if ":" in probe.host else probe.host
    return f"TCP {host}:{probe.port}"
