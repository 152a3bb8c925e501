"""The HTTP check: one request, and what must hold of the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from ecs_hooks.assertions.expect import Expect, describe, describe_warnings, split_warnings
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.request_fields import RequestFields, with_requests
from ecs_hooks.checks.request.session import ExchangeFields, Session, at_port, port_problem
from ecs_hooks.checks.request.template import LiteralTexts
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.plan_model import LazyModel, PlanModel
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.response import Response
from ecs_hooks.http.retry import send

if TYPE_CHECKING:
    from ecs_hooks.checks.samples import Samples
else:
    Samples = Annotated[Any, LazyModel("ecs_hooks.checks.samples:Samples")]


class Until(PlanModel):
    """How long to poll."""

    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)]
    """Seconds since the first invocation at this step, after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 10
    """Seconds between two requests."""


class HttpCheck(LiteralTexts, RequestFields, ExchangeFields, Check):
    """Sends one request to green and checks the response.

    If the connection fails, or ends before the first byte of a response, the request is sent again up to
    `connect_retries` times, POST included; then the outcome is `ERROR`, and the hook returns IN_PROGRESS. Any other
    failure, and a response that is not as expected, is a `FAIL`, unless the check polls (`until`).
    """

    model_config = ConfigDict(populate_by_name=False)

    type: Literal["http"] = "http"
    listener: Listener = "test"
    """Listener for the request: `test`, or `production` at POST_PRODUCTION_TRAFFIC_SHIFT, when green has all production
    traffic. At earlier stages `production` is a failure, because the request would reach blue. `base_url` and `APP_URL`
    are addresses of the test listener, so for `production` the address comes from AWS; `host` applies to both."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Port, if it differs from that of green's address, and that address is a task's or the plan's `base_url`."""
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Timeout of one attempt, from DNS to the last byte of the body, redirects included."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts if the connection fails, or ends before the first byte of a response."""
    until: Until | None = None
    """To poll: repeats the request while the response is not as expected."""
    samples: Samples | None = None
    """To send the request many times, and evaluate all responses together."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the response. Default: a status from 200 to 299."""

    @model_validator(mode="after")
    def _has_no_conflicting_fields(self) -> Self:
        for one, other in [("until", "watch"), ("until", "samples")]:
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ValueError(f"has both {one} and {other}; remove one of them")
        for name in ("listener", "port"):
            if self.url is not None and name in self.model_fields_set:
                raise ValueError(f"has both url and {name}; remove one of them")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = with_requests(super().requirements(), [self], self.listener, self.certificate_references)
        return required._replace(port=self.port, address_problem=self._address_problem)

    def _address_problem(self, green: Endpoint) -> str:
        problem = port_problem(green, self.port)
        return f"{problem}: set url" if problem else ""

    def run(self, context: CheckContext) -> Outcome:
        """Send the request, and evaluate the response."""
        session = Session.start(context, self.requirements().listener)
        session = session.limited(self, self.timeout_seconds, self.connect_retries)
        problem = self._address_problem(session.green)
        if problem:
            return Outcome.failed(problem)
        session = session._replace(green=at_port(session.green, self.port))
        try:
            request = session.build(self)
            if self.samples is not None:
                return self.samples.run(request, session, self.expect)
            response = send(request, session.limits, session.deadline)
        except HttpError as error:
            outcome = session.outcome_of(error)
            return outcome if error.permanent else self._poll(outcome, context)
        outcome = self._evaluate(response, session)
        return outcome if outcome.status is Status.PASS else self._poll(outcome, context)

    def _evaluate(self, response: Response, session: Session) -> Outcome:
        redactor = session.redactor
        failing, warnings = split_warnings(self.expect.unmet(response, redactor))
        evidence = {
            "status": response.status,
            "latency_ms": round(response.latency * 1000, 1),
            "body_bytes": len(response.content),
            "attempts": response.attempts,
            "redirects": response.redirects,
        }
        if warnings:
            evidence["warnings"] = len(warnings)
        if self.expect.max_latency_ms is not None:
            evidence["latency_ms_limit"] = self.expect.max_latency_ms
        failure = f"{describe(failing)}{response.cookie_note}" if failing else ""
        unfollowed = self.expect.unfollowed(response, redactor)
        status = f"{unfollowed}, not followed," if unfollowed else f"status {response.status}"
        found = failure or f"{status} in {response.latency * 1000:.0f} ms"
        reason = redactor.mask(f"{response.where} {found}{describe_warnings(warnings)}")
        return Outcome.failed(reason, evidence) if failing else Outcome.passed(reason, evidence)

    def _poll(self, outcome: Outcome, context: CheckContext) -> Outcome:
        """Return the outcome of an unmet expectation: WAIT as long as the check polls."""
        if self.until is None or outcome.status is Status.WAIT:
            return outcome
        left = self.until.timeout_seconds - context.elapsed
        if left <= 0:
            reason = f"{outcome.reason} (still so after {self.until.timeout_seconds:g} s)"
            return Outcome.failed(reason, outcome.evidence)
        pause = max(1.0, min(self.until.interval_seconds, left))
        return Outcome.wait(outcome.reason, outcome.evidence, retry_after=pause)
