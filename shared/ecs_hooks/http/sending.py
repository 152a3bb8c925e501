"""From a request to its response: attempts, redirects and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from ecs_hooks.http.budget import Budget
from ecs_hooks.http.connection import Connection
from ecs_hooks.http.errors import DeadlineError, HttpError, RedirectError, RequestError, TransportError
from ecs_hooks.http.exchange import exchange, leads_elsewhere
from ecs_hooks.http.resolver import Resolver, resolve
from ecs_hooks.http.tls import MinVersion, Trust

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response

T = TypeVar("T")

_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before the second attempt and the following ones; the last counts for all further ones."""

_HEADSTART = 0.1
"""Seconds before the end of the invocation at which a request gives up, so that its reason is still heard."""


class Limits(NamedTuple):
    """What a request may cost.

    Parameters
    ----------
    timeout_seconds
        Time for one attempt: look-up of the name, connection, TLS, request, and response to its last byte, with all
        redirects.
    connect_retries
        Further attempts where there was no connection, or it ended before a byte of a response.
    follow_redirects
        Whether to go where a redirect leads.
    max_redirects
        How many times.
    max_body_bytes
        The largest body, decoded.
    verify_tls
        Whether the certificate must be valid.
    ca_certificates
        PEM of authorities that it may be of, besides the system's; empty where there are none.
    min_tls_version
        The oldest version of TLS that may be spoken.
    keep_body
        Whether the response has the body; else it is read to its end, and nothing of it is kept.
    """

    timeout_seconds: float = 10.0
    connect_retries: int = 3
    follow_redirects: bool = False
    max_redirects: int = 10
    max_body_bytes: int = 1_048_576
    verify_tls: bool = True
    ca_certificates: str = ""
    min_tls_version: MinVersion = "1.2"
    keep_body: bool = True

    @property
    def trust(self) -> Trust:
        """What the other side of a TLS connection must be like."""
        return Trust(self.verify_tls, self.ca_certificates, self.min_tls_version)


Ask: TypeAlias = "Callable[[Request, Limits, Budget], Response]"
"""Sends one request and returns its response; a redirect is a response."""


def asking(resolver: Resolver = resolve) -> Ask:
    """Return what sends each request on a connection of its own, to an address that the resolver finds."""
    return partial(_ask, resolver)


def send(request: Request, limits: Limits, deadline: Deadline, ask: Ask | None = None) -> Response:
    """Send a request and return the response, whatever its status.

    Parameters
    ----------
    request
        The request.
    limits
        What it may cost.
    deadline
        When the invocation is over.
    ask
        What sends each of the requests, the redirected ones too. Default: on a connection of its own.

    Raises
    ------
    HttpError
        If there is no response. Where the time ran out during a further attempt, it is the trouble of the one before:
        that is known, and counts as an error, while "no time" would be no finding.
    """
    sending = ask or asking()
    response, attempts = persistently(lambda budget: attempt(request, limits, budget, sending), limits, deadline)
    return response if attempts == 1 else response._replace(attempts=attempts)


def persistently(once: Callable[[Budget], T], limits: Limits, deadline: Deadline) -> tuple[T, int]:
    """Try something until there is a connection, as often as the limits say; return what comes of it, and of which attempt.

    Parameters
    ----------
    once
        Tries it within a budget.
    limits
        Time and number of the attempts.
    deadline
        When the invocation is over.

    Raises
    ------
    HttpError
        If nothing comes of it; see `send`.
    """
    deadline = deadline.earlier(min(_HEADSTART, deadline.remaining() / 10))
    number, trouble = 0, None
    while True:
        number += 1
        try:
            return once(Budget.start(limits.timeout_seconds, deadline)), number
        except DeadlineError as error:
            if trouble is None:
                raise
            raise trouble from error
        except TransportError as error:
            trouble = error
        pause = _PAUSES[min(number, len(_PAUSES)) - 1]
        if number > limits.connect_retries or pause >= deadline.remaining():
            if number > 1:
                trouble.message += f" (after {number} attempts)"
            raise trouble
        time.sleep(pause)


def attempt(request: Request, limits: Limits, budget: Budget, ask: Ask) -> Response:
    """Send a request once, and follow its redirects where the limits say so.

    Parameters
    ----------
    request
        The request.
    limits
        What it may cost.
    budget
        The time for it.
    ask
        What sends each of the requests.

    Raises
    ------
    HttpError
        If there is no response; it names the request that brought none.
    """
    seen = {(request.method, request.url)}
    redirects: list[Response] = []
    while True:
        try:
            sent = request.authorized()
            response = ask(sent, limits, budget)
            if sent is not request:
                # Credentials may stand in the address as it was sent.
                response = response._replace(url=request.url, where=request.shown)
            if not (limits.follow_redirects and leads_elsewhere(response.status, response.headers)):
                return _with_redirects(response, redirects) if redirects else response
            redirects.append(response)
            request = _next(request, response)
            if (request.method, request.url) in seen:
                message = "redirects go round in a circle"
                raise RedirectError(message)
            if len(seen) > limits.max_redirects:
                message = f"more than {limits.max_redirects} redirects (max_redirects)"
                raise RedirectError(message)
            seen.add((request.method, request.url))
        except HttpError as error:
            error.where = request.shown
            raise


def _ask(resolver: Resolver, request: Request, limits: Limits, budget: Budget) -> Response:
    connection = Connection.open(request, limits, budget, resolver)
    try:
        return exchange(connection, request, limits, budget)
    finally:
        connection.close()


def _with_redirects(response: Response, redirects: Sequence[Response]) -> Response:
    """Return a response with the time that the redirects took which led there."""
    latency, timings = response.latency, response.timings
    for each in redirects:
        latency += each.latency
        timings = timings.plus(each.timings)
    return response._replace(latency=latency, timings=timings, redirects=len(redirects))


def _next(request: Request, response: Response) -> Request:
    try:
        return request.redirected(response.status, response.headers["location"])
    except RequestError:
        message = f"status {response.status} redirects to something that is no http or https address"
        raise RedirectError(message) from None
