"""Compares the responses of all rounds of one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_hooks.checks.compare.comparable_response import COOKIE
from ecs_hooks.checks.compare.evaluate import (
    FALSE_ALARM_RATE,
    SUSPICION,
    Difference,
    Latency,
    Thresholds,
    compare_latency,
    differences,
)
from ecs_hooks.checks.compare.failures import Failures, failures, share_of_look
from ecs_hooks.checks.compare.json_diff import ABSENT, Document, PathValues, Value, values_by_path
from ecs_hooks.checks.compare.keys import RARE
from ecs_hooks.core.redaction import is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.body import Body
    from ecs_hooks.checks.compare.comparable_response import ComparableResponse, Round
    from ecs_hooks.checks.compare.normalize import Normalize

MIN_ROUNDS = 15
"""With fewer rounds, chance alone could look like a difference."""

_TEST_GROUPS = 4
"""The false alarm rate is divided among failures, the status, the content of the responses, and their latency."""

_REDIRECTS = range(300, 400)
_BODY = "body"
_UNIQUE = 0.9
"""Share of different values from which on each response of blue has its own."""


class Tolerance(NamedTuple):
    """How much green may differ."""

    thresholds: Thresholds
    max_slower_percent: float | None
    """How much slower green may be, in per cent; None if latency is not compared."""
    max_slower_ms: float
    """How much slower green may be in any case."""
    max_failed_percent: float | None = None
    """Percentage of requests to green that may fail in any case; None without a limit."""
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
    failures: Failures
    suspected: bool = False
    """Whether there may be a difference that more rounds would prove."""
    location: str = ""
    """Where green redirects to, if blue usually responds otherwise; where both redirect to, if they do."""
    not_compared: Sequence[str] = ()
    """The paths whose values cannot be compared, with the reason."""

    @property
    def has_difference(self) -> bool:
        """Whether there is a difference."""
        return bool(self.differences) or self.failures.proved or self.is_slower

    @property
    def is_conclusive(self) -> bool:
        """Whether there is a difference, or there were enough rounds to find one."""
        return self.has_difference or self.rounds >= MIN_ROUNDS


def compare(
    rounds: Sequence[Round], tolerance: Tolerance, normalizers: tuple[Normalize, Normalize], look: int = 1
) -> Comparison:
    """Compare green with blue, and blue with itself.

    Parameters
    ----------
    rounds
        The rounds; in one of them at least a response of blue has to be a baseline.
    tolerance
        How much green may differ.
    normalizers
        The functions that normalize texts of blue, and texts of green.
    look
        The number of this look at the rounds so far: each has a share of the false alarm rate, see `failures`.

    Raises
    ------
    IncomparableError
        If there is too much to compare.
    """
    rate = share_of_look(look, tolerance.false_alarm_rate / _TEST_GROUPS)
    failed = failures(rounds, rate)
    answered = [
        (number, response) for number, each in enumerate(rounds) for response in each.blue if not response.failed
    ]
    of_green = [each.green for each in rounds if not each.green.failed]
    # The content of a 404 cannot be compared with that of a 200.
    status, _ = Counter(response.status for _, response in answered).most_common(1)[0]
    statuses = _at_path("status", [response for _, response in answered], of_green, _status)
    tested = _tested([statuses], answered, tolerance, rate)
    numbered = [(number, response) for number, response in answered if response.status == status]
    blue = [response for _, response in numbered]
    green = [response for response in of_green if response.status == status]
    location = _location(of_green, status)
    if len(green) < MIN_ROUNDS or len(blue) < MIN_ROUNDS:
        usable = min(len(green), len(blue))
        found = [each for each in tested if each.p_value < rate]
        suspected = failed.suspected or len(found) < len(tested)
        return Comparison(found, None, False, 1, 0, usable, status, failed, suspected, location)  # noqa: FBT003 - see fields
    paths = [*_headers(blue, green), *_bodies(blue, green, normalizers)]
    tested += _without_paths(_tested(paths, numbered, tolerance, rate), rate)
    latency = _latency(rounds, status, tolerance)
    found = [each for each in tested if each.p_value < rate]
    is_slower = latency is not None and latency.p_value < rate
    return Comparison(
        found,
        latency,
        is_slower=is_slower,
        paths=len(paths) + 1,
        noisy=sum(each.varies_in_blue for each in (statuses, *paths)),
        rounds=len(green),
        status=status,
        failures=failed,
        suspected=failed.suspected
        or len(found) < len(tested)
        or (latency is not None and not is_slower and latency.p_value < SUSPICION),
        location=location,
        not_compared=list(_not_compared(blue, paths)),
    )


def _tested(
    paths: Sequence[PathValues],
    numbered: Sequence[tuple[int, ComparableResponse]],
    tolerance: Tolerance,
    false_alarm_rate: float,
) -> list[Difference]:
    """Return the differences, and those that are only suspected."""
    numbers = [number for number, _ in numbered]
    return differences(paths, numbers, tolerance.thresholds, max(SUSPICION, false_alarm_rate))


def _without_paths(found: list[Difference], false_alarm_rate: float) -> list[Difference]:
    # Bodies of two kinds have no paths in common.
    if any(each.path == _BODY and each.p_value < false_alarm_rate for each in found):
        return [each for each in found if not each.path.startswith(("$", "/"))]
    return found


def _latency(rounds: Sequence[Round], status: int, tolerance: Tolerance) -> Latency | None:
    """Return the latencies of the responses with a status; None if they are not compared.

    The first round is left out: in it, connections and caches are new.
    """
    if tolerance.max_slower_percent is None:
        return None
    blue = [response.seconds for each in rounds[1:] for response in each.blue if _has_status(response, status)]
    green = [each.green.seconds for each in rounds[1:] if _has_status(each.green, status)]
    return compare_latency(blue, green, tolerance.max_slower_percent, tolerance.max_slower_ms)


def _location(green: Sequence[ComparableResponse], status: int) -> str:
    """Return an example of where green redirects to; empty if it does only where blue has another redirect."""
    found = [each for each in green if each.is_redirect and (each.status != status or status in _REDIRECTS)]
    return str(found[0].headers["location"][0].content).partition("?")[0] if found else ""


def _not_compared(blue: Sequence[ComparableResponse], paths: Sequence[PathValues]) -> Iterator[str]:
    """Yield what cannot be compared."""
    if any(each.body.is_ignored for each in blue):
        yield f"the {_BODY} (ignored)"
    for path in paths:
        if path.path == _BODY and any(value.kind == "digest" for each in path.blue for value in each):
            if path.varies_in_blue:
                yield f"the {_BODY} (binary or large, and varies in blue)"
        elif path.only_shape:
            yield f"the value of {path.path}"
        elif path.path == _BODY and len(set(path.blue)) > _UNIQUE * len(path.blue) and any(map(len, path.blue)):
            yield f"lines of the {_BODY} that vary in blue"


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
    return (Value("status", response.status),)


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
    if any(each.followed for each in (*blue, *green)):
        yield _at_path(
            "redirected to", blue, green, lambda each: (Value("string", each.followed) if each.followed else ABSENT,)
        )
    if any(each.body.kind == "binary" for each in (*blue, *green)):
        yield _at_path(f"{_BODY} length", blue, green, lambda each: (Value("number", each.body.size),))
    yield from _places(blue, green)
    yield from _documents(blue, green, normalizers, "$", lambda body: body.roots)
    for path in sorted({path for each in (*blue, *green) for path in each.body.embedded}):
        yield from _documents(blue, green, normalizers, f"{path} $", partial(_embedded, path))


def _embedded(path: str, body: Body) -> tuple[Any, ...]:
    return tuple(body.embedded.get(path, ()))


def _documents(
    blue: Sequence[ComparableResponse],
    green: Sequence[ComparableResponse],
    normalizers: tuple[Normalize, Normalize],
    root: str,
    roots: Callable[[Body], tuple[Any, ...]],
) -> Iterator[PathValues]:
    of_blue, of_green = (
        [Document(roots(each.body), normalize) for each in side]
        for side, normalize in zip((blue, green), normalizers, strict=True)
    )
    if any(each.roots for each in (*of_blue, *of_green)):
        yield from values_by_path(of_blue, of_green, root)


def _places(blue: Sequence[ComparableResponse], green: Sequence[ComparableResponse]) -> Iterator[PathValues]:
    """Yield the values of HTML and XML."""
    responses = (*blue, *green)
    paths = {path: None for each in responses for path in each.body.places}
    secret = {path for each in responses for path in each.body.secret_places}

    def values(path: str, response: ComparableResponse) -> tuple[Value, ...]:
        found = response.body.places.get(path)
        if found is not None:
            return found
        # Without its element, a text or an attribute is missing there, and not here.
        parent = path.rpartition("/")[0]
        return (ABSENT,) if not parent or parent in response.body.places else ()

    for path in paths:
        yield _at_path(path, blue, green, partial(values, path), is_secret=path in secret)
