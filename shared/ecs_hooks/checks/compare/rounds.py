"""Rounds: in each of them green is asked once and blue twice, in an order drawn by lot."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.answer import Answer
from ecs_hooks.http.errors import DeadlineError

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline

_PLACES = 3


class Round(NamedTuple):
    """What came of one round.

    Parameters
    ----------
    green
        The answer of green.
    blue
        Those of blue, in the order of time.
    """

    green: Answer
    blue: tuple[Answer, Answer]


Ask = Callable[[], Answer]


def take(ask_blue: Ask, ask_green: Ask, count: int, pause: float, deadline: Deadline) -> Iterator[Round]:
    """Yield rounds until there are as many as wanted, or the time is over.

    The order is another one each time and the same in each run: green comes first, second and third equally often, but
    in no pattern that something in the application could keep step with.

    Parameters
    ----------
    ask_blue, ask_green
        Send the request to blue and to green.
    count
        How many rounds.
    pause
        Seconds between two rounds.
    deadline
        When the time is over.

    Raises
    ------
    HttpError
        If one of them can't be asked.
    """
    places = [number % _PLACES for number in range(count)]
    random.Random(count).shuffle(places)  # noqa: S311 - nothing has to be guessed here
    for number, place in enumerate(places):
        if number:
            time.sleep(min(pause, deadline.remaining()))
        if deadline.expired:
            return
        try:
            answers = [ask_green() if turn == place else ask_blue() for turn in range(_PLACES)]
        except DeadlineError:
            return
        green = answers.pop(place)
        yield Round(green, (answers[0], answers[1]))
