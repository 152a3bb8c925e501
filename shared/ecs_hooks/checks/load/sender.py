"""Sends the requests of a load over HTTP, each in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.assertions.status import show_status, status_matches
from ecs_hooks.checks.load.mix import round_of
from ecs_hooks.checks.load.results import SUCCESS, Answer
from ecs_hooks.http.errors import ConnectTimeoutError, DeadlineError, HttpError, ResponseTimeoutError, TransportError
from ecs_hooks.http.limits import Budget
from ecs_hooks.http.retry import attempt

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.limits import Limits
    from ecs_hooks.http.pool import Pool
    from ecs_hooks.http.request import Request

_OUT_OF_TIME = (ConnectTimeoutError, ResponseTimeoutError, DeadlineError)


class Part(NamedTuple):
    """One of the requests that a load is made of.

    Parameters
    ----------
    request
        The request.
    expected
        The statuses of a success; see `ecs_hooks.assertions.status`.
    weight
        How often its turn comes.
    """

    request: Request
    expected: Any
    weight: int


class Sender:
    """Sends the request whose turn it is.

    Parameters
    ----------
    parts
        The requests.
    limits
        What each may cost.
    pool
        The connections.
    invocation
        When the invocation is over.
    """

    def __init__(self, parts: Sequence[Part], limits: Limits, pool: Pool, invocation: Deadline) -> None:
        # What green says is not looked at, and a hundred bodies at the same time would not fit in.
        self._limits = limits._replace(keep_body=False)
        self._pool = pool
        self._invocation = invocation
        self._turns = [parts[index] for index in round_of([part.weight for part in parts])]

    def connect(self) -> None:
        """Connect to each place that requests go to, so that the first of them is as quick as the others.

        Raises
        ------
        HttpError
            If there is no connection to any of them, or if a place is none to send requests to.
        """
        places = {(part.request.url.origin, part.request.server_name): part.request for part in self._turns}
        trouble: list[TransportError] = []
        for request in places.values():
            try:
                self._pool.connect(request, self._limits, Budget.start(self._limits.timeout_seconds, self._invocation))
            except TransportError as error:
                trouble.append(error)
        if len(trouble) == len(places):
            raise trouble[0]

    def send(self, number: int, deadline: Deadline) -> Answer:
        """Send the request of a number, and return what came of it.

        Raises
        ------
        HttpError
            If none of the others could be sent either.
        """
        part = self._turns[number % len(self._turns)]
        budget = Budget(self._limits.timeout_seconds, deadline, self._invocation)
        try:
            response = attempt(part.request, self._limits, budget, self._pool.exchange)
        except HttpError as error:
            if error.permanent:
                raise
            return Answer(
                f"{part.request.shown} {error.message}",
                reached=not isinstance(error, TransportError),
                timed_out=isinstance(error, _OUT_OF_TIME),
            )
        if status_matches(part.expected, response.status):
            return SUCCESS
        return Answer(f"{part.request.shown} status {response.status}, expected {show_status(part.expected)}")
