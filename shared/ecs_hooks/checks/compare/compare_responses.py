"""Compares the responses of all rounds of one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.comparable_response import COOKIE
from ecs_hooks.checks.compare.evaluate import (
    FALSE_ALARM_RATE,
    Difference,
    Latency,
    Thresholds,
    compare_latency,
    differences,
)
from ecs_hooks.checks.compare.json_diff import ABSENT, RARE, Document, PathValues, Value, values_by_path
from ecs_hooks.core.redaction import is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Normalize, Round

MIN_ROUNDS = 15
"""With fewer rounds, chance alone could look like a difference."""

_TEST_GROUPS = 3
"""The false alarm rate is divided among the status, the content of the responses, and their latency."""

_BODY = "body"


class Tolerance(NamedTuple):
    """How much green may differ."""

    thresholds: Thresholds
    max_slower_percent: float | None
    """How much slower green may be, in per cent; None if latency is not compared."""
    max_slower_ms: float
    """How much slower green may be in any case."""
    false_alarm_rate: float = FALSE_ALARM_RATE


class Comparison(NamedTuple):
    """The result of comparing the responses to one request."""

    differences: Sequence[Difference]
    """The paths at which green differs, the most certain first."""
    latency: Latency | None
    """Latencies of both; None if they are not compared."""
    is_slower: bool
    """Whether green is slower than allowed."""
    paths: int
    """Number of paths."""
    noisy: int
    """How many of them vary in blue."""
    rounds: int
    """Number of rounds in which green has blue's usual status, so that more than the status is compared."""
    status: int
    """The usual status of blue."""

    @property
    def is_conclusive(self) -> bool:
        """Whether there is a difference, or there were enough rounds to find one."""
        return bool(self.differences) or self.is_slower or self.rounds >= MIN_ROUNDS


def compare(rounds: Sequence[Round], tolerance: Tolerance, normalizers: tuple[Normalize, Normalize]) -> Comparison:
    """Compare green with blue, and blue with itself.

    Parameters
    ----------
    rounds
        The rounds; in one of them at least a response of blue has to be a baseline.
    tolerance
        How much green may differ.
    normalizers
        The functions that normalize URLs in values of blue, and in values of green.

    Raises
    ------
    IncomparableError
        If there is too much to compare.
    """
    thresholds, false_alarm_rate = tolerance.thresholds, tolerance.false_alarm_rate / _TEST_GROUPS
    numbered = [(number, response) for number, each in enumerate(rounds) for response in each.blue]
    statuses = _at_path("status", [response for _, response in numbered], [each.green for each in rounds], _status)
    found = differences([statuses], [number for number, _ in numbered], thresholds, false_alarm_rate)
    # The content of a 404 cannot be compared with that of a 200.
    status, _ = Counter(response.status for _, response in numbered if response.is_baseline).most_common(1)[0]
    numbered = [(number, response) for number, response in numbered if _has_status(response, status)]
    blue = [response for _, response in numbered]
    green = [each.green for each in rounds if _has_status(each.green, status)]
    if len(green) < MIN_ROUNDS or len(blue) < MIN_ROUNDS:
        usable = min(len(green), len(blue))
        return Comparison(found, None, is_slower=False, paths=1, noisy=0, rounds=usable, status=status)
    paths = [*_headers(blue, green), *_bodies(blue, green, normalizers)]
    in_content = differences(paths, [number for number, _ in numbered], thresholds, false_alarm_rate)
    if any(each.path == _BODY for each in in_content):  # bodies of two kinds have no paths in common
        in_content = [each for each in in_content if not each.path.startswith("$")]
    latency = None
    if tolerance.max_slower_percent is not None:
        blue_seconds, green_seconds = ([each.seconds for each in side] for side in (blue, green))
        latency = compare_latency(blue_seconds, green_seconds, tolerance.max_slower_percent, tolerance.max_slower_ms)
    return Comparison(
        found + in_content,
        latency,
        is_slower=latency is not None and latency.p_value < false_alarm_rate,
        paths=len(paths) + 1,
        noisy=sum(each.varies_in_blue for each in (statuses, *paths)),
        rounds=len(green),
        status=status,
    )


def _has_status(response: ComparableResponse, status: int) -> bool:
    return not response.problem and response.status == status


def _at_path(
    path: str,
    blue: Sequence[ComparableResponse],
    green: Sequence[ComparableResponse],
    values: Callable[[ComparableResponse], tuple[Value, ...]],
    *,
    is_secret: bool = False,
) -> PathValues:
    return PathValues(path, [values(each) for each in blue], [values(each) for each in green], is_secret)


def _status(response: ComparableResponse) -> tuple[Value, ...]:
    return (Value("problem", response.problem) if response.problem else Value("status", response.status),)


def _headers(blue: Sequence[ComparableResponse], green: Sequence[ComparableResponse]) -> Iterator[PathValues]:
    names = Counter(name for each in (*blue, *green) for name in each.headers)
    for name in sorted(name for name, times in names.items() if times > RARE):
        # Of cookies only names and attributes are compared, which are no secrets.
        is_secret = is_secret_name(name) and name != COOKIE
        yield _at_path(f"header {name}", blue, green, partial(_header, name), is_secret=is_secret)


def _header(name: str, response: ComparableResponse) -> tuple[Value, ...]:
    return response.headers.get(name, (ABSENT,))


def _bodies(
    blue: Sequence[ComparableResponse],
    green: Sequence[ComparableResponse],
    normalizers: tuple[Normalize, Normalize],
) -> Iterator[PathValues]:
    yield _at_path(_BODY, blue, green, lambda each: (Value("body", each.body.kind), *each.body.parts))
    if any(each.body.parts for each in (*blue, *green)):
        yield _at_path(f"{_BODY} length", blue, green, lambda each: (Value("number", each.body.size),))
    documents = [
        [Document(each.body.roots, normalize) for each in side]
        for side, normalize in zip((blue, green), normalizers, strict=True)
    ]
    if any(each.roots for side in documents for each in side):
        yield from values_by_path(*documents)
