"""All rounds of one request, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ecs_hooks.checks.compare.evaluate import CHANCE, Difference, Thresholds, differences
from ecs_hooks.checks.compare.headers import COOKIE
from ecs_hooks.checks.compare.json_diff import SELDOM, Document, observe
from ecs_hooks.checks.compare.latency import Slower, slower
from ecs_hooks.checks.compare.observed import Observed
from ecs_hooks.checks.compare.values import ABSENT, Value
from ecs_hooks.core.redaction import is_secret_name

if TYPE_CHECKING:
    from ecs_hooks.checks.compare.answer import Answer
    from ecs_hooks.checks.compare.rounds import Round
    from ecs_hooks.checks.compare.url_normalization import Rewrite

ENOUGH = 15
"""Rounds below which chance alone could look like a difference."""

_QUESTIONS = 3
"""What the chance of a false alarm is divided among: the responses as such, what is in them, and how long they take."""

_BODY = "body"


class Rules(NamedTuple):
    """What is a difference.

    Parameters
    ----------
    thresholds
        How much green has to differ more than blue from itself.
    max_slower_percent, max_slower_ms
        How much longer green may take, in per cent of blue's latencies and in any case. Without the per cent it is not
        compared.
    chance
        How likely a false alarm may be.
    """

    thresholds: Thresholds
    max_slower_percent: float | None
    max_slower_ms: float
    chance: float = CHANCE


class Compared(NamedTuple):
    """What came of comparing.

    Parameters
    ----------
    differences
        The places at which green differs, the worst first.
    latency
        How long both take; None where that was not compared.
    is_slower
        Whether green takes longer than it may.
    paths, noisy
        How many places there are, and how many of them differ in blue itself.
    rounds
        Rounds in which green answered so that more than its status could be compared.
    status
        What blue usually answers.
    """

    differences: Sequence[Difference]
    latency: Slower | None
    is_slower: bool
    paths: int
    noisy: int
    rounds: int
    status: int

    @property
    def is_enough(self) -> bool:
        """Whether something is known of green: a difference, or that there is none."""
        return bool(self.differences) or self.is_slower or self.rounds >= ENOUGH


def compare(rounds: Sequence[Round], rules: Rules, own: tuple[Rewrite, Rewrite]) -> Compared:
    """Compare green with blue, and blue with itself.

    Parameters
    ----------
    rounds
        The rounds; in one of them at least an answer of blue has to be of use.
    rules
        What is a difference.
    own
        What takes its own address out of a text of blue, and of green.

    Raises
    ------
    IncomparableError
        If there is too much to compare.
    """
    chance = rules.chance / _QUESTIONS
    numbered = [(number, answer) for number, each in enumerate(rounds) for answer in each.blue]
    whole = [_seen("status", [answer for _, answer in numbered], [each.green for each in rounds], _response)]
    found = differences(whole, [number for number, _ in numbered], rules.thresholds, chance)
    # What is in a 404 says nothing of what should be in a 200.
    status, _ = Counter(answer.status for _, answer in numbered if answer.of_use).most_common(1)[0]
    numbered = [(number, answer) for number, answer in numbered if _is(answer, status)]
    blue, green = [answer for _, answer in numbered], [each.green for each in rounds if _is(each.green, status)]
    if len(green) < ENOUGH or len(blue) < ENOUGH:
        return Compared(
            found, None, is_slower=False, paths=1, noisy=0, rounds=min(len(green), len(blue)), status=status
        )
    parts = [*_headers(blue, green), *_bodies(blue, green, own)]
    within = differences(parts, [number for number, _ in numbered], rules.thresholds, chance)
    if any(each.path == _BODY for each in within):  # it is of another kind, so there is nothing in it to look for
        within = [each for each in within if not each.path.startswith("$")]
    found += within
    latency = None
    if rules.max_slower_percent is not None:
        took = [[each.seconds for each in side] for side in (blue, green)]
        latency = slower(took[0], took[1], rules.max_slower_percent, rules.max_slower_ms)
    return Compared(
        found,
        latency,
        is_slower=latency is not None and latency.chance < chance,
        paths=len(parts) + 1,
        noisy=sum(each.varies_in_blue for each in (*whole, *parts)),
        rounds=len(green),
        status=status,
    )


def _is(answer: Answer, status: int) -> bool:
    return not answer.problem and answer.status == status


def _seen(
    path: str,
    blue: Sequence[Answer],
    green: Sequence[Answer],
    values: Callable[[Answer], tuple[Value, ...]],
    *,
    is_secret: bool = False,
) -> Observed:
    return Observed(path, [values(each) for each in blue], [values(each) for each in green], is_secret)


def _response(answer: Answer) -> tuple[Value, ...]:
    """Return the status, or what there is in place of a response."""
    return (Value("problem", answer.problem) if answer.problem else Value("status", answer.status),)


def _headers(blue: Sequence[Answer], green: Sequence[Answer]) -> Iterator[Observed]:
    names = Counter(name for each in (*blue, *green) for name in each.headers)
    for name in sorted(name for name, times in names.items() if times > SELDOM):
        # Of cookies only names and attributes are there, which are no secrets.
        is_secret = is_secret_name(name) and name != COOKIE
        yield _seen(f"header {name}", blue, green, partial(_header, name), is_secret=is_secret)


def _header(name: str, answer: Answer) -> tuple[Value, ...]:
    return answer.headers.get(name, (ABSENT,))


def _bodies(blue: Sequence[Answer], green: Sequence[Answer], own: tuple[Rewrite, Rewrite]) -> Iterator[Observed]:
    yield _seen(_BODY, blue, green, lambda each: (Value("body", each.body.kind), *each.body.parts))
    if any(each.body.parts for each in (*blue, *green)):
        yield _seen(f"{_BODY} length", blue, green, lambda each: (Value("number", each.body.size),))
    documents = [
        [Document(each.body.roots, rewrite) for each in side] for side, rewrite in zip((blue, green), own, strict=True)
    ]
    if any(each.roots for side in documents for each in side):
        yield from observe(*documents)
