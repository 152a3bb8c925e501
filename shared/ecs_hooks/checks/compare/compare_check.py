"""The compare check: blue and green get the same requests, and their responses must be alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from ecs_hooks.assertions.jsonpath import check_paths
from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.compare.comparable_response import Ignored
from ecs_hooks.checks.compare.compare_responses import MIN_ROUNDS, Tolerance
from ecs_hooks.checks.compare.evaluate import FALSE_ALARM_RATE, Thresholds
from ecs_hooks.checks.compare.json_diff import IncomparableError
from ecs_hooks.checks.compare.report import Limits, outcome_of
from ecs_hooks.checks.compare.sampling import MAX_ROUNDS, Lanes, Pair, Result, Sampler, Sampling, UnreachedError
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.request_fields import Requests, with_requests
from ecs_hooks.checks.request.session import ExchangeFields, Session, missing_time
from ecs_hooks.checks.request.template import variables_in
from ecs_hooks.checks.scenario.login import LoggedIn, LoginError, LoginFields
from ecs_hooks.checks.scenario.run_values import RunValues
from ecs_hooks.checks.scenario.variables import VariableRequest
from ecs_hooks.core.host import ascii_authority
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.plan_model import LazyModel
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.endpoint import RoutingError, require_running
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.pool import Pool
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.ignored_text import IgnoredText
    from ecs_hooks.http.request import Request

    PathOrText = str | IgnoredText
else:
    PathOrText = Annotated[
        Any,
        LazyModel(
            "ecs_hooks.checks.compare.ignored_text:IgnoredText",
            or_string=True,
            example='a pattern of texts such as {"matches": "build [0-9]+"}',
        ),
    ]
    """A JSONPath, or a pattern of texts."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_LONGEST_LABEL = 80
_LONGEST_PATH = 1000
_OVERHEAD_SECONDS = 1.0
"""Time of an invocation besides that of the requests: to find both sides, and to compare their responses."""


class CompareRequest(VariableRequest):
    """One of the requests to blue and green."""

    @field_validator("url")
    @classmethod
    def _is_not_set(cls, url: str | None) -> str | None:
        if url is not None:
            raise ValueError("not supported, because blue and green have different addresses; use path")
        return url


