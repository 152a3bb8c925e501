"""The HTTP check: one request, and what must hold of the response."""

from __future__ import annotations

import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.assertions.expect import Expect, describe, describe_warnings, parted
from ecs_hooks.auth.secret_resolver import Keyring
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.http_request import RequestFields, outcome_of
from ecs_hooks.checks.request.transport import ExchangeFields
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.checks.samples import Sample, Samples
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.errors import HttpError, TransportError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.request import Request
from ecs_hooks.http.retry import send


class Until(BaseModel):
    """How long to ask again."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)]
    """Seconds since the first invocation at this step, after which an unmet expectation is a failure."""
    interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 10
    """Seconds between two requests."""


class HttpCheck(RequestFields, ExchangeFields, Check):
    """Sends one request to green and compares the response.

    Where there is no connection, or it ends before the first byte of a response, the request is sent again up to
    `connect_retries` times, a POST too; then the check is an `ERROR`, and ECS is told to ask again. Any other trouble, and
    a response that is not as expected, is a `FAIL`, unless `until` says that the check polls.
    """

    model_config = ConfigDict(populate_by_name=False)

    type: Literal["http"] = "http"
    listener: Listener = "test"
    """Through which listener green is asked: `test`, or `production` for POST_PRODUCTION_TRAFFIC_SHIFT, when all customers
    are at green. Sooner it is a failure, since blue would be tested. `base_url` and `APP_URL` lead to the test side, so
    AWS is asked for the address; `host` counts for both."""
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 10
    """Time for one attempt, from the look-up of the name to the last byte of the body, redirects included."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts where there was no connection, or it ended before the first byte of a response."""
    until: Until | None = None
    """To poll: ask again while something is not as expected."""
    samples: Samples | None = None
    """To send the request many times, and judge the responses together."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What must hold of the response. Default: a status from 200 to 299."""

    @model_validator(mode="after")
    def _has_one_of_each(self) -> HttpCheck:
        if self.until is not None and self.watch is not None:
            raise ValueError("give one of until and watch")
        if self.until is not None and self.samples is not None:
            raise ValueError("give one of until and samples")
        if self.url is not None and "listener" in self.model_fields_set:
            raise ValueError("a url needs no listener")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        return required._replace(
            listener=self.listener if self.url is None else None,
            urls=tuple(self.urls),
            methods=(self.method,) if self.url is None else (),
            secrets=(*self.secrets, *self.authorities),
            signatures=tuple(self.signatures),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Send the request, and judge the response.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """
        redactor = Redactor()
        green = context.endpoint(self.listener) if self.url is None else Endpoint("")
        keyring = Keyring(redactor, lambda: context.region, Limits(), context.deadline)
        keyring = self.limited(keyring, self.timeout_seconds, self.connect_retries)
        try:
            request = self.build(green, keyring)
            if self.samples is not None:
                return self._sampled(self.samples, request, keyring)
            response = send(request, keyring.limits, context.deadline)
        except HttpError as error:
            outcome = outcome_of(error, green, redactor)
            return outcome if error.permanent else self._polled(outcome, context)
        failing, warnings = parted(self.expect.unmet(response, redactor))
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
        warned = describe_warnings(warnings)
        if not failing:
            took = f"{response.latency * 1000:.0f} ms{warned}"
            return Outcome.passed(redactor.mask(f"{response.where} status {response.status} in {took}"), evidence)
        reason = redactor.mask(f"{response.where} {describe(failing)}{warned}")
        return self._polled(Outcome.failed(reason, evidence), context)

    def _sampled(self, samples: Samples, request: Request, keyring: Keyring) -> Outcome:
        redactor, pool = keyring.redactor, Pool()
        reached = threading.Event()

        def once() -> Sample:
            try:
                response = send(request, keyring.limits, keyring.deadline, pool.exchange)
            except HttpError as error:
                # Where nothing has ever come back, green can't be asked: that is no finding about it.
                if error.permanent or (isinstance(error, TransportError) and not reached.is_set()):
                    raise
                reached.set()
                return Sample(redactor.mask(error.message), None)
            reached.set()
            failing, _ = parted(self.expect.unmet(response, redactor))
            return Sample(redactor.mask(describe(failing)) if failing else "", response.latency)

        try:
            return samples.judge(redactor.mask(request.shown), samples.take(once, keyring.deadline))
        finally:
            pool.close()

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
