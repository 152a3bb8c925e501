"""Samples responses: each round sends a request to green once and to blue twice, in random order."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Ignored, Normalize, Round, normalizers
from ecs_hooks.checks.compare.compare_responses import MIN_ROUNDS, Comparison, Tolerance, compare
from ecs_hooks.checks.compare.json_diff import IncomparableError
from ecs_hooks.http.errors import DeadlineError, HttpError, TransportError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.retry import Exchange, send

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request

_MAX_BYTES = 33_554_432
"""Maximum size of the bodies of all rounds of one request; parsed, they take several times as much memory."""

_REQUESTS_PER_ROUND = 3


class Pair(NamedTuple):
    """The same request to both."""

    label: str
    """Its name in reasons."""
    blue: Request
    green: Request
    prefixes: tuple[str, str]
    """The paths of the base URLs of blue and of green."""


class Sampling(NamedTuple):
    """How requests are sent."""

    exchange: Exchange
    limits: Limits
    samples: int
    """Number of rounds."""
    pause: float
    """Seconds between two rounds."""
    ignored: Ignored


class Result(NamedTuple):
    """The result of one pair of requests."""

    label: str
    rounds: int
    """Number of rounds that there was time for."""
    comparison: Comparison | None
    """None if there is no baseline."""
    problem: str = ""
    """Why the rounds say nothing about green; empty if they do."""


class UnreachedError(Exception):
    """There is no connection to blue, or to green."""

    def __init__(self, error: HttpError, *, is_blue: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_blue = is_blue


def sample_and_compare(pair: Pair, sampling: Sampling, tolerance: Tolerance, deadline: Deadline) -> Result:
    """Send a pair of requests in rounds until the deadline, and compare the responses.

    Raises
    ------
    UnreachedError
        If there is no connection to one of them.
    IncomparableError
        If there is too much to compare.
    """
    normalize_blue, normalize_green = normalizers(pair.blue, pair.green, *pair.prefixes)
    send_blue = partial(_send, pair.blue, sampling, normalize_blue, deadline, is_blue=True)
    send_green = partial(_send, pair.green, sampling, normalize_green, deadline, is_blue=False)
    rounds: list[Round] = []
    size = 0
    for each in sample_rounds(send_blue, send_green, sampling.samples, sampling.pause, deadline):
        rounds.append(each)
        size += sum(response.body.size for response in (each.green, *each.blue))
        if size > _MAX_BYTES:
            raise IncomparableError(
                f"{pair.label}: the bodies of {len(rounds)} rounds have more than {_MAX_BYTES >> 20} MiB, which is too "
                f"much to compare; request less, or lower samples (now {sampling.samples})"
            )
    usable = [each for each in rounds if _is_usable(each)]
    if len(usable) < min(len(rounds), MIN_ROUNDS) or not rounds:
        return Result(pair.label, len(rounds), None, _problem_of_blue(rounds) if rounds else "")
    try:
        comparison = compare(rounds, tolerance, (normalize_blue, normalize_green))
    except IncomparableError as error:
        raise IncomparableError(f"{pair.label}: {error}") from None
    problem = ""
    if not comparison.is_conclusive and len(rounds) == sampling.samples:
        problem = (
            f"both have the status {comparison.status} in only {comparison.rounds} of {len(rounds)} rounds, which is "
            f"too few to compare the content; use a request with one status, or raise samples"
        )
    return Result(pair.label, len(rounds), comparison, problem)


def sample_rounds(
    send_blue: Callable[[], ComparableResponse],
    send_green: Callable[[], ComparableResponse],
    count: int,
    pause: float,
    deadline: Deadline,
) -> Iterator[Round]:
    """Yield a number of rounds; fewer if the deadline has passed.

    Green is first, second and third equally often, in a random order that is the same in each run of a check. So no
    period in the application coincides with it.

    Raises
    ------
    UnreachedError
        If there is no connection to one of them.
    """
    positions = [number % _REQUESTS_PER_ROUND for number in range(count)]
    random.Random(count).shuffle(positions)  # noqa: S311 - it is no secret
    for number, position in enumerate(positions):
        if number:
            time.sleep(min(pause, deadline.remaining()))
        if deadline.expired:
            return
        try:
            responses = [send_green() if turn == position else send_blue() for turn in range(_REQUESTS_PER_ROUND)]
        except DeadlineError:
            return
        green = responses.pop(position)
        yield Round(green, (responses[0], responses[1]))


def _send(
    request: Request, sampling: Sampling, normalize: Normalize, deadline: Deadline, *, is_blue: bool
) -> ComparableResponse:
    try:
        response = send(request, sampling.limits, deadline, sampling.exchange)
    except DeadlineError:
        raise
    except HttpError as error:
        if error.permanent or isinstance(error, TransportError):
            raise UnreachedError(error, is_blue=is_blue) from error
        return ComparableResponse(problem=error.message)
    return ComparableResponse.of(response, sampling.ignored, normalize)


def _problem_of_blue(rounds: Sequence[Round]) -> str:
    bad = [
        next(response for response in each.blue if not response.is_baseline) for each in rounds if not _is_usable(each)
    ]
    (what, _), *_ = Counter(each.problem or f"status {each.status}" for each in bad).most_common(1)
    return f"blue itself fails in {len(bad)} of {len(rounds)} rounds ({what}), so there is no baseline for green"


def _is_usable(round_: Round) -> bool:
    return all(response.is_baseline for response in round_.blue)