class CompareCheck(LoginFields, ExchangeFields, Check):
    """Sends the same requests to green and to blue, to blue twice, and finds how the responses of green differ.

    Each round sends a request to green once and to blue twice, in random order. Status, headers, JSON path by path,
    other bodies, and latency are compared. What varies between blue's own responses (times, ids, the order of an array,
    an optional field) is noise. There green must have only what all of blue's responses have in common, such as types,
    values that occur again and again, formats, and sizes, and it must vary, too. A difference counts if green differs
    from blue's usual responses so much more often than blue's other responses do that Fisher's exact test allows for
    chance alone once in ten thousand checks, and by more than `relative_percent` and `absolute_percent`. With 40 rounds,
    green must differ in about every second round at a path that never varies in blue, and in nearly all rounds at a path
    that sometimes does. Where a difference is suspected and not proved, more rounds follow within `budget_seconds`.

    A 5xx or no response of green is a finding of its own, always in the reason. The first one brings more rounds, and a
    test of the two shares decides.

    If there is no connection to one of them the outcome is `ERROR`, and so it is if blue itself fails (5xx, no
    response): that says nothing about green. On a service's first deployment the check is skipped, unless `blue_url` is
    set.
    """

    type: Literal["compare"] = "compare"
    requests: Requests[CompareRequest] = Field(default_factory=lambda: (CompareRequest(),))
    """The requests to both, one after the other. Default: `GET /`."""
    samples: Annotated[int, Field(ge=MIN_ROUNDS, le=MAX_ROUNDS)] = 40
    """Rounds of each request. With fewer than 15, chance could look like a difference; more rounds find rarer
    differences. With 40 rounds, a failure of every tenth request occurs at least once in 98 % of the checks."""
    interval_seconds: Annotated[float, Field(ge=0, le=60)] = 0.075
    """Pause between two rounds, so that what changes with time changes between responses of blue, too."""
    ignore: Annotated[tuple[PathOrText, ...], Field(max_length=100)] = ()
    """What is not compared, such as what identifies versions or instances: JSONPaths (RFC 9535) such as `$.version`, and
    patterns of texts such as `{"matches": "build [0-9a-f]+"}`."""
    ignore_headers: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Headers that are not compared, besides those that never are."""
    relative_percent: Annotated[float, Field(ge=0, le=100)] = 20
    """In how many more rounds green must differ than blue, in per cent of both together."""
    absolute_percent: Annotated[float, Field(ge=0, le=100)] = 0.03
    """In how many more rounds green must differ than blue, in per cent of all rounds."""
    max_failed_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """Percentage of the requests to green that may fail (5xx, no response), as a fixed limit beside the test against
    blue; `null` for none."""
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
    blue_host: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(ascii_authority)] | None = None
    """`Host` of the requests to blue. Default: the plan's `host`, or the host of the production listener rule."""
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    """Timeout of one request."""
    connect_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further attempts of one request; see `http`."""
    budget_seconds: Annotated[float, Field(gt=0, le=880)] = 60
    """Time for all rounds of all requests."""

    @field_validator("ignore")
    @classmethod
    def _are_paths(cls, ignored: tuple[PathOrText, ...]) -> tuple[PathOrText, ...]:
        paths = [each for each in ignored if isinstance(each, str)]
        if max(map(len, paths), default=0) > _LONGEST_PATH:
            raise ValueError(f"a JSONPath must have at most {_LONGEST_PATH} characters")
        check_paths(paths)
        return ignored

    @field_validator("blue_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None:
            Url.parse(url)
        return url

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        for number, request in enumerate(self.known(self.requests)):
            if any(variables_in((request.template or {}).get("method"))):
                raise FieldError(f"requests[{number}].method: must not depend on a response; write the method")
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
        required = self.with_login(
            with_requests(required, self.known(self.requests), "test", self.certificate_references)
        )
        # Once for blue, and once for green.
        return required._replace(seconds=required.seconds + (self.login_seconds if self.login else 0))

    def run(self, context: CheckContext) -> Outcome:
        """Send the requests to both, and compare the responses."""
        require_running(context.stage)
        fields = "budget_seconds and login_seconds" if self.login else "budget_seconds"
        no_time = missing_time(context, fields, self.requirements().seconds)
        if no_time is not None:
            return no_time
        blue = context.blue(self.blue_url, self.blue_host)
        session = Session.start(context, "test")
        to_blue = session._replace(green=blue)
        # Each connection is used once a round, so that none is warmer than the others, and no request is sent twice.
        pools = [Pool(resend=False) for _ in range(3)]
        try:
            generated = RunValues()
            logins = (
                self._log_in(to_blue, context, generated, is_blue=True),
                self._log_in(session, context, generated, is_blue=False),
            )
            deadline = context.deadline.sooner(self.budget_seconds)
            to_blue, session = (
                each.limited(self, self.timeout_seconds, self.connect_retries, deadline) for each in (to_blue, session)
            )
            pairs = [self._pair(request, to_blue, session, logins) for request in self.requests]
            lanes = Lanes(pools[0].exchange, (pools[1].exchange, pools[2].exchange))
            results = self._compare(pairs, lanes, session)
        except UnreachedError as unreached:
            side, endpoint = ("blue", blue) if unreached.is_blue else ("green", session.green)
            outcome = session.outcome_of(unreached.error, endpoint)
            return outcome._replace(reason=f"{side}: {outcome.reason}")
        except HttpError as error:
            return session.outcome_of(error)
        finally:
            for pool in pools:
                pool.close()
        limits = Limits(self.samples, self.max_slower_percent, self.max_slower_ms, self.max_failed_percent)
        outcome = outcome_of(results, limits, session.redactor)
        if outcome.status is Status.PASS:
            return outcome
        note = logins[1].note(each.green for each in pairs) or logins[0].note(each.blue for each in pairs)
        return outcome._replace(reason=f"{outcome.reason}{note}")

    def _log_in(self, session: Session, context: CheckContext, generated: RunValues, *, is_blue: bool) -> LoggedIn:
        """Log in to blue or to green.

        Raises
        ------
        LoginError
            If a request of the login fails. A login to blue that fails says nothing about green.
        """
        try:
            return self.log_in(session, context.deadline, generated)
        except LoginError as error:
            outcome = error.outcome
            if is_blue and outcome.status is Status.FAIL:
                outcome = outcome._replace(status=Status.ERROR)
            raise LoginError(outcome._replace(reason=f"{'blue' if is_blue else 'green'}: {outcome.reason}")) from None

    def _pair(
        self, request: CompareRequest, to_blue: Session, to_green: Session, logins: tuple[LoggedIn, LoggedIn]
    ) -> Pair:
        label = to_green.redactor.mask(f"{request.method} {(request.path or '/').partition('?')[0]}")
        label = label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL]}..."
        built: list[Request] = []
        for side, session, login in zip(("blue", "green"), (to_blue, to_green), logins, strict=True):
            try:
                built.append(login.build(request, session))
            except RoutingError as error:
                raise IncomparableError(f"{label}: {side}: {error.message}") from None
        added = [
            _Added.of(each, login.filled(request, session)[0])
            for each, login, session in zip(built, logins, (to_blue, to_green), strict=True)
        ]
        blue, green = built
        # After a login, requests to one address may have two tokens.
        if blue.url.origin == green.url.origin and added[0] == added[1]:
            raise IncomparableError(f"{label}: blue and green resolve to the same address; change base_url or blue_url")
        prefixes = (added[0].prefix, added[1].prefix)
        return Pair(label, blue, green, prefixes, (logins[0].captured, logins[1].captured))

    def _compare(self, pairs: Sequence[Pair], lanes: Lanes, session: Session) -> list[Result]:
        patterns = [each.matches for each in self.ignore if not isinstance(each, str)]
        paths = [each for each in self.ignore if isinstance(each, str)]
        ignored = Ignored(frozenset(name.lower() for name in self.ignore_headers), paths, patterns)
        sampling = Sampling(lanes, session.limits, self.samples, self.interval_seconds, ignored)
        tolerance = Tolerance(
            Thresholds(self.relative_percent, self.absolute_percent),
            self.max_slower_percent,
            self.max_slower_ms,
            self.max_failed_percent,
            FALSE_ALARM_RATE / len(pairs),
        )
        samplers = [Sampler(pair, sampling, tolerance, session.deadline) for pair in pairs]
        results: list[Result] = []
        for sampler in samplers:
            results.append(sampler.sample())
            if results[-1].rounds < self.samples:  # the deadline has passed
                return results
        return [sampler.sample_more(result) for sampler, result in zip(samplers, results, strict=True)]


class _Added(NamedTuple):
    """The difference between a request to an endpoint and the request in the plan."""

    prefix: str
    """The first part of the path."""
    query: frozenset[str]
    """The parameters."""
    headers: Mapping[str, str]
    """The headers; also those with the same values for every endpoint."""

    @classmethod
    def of(cls, built: Request, request: CompareRequest) -> Self:
        """Return the difference."""
        own_path, _, own_query = Url.join("http://host", request.path or "/", request.query).target.partition("?")
        path, _, query = built.url.target.partition("?")
        own = {name.lower() for name in request.headers} | {"cookie"}
        headers = {name: value for name, value in built.headers.items() if name.lower() not in own}
        return cls(
            path.removesuffix(own_path),
            frozenset(query.split("&")) - frozenset(own_query.split("&")),
            {**headers, "Host": built.host},
        )
