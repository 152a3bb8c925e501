"""Sends the requests of a scenario one after the other, with captured values and cookies of earlier responses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.assertions.expect import Unmet, describe, split_warnings
from ecs_hooks.checks.scenario.filling import FillError, fill
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.core.redaction import is_secret_name
from ecs_hooks.http.cookies.jar import CookieJar
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.retry import send

if TYPE_CHECKING:
    from ecs_hooks.checks.request.session import Session
    from ecs_hooks.checks.scenario.run_values import RunValues
    from ecs_hooks.checks.scenario.scenario_request import ScenarioRequest
    from ecs_hooks.core.deadline import Deadline
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
    """Sends requests that use variables, whose values are given or captured from earlier responses.

    Parameters
    ----------
    session
        Builds the requests.
    exchange
        Sends them.
    values
        The values that are given.

    Attributes
    ----------
    cookies
        The cookies of the responses, which are sent with later requests.
    """

    def __init__(self, session: Session, exchange: Exchange, values: RunValues) -> None:
        self._session = session
        self._exchange = exchange
        self._redactor = session.redactor
        self.cookies = CookieJar(session.redactor.add_received)
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
            built = session.build(request)._replace(cookies=lambda: self.cookies)
            response = send(built, session.limits, deadline, self._exchange)
        except HttpError as error:
            return Played(session.outcome_of(error))
        except ExplainedError as error:  # a secret or a token is not available
            return Played(error.outcome)
        failing, warned = split_warnings([*request.expect.unmet(response, redactor), *self._capture(request, response)])
        warnings = tuple(redactor.mask(f"{response.where} {describe([each])}") for each in warned)
        found = f"{describe(failing)}{response.cookie_note}" if failing else f"status {response.status}"
        reason = redactor.mask(f"{response.where} {found}")
        return Played(
            Outcome.failed(reason) if failing else Outcome.passed(reason),
            warnings,
            response.latency,
            redactor.mask(request.expect.unfollowed(response, redactor)),
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
            self._redactor.bind(value)
            if capture.secret or capture.is_secret or is_secret_name(name):
                # The texts that a secret was made of are secrets, too, except for a body that contains more than it.
                sources = [each for each in found.sources if found.hidden is None and isinstance(each, str)]
                self._redactor.add_secrets([value, *sources])
        return missing
