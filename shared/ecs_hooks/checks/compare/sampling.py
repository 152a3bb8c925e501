"""Blue and green are asked the same, and what they answer is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.answer import Answer, Ignored
from ecs_hooks.checks.compare.compare_responses import ENOUGH, Compared, Rules, compare
from ecs_hooks.checks.compare.errors import IncomparableError
from ecs_hooks.checks.compare.rounds import Round, take
from ecs_hooks.checks.compare.url_normalization import Rewrite, rewrites
from ecs_hooks.http.errors import DeadlineError, HttpError, TransportError
from ecs_hooks.http.limits import Limits
from ecs_hooks.http.retry import Exchange, send

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline
    from ecs_hooks.http.request import Request

_MOST_BYTES = 33_554_432
"""What bodies may come to in all rounds of one request; in memory they take many times as much."""


class Pair(NamedTuple):
    """The same request to both.

    Parameters
    ----------
    label
        What it is called in reasons.
    blue, green
        The requests.
    prefixes
        What all paths begin with at blue, and at green.
    """

    label: str
    blue: Request
    green: Request
    prefixes: tuple[str, str] = ("", "")


class Sending(NamedTuple):
    """How requests are sent.

    Parameters
    ----------
    ask
        What sends one.
    limits
        What it may cost.
    samples
        How many rounds there are.
    pause
        Seconds between two rounds.
    ignored
        What is not compared of the responses.
    """

    ask: Exchange
    limits: Limits
    samples: int
    pause: float
    ignored: Ignored


class Result(NamedTuple):
    """What came of one pair of requests.

    Parameters
    ----------
    label
        What it is called in reasons.
    rounds
        How many rounds there were.
    compared
        What came of comparing; None where blue never gave anything to compare with.
    trouble
        Why nothing is known of green, although both were asked; empty where it is.
    """

    label: str
    rounds: int
    compared: Compared | None
    trouble: str = ""


class UnreachedError(Exception):
    """One of the two could not be asked.

    Parameters
    ----------
    error
        The trouble.
    is_blue
        Whether it was blue.
    """

    def __init__(self, error: HttpError, *, is_blue: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.is_blue = is_blue


def examine(pair: Pair, sending: Sending, rules: Rules, deadline: Deadline) -> Result:
    """Ask both in rounds, and compare.

    Parameters
    ----------
    pair
        The requests.
    sending
        How they are sent.
    rules
        What is a difference.
    deadline
        When the time for it is over.

    Raises
    ------
    UnreachedError
        If one of them can't be asked.
    IncomparableError
        If there is too much to compare.
    """
    blue_text, green_text = rewrites(pair.blue, pair.green, *pair.prefixes)
    ask_blue = partial(_ask, pair.blue, sending, blue_text, deadline, is_blue=True)
    ask_green = partial(_ask, pair.green, sending, green_text, deadline, is_blue=False)
    rounds: list[Round] = []
    size = 0
    for each in take(ask_blue, ask_green, sending.samples, sending.pause, deadline):
        rounds.append(each)
        size += sum(answer.body.size for answer in (each.green, *each.blue))
        if size > _MOST_BYTES:
            raise IncomparableError(
                f"{pair.label}: the bodies of {len(rounds)} rounds come to more than {_MOST_BYTES >> 20} MiB, which is too "
                f"much to compare: ask for less, or lower samples (now {sending.samples})"
            )
    return _result(pair, rounds, sending, rules, (blue_text, green_text))


def _ask(request: Request, sending: Sending, rewrite: Rewrite, deadline: Deadline, *, is_blue: bool) -> Answer:
    try:
        response = send(request, sending.limits, deadline, sending.ask)
    except DeadlineError:
        raise
    except HttpError as error:
        if error.permanent or isinstance(error, TransportError):
            raise UnreachedError(error, is_blue=is_blue) from error
        return Answer(problem=error.message)
    return Answer.of(response, sending.ignored, rewrite)


def _result(
    pair: Pair, rounds: Sequence[Round], sending: Sending, rules: Rules, own: tuple[Rewrite, Rewrite]
) -> Result:
    usable = [each for each in rounds if _is_usable(each)]
    if len(usable) < min(len(rounds), ENOUGH) or not rounds:
        return Result(pair.label, len(rounds), None, _of_blue(rounds) if rounds else "")
    try:
        compared = compare(rounds, rules, own)
    except IncomparableError as error:
        raise IncomparableError(f"{pair.label}: {error}") from None
    if not compared.is_enough and len(rounds) == sending.samples:
        trouble = (
            f"only {compared.rounds} of {len(rounds)} rounds have the status {compared.status} on both sides, which is too "
            f"little to compare what is in them: ask for what has one status, or raise samples"
        )
        return Result(pair.label, len(rounds), compared, trouble)
    return Result(pair.label, len(rounds), compared)


def _of_blue(rounds: Sequence[Round]) -> str:
    """Return what blue answers, where that is nothing to compare with."""
    bad = [next(answer for answer in each.blue if not answer.of_use) for each in rounds if not _is_usable(each)]
    (what, _), *_ = Counter(each.problem or f"status {each.status}" for each in bad).most_common(1)
    return (
        f"blue itself fails in {len(bad)} of {len(rounds)} rounds ({what}), so there is nothing to compare green with"
    )


def _is_usable(round_: Round) -> bool:
    return all(answer.of_use for answer in round_.blue)
