"""Sends the requests of a load over HTTP, in turn by weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.assertions.expect import describe, shown_location, split_warnings
from ecs_hooks.core.deadline import DeadlinePassedError, limited_by
from ecs_hooks.http.errors import ConnectTimeoutError, DeadlineError, HttpError, ResponseTimeoutError, TransportError
from ecs_hooks.http.http1 import is_redirect
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.retry import attempt

if TYPE_CHECKING:
    from ecs_hooks.assertions.expect import Expect
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.core.redaction import Redactor
    from ecs_hooks.http.limits import Limits
    from ecs_hooks.http.pool import Pool
    from ecs_hooks.http.request import Request
    from ecs_hooks.http.response import Response

_TIMEOUTS = (ConnectTimeoutError, ResponseTimeoutError, DeadlineError)


class Result(NamedTuple):
    """The result of one request."""

    problem: str = ""
    """Why it failed, with the request; empty if it succeeded."""
    reached: bool = True
    """Whether it reached the server: the connection did not fail."""
    timed_out: bool = False
    redirect: str = ""
    """The response if it is a redirect that was not followed, with the request; else empty."""
    followed: int = 0
    """Number of redirects that were followed."""
    warning: str = ""
    """What only warns, with the request; empty if nothing does."""


SUCCESS = Result()

NOT_SENT = Result("not sent in time", reached=False, timed_out=True)
"""The result of a request that timed out while it was queued."""


class WeightedRequest(NamedTuple):
    """One of the requests that a load consists of."""

    request: Request
    expect: Expect
    """What makes a response a success."""
    weight: int
    """Its share of the load, relative to the weights of the others."""


def weighted_round_robin(weights: Sequence[int]) -> list[int]:
    """Return one round: the index of each weight, as many times as the weight says, evenly spread.

    It is nginx's smooth weighted round robin: 3 and 1 give 0, 0, 1, 0, and not 0, 0, 0, 1.
    """
    total = sum(weights)
    current = [0] * len(weights)
    order: list[int] = []
    for _ in range(total):
        current = [have + weight for have, weight in zip(current, weights, strict=True)]
        turn = current.index(max(current))
        current[turn] -= total
        order.append(turn)
    return order


class Sender:
    """Sends the request whose turn it is, once, until its own deadline or that of the invocation."""

    def __init__(
        self, requests: Sequence[WeightedRequest], limits: Limits, pool: Pool, invocation: Deadline, redactor: Redactor
    ) -> None:
        self._limits = limits
        self._redactor = redactor
        self._pool = pool
        self._invocation = invocation
        self._turns = [requests[index] for index in weighted_round_robin([each.weight for each in requests])]

    def connect(self) -> None:
        """Connect to each server, so that the first request is as fast as the others.

        Raises
        ------
        HttpError
            If no connection succeeds, or if an address is refused.
        """
        servers = {(each.request.url.origin, each.request.server_name): each.request for each in self._turns}
        errors: list[TransportError] = []
        for request in servers.values():
            try:
                self._pool.connect(request, self._limits, Budget.start(self._limits.timeout_seconds, self._invocation))
            except TransportError as error:
                errors.append(error)
        if len(errors) == len(servers):
            raise errors[0]

    def send(self, number: int, deadline: Deadline) -> Result:
        """Send the request of a number.

        Raises
        ------
        HttpError
            If the error would be the same for each further request.
        """
        turn = self._turns[number % len(self._turns)]
        budget = Budget(self._limits.timeout_seconds, deadline, self._invocation)
        # A hundred bodies at a time may not fit into memory, so only those that are evaluated are kept.
        limits = self._limits._replace(keep_body=turn.expect.needs_body, first_bytes=turn.expect.first_bytes)
        try:
            response = attempt(turn.request, limits, budget, self._pool.exchange)
        except HttpError as error:
            if error.permanent:
                raise
            return Result(
                f"{turn.request.shown} {error.message}",
                reached=not isinstance(error, TransportError),
                timed_out=isinstance(error, _TIMEOUTS),
            )
        try:
            with limited_by(budget.deadline):
                return self._evaluate(turn.expect, response)
        except DeadlinePassedError:
            return Result(f"{response.where} not evaluated in time", timed_out=True)

    def _evaluate(self, expect: Expect, response: Response) -> Result:
        failing, warnings = split_warnings(expect.unmet(response, self._redactor))
        is_unfollowed = is_redirect(response.status, response.headers)
        if not (failing or warnings or is_unfollowed or response.redirects):
            return SUCCESS
        return Result(
            f"{response.where} {describe(failing)}{response.cookie_note}" if failing else "",
            redirect=f"{response.where} status {response.status} to {shown_location(response.headers['location'], self._redactor)}"
            if is_unfollowed
            else "",
            followed=response.redirects,
            warning=f"{response.where} {describe(warnings)}" if warnings else "",
        )
