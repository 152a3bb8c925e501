"""The load check: requests at a steady rate, their failures and latency percentiles."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecs_hooks.assertions.expect import Expect
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.load.evaluate import evaluate
from ecs_hooks.checks.load.open_loop import OpenLoop
from ecs_hooks.checks.load.sender import Sender, WeightedRequest
from ecs_hooks.checks.request.request_fields import Requests, with_requests
from ecs_hooks.checks.request.session import ExchangeFields, Session
from ecs_hooks.checks.samples import LatencyLimits, closed_connections
from ecs_hooks.checks.scenario.login import LoggedIn, LoginFields
from ecs_hooks.checks.scenario.variables import VariableRequest
from ecs_hooks.core.deadline import MAX_LAMBDA_SECONDS
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.endpoint import Listener
from ecs_hooks.http.deadline_socket import InFlight
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.pool import Pool

_MAX_REQUESTS = 100_000
"""Maximum number of requests, whose results fit into a function's memory."""

_SETUP_SECONDS = 1.0
"""Time before the load, to find green and to connect."""

_EVALUATION_SECONDS = 2.0
"""Time after the load."""


class LoadRequest(VariableRequest):
    """One of the requests that a load consists of."""

    weight: Annotated[int, Field(ge=1, le=100)] = 1
    """Its share of the load, relative to the weights of the others."""
    expect: Expect = Field(default_factory=Expect.model_construct)
    """What makes its response a success, as of `http`. Default: a status from 200 to 299."""


class LoadCheck(LoginFields, ExchangeFields, LatencyLimits, Check):
    """Sends requests to green at a steady rate, and checks the percentage of failures and the latency percentiles.

    Each request is due at a fixed time, whatever the responses to earlier requests, and its latency counts from that
    time: requests that wait for a stalled server are in the percentiles. A request fails without a response within
    `timeout_seconds`, or with a response other than `expect`. It is sent once: if the server ends the connection before a
    response, the request has failed, also on a reused connection. If no request reaches green the outcome is `ERROR`, and
    so it is if the function itself is too slow to measure green.
    """

    type: Literal["load"] = "load"
    requests_per_second: Annotated[float, Field(gt=0, le=500)] = 10
    """Number of requests per second, evenly spread."""
    duration_seconds: Annotated[float, Field(ge=1, le=MAX_LAMBDA_SECONDS - 20)] = 60
    """Duration of the load. With `timeout_seconds` it has to fit into one invocation: the function's `Timeout`, by ECS at most
    900 s of it."""
    requests: Requests[LoadRequest] = Field(default_factory=lambda: (LoadRequest(),))
    """The requests, sent in turn by weight. Default: `GET /`."""
    listener: Listener = "test"
    """Listener for the requests; see `http`."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """Timeout of a request since it was due: wait for a free connection, connection, response, redirects."""
    max_in_flight: Annotated[int, Field(ge=1, le=500)] = 100
    """Maximum number of concurrent requests; further ones wait, and the wait counts as latency."""
    keep_alive: bool = True
    """Whether connections are reused; else each request opens its own."""
    max_error_percent: Annotated[float, Field(ge=0, le=100)] = 1
    """Maximum percentage of requests that may fail."""

    @model_validator(mode="after")
    def _has_no_conflicting_fields(self) -> Self:
        if self._count > _MAX_REQUESTS:
            raise ValueError(
                f"requests_per_second times duration_seconds is {self._count} requests; lower them to at most "
                f"{_MAX_REQUESTS}"
            )
        for percent, limit in self.max_ms.items():
            if limit is not None and limit >= self.timeout_seconds * 1000:
                raise ValueError(
                    f"max_p{percent}_ms must be less than timeout_seconds, because no longer latency is measured"
                )
        if "listener" in self.model_fields_set and not any(each.to_green for each in self.requests):
            raise FieldError("listener: has no effect, because all requests have a url; remove it")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = super().requirements()
        watch_seconds = required.watch_seconds
        if self.watch is not None:
            # Each measurement is a load of its own.
            watch_seconds += (1 if self.watch.count is None else self.watch.count) * self.duration_seconds
        required = required._replace(watch_seconds=watch_seconds, seconds=_SETUP_SECONDS + self._load_seconds)
        requests = self.known(self.requests)
        return self.with_login(with_requests(required, requests, self.listener, self.certificate_references))

    def run(self, context: CheckContext) -> Outcome:
        """Send the requests, and evaluate the responses."""
        required = self.requirements()
        no_time = self._missing_time(context, required.seconds)
        if no_time:
            return Outcome.failed(no_time)
        session = Session.start(context, required.listener).limited(self, self.timeout_seconds)
        logged_in = self.log_in(session, context.deadline)
        in_flight = InFlight()
        pool = Pool(keep=self.keep_alive, resend=False, in_flight=in_flight)
        try:
            requests = [self._weighted(each, logged_in, session) for each in self.requests]
            sender = Sender(requests, session.limits, pool, context.deadline, session.redactor)
            sender.connect()
            no_time = self._missing_time(context, self._load_seconds)
            if no_time:  # only because green was slow to find and to connect to, which a later invocation may not be
                return Outcome.error(no_time)
            load = OpenLoop(
                sender.send,
                rate=self.requests_per_second,
                count=self._count,
                timeout=self.timeout_seconds,
                max_in_flight=self.max_in_flight,
                waiting=in_flight.count,
            ).run()
        except HttpError as error:
            return session.outcome_of(error)
        finally:
            pool.close()
        outcome = evaluate(load, self)
        return outcome._replace(
            reason=session.redactor.mask(f"{outcome.reason}{closed_connections(pool)}"),
            evidence={**outcome.evidence, "connections": pool.opened, "connections_replaced": pool.replaced},
        )

    def _weighted(self, request: LoadRequest, logged_in: LoggedIn, session: Session) -> WeightedRequest:
        filled, its_session = logged_in.filled(request, session)
        return WeightedRequest(logged_in.build(filled, its_session), filled.expect, filled.weight)

    @property
    def _count(self) -> int:
        # The product of decimal fractions is seldom a whole number: 0.1 * 30 is not 3.
        return max(1, math.ceil(round(self.requests_per_second * self.duration_seconds, 6)))

    @property
    def _load_seconds(self) -> float:
        return self.duration_seconds + self.timeout_seconds + _EVALUATION_SECONDS

    def _missing_time(self, context: CheckContext, seconds: float) -> str:
        """Return what to change if the load does not fit into this invocation; empty if it does."""
        left = context.deadline.remaining()
        if left >= seconds:
            return ""
        longest = math.floor(self.duration_seconds - (seconds - left))
        lower = f"lower duration_seconds to {longest}" if longest >= 1 else "lower duration_seconds"
        login = f", login_seconds {self.login_seconds:g}" if self.login else ""
        return (
            f"duration_seconds {self.duration_seconds:g}{login} and timeout_seconds {self.timeout_seconds:g} require "
            f"{seconds:g} s, but this invocation has {left:.0f} s left; {lower}, or raise the function's Timeout; for "
            f'a longer load, repeat it: "watch": {{"count": 10, "interval_seconds": 1}}'
        )
