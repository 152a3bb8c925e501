"""The compare check: blue and green get the same requests, and their responses must be alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ecs_hooks.assertions.jsonpath import check_paths
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.compare.comparable_response import Ignored
from ecs_hooks.checks.compare.compare_responses import MIN_ROUNDS, Tolerance
from ecs_hooks.checks.compare.evaluate import FALSE_ALARM_RATE, Thresholds
from ecs_hooks.checks.compare.json_diff import IncomparableError
from ecs_hooks.checks.compare.report import outcome_of
from ecs_hooks.checks.compare.sampling import Pair, Result, Sampling, UnreachedError, sample_and_compare
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.request_fields import RequestFields, Requests, with_requests
from ecs_hooks.checks.request.session import ExchangeFields, Session, missing_time
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.deployment.endpoint import Endpoint, require_running
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.deployment.baseline import BlueEndpoint

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OVERHEAD_SECONDS = 1.0
"""Time of an invocation besides that of the requests: to find both sides, and to compare their responses."""


class CompareRequest(RequestFields):
    """One of the requests to blue and green."""

    @field_validator("url")
    @classmethod
    def _is_not_set(cls, url: str | None) -> str | None:
        if url is not None:
            raise ValueError("not supported, because blue and green have different addresses; use path")
        return url


class CompareCheck(ExchangeFields, Check):
    """Sends the same requests to green and to blue, to blue twice, and finds how the responses of green differ.

    Each round sends a request to green once and to blue twice, in random order. Status, headers, JSON path by path,
    other bodies, and latency are compared. What varies between blue's own responses (times, ids, the order of an array,
    an optional field) is noise. There green must have only what all of blue's responses have in common, such as types,
    values that occur again and again, formats, and sizes. A difference counts if green differs from blue's usual
    responses so much more often than blue's other responses do that Fisher's exact test allows for chance alone once in
    ten thousand checks, and by more than `relative_percent` and `absolute_percent`. With 30 rounds, green must differ
    in about every second round at a path that never varies in blue, and in nearly all rounds at a path that sometimes
    does.

    If there is no connection to one of them the outcome is `ERROR`, and so it is if blue itself fails (5xx, no
    response): that says nothing about green. On a service's first deployment the check is skipped, unless `blue_url` is
    set.
    """

    type: Literal["compare"] = "compare"
    requests: Requests[CompareRequest] = Field(default_factory=lambda: (CompareRequest(),))
    """The requests to both, one after the other. Default: `GET /`."""
    samples: Annotated[int, Field(ge=MIN_ROUNDS, le=1000)] = 30
    """Rounds of each request. With fewer than 15, chance could look like a difference; more rounds find rarer
    differences."""
    interval_seconds: Annotated[float, Field(ge=0, le=60)] = 0.1
    """Pause between two rounds, so that what changes with time changes between responses of blue, too."""
    ignore: Annotated[tuple[Annotated[str, Field(max_length=1000)], ...], Field(max_length=100)] = ()
    """JSONPaths (RFC 9535) that are not compared: what identifies versions or instances, such as `$.version`."""
    ignore_headers: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Headers that are not compared, besides those that never are."""
    relative_percent: Annotated[float, Field(ge=0, le=100)] = 20
    """In how many more rounds green must differ than blue, in per cent of both together."""
    absolute_percent: Annotated[float, Field(ge=0, le=100)] = 0.03
    """In how many more rounds green must differ than blue, in per cent of all rounds."""
    max_slower_percent: Annotated[float, Field(ge=0, le=10_000)] | None = 50
    """How much slower green may be than blue, in per cent; `null` turns the comparison of latency off."""
    max_slower_ms: Annotated[float, Field(ge=0, le=60_000)] = 20
    """Milliseconds by which green may be slower in any case."""
    allow_unsafe: bool = False
    """Whether to allow other methods than GET, HEAD and OPTIONS: blue, which serves customers, gets each request twice
    per round."""
    blue_url: str | None = None
    """Base URL of blue. Default: its production listener, as long as that forwards only to blue; if the address of
    green is that of a task, a task of blue."""
    blue_host: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """`Host` of the requests to blue. Default: the plan's `host`, or the host of the production listener rule."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """Timeout of one request."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts of one request; see `http`."""
    budget_seconds: Annotated[float, Field(gt=0, le=880)] = 60
    """Time for all rounds of all requests."""

    @field_validator("ignore")
    @classmethod
    def _are_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        check_paths(paths)
        return paths

    @field_validator("blue_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None:
            Url.parse(url)
        return url

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        for number, request in enumerate(self.requests):
            if request.method not in _SAFE_METHODS and not self.allow_unsafe:
                raise ValueError(
                    f"requests[{number}].method: {request.method} may change data, and blue, which serves customers, "
                    f"would get it {2 * self.samples} times; use {', '.join(_SAFE_METHODS)}, or set allow_unsafe to "
                    f"true"
                )
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        required = (
            super()
            .requirements()
            ._replace(
                blue=self.blue_url is None,
                running=True,
                urls=() if self.blue_url is None else (self.blue_url,),
                seconds=self.budget_seconds + _OVERHEAD_SECONDS,
            )
        )
        return with_requests(required, self.requests, "test", self.certificate_references)

    def run(self, context: CheckContext) -> Outcome:
        """Send the requests to both, and compare the responses."""
        require_running(context.stage)
        no_time = missing_time(context, "budget_seconds", self.requirements().seconds)
        if no_time is not None:
            return no_time
        blue = context.blue(self.blue_url, self.blue_host)
        session = Session.start(context, "test")
        deadline = context.deadline.sooner(self.budget_seconds)
        session = session.limited(self, self.timeout_seconds, self.connect_retries, deadline)
        pool = Pool()
        try:
            pairs = [self._pair(request, blue, session) for request in self.requests]
            results = self._compare(pairs, pool, session)
        except UnreachedError as unreached:
            side, endpoint = ("blue", blue.endpoint) if unreached.is_blue else ("green", session.green)
            outcome = session.outcome_of(unreached.error, endpoint)
            return outcome._replace(reason=f"{side}: {outcome.reason}")
        except HttpError as error:
            return session.outcome_of(error)
        finally:
            pool.close()
        limits = f"max_slower_percent {self.max_slower_percent} and max_slower_ms {self.max_slower_ms:g}"
        return outcome_of(results, self.samples, limits, session.redactor)

    def _pair(self, request: CompareRequest, blue: BlueEndpoint, session: Session) -> Pair:
        to_blue, to_green = request.build(blue.endpoint, session.resolver), session.build(request)
        label = session.redactor.mask(f"{request.method} {(request.path or '/').partition('?')[0]}")
        # An API key may be the very header that the test listener rule requires.
        problem = blue.objection(
            to_blue if to_blue.auth is None else to_blue.auth._replace(sign=None).authorize(to_blue)
        )
        if problem:
            raise IncomparableError(f"{label}: {problem}; remove from the request what the rule requires")
        if to_blue._replace(auth=None) == to_green._replace(auth=None):
            raise IncomparableError(f"{label}: blue and green resolve to the same address; change base_url or blue_url")
        return Pair(label, to_blue, to_green, (_base_path(blue.endpoint), _base_path(session.green)))

    def _compare(self, pairs: Sequence[Pair], pool: Pool, session: Session) -> list[Result]:
        ignored = Ignored(frozenset(name.lower() for name in self.ignore_headers), self.ignore)
        sampling = Sampling(pool.exchange, session.limits, self.samples, self.interval_seconds, ignored)
        tolerance = Tolerance(
            Thresholds(self.relative_percent, self.absolute_percent),
            self.max_slower_percent,
            self.max_slower_ms,
            FALSE_ALARM_RATE / len(pairs),
        )
        results: list[Result] = []
        for pair in pairs:
            results.append(sample_and_compare(pair, sampling, tolerance, session.deadline))
            if results[-1].rounds < self.samples:  # the deadline has passed
                break
        return results


def _base_path(endpoint: Endpoint) -> str:
    return urlsplit(endpoint.base_url).path.rstrip("/")
