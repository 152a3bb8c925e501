"""Samples responses: each round sends a request to green once and to blue twice, in random order.

First each pair of requests has its rounds. Those at which a difference is suspected and not proved have more of them, as long as
there is time: twice as many before each further look.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Ignored, Round
from ecs_hooks.checks.compare.compare_responses import MIN_ROUNDS, Comparison, Tolerance, compare
from ecs_hooks.checks.compare.json_diff import IncomparableError
from ecs_hooks.checks.compare.normalize import normalizers, with_captured
from ecs_hooks.http.errors import DeadlineError, FunctionLimitError, HttpError, TransportError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.retry import Exchange, send

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ecs_hooks.checks.compare.normalize import Normalize
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request

_MAX_BYTES = 33_554_432
"""Maximum size of the bodies of all rounds of one request; parsed, they take several times as much memory."""

_REQUESTS_PER_ROUND = 3
MAX_ROUNDS = 1000
_EXTRA_PAUSE = 0.02
"""Maximum pause between two further rounds: what changes with time has done so in the first ones."""


class Pair(NamedTuple):
    """The same request to both."""

    label: str
    """Its name in reasons."""
    blue: Request
    green: Request
    prefixes: tuple[str, str]
    """The paths of the base URLs of blue and of green."""
    captured: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    """The values that the logins of blue and of green have captured."""


class Lanes(NamedTuple):
    """How each request of a round is sent: on connections of its own, each of which is used once a round."""

    green: Exchange
    blue: tuple[Exchange, Exchange]


class Sampling(NamedTuple):
    """How requests are sent."""

    lanes: Lanes
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


class Sampler:
    """Sends a pair of requests in rounds, and compares the responses.

    Parameters
    ----------
    pair
        The requests.
    sampling
        How they are sent.
    tolerance
        How much green may differ.
    deadline
        When the last round must be over.
    """

    def __init__(self, pair: Pair, sampling: Sampling, tolerance: Tolerance, deadline: Deadline) -> None:
        self._pair = pair
        self._sampling = sampling
        self._tolerance = tolerance
        self._deadline = deadline
        both = normalizers(pair.blue, pair.green, *pair.prefixes, sampling.ignored.patterns)
        self._normalizers = (with_captured(both[0], pair.captured[0]), with_captured(both[1], pair.captured[1]))
        self._rounds: list[Round] = []
        self._size = 0
        self._looks = 0
        self._lanes_of_blue = cycle(sampling.lanes.blue)
        self._reached: set[bool] = set()

    def sample(self) -> Result:
        """Send the first rounds, and return their result.

        Raises
        ------
        UnreachedError
            If there is no connection to one of them.
        IncomparableError
            If there is too much to compare.
        """
        samples = self._sampling.samples
        is_small = self._extend(samples, self._sampling.pause)
        missing = MIN_ROUNDS - sum(each.has_baseline for each in self._rounds)
        if is_small and 0 < missing < MIN_ROUNDS // 2 and len(self._rounds) == samples:
            # A few failures of blue leave too few rounds.
            is_small = self._extend(2 * missing, self._sampling.pause)
        if not is_small:
            raise IncomparableError(
                f"{self._pair.label}: the bodies of {len(self._rounds)} rounds have more than {_MAX_BYTES >> 20} MiB, which "
                f"is too much to compare; request less, or lower samples (now {samples})"
            )
        return self._result()

    def sample_more(self, result: Result) -> Result:
        """Send as many rounds again for each further look, while a difference is suspected and there is time.

        Raises
        ------
        UnreachedError
            If there is no connection to one of them.
        IncomparableError
            If there is too much to compare.
        """
        while self._needs_more(result.comparison):
            before = len(self._rounds)
            is_whole = self._extend(min(before, MAX_ROUNDS - before), min(self._sampling.pause, _EXTRA_PAUSE))
            if len(self._rounds) == before:
                break
            result = self._result()
            if not is_whole or self._deadline.expired:
                break
        return result

    def _needs_more(self, comparison: Comparison | None) -> bool:
        if comparison is None or comparison.has_difference or len(self._rounds) >= MAX_ROUNDS:
            return False
        return comparison.suspected and not comparison.failures.exceed(self._tolerance.max_failed_percent)

    def _extend(self, count: int, pause: float) -> bool:
        """Add rounds, fewer if the deadline has passed; return whether their bodies are small enough."""
        for each in sample_rounds(self._send_blue, self._send_green, count, pause, self._deadline):
            self._rounds.append(each)
            self._size += sum(response.body.size for response in (each.green, *each.blue))
            if self._size > _MAX_BYTES:
                return False
        return True

    def _result(self) -> Result:
        label, rounds = self._pair.label, self._rounds
        usable = sum(each.has_baseline for each in rounds)
        if usable < min(len(rounds), MIN_ROUNDS) or not rounds:
            return Result(label, len(rounds), None, _problem_of_blue(rounds) if rounds else "")
        self._looks += 1
        try:
            comparison = compare(rounds, self._tolerance, self._normalizers, self._looks)
        except IncomparableError as error:
            raise IncomparableError(f"{label}: {error}") from None
        problem = ""
        if not comparison.is_conclusive and len(rounds) >= self._sampling.samples:
            problem = (
                f"both have the status {comparison.status} in only {comparison.rounds} of {len(rounds)} rounds, which is "
                f"too few to compare the content; use a request with one status, or raise samples"
            )
        return Result(label, len(rounds), comparison, problem)

    def _send_green(self) -> ComparableResponse:
        return self._send(self._pair.green, self._sampling.lanes.green, self._normalizers[1], is_blue=False)

    def _send_blue(self) -> ComparableResponse:
        return self._send(self._pair.blue, next(self._lanes_of_blue), self._normalizers[0], is_blue=True)

    def _send(self, request: Request, lane: Exchange, normalize: Normalize, *, is_blue: bool) -> ComparableResponse:
        limits = self._sampling.limits
        if is_blue in self._reached:
            # Another attempt would hide that some of the requests get no response.
            limits = limits._replace(connect_retries=0)
        try:
            response = send(request, limits, self._deadline, lane)
        except (DeadlineError, FunctionLimitError):
            raise
        except HttpError as error:
            if error.permanent or (isinstance(error, TransportError) and is_blue not in self._reached):
                raise UnreachedError(error, is_blue=is_blue) from error
            return ComparableResponse(problem=error.message)
        self._reached.add(is_blue)
        return ComparableResponse.of(response, self._sampling.ignored, normalize)


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

    Parameters
    ----------
    send_blue, send_green
        Send the request to one of them.
    count
        Number of rounds.
    pause
        Seconds between two rounds.
    deadline
        When the last round must be over.

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


def _problem_of_blue(rounds: Sequence[Round]) -> str:
    bad = [next(response for response in each.blue if response.failed) for each in rounds if not each.has_baseline]
    (what, _), *_ = Counter(each.failure for each in bad).most_common(1)
    return f"blue itself fails in {len(bad)} of {len(rounds)} rounds ({what}), so there is no baseline for green"
