"""Which differences between blue and green are more than chance, and more than blue has with itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import NamedTuple

from ecs_hooks.checks.compare.features import Mark, marks
from ecs_hooks.checks.compare.observed import Observed
from ecs_hooks.checks.compare.values import ABSENT, Value
from ecs_hooks.checks.statistics.fisher import more_often

CHANCE = 1e-4
"""How likely it may be that a green that is like blue fails a comparison, whatever varies in both."""


class Thresholds(NamedTuple):
    """How much green has to differ more than blue from itself.

    Parameters
    ----------
    relative_percent
        The difference of the rounds in which green and in which blue differs, as a share of their sum.
    absolute_percent
        That difference, as a share of all rounds.
    """

    relative_percent: float
    absolute_percent: float

    def exceeded(self, raw_percent: float, noise_percent: float) -> bool:
        """Return whether shares of the rounds in which green and in which blue differs are apart enough."""
        apart = raw_percent - noise_percent
        relative = 100 * apart / (raw_percent + noise_percent) if apart > 0 else 0.0
        return relative > self.relative_percent and apart > self.absolute_percent


class Difference(NamedTuple):
    """A place at which green differs from blue.

    Parameters
    ----------
    path
        The place.
    rounds
        In how many rounds green differs (Diffy's raw difference).
    of
        How many rounds there were.
    noise
        In how many of them blue differs from itself.
    chance
        How likely that is where both are alike.
    before, after
        The least value that blue has and green has not, and the other way round; None where there is none.
    is_secret
        Whether values must not be shown.
    """

    path: str
    rounds: int
    of: int
    noise: int
    chance: float
    before: Value | None
    after: Value | None
    is_secret: bool


def differences(
    observed: Iterable[Observed], rounds: Sequence[int], thresholds: Thresholds, chance: float = CHANCE
) -> list[Difference]:
    """Return the places at which green differs from blue more than blue from itself, the worst first.

    At each place, and in each respect (see `marks`), the answers that are unlike blue's usual ones are counted. Fisher's
    exact test says how likely it is that green has so many of them where it is no other than blue: the order of the
    requests is drawn by lot, so all orders are equally likely then. `chance` is divided by the number of these questions
    (Bonferroni), so that it holds for all of them together.

    Parameters
    ----------
    observed
        What was seen at each place.
    rounds
        By answer of blue, the number of its round.
    thresholds
        How much is a difference.
    chance
        How likely a false alarm may be.
    """
    asked = [(each, mark) for each in map(_applicable, observed, repeat(rounds)) for mark in marks(each.observed)]
    found: dict[str, Difference] = {}
    for each, mark in asked:
        difference = _difference(each, mark)
        if difference.chance * len(asked) >= chance:
            continue
        size = len(set(each.rounds))
        if not thresholds.exceeded(100 * difference.rounds / difference.of, 100 * difference.noise / size):
            continue
        known = found.get(difference.path)
        if known is None or difference.chance < known.chance:
            found[difference.path] = difference
    return sorted(found.values(), key=lambda each: each.chance)


class _Applicable(NamedTuple):
    observed: Observed
    rounds: Sequence[int]
    """By answer of blue, the number of its round."""


def _applicable(observed: Observed, rounds: Sequence[int]) -> _Applicable:
    """Return what was seen in the answers that could have something at a place.

    That there is no object which could have it, or no array, is a difference at that object's own place.
    """
    kept = [(values, number) for values, number in zip(observed.blue, rounds, strict=True) if values]
    blue, numbers = [values for values, _ in kept], [number for _, number in kept]
    return _Applicable(observed._replace(blue=blue, green=[values for values in observed.green if values]), numbers)


def _difference(applicable: _Applicable, mark: Mark) -> Difference:
    observed = applicable.observed
    green, blue = sum(mark.green), sum(mark.blue)
    # A green answer that shows it, beside one of blue that is as usual.
    unusual = observed.green[mark.green.index(True)] if green else ()
    usual = observed.blue[mark.blue.index(False)] if blue < len(mark.blue) else ()
    gone, come = Counter(usual) - Counter(unusual), Counter(unusual) - Counter(usual)
    return Difference(
        observed.path,
        green,
        len(observed.green),
        len({number for number, off in zip(applicable.rounds, mark.blue, strict=True) if off}),
        more_often(green, len(mark.green), blue, len(mark.blue)),
        min(gone, key=_telling, default=None),
        min(come, key=_telling, default=None),
        observed.is_secret,
    )


def _telling(value: Value) -> tuple[bool, str, float, str]:
    """Return what sorts values: small before large, so that of an array in any order what belongs together is shown."""
    number = value.content if isinstance(value.content, int | float) else 0
    # What is there tells more than that nothing is.
    return value == ABSENT, value.kind, number, str(value.content)
