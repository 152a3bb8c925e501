"""Tokens by OAuth 2.0's client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.http.errors import CertificateError, ContentError, DeadlineError, HttpError
from ecs_hooks.http.request import Request, form_body, with_defaults
from ecs_hooks.http.retry import send
from ecs_hooks.http.url import Url

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_resolver import Keyring
    from ecs_hooks.http.limits import Trust
    from ecs_hooks.http.response import Response

_MAX_BYTES = 65_536
"""The largest answer of a token endpoint."""

_HEADSTART = 60.0
"""Seconds before a token expires at which a new one is asked for; a tenth of its life, where that is less."""

_UNSAID = 60.0
"""Seconds that a token is used of which nobody says when it expires."""

_TOO_MANY = 429
_BROKEN = 500
_ERRORS = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]
"""The errors of RFC 6749, section 5.2; others are not repeated, since they could be anything."""


class TokenError(ExplainedError):
    """There is no token, which says nothing of green.

    Parameters
    ----------
    problem
        What happened.
    status
        What it means for a check: an `ERROR` where it may pass, a `FAIL` where somebody has to mend something.
    """

    def __init__(self, problem: str, status: Status = Status.ERROR) -> None:
        super().__init__(problem)
        self.status = status

    @property
    def outcome(self) -> Outcome:
        """That status."""
        return Outcome(self.status, str(self))


class Client(NamedTuple):
    """Who asks for a token, where, and for what.

    Parameters
    ----------
    token_url
        Address of the token endpoint.
    client_id, client_secret
        Its credentials.
    scope, audience
        What the token is to be good for; None leaves that to the authorization server.
    in_form
        Whether the credentials stand in the form, or else in a header.
    """

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None
    audience: str | None
    in_form: bool

    def request(self) -> Request:
        """Return the request for a token."""
        fields = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        headers = {"Accept": "application/json"}
        if self.in_form:
            fields |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            headers["Authorization"] = self.basic
        form = form_body({name: value for name, value in fields.items() if value is not None})
        return Request.build("POST", Url.parse(self.token_url), headers, form)

    @property
    def basic(self) -> str:
        """The credentials as a header; unlike elsewhere, both are encoded as in a form (RFC 6749, section 2.3.1)."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


tokens: Cache[tuple[Client, Trust], str] = Cache()
"""The tokens of this process, by client, and what the token endpoint had to be like."""


class Tokens:
    """Authorizes requests with a token that is good at the time.

    Parameters
    ----------
    client
        Who asks for it.
    keyring
        What the request for it may cost, and the redactor that learns it.
    """

    def __init__(self, client: Client, keyring: Keyring) -> None:
        self._client = client
        self._keyring = keyring
        keyring.redactor.add_header("Authorization", client.basic)

    def authorize(self, request: Request) -> Request:
        """Return a request with a token."""
        bearer = {"Authorization": f"Bearer {self.token()}"}
        return request._replace(headers=with_defaults(bearer, request.headers))

    def token(self) -> str:
        """Return a token, and ask for one where the last one has expired.

        Raises
        ------
        TokenError
            If there is none.
        """
        token = tokens.get((self._client, self._keyring.limits.trust), self._asked)
        self._keyring.redactor.add(token)
        return token

    def _asked(self) -> Kept[str]:
        request = self._client.request()
        limits = self._keyring.limits._replace(follow_redirects=False, max_body_bytes=_MAX_BYTES)
        try:
            response = send(request, limits, self._keyring.deadline)
            if not response.ok:
                raise self._trouble(f"{response.where} {_refusal(response)}", _meaning_of(response.status))
            kept = _read(response.json())
        except HttpError as error:
            raise self._trouble(str(error), _meaning(error)) from error
        if kept is None:
            raise self._trouble(f"{response.where} answers with no bearer token", Status.ERROR)
        return kept

    def _trouble(self, problem: str, status: Status) -> TokenError:
        return TokenError(self._keyring.redactor.mask(f"auth.oauth2: {problem}"), status)


def _meaning(error: HttpError) -> Status:
    if isinstance(error, DeadlineError):
        return Status.WAIT
    # Whatever else a token endpoint does may pass: it is not what is deployed.
    return Status.FAIL if error.permanent or isinstance(error, CertificateError) else Status.ERROR


def _meaning_of(status: int) -> Status:
    return Status.ERROR if status == _TOO_MANY or status >= _BROKEN else Status.FAIL


def _refusal(response: Response) -> str:
    try:
        told = response.json()
    except ContentError:
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    return f"status {response.status} {error}" if error in _ERRORS else f"status {response.status}"


def _read(answer: Any) -> Kept[str] | None:
    if not isinstance(answer, dict):
        return None
    token, kind = answer.get("access_token"), answer.get("token_type")
    if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
        return None
    if not (isinstance(kind, str) and kind.lower() == "bearer"):
        return None
    life = _seconds(answer.get("expires_in"))
    return Kept(token, life - min(_HEADSTART, life / 10))


def _seconds(told: Any) -> float:
    """Return how long a token lives; some servers write the number as text."""
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return _UNSAID
    return seconds if 0 < seconds < float("inf") else _UNSAID
