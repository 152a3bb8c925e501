"""The compare check: blue and green are asked the same, and answer the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ecs_hooks.assertions.jsonpath import check_paths
from ecs_hooks.auth.secret_resolver import Keyring
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.compare.answer import Ignored
from ecs_hooks.checks.compare.compare_responses import ENOUGH, Rules
from ecs_hooks.checks.compare.errors import IncomparableError
from ecs_hooks.checks.compare.evaluate import CHANCE, Thresholds
from ecs_hooks.checks.compare.sampling import Pair, Result, Sending, UnreachedError, examine
from ecs_hooks.checks.compare.verdict import verdict
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.http_request import RequestFields, outcome_of
from ecs_hooks.checks.request.transport import ExchangeFields
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.outcome import Outcome
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.deployment.endpoint import Endpoint, require_running
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.baseline import Blue

_MOST_KINDS = 20
"""Different requests of one check."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADROOM = 1.0
"""Seconds of an invocation besides those of the requests: to find both sides, and to compare what they answer."""


class CompareRequest(RequestFields):
    """One of the requests that both are asked."""

    @field_validator("url")
    @classmethod
    def _is_asked_of_both(cls, url: str | None) -> str | None:
        if url is not None:
            raise ValueError("blue and green are asked at their own addresses: give the path")
        return url


