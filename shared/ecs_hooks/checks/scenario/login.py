"""The login of a check that repeats its requests: requests of a scenario, once and before the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self, TypeVar

from pydantic import Field, model_validator

from ecs_hooks.checks.scenario.variables import VariableFields, VariableRequest
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.core.plan_model import LazyModel

if TYPE_CHECKING:
    from ecs_hooks.checks.base import Requirements
    from ecs_hooks.checks.request.session import Session
    from ecs_hooks.checks.scenario.run_values import RunValues
    from ecs_hooks.checks.scenario.scenario_request import ScenarioRequest
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.cookies.jar import CookieJar
    from ecs_hooks.http.request import Request

    LoginRequest = ScenarioRequest
else:
    LoginRequest = Annotated[Any, LazyModel("ecs_hooks.checks.scenario.scenario_request:ScenarioRequest")]

R = TypeVar("R", bound=VariableRequest)


class LoginError(ExplainedError):
    """A login failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self._outcome = outcome

    @property
    def outcome(self) -> Outcome:
        """The outcome of the request that failed: `FAIL`, or `ERROR` without a connection."""
        return self._outcome


class LoggedIn(NamedTuple):
    """The result of a login. Each request that is built with it has the same cookies, in any thread."""

    values: RunValues
    """The value of each variable, captured ones included."""
    captured: Mapping[str, Any]
    """Those that were captured."""
    cookies: CookieJar | None
    """The cookies of the responses; None without a login."""

    def filled(self, request: R, session: Session) -> tuple[R, Session]:
        """Return a request with the values of its variables, and the session that builds it.

        Raises
        ------
        LoginError
            If a value does not fit into its field.
        """
        if request.template is None:
            return request, session
        from ecs_hooks.checks.scenario.filling import FillError, fill  # noqa: PLC0415 - plans without variables

        try:
            return fill(request, self.values, session)
        except FillError as error:
            raise LoginError(Outcome.failed(str(error))) from None

    def build(self, request: VariableRequest, session: Session) -> Request:
        """Return a request with the values of its variables, and with the cookies of the login; see `Session.build`."""
        filled, session = self.filled(request, session)
        built = session.build(filled)
        return built if self.cookies is None else built._replace(cookies=self.cookies.copy)

    def note(self, requests: Iterable[Request]) -> str:
        """Return the cookies of the login that are not sent with some requests, as the end of a reason; empty without any."""
        if self.cookies is None:
            return ""
        jar = self.cookies.copy()
        for each in requests:
            each.with_cookies(jar)
        return jar.note()


class LoginFields(VariableFields):
    """A login before the requests of a check, which has them in the field `requests`."""

    login: Annotated[tuple[LoginRequest, ...], Field(max_length=20)] = ()
    """Requests of a scenario, sent once and before the others. Their cookies are sent with the others, which use their
    captured values as `{{name}}`."""
    login_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    """Time for the requests of `login`."""

    @model_validator(mode="after")
    def _login_variables_have_values(self) -> Self:
        known, names = self.known_values, {*self.variables, *self.secrets}
        self.check_variables(self.login, "login", known, names)
        self.check_variables(getattr(self, "requests", ()), "requests", known, names)
        return self

    def with_login(self, required: Requirements) -> Requirements:
        """Return the requirements of the check with those of its login, which is sent once."""
        login = self.known(self.login)
        to_green = [each for each in login if each.to_green]
        certificates = [reference for each in login for reference in each.certificate_references]
        return required._replace(
            urls=(*required.urls, *(url for each in login for url in each.urls)),
            methods=tuple(dict.fromkeys((*required.methods, *(each.method for each in to_green)))),
            requests=(*required.requests, *to_green),
            secrets=(
                *required.secrets,
                *self.secret_references,
                *(secret for each in login for secret in each.secrets),
                *certificates,
            ),
            signatures=(*required.signatures, *(signature for each in login for signature in each.signatures)),
            seconds=required.seconds + (self.login_seconds if self.login else 0),
        )

    def log_in(self, session: Session, deadline: Deadline, generated: RunValues | None = None) -> LoggedIn:
        """Send the requests of the login, each on a connection of its own, and return its values and cookies.

        Parameters
        ----------
        session
            Builds the requests; its `green` is the address that they go to.
        deadline
            When the login must be over, unless `login_seconds` end before.
        generated
            Values whose generated ones the requests use; None for new ones.

        Raises
        ------
        LoginError
            If a request fails.
        """
        values = self.given_values(session.resolver, generated)
        if not self.login:
            return LoggedIn(values, {}, None)
        from ecs_hooks.checks.scenario.player import Player  # noqa: PLC0415 - plans without a login
        from ecs_hooks.http.pool import Pool  # noqa: PLC0415

        pool = Pool(keep=False)
        player = Player(session, pool.exchange, values)
        deadline = deadline.sooner(self.login_seconds)
        for number, request in enumerate(self.login, start=1):
            outcome = player.play(request, deadline).outcome
            if outcome.status is Status.WAIT:
                outcome = Outcome.failed(f"did not end within {self.login_seconds:g} s (login_seconds)")
            if outcome.status is not Status.PASS and not request.warn:
                named = f' "{request.name}"' if request.name else ""
                raise LoginError(outcome._replace(reason=f"login request {number}{named} {outcome.reason}"))
        captured = {name for each in self.login for name in each.captures}
        values = player.values
        return LoggedIn(values, {name: value for name, value in values.items() if name in captured}, player.cookies)
