"""The scenario check: requests in order, where what one answers goes into the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from ecs_hooks.auth.secret import Secret
from ecs_hooks.auth.secret_resolver import Keyring
from ecs_hooks.checks.base import Check
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.checks.scenario.cookies import Cookies
from ecs_hooks.checks.scenario.play import Played, Player
from ecs_hooks.checks.scenario.request import Identifier, ScenarioRequest
from ecs_hooks.checks.scenario.variables import variables_in
from ecs_hooks.core.formatting import counted
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.deployment.endpoint import Endpoint, Listener
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.pool import Pool

_HEADROOM = 1.0
"""Seconds of an invocation besides those of the requests."""


class ScenarioCheck(Check):
    """Sends requests to green one after the other, as a user would: log in, order, look at the order.

    Values of a response are captured for later requests, cookies are kept. The first failure ends it; the requests of
    `cleanup` are sent whatever has become of the others. It has no memory, so it has to fit into one invocation, and begins
    anew where it could not be asked. Several scenarios of a plan are played side by side.
    """

    type: Literal["scenario"] = "scenario"
    requests: Annotated[tuple[ScenarioRequest, ...], Field(min_length=1, max_length=100)]
    """What is sent, in this order."""
    cleanup: Annotated[tuple[ScenarioRequest, ...], Field(max_length=20)] = ()
    """What is sent at the end in any case. One that needs what was never captured is left out; a failure only warns."""
    variables: Annotated[dict[Identifier, JsonValue], Field(max_length=50)] = Field(default={})
    """Values that requests write `{{name}}`, besides those that are captured."""
    secrets: Annotated[dict[Identifier, Secret], Field(max_length=50)] = Field(default={})
    """Secrets that requests write likewise: each a text, or a reference to where it is kept. No reason shows them."""
    listener: Listener = "test"
    """Through which listener green is asked, as of `http`."""
    budget_seconds: Annotated[float, Field(gt=0, le=880)] = 60
    """Time for all requests together, without those of `cleanup`."""
    cleanup_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    """Time for those of `cleanup`."""

    @model_validator(mode="after")
    def _variables_have_values(self) -> ScenarioCheck:
        twice = sorted(set(self.variables) & set(self.secrets))
        if twice:
            raise ValueError(f"variables and secrets: both have {twice[0]}")
        known = {*self.variables, *self.secrets}
        for number, request in enumerate(self.requests):
            for name in variables_in(request.fields):
                if name not in known:
                    raise ValueError(
                        f"requests[{number}]: {{{{{name}}}}} is no variable, and no request before captures it"
                    )
            known |= set(request.captures)
        for number, request in enumerate(self.cleanup):
            for name in variables_in(request.fields):
                if name not in known:
                    raise ValueError(f"cleanup[{number}]: {{{{{name}}}}} is no variable, and no request captures it")
            known |= set(request.captures)
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        to_green = [each for each in self._all if each.url is None]
        own = [secret for secret in self.secrets.values() if not isinstance(secret, str)]
        required = super().requirements()
        return required._replace(
            listener=self.listener if to_green else None,
            urls=tuple(url for each in self._all for url in each.urls),
            methods=tuple(dict.fromkeys(each.method for each in to_green)),
            secrets=(*own, *(secret for each in self._all for secret in (*each.secrets, *each.authorities))),
            signatures=tuple(signature for each in self._all for signature in each.signatures),
            seconds=self.budget_seconds + (self.cleanup_seconds if self.cleanup else 0) + _HEADROOM,
        )

    @property
    def _all(self) -> tuple[ScenarioRequest, ...]:
        return self.requests + self.cleanup

    def run(self, context: CheckContext) -> Outcome:
        """Play the scenario."""
        left = context.deadline.remaining()
        if left < self.requirements().seconds:
            reason = (
                f"budget_seconds and cleanup_seconds need {self.requirements().seconds:g} s, and {left:.0f} s are left of this "
                f"invocation: shorten them, or raise the function's Timeout"
            )
            return Outcome.failed(reason)
        green = Endpoint("") if self.requirements().listener is None else context.endpoint(self.listener)
        redactor = Redactor()
        redactor.add_fields(self.variables)
        keyring = Keyring(redactor, lambda: context.region, Limits(), context.deadline)
        values = {**self.variables, **{name: keyring.open(secret) for name, secret in self.secrets.items()}}
        pool = Pool(keep=False)
        player = Player(green, Cookies(pool.exchange, redactor.add).ask, keyring, values)
        try:
            outcome, played = self._play(player, context)
            return self._told(outcome, played, self._clean_up(player, context))
        finally:
            pool.close()

    def _play(self, player: Player, context: CheckContext) -> tuple[Outcome, list[Played]]:
        deadline = context.deadline.sooner(self.budget_seconds)
        done: list[Played] = []
        for number, request in enumerate(self.requests, start=1):
            played = player.play(request, deadline)
            outcome = played.outcome
            if outcome.status is Status.WAIT:
                outcome = Outcome.failed(f"not over within {self.budget_seconds:g} s (budget_seconds)")
            where = f"request {number}" + (f' "{request.name}"' if request.name else "")
            outcome = outcome._replace(reason=f"{where} {outcome.reason}")
            if request.warn and outcome.status is not Status.PASS:
                played = played._replace(warnings=(*played.warnings, outcome.reason))
            done.append(played._replace(outcome=outcome))
            if outcome.status is not Status.PASS and not request.warn:
                return outcome, done
        total = sum(each.seconds for each in done)
        return Outcome.passed(f"{counted(len(done), 'request')} in {total * 1000:.0f} ms"), done

    def _clean_up(self, player: Player, context: CheckContext) -> list[str]:
        """Send the requests of `cleanup`, and return what went wrong."""
        deadline = context.deadline.sooner(self.cleanup_seconds)
        problems = []
        for number, request in enumerate(self.cleanup, start=1):
            if player.knows(request):
                outcome = player.play(request, deadline).outcome
                if outcome.status is not Status.PASS:
                    problems.append(f"cleanup {number} {outcome.reason}")
        return problems

    def _told(self, outcome: Outcome, played: Sequence[Played], problems: Sequence[str]) -> Outcome:
        warnings = [*(warning for each in played for warning in each.warnings), *problems]
        evidence: dict[str, Any] = {
            "requests": len(played),
            "latency_ms": round(sum(each.seconds for each in played) * 1000, 1),
            **({"warnings": len(warnings)} if warnings else {}),
        }
        warned = f"; warning: {'; '.join(warnings[:3])}" if warnings else ""
        return outcome._replace(reason=f"{outcome.reason}{warned}", evidence=evidence)
