"""Sends the requests of a scenario one after the other, with captured values and cookies of earlier responses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import Request as UrllibRequest

from ecs_hooks.assertions.expect import Unmet, describe, split_warnings
from ecs_hooks.checks.scenario.filling import FillError, fill
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.retry import send

if TYPE_CHECKING:
    from ecs_hooks.checks.request.session import Session
    from ecs_hooks.checks.scenario.run_values import RunValues
    from ecs_hooks.checks.scenario.scenario_request import ScenarioRequest
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.limits import Budget, Limits
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.retry import Exchange


class Played(NamedTuple):
    """The result of one request."""

    outcome: Outcome
    """`PASS`, `FAIL`, `ERROR`, or `WAIT` if the deadline passed."""
    warnings: tuple[str, ...] = ()
    """Failures that only warn."""
    seconds: float = 0.0
    """Latency of the response; 0 without one."""
    redirect: str = ""
    """The status and target of a redirect that was neither followed nor expected; else empty."""


class Player:
    """Sends requests that use variables, whose values are given or captured from earlier responses."""

    def __init__(self, session: Session, exchange: Exchange, values: RunValues) -> None:
        self._session = session
        self._exchange = exchange
        self._redactor = session.redactor
        self._values = values.copy()

    @property
    def values(self) -> RunValues:
        """The value of each variable, captured ones included."""
        return self._values.copy()

    def can_play(self, request: ScenarioRequest) -> bool:
        """Return whether every variable of a request has a value."""
        return all(each in self._values for each in request.variables)

    def play(self, request: ScenarioRequest, deadline: Deadline) -> Played:
        """Send a request, repeatedly if it polls (`until`), and return the result of the last one."""
        try:
            request, session = fill(request, self._values, self._session)
        except FillError as error:
            return Played(Outcome.failed(str(error)))
        retry = request.until
        until = deadline if retry is None else deadline.sooner(retry.timeout_seconds)
        while True:
            played = self._send(request, session, deadline)
            if played.outcome.status is Status.PASS or retry is None:
                return played
            if until.remaining() <= retry.interval_seconds:
                reason = f"{played.outcome.reason} (still so after {retry.timeout_seconds:g} s)"
                return played._replace(outcome=played.outcome._replace(reason=reason))
            time.sleep(retry.interval_seconds)

    def _send(self, request: ScenarioRequest, session: Session, deadline: Deadline) -> Played:
        redactor = self._redactor
        try:
            session = session.limited(request, request.timeout_seconds, request.connect_retries, deadline)
            response = send(session.build(request), session.limits, deadline, self._exchange)
        except HttpError as error:
            return Played(session.outcome_of(error))
        except ExplainedError as error:  # a secret or a token is not available
            return Played(error.outcome)
        failing, warned = split_warnings([*request.expect.unmet(response, redactor), *self._capture(request, response)])
        warnings = tuple(redactor.mask(f"{response.where} {describe([each])}") for each in warned)
        found = describe(failing) if failing else f"status {response.status}"
        reason = redactor.mask(f"{response.where} {found}")
        return Played(
            Outcome.failed(reason) if failing else Outcome.passed(reason),
            warnings,
            response.latency,
            redactor.mask(request.expect.unfollowed(response)),
        )

    def _capture(self, request: ScenarioRequest, response: Response) -> list[Unmet]:
        """Save the values for later requests, and return the captures that found nothing."""
        missing = []
        for name, capture in request.captures.items():
            found = capture.find(response)
            if not found.values:
                missing.append(Unmet(f"capture {name}", found.problem or f"finds nothing ({capture.label})"))
                continue
            value = found.values[0]
            self._values[name] = value
            self._values.sources[name] = response.url
            if capture.secret or capture.is_secret or is_secret_name(name):
                # The texts that a secret was made of are secrets, too, except for a body that contains more than it.
                sources = [each for each in found.sources if found.hidden is None and isinstance(each, str)]
                self._redactor.add_fields({"secret": [value, *sources]})
        return missing


class Cookies:
    """Sends requests with the cookies of earlier responses, redirects included; the redactor masks their values."""

    def __init__(self, exchange: Exchange, redactor: Redactor) -> None:
        self._exchange = exchange
        self._redactor = redactor
        self._jar = CookieJar(DefaultCookiePolicy())

    def exchange(self, request: Request, limits: Limits, budget: Budget) -> Response:
        """Send a request, and keep the cookies of its response; see `ecs_hooks.http.retry`."""
        response = self._exchange(self.add_to(request), limits, budget)
        self._jar.extract_cookies(_CookieHeaders(response), _urllib_request(request))  # type: ignore[arg-type] # uses info()
        for cookie in self._jar:
            self._redactor.add(cookie.value or "")
        return response

    def add_to(self, request: Request) -> Request:
        """Return a request with the cookies that belong to its address."""
        urllib_request = _urllib_request(request)
        self._jar.add_cookie_header(urllib_request)
        cookies = urllib_request.get_header("Cookie")
        return request._replace(headers=_with_cookies(request.headers, cookies)) if cookies else request


class _CookieHeaders:
    """The `Set-Cookie` headers of a response, for `CookieJar.extract_cookies`."""

    def __init__(self, response: Response) -> None:
        self._message = Message()
        for value in response.headers.getlist("set-cookie"):
            self._message["Set-Cookie"] = value

    def info(self) -> Message:
        return self._message


def _urllib_request(request: Request) -> UrllibRequest:
    # Cookies belong to the server name: with a Host header, the host of the URL is that of the load balancer.
    url = request.url._replace(host=request.server_name)
    return UrllibRequest(f"{url.scheme}://{url.authority}{url.target}")  # noqa: S310 - it is not opened


def _with_cookies(headers: Mapping[str, str], cookies: str) -> dict[str, str]:
    """Return headers with cookies of the jar, and those of the plan that the jar does not replace."""
    name = next((name for name in headers if name.lower() == "cookie"), "Cookie")
    from_jar = {each.partition("=")[0].strip(): each for each in cookies.split(";")}
    of_plan = [
        each for each in headers.get(name, "").split(";") if each and each.partition("=")[0].strip() not in from_jar
    ]
    return {**headers, name: "; ".join(each.strip() for each in (*of_plan, *from_jar.values()))}
