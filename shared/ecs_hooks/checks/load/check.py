"""The load check: requests at a steady rate, how many of them fail and how long the others take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecs_hooks.assertions.status import ExpectedStatus
from ecs_hooks.auth.secret_resolver import Keyring
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.load.evaluate import Criteria, judge
from ecs_hooks.checks.load.open_loop import OpenLoop
from ecs_hooks.checks.load.sender import Part, Sender
from ecs_hooks.checks.request.http_request import RequestFields, outcome_of
from ecs_hooks.checks.request.transport import ExchangeFields
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.inflight import InFlight
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.pool import Pool

_MOST_REQUESTS = 100_000
"""What fits into a function's memory."""

_MOST_KINDS = 20
"""Different requests of one load."""

_TO_BEGIN = 1.0
"""Seconds in which green should be found and reached, before the load."""

_TO_COUNT = 2.0
"""Seconds after the load: to end, to count and to say what came of it."""


class LoadExpect(BaseModel):
    """What makes a response a success."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    status: ExpectedStatus = ["2xx", "3xx"]
    """Status code: `200`, a class `"2xx"`, a range `"200-299"`, or a list of these."""


class LoadRequest(RequestFields):
    """One of the requests that a load is made of."""

    weight: Annotated[int, Field(ge=1, le=100)] = 1
    """How often its turn comes, beside the weights of the others."""
    expect: LoadExpect = Field(default_factory=LoadExpect.model_construct)
    """What makes a response to it a success. Default: a status from 200 to 399."""


class LoadCheck(ExchangeFields, Check):
    """Sends requests to green at a steady rate for a while, and judges how many fail and how long they take.

    Each request is due at a time fixed in advance, whatever has become of those before, and its latency counts from then:
    what waits for a server that stalls is in the percentiles. A request fails that has no response within `timeout_seconds`,
    or one with another status than `expect` says. Where none of them reaches green the check is an `ERROR`, and likewise
    where the function itself took so long that it would have measured itself.
    """

    type: Literal["load"] = "load"
    requests_per_second: Annotated[float, Field(gt=0, le=500)] = 10
    """How many requests are due a second, evenly spread."""
    duration_seconds: Annotated[float, Field(ge=1, le=880)] = 60
    """For how long. With `timeout_seconds` it has to fit into one invocation: see the function's `Timeout`."""
    requests: tuple[LoadRequest, ...] = Field(
        default_factory=lambda: (LoadRequest(),), json_schema_extra={"minItems": 1, "maxItems": _MOST_KINDS}
    )
    """What is sent, in turn, by weight. Default: `GET /`."""
    listener: Listener = "test"
    """Through which listener green is asked, as of `http`."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """Seconds, since it was due, in which a request has to be over: wait for its turn, connection, response, redirects."""
    max_in_flight: Annotated[int, Field(ge=1, le=500)] = 100
    """How many requests may be under way at the same time; further ones wait, and their time counts."""
    keep_alive: bool = True
    """Whether connections are used again; else each request has one of its own."""
    max_error_percent: Annotated[float, Field(ge=0, le=100)] = 1
    """Share of the requests that may fail, in per cent."""
    max_p50_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which half of the requests have to be over."""
    max_p95_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which 95 per cent of them have to be over."""
    max_p99_ms: Annotated[float, Field(gt=0)] | None = None
    """Milliseconds within which 99 per cent of them have to be over."""

    @field_validator("requests")
    @classmethod
    def _are_some(cls, requests: tuple[LoadRequest, ...]) -> tuple[LoadRequest, ...]:
        if not 1 <= len(requests) <= _MOST_KINDS:
            raise ValueError(f"must be 1 to {_MOST_KINDS} requests")
        return requests

    @model_validator(mode="after")
    def _makes_sense(self) -> LoadCheck:
        if self._count > _MOST_REQUESTS:
            raise ValueError(
                f"requests_per_second times duration_seconds is {self._count} requests; at most {_MOST_REQUESTS} fit in"
            )
        for percent, limit in self._max_ms.items():
            if limit is not None and limit >= self.timeout_seconds * 1000:
                raise ValueError(
                    f"max_p{percent}_ms must be less than timeout_seconds: what is given up then took longer"
                )
        if "listener" in self.model_fields_set and all(each.url is not None for each in self.requests):
            raise ValueError("requests that all have a url need no listener")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        to_green = [each for each in self.requests if each.url is None]
        required = super().requirements()
        watch_seconds = required.watch_seconds
        if self.watch is not None:
            # Each measurement is a load of its own.
            watch_seconds += (1 if self.watch.count is None else self.watch.count) * self.duration_seconds
        return required._replace(
            listener=self.listener if to_green else None,
            urls=tuple(url for each in self.requests for url in each.urls),
            methods=tuple(dict.fromkeys(each.method for each in to_green)),
            secrets=(*(secret for each in self.requests for secret in each.secrets), *self.authorities),
            signatures=tuple(signature for each in self.requests for signature in each.signatures),
            watch_seconds=watch_seconds,
            seconds=_TO_BEGIN + self._load_seconds,
        )

    def run(self, context: CheckContext) -> Outcome:
        """Send the requests, and judge what came of them.

        Parameters
        ----------
        context
            Deadline, elapsed time and the address of green.
        """
        short = self._short_of_time(context, self.requirements().seconds)
        if short:
            return Outcome.failed(short)
        green = Endpoint("") if self.requirements().listener is None else context.endpoint(self.listener)
        redactor = Redactor()
        keyring = self.limited(
            Keyring(redactor, lambda: context.region, Limits(), context.deadline), self.timeout_seconds
        )
        in_flight = InFlight()
        pool = Pool(keep=self.keep_alive, in_flight=in_flight)
        try:
            parts = [Part(each.build(green, keyring), each.expect.status, each.weight) for each in self.requests]
            sender = Sender(parts, keyring.limits, pool, context.deadline)
            sender.connect()
            short = self._short_of_time(context, self._load_seconds)
            if short:  # there was enough, but to find and to reach green took some of it: that may pass
                return Outcome.error(short)
            load = OpenLoop(
                sender.send,
                rate=self.requests_per_second,
                count=self._count,
                patience=self.timeout_seconds,
                max_in_flight=self.max_in_flight,
                waiting=in_flight.count,
            ).run()
        except HttpError as error:
            return outcome_of(error, green, redactor)
        finally:
            pool.close()
        outcome = judge(load, self._criteria)
        return outcome._replace(
            reason=redactor.mask(outcome.reason), evidence={**outcome.evidence, "connections": pool.opened}
        )

    @property
    def _count(self) -> int:
        # The product of decimal fractions is seldom a whole number: 0.1 * 30 is not 3.
        return max(1, math.ceil(round(self.requests_per_second * self.duration_seconds, 6)))

    @property
    def _max_ms(self) -> Mapping[int, float | None]:
        return {50: self.max_p50_ms, 95: self.max_p95_ms, 99: self.max_p99_ms}

    @property
    def _criteria(self) -> Criteria:
        return Criteria(
            rate=self.requests_per_second,
            seconds=self.duration_seconds,
            timeout_seconds=self.timeout_seconds,
            max_in_flight=self.max_in_flight,
            max_error_percent=self.max_error_percent,
            max_ms=self._max_ms,
        )

    @property
    def _load_seconds(self) -> float:
        return self.duration_seconds + self.timeout_seconds + _TO_COUNT

    def _short_of_time(self, context: CheckContext, needed: float) -> str:
        """Return what to do where the load does not fit into what is left of the invocation; empty where it does."""
        left = context.deadline.remaining()
        if left >= needed:
            return ""
        longest = math.floor(self.duration_seconds - (needed - left))
        fits = f" to {longest}" if longest >= 1 else ""
        return (
            f"duration_seconds {self.duration_seconds:g} and timeout_seconds {self.timeout_seconds:g} do not fit into the "
            f"{left:.0f} s that are left of this invocation: shorten duration_seconds{fits}, or raise the function's "
            f'Timeout; to go on for longer, repeat the load: "watch": {{"count": 10, "interval_seconds": 1}}'
        )
