"""Plays the requests of a scenario, one after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from ecs_hooks.assertions.expect import Unmet, describe
from ecs_hooks.checks.request.http_request import outcome_of
from ecs_hooks.checks.scenario.request import ScenarioRequest
from ecs_hooks.checks.scenario.variables import filled, variables_in
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.core.validation_errors import described
from ecs_hooks.http.errors import HttpError
from ecs_hooks.http.retry import send

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_resolver import Keyring
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.deployment.endpoint import Endpoint
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.retry import Exchange


class Played(NamedTuple):
    """What came of one request.

    Parameters
    ----------
    outcome
        A `PASS`, a `FAIL`, an `ERROR`, or a `WAIT` where the time was over.
    warnings
        What does not hold, and only warns.
    seconds
        How long the response took; 0 where there was none.
    """

    outcome: Outcome
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


class Player:
    """Sends requests that know what the responses before them have brought.

    Parameters
    ----------
    green
        Where green answers.
    ask
        What sends each of them.
    keyring
        What opens the secrets of the requests; its redactor learns them, and those of the responses.
    variables
        Values of variables to begin with.
    """

    def __init__(self, green: Endpoint, ask: Exchange, keyring: Keyring, variables: Mapping[str, Any]) -> None:
        self._green = green
        self._ask = ask
        self._keyring = keyring
        self._redactor = keyring.redactor
        self._values = dict(variables)

    def knows(self, request: ScenarioRequest) -> bool:
        """Return whether every variable of a request has a value."""
        return set(variables_in(request.fields)) <= set(self._values)

    def play(self, request: ScenarioRequest, deadline: Deadline) -> Played:
        """Send a request, again while `until` says so, and return what came of it."""
        try:
            request = self._filled(request)
        except ValidationError as error:
            problems = "; ".join(described(error, "with its variables", ScenarioRequest))
            return Played(Outcome.failed(self._redactor.mask(problems)))
        retry = request.until
        until = deadline if retry is None else deadline.sooner(retry.timeout_seconds)
        while True:
            played = self._once(request, deadline)
            pause = retry.interval_seconds if retry else 0.0
            if played.outcome.status is Status.PASS or retry is None:
                return played
            if until.remaining() <= pause:
                reason = f"{played.outcome.reason} (still so after {retry.timeout_seconds:g} s)"
                return played._replace(outcome=played.outcome._replace(reason=reason))
            time.sleep(pause)

    def _filled(self, request: ScenarioRequest) -> ScenarioRequest:
        fields = request.fields
        if not any(variables_in(fields)):
            return request
        return type(request).model_validate(filled(fields, self._values))

    def _once(self, request: ScenarioRequest, deadline: Deadline) -> Played:
        redactor = self._redactor
        try:
            keyring = self._keyring._replace(deadline=deadline)
            keyring = request.limited(keyring, request.timeout_seconds, request.connect_retries)
            response = send(request.build(self._green, keyring), keyring.limits, deadline, self._ask)
        except HttpError as error:
            return Played(outcome_of(error, self._green, redactor))
        except ExplainedError as error:  # a secret or a token that can't be had
            return Played(error.outcome)
        unmet = [*request.expect.unmet(response, redactor), *self._capture(request, response)]
        failing = [each for each in unmet if not each.warn]
        warnings = tuple(redactor.mask(f"{response.where} {describe([each])}") for each in unmet if each.warn)
        if failing:
            reason = redactor.mask(f"{response.where} {describe(failing)}")
            return Played(Outcome.failed(reason), warnings, response.latency)
        return Played(
            Outcome.passed(redactor.mask(f"{response.where} status {response.status}")), warnings, response.latency
        )

    def _capture(self, request: ScenarioRequest, response: Response) -> list[Unmet]:
        """Take what later requests need, and return what was not to be found."""
        missing = []
        for name, capture in request.captures.items():
            found = capture.find(response)
            if not found.values:
                missing.append(Unmet(f"capture {name}", found.problem or f"finds nothing ({capture.label})"))
                continue
            self._values[name] = found.values[0]
            if capture.secret or capture.is_secret:
                # What a secret was made of is one, too, unless it is a body that only has it in it.
                made_of = [each for each in found.sources if found.hidden is None and isinstance(each, str)]
                self._redactor.add_fields({"secret": [found.values[0], *made_of]})
        return missing
