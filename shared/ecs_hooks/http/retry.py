"""Sends a request until there is a response: attempts, redirects and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ecs_hooks.http.cookies.jar import CookieJar
from ecs_hooks.http.errors import DeadlineError, HttpError, RedirectError, RequestError, TransportError
from ecs_hooks.http.http1 import Http1Connection, is_redirect
from ecs_hooks.http.limits import Budget, Limits
from ecs_hooks.http.resolver import Resolver, resolve

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response
    from ecs_hooks.http.url import Url

T = TypeVar("T")

_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before the second attempt and the following ones; the last is repeated."""

_HEADSTART = 0.1
"""Seconds before the end of the invocation at which a request ends, so that its reason is still reported."""

Exchange: TypeAlias = "Callable[[Request, Limits, Budget], Response]"
"""Sends one request and returns its response; a redirect is a response."""


def exchange(resolver: Resolver, request: Request, limits: Limits, budget: Budget) -> Response:
    """Send a request on a connection of its own; see `Exchange`.

    Raises
    ------
    HttpError
        If there is no response.
    """
    request.verify()
    connection = Http1Connection(request, limits, budget, resolver)
    try:
        return connection.exchange(request, limits, budget)
    finally:
        connection.close()


_EXCHANGE = partial(exchange, resolve)


def send(request: Request, limits: Limits, deadline: Deadline, exchange: Exchange = _EXCHANGE) -> Response:
    """Send a request and return the response, whatever its status.

    Parameters
    ----------
    request
        The request.
    limits
        Its limits.
    deadline
        When the invocation ends.
    exchange
        Sends each of the requests, also after redirects. Default: on a connection of its own.

    Raises
    ------
    HttpError
        If there is no response; see `with_retries`.
    """
    response, attempts = with_retries(lambda budget: attempt(request, limits, budget, exchange), limits, deadline)
    return response if attempts == 1 else response._replace(attempts=attempts)


def with_retries(once: Callable[[Budget], T], limits: Limits, deadline: Deadline) -> tuple[T, int]:
    """Repeat an attempt until there is a connection; return its result and the number of attempts.

    Parameters
    ----------
    once
        The attempt, within a budget.
    limits
        Time and number of the attempts.
    deadline
        When the invocation ends.

    Raises
    ------
    HttpError
        If no attempt succeeds. If the time ends during a retry, it is the error of the attempt before: a known error,
        whereas a lack of time says nothing about the server.
    """
    deadline = deadline.earlier(min(_HEADSTART, deadline.remaining() / 10))
    number, failure = 0, None
    while True:
        number += 1
        try:
            return once(Budget.start(limits.timeout_seconds, deadline)), number
        except DeadlineError as error:
            if failure is None:
                raise
            raise failure from error
        except TransportError as error:
            if not error.may_resend:
                raise
            failure = error
        pause = _PAUSES[min(number, len(_PAUSES)) - 1]
        if number > limits.connect_retries or pause >= deadline.remaining():
            if number > 1:
                failure.message += f" (after {number} attempts)"
            raise failure
        time.sleep(pause)


def attempt(request: Request, limits: Limits, budget: Budget, exchange: Exchange) -> Response:
    """Send a request once, and follow its redirects if the limits allow it.

    Parameters
    ----------
    request
        The request.
    limits
        Its limits.
    budget
        The time for it.
    exchange
        Sends each of the requests.

    Raises
    ------
    HttpError
        If there is no response; it names the request that failed.
    """
    make_jar = request.cookies or (CookieJar if limits.follow_redirects else None)
    jar = None if make_jar is None else make_jar()
    seen: set[tuple[str, Url, str]] = set()
    redirects: list[Response] = []
    while True:
        try:
            sent = request.authorized()
            if jar is not None:
                sent = sent.with_cookies(jar)
            # A page that sets a cookie and redirects to itself is no loop.
            step = (request.method, request.url, sent.cookie_header)
            if step in seen:
                raise RedirectError("redirects form a loop")
            seen.add(step)
            response = exchange(sent, limits, budget)
            if sent is not request:
                # The URL as it was sent may contain credentials.
                response = response._replace(url=request.url, where=request.shown)
            if jar is not None:
                request.keep_cookies(jar, response.headers)
            is_followed = limits.follow_redirects and request.websocket is None
            if not (is_followed and is_redirect(response.status, response.headers)):
                note = "" if jar is None else jar.note()
                response = response._replace(cookie_note=note) if note else response
                return _with_redirects(response, redirects) if redirects else response
            redirects.append(response)
            request = _next(request, response)
            if len(redirects) > limits.max_redirects:
                raise RedirectError(f"more than {limits.max_redirects} redirects (max_redirects)")
        except HttpError as error:
            error.where = request.shown
            error.message += "" if jar is None else jar.note()
            raise


def _with_redirects(response: Response, redirects: Sequence[Response]) -> Response:
    """Return a response with its redirects, and with their time added."""
    latency, timings = response.latency, response.timings
    for each in redirects:
        latency += each.latency
        timings = timings.plus(each.timings)
    return response._replace(latency=latency, timings=timings, redirects=len(redirects), followed=tuple(redirects))


def _next(request: Request, response: Response) -> Request:
    if len(set(response.headers.getlist("location"))) > 1:
        raise RedirectError(f"status {response.status} has several different Location headers")
    try:
        return request.redirected(response.status, response.location)
    except RequestError:
        raise RedirectError(f"status {response.status} redirects to an invalid http or https address") from None