class CompareCheck(ExchangeFields, Check):
    """Asks green and blue the same, blue twice, and finds what green answers otherwise.

    In each round green is asked once and blue twice, in an order drawn by lot. Status, headers, JSON place by place, other
    bodies, and latencies are compared. What blue differs in from itself (times, ids, the order of an array, a field that is
    there now and then) is noise: there green is held to what blue keeps to in all of it, such as the types, the values
    that come back, what values look like, and how large they are. A difference counts where green is unlike blue's usual
    answers so much more often than blue's other answers are that Fisher's exact test allows for chance alone once in ten
    thousand checks, and by more than `relative_percent` and `absolute_percent`. With 30 rounds, that is from about every
    second round on for what blue is never unlike itself in, and in nearly all rounds for what it is unlike itself in now
    and then.

    Where one of them can't be reached the check is an `ERROR`, and likewise where blue itself fails (5xx, no response): that
    says nothing of green, neither good nor bad. On a service's first deployment it is skipped, unless `blue_url` is given.
    """

    type: Literal["compare"] = "compare"
    requests: tuple[CompareRequest, ...] = Field(
        default_factory=lambda: (CompareRequest(),), json_schema_extra={"minItems": 1, "maxItems": _MOST_KINDS}
    )
    """What both are asked, one request after the other. Default: `GET /`."""
    samples: Annotated[int, Field(ge=ENOUGH, le=1000)] = 30
    """Rounds of each request. In fewer than 15, chance could look like a difference; the more, the rarer the differences
    that are found."""
    interval_seconds: Annotated[float, Field(ge=0, le=60)] = 0.1
    """Pause between two rounds, so that what changes with time is seen to do so in blue."""
    ignore: Annotated[tuple[Annotated[str, Field(max_length=1000)], ...], Field(max_length=100)] = ()
    """JSONPaths (RFC 9535) of what is not compared: what tells versions or instances apart, such as `$.version`."""
    ignore_headers: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Headers that are not compared, besides those that never are."""
    relative_percent: Annotated[float, Field(ge=0, le=100)] = 20
    """How many more rounds green has to differ in than blue, in per cent of both together."""
    absolute_percent: Annotated[float, Field(ge=0, le=100)] = 0.03
    """And in per cent of all rounds."""
    max_slower_percent: Annotated[float, Field(ge=0, le=10_000)] | None = 50
    """How much longer than blue green may take, in per cent; `null` does not compare how long they take."""
    max_slower_ms: Annotated[float, Field(ge=0, le=60_000)] = 20
    """Milliseconds longer that it may take in any case."""
    allow_unsafe: bool = False
    """Whether other methods than GET, HEAD and OPTIONS may be sent: blue, which serves customers, gets each twice a round."""
    blue_url: str | None = None
    """Where blue answers. Default: its production listener, while that leads to blue alone; where green is asked at a task,
    a task of blue."""
    blue_host: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """`Host` of the requests to blue. Default: the plan's `host`, or what the production listener rule asks for."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """Time for one request."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts of one request, as of `http`."""
    budget_seconds: Annotated[float, Field(gt=0, le=880)] = 60
    """Time for all rounds of all requests."""

    @field_validator("requests")
    @classmethod
    def _are_some(cls, requests: tuple[CompareRequest, ...]) -> tuple[CompareRequest, ...]:
        if not 1 <= len(requests) <= _MOST_KINDS:
            raise ValueError(f"must be 1 to {_MOST_KINDS} requests")
        return requests

    @field_validator("ignore")
    @classmethod
    def _are_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        check_paths(paths)
        return paths

    @field_validator("blue_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None:
            Url.parse(url)
        return url

    @model_validator(mode="after")
    def _is_safe(self) -> CompareCheck:
        for number, request in enumerate(self.requests):
            if request.method not in _SAFE and not self.allow_unsafe:
                raise ValueError(
                    f"requests[{number}].method: {request.method} may change something, and blue, which serves customers, "
                    f"would get it {2 * self.samples} times: use {', '.join(_SAFE)}, or set allow_unsafe to true"
                )
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        own = () if self.blue_url is None else (self.blue_url,)
        required = super().requirements()
        return required._replace(
            listener="test",
            blue=self.blue_url is None,
            running=True,
            urls=(*own, *(url for each in self.requests for url in each.urls)),
            methods=tuple(dict.fromkeys(each.method for each in self.requests)),
            secrets=(*(secret for each in self.requests for secret in each.secrets), *self.authorities),
            signatures=tuple(signature for each in self.requests for signature in each.signatures),
            seconds=self.budget_seconds + _HEADROOM,
        )

    def run(self, context: CheckContext) -> Outcome:
        """Ask both, and compare.

        Parameters
        ----------
        context
            Deadline and the addresses of both.
        """
        require_running(context.stage)
        left = context.deadline.remaining()
        if left < self.requirements().seconds:
            return Outcome.failed(
                f"budget_seconds needs {self.requirements().seconds:g} s, and {left:.0f} s are left of this invocation: shorten it, or "
                f"raise the function's Timeout"
            )
        blue, green = context.blue(self.blue_url, self.blue_host), context.green
        redactor, pool = Redactor(), Pool()
        deadline = context.deadline.sooner(self.budget_seconds)
        keyring = Keyring(redactor, lambda: context.region, Limits(), deadline)
        keyring = self.limited(keyring, self.timeout_seconds, self.connect_retries)
        try:
            pairs = [self._pair(request, blue, green, keyring) for request in self.requests]
            results = self._results(pairs, pool, keyring.limits, deadline)
        except UnreachedError as trouble:
            side, endpoint = ("blue", blue.endpoint) if trouble.is_blue else ("green", green)
            outcome = outcome_of(trouble.error, endpoint, redactor)
            return outcome._replace(reason=f"{side}: {outcome.reason}")
        except HttpError as error:
            return outcome_of(error, green, redactor)
        finally:
            pool.close()
        how_slow = f"max_slower_percent {self.max_slower_percent} and max_slower_ms {self.max_slower_ms:g}"
        return verdict(results, self.samples, how_slow, redactor)

    def _pair(self, request: CompareRequest, blue: Blue, green: Endpoint, keyring: Keyring) -> Pair:
        to_blue, to_green = request.build(blue.endpoint, keyring), request.build(green, keyring)
        label = keyring.redactor.mask(f"{request.method} {(request.path or '/').partition('?')[0]}")
        # A key may be the very header that the test listener rule asks for.
        problem = blue.objection(
            to_blue if to_blue.auth is None else to_blue.auth._replace(sign=None).authorize(to_blue)
        )
        if problem:
            raise IncomparableError(f"{label}: {problem}: take out of the request what the rule asks for")
        if to_blue._replace(auth=None) == to_green._replace(auth=None):
            raise IncomparableError(
                f"{label}: blue and green are asked at one address, which can't be both: see base_url and blue_url"
            )
        return Pair(label, to_blue, to_green, (_prefix(blue.endpoint), _prefix(green)))

    def _results(self, pairs: Sequence[Pair], pool: Pool, limits: Limits, deadline: Deadline) -> list[Result]:
        sending = Sending(
            pool.exchange,
            limits,
            self.samples,
            self.interval_seconds,
            Ignored(frozenset(name.lower() for name in self.ignore_headers), self.ignore),
        )
        rules = Rules(
            Thresholds(self.relative_percent, self.absolute_percent),
            self.max_slower_percent,
            self.max_slower_ms,
            CHANCE / len(pairs),
        )
        results: list[Result] = []
        for pair in pairs:
            results.append(examine(pair, sending, rules, deadline))
            if results[-1].rounds < self.samples:  # the time is over
                break
        return results


def _prefix(endpoint: Endpoint) -> str:
    """Return what the paths of all requests to an address begin with."""
    return urlsplit(endpoint.base_url).path.rstrip("/")
