"""The scenario check: requests in order, with values of responses in later requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from ecs_hooks.checks.base import Check, Requirements
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.request.request_fields import with_requests
from ecs_hooks.checks.request.session import Session, missing_time
from ecs_hooks.checks.scenario.player import Played, Player
from ecs_hooks.checks.scenario.scenario_request import ScenarioRequest
from ecs_hooks.checks.scenario.variables import VariableFields
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Listener
from ecs_hooks.http.pool import Pool

_OVERHEAD_SECONDS = 1.0
"""Time of an invocation besides that of the requests."""


_MAX_REQUESTS = 100


def _are_some(requests: Any) -> Any:
    # The minimum length of pydantic does not count requests that have an error of their own.
    if isinstance(requests, list | tuple) and not requests:
        raise ValueError("must have at least 1 item, not 0")
    return requests


class ScenarioCheck(VariableFields, Check):
    """Sends requests to green one after the other, as a user would: log in, place an order, look at the order.

    Values of a response are captured for later requests, and cookies are kept. The first failure ends the scenario; the
    requests of `cleanup` are sent in any case. A scenario has no state, so it has to fit into one invocation, and
    starts from the beginning after an `ERROR`. Several scenarios of a plan run in parallel.
    """

    type: Literal["scenario"] = "scenario"
    requests: Annotated[
        tuple[ScenarioRequest, ...],
        BeforeValidator(_are_some),
        Field(max_length=_MAX_REQUESTS, json_schema_extra={"minItems": 1}),
    ]
    """The requests, in this order."""
    cleanup: Annotated[tuple[ScenarioRequest, ...], Field(max_length=20)] = ()
    """Requests at the end, in any case. A request whose variable was not captured is skipped; a failure is only a
    warning."""
    listener: Listener = "test"
    """Listener for the requests; see `http`."""
    budget_seconds: Annotated[float, Field(gt=0, le=880)] = 60
    """Time for all requests together, without `cleanup`."""
    cleanup_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    """Time for the requests of `cleanup`."""

    @model_validator(mode="after")
    def _variables_have_values(self) -> Self:
        known, names = self.known_values, {*self.variables, *self.secrets}
        for field, requests in (("requests", self.requests), ("cleanup", self.cleanup)):
            self.check_variables(requests, field, known, names)
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        requests = self.known((*self.requests, *self.cleanup))
        required = super().requirements()
        required = required._replace(
            secrets=self.secret_references,
            seconds=self.budget_seconds + (self.cleanup_seconds if self.cleanup else 0) + _OVERHEAD_SECONDS,
        )
        certificates = [reference for each in requests for reference in each.certificate_references]
        return with_requests(required, requests, self.listener, certificates)

    def run(self, context: CheckContext) -> Outcome:
        """Send the requests, and evaluate the responses."""
        required = self.requirements()
        fields = "budget_seconds and cleanup_seconds" if self.cleanup else "budget_seconds"
        no_time = missing_time(context, fields, required.seconds)
        if no_time is not None:
            return no_time
        session = Session.start(context, required.listener)
        values = self.given_values(session.resolver)
        pool = Pool(keep=False)
        player = Player(session, pool.exchange, values)
        try:
            outcome, played = self._play(player, context)
            warnings = [*(warning for each in played for warning in each.warnings), *self._clean_up(player, context)]
        finally:
            pool.close()
        return _with_warnings(outcome, played, warnings)

    def _play(self, player: Player, context: CheckContext) -> tuple[Outcome, list[Played]]:
        deadline = context.deadline.sooner(self.budget_seconds)
        results: list[Played] = []
        for number, request in enumerate(self.requests, start=1):
            played = player.play(request, deadline)
            outcome = played.outcome
            if outcome.status is Status.WAIT:
                outcome = Outcome.failed(f"did not end within {self.budget_seconds:g} s (budget_seconds)")
            where = f"request {number}" + (f' "{request.name}"' if request.name else "")
            outcome = outcome._replace(reason=f"{where} {outcome.reason}")
            failed = outcome.status is not Status.PASS
            if failed and request.warn:
                played = played._replace(warnings=(*played.warnings, outcome.reason))
            results.append(played)
            if failed and not request.warn:
                return outcome, results
        total = sum(each.seconds for each in results)
        redirects = [f"request {number} {each.redirect}" for number, each in enumerate(results, 1) if each.redirect]
        unfollowed = f"; not followed: {listed(redirects, 3)}" if redirects else ""
        return Outcome.passed(f"{counted(len(results), 'request')} in {total * 1000:.0f} ms{unfollowed}"), results

    def _clean_up(self, player: Player, context: CheckContext) -> list[str]:
        """Send the requests of `cleanup`, and return the failures."""
        deadline = context.deadline.sooner(self.cleanup_seconds)
        failures = []
        for number, request in enumerate(self.cleanup, start=1):
            if player.can_play(request):
                outcome = player.play(request, deadline).outcome
                if outcome.status is not Status.PASS:
                    failures.append(f"cleanup {number} {outcome.reason}")
        return failures


def _with_warnings(outcome: Outcome, played: Sequence[Played], warnings: Sequence[str]) -> Outcome:
    """Return an outcome with the evidence, and the first warnings in its reason."""
    evidence: dict[str, Any] = {
        "requests": len(played),
        "latency_ms": round(sum(each.seconds for each in played) * 1000, 1),
        **({"warnings": len(warnings)} if warnings else {}),
    }
    warned = f"; warning: {'; '.join(warnings[:3])}" if warnings else ""
    return outcome._replace(reason=f"{outcome.reason}{warned}", evidence=evidence)
