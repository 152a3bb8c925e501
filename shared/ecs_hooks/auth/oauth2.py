"""Access tokens by OAuth 2.0's client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus

from ecs_hooks.auth.cache import Cache, Kept
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.http.errors import CertificateError, ContentError, DeadlineError, FunctionLimitError, HttpError
from ecs_hooks.http.request import Request, with_defaults
from ecs_hooks.http.request_body import form_body
from ecs_hooks.http.retry import send
from ecs_hooks.http.url import Url, encoded

if TYPE_CHECKING:
    from ecs_hooks.auth.secret_resolver import SecretResolver
    from ecs_hooks.http.limits import Trust
    from ecs_hooks.http.response import Response

_MAX_BYTES = 65_536
"""The largest response of a token endpoint."""

_RENEW_BEFORE = 60.0
"""Seconds before its expiry at which a token is renewed; a tenth of its lifetime if that is less."""

_DEFAULT_LIFETIME = 60.0
"""Lifetime of a token without a valid `expires_in`, in seconds."""

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_ERRORS = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]
"""The errors of RFC 6749, section 5.2; others are not shown, since they could contain anything."""


class TokenError(ExplainedError):
    """There is no token, which says nothing about green.

    Parameters
    ----------
    problem
        The error.
    status
        `ERROR` if a retry may help, `WAIT` at the deadline, `FAIL` if the configuration must be corrected.
    """

    def __init__(self, problem: str, status: Status = Status.ERROR) -> None:
        super().__init__(problem)
        self.status = status

    @property
    def outcome(self) -> Outcome:
        """The outcome of the check."""
        return Outcome(self.status, str(self))


class Client(NamedTuple):
    """An OAuth 2.0 client, and the token that it requests.

    Parameters
    ----------
    token_url
        URL of the token endpoint.
    client_id, client_secret
        Its credentials.
    scope, audience
        Of the token; None for the default of the authorization server.
    in_form
        Whether the credentials are sent in the form, not in a header.
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
        """The credentials as a header; unlike RFC 7617, both are form-encoded first (RFC 6749, section 2.3.1)."""
        pair = ":".join(quote_plus(encoded(each, "auth.oauth2")) for each in (self.client_id, self.client_secret))
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


tokens: Cache[tuple[Client, Trust], str] = Cache()
"""Tokens by client, and by the TLS trust for the token endpoint."""


class Tokens:
    """Authorizes requests with a valid token."""

    def __init__(self, client: Client, resolver: SecretResolver) -> None:
        self._client = client
        self._resolver = resolver
        resolver.redactor.add_header("Authorization", client.basic)

    def authorize(self, request: Request) -> Request:
        """Return a request with a token."""
        bearer = {"Authorization": f"Bearer {self.token()}"}
        return request._replace(headers=with_defaults(bearer, request.headers))

    def token(self) -> str:
        """Return a token, and request one if the last has expired; raise `TokenError` if there is none."""
        token = tokens.get((self._client, self._resolver.limits.trust), self._request)
        self._resolver.redactor.add(token)
        return token

    def _request(self) -> Kept[str]:
        request = self._client.request()
        limits = self._resolver.limits._replace(follow_redirects=False, max_body_bytes=_MAX_BYTES)
        try:
            response = send(request, limits, self._resolver.deadline)
            if not response.ok:
                permanent = response.status != _TOO_MANY_REQUESTS and response.status < _SERVER_ERROR
                raise self._error(
                    f"{response.where} {_status_and_error(response)}", Status.FAIL if permanent else Status.ERROR
                )
            kept = _parse(response.json())
        except HttpError as error:
            raise self._error(str(error), _status_of(error)) from error
        if kept is None:
            raise self._error(f"{response.where} returned no bearer token", Status.ERROR)
        return kept

    def _error(self, problem: str, status: Status) -> TokenError:
        return TokenError(self._resolver.redactor.mask(f"auth.oauth2: {problem}"), status)


def _status_of(error: HttpError) -> Status:
    if isinstance(error, DeadlineError):
        return Status.WAIT
    if isinstance(error, FunctionLimitError):
        return Status.ERROR
    # Other errors are retried: the token endpoint is not part of the deployment.
    return Status.FAIL if error.permanent or isinstance(error, CertificateError) else Status.ERROR


def _status_and_error(response: Response) -> str:
    try:
        body = response.json()
    except ContentError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    return f"status {response.status} {error}" if error in _ERRORS else f"status {response.status}"


def _parse(body: Any) -> Kept[str] | None:
    if not isinstance(body, dict):
        return None
    token, kind = body.get("access_token"), body.get("token_type")
    if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
        return None
    if not (isinstance(kind, str) and kind.lower() == "bearer"):
        return None
    lifetime = _lifetime(body.get("expires_in"))
    return Kept(token, lifetime - min(_RENEW_BEFORE, lifetime / 10))


def _lifetime(expires_in: Any) -> float:
    """Return the lifetime of a token in seconds; some servers send it as a string."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_LIFETIME
    return seconds if 0 < seconds < float("inf") else _DEFAULT_LIFETIME
