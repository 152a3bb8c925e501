"""Statistical tests: which differences between blue and green are more than chance, and more than blue's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from ecs_hooks.checks.compare.features import Feature, features
from ecs_hooks.checks.compare.json_diff import ABSENT, PathValues, Value
from ecs_hooks.checks.statistics.fisher import fisher_exact
from ecs_hooks.checks.statistics.mann_whitney import mann_whitney_u

FALSE_ALARM_RATE = 1e-4
"""Probability that a green that equals blue fails a check, whatever varies in both."""


SUSPICION = 0.05
"""Probability by chance, corrected for the number of tests, below which a difference is suspected and brings more rounds."""


class Thresholds(NamedTuple):
    """How much more often green must differ than blue's own responses."""

    relative_percent: float
    """The difference of the percentages of rounds in which green and in which blue differs, relative to their sum."""
    absolute_percent: float
    """That difference, in percentage points."""

    def exceeded(self, raw_percent: float, noise_percent: float) -> bool:
        """Return whether the percentages of rounds in which green and in which blue differs exceed both thresholds."""
        difference = raw_percent - noise_percent
        relative = 100 * difference / (raw_percent + noise_percent) if difference > 0 else 0.0
        return relative > self.relative_percent and difference > self.absolute_percent


class Difference(NamedTuple):
    """A path at which green differs from blue."""

    path: str
    rounds: int
    """Number of rounds in which green differs (Diffy's raw difference)."""
    of: int
    """Number of all rounds."""
    noise: int
    """Number of rounds in which blue differs from its usual responses."""
    p_value: float
    """Probability of the difference if both are equal, corrected for the number of tests."""
    before: Value | None
    """The smallest value that only blue has; None without one."""
    after: Value | None
    """The smallest value that only green has; None without one."""
    is_secret: bool
    is_frozen: bool = False
    """Whether the value varies in blue and not in green; the noise is that of the rounds in which it does not in blue."""


def differences(
    paths: Iterable[PathValues],
    rounds: Sequence[int],
    thresholds: Thresholds,
    false_alarm_rate: float = FALSE_ALARM_RATE,
) -> list[Difference]:
    """Return the paths at which green differs from blue more than blue's own responses do, the most certain first.

    Each test counts the responses that are unusual at one path in one feature. Fisher's exact test gives the
    probability that green has so many of them if it equals blue: the order of the requests is random, so all orders are
    equally likely then. The false alarm rate is divided by the number of tests (Bonferroni), so that it holds for all
    of them together.

    Parameters
    ----------
    paths
        The values at each path.
    rounds
        By response of blue, the number of its round.
    thresholds
        How much is a difference.
    false_alarm_rate
        Probability of a difference if both are equal.
    """
    tests: list[tuple[PathValues, Sequence[int], Feature]] = []
    for path in paths:
        # A response without the parent object or array differs at the path of the parent, and not here.
        kept = [(values, number) for values, number in zip(path.blue, rounds, strict=True) if values]
        present = path._replace(blue=[values for values, _ in kept], green=[values for values in path.green if values])
        numbers = [number for _, number in kept]
        tests += [(present, numbers, feature) for feature in features(present, numbers)]
    found: dict[str, Difference] = {}
    for path, own_rounds, feature in tests:
        difference = _difference(path, own_rounds, feature, len(tests))
        if difference.p_value >= false_alarm_rate:
            continue
        noise_percent = 100 * difference.noise / len(set(own_rounds))
        if not thresholds.exceeded(100 * difference.rounds / difference.of, noise_percent):
            continue
        known = found.get(path.path)
        if known is None or difference.p_value < known.p_value:
            found[path.path] = difference
    return sorted(found.values(), key=lambda each: each.p_value)


def _difference(path: PathValues, rounds: Sequence[int], feature: Feature, tests: int) -> Difference:
    green, blue = sum(feature.green), sum(feature.blue)
    p_value = min(1.0, tests * fisher_exact(green, len(feature.green), blue, len(feature.blue)))
    if feature.is_frozen:
        after = path.green[0][0] if len(path.green[0]) == 1 else None
        return Difference(
            path.path, green, len(feature.green), blue, p_value, None, after, path.is_secret, is_frozen=True
        )
    # An unusual response of green, and a usual one of blue.
    unusual = path.green[feature.green.index(True)] if green else ()
    usual = path.blue[feature.blue.index(False)] if blue < len(feature.blue) else ()
    return Difference(
        path.path,
        green,
        len(path.green),
        len({number for number, is_unusual in zip(rounds, feature.blue, strict=True) if is_unusual}),
        p_value,
        min(Counter(usual) - Counter(unusual), key=_sort_key, default=None),
        min(Counter(unusual) - Counter(usual), key=_sort_key, default=None),
        path.is_secret,
    )


def _sort_key(value: Value) -> tuple[bool, str, float, str]:
    """Return the key that sorts small values first, so that a pair of values of an unordered array belongs together."""
    number = value.content if isinstance(value.content, int | float) else 0
    return value == ABSENT, value.kind, number, str(value.content)


class Latency(NamedTuple):
    """The median latencies of both."""

    blue_ms: float
    green_ms: float
    p_value: float
    """Probability of so slow a green if it is only as much slower as allowed."""


def compare_latency(blue: Sequence[float], green: Sequence[float], percent: float, min_ms: float) -> Latency:
    """Return the latencies of both, compared in seconds by the Mann-Whitney U test.

    Green may be slower by a percentage, and by a number of milliseconds in any case.
    """
    allowed = [each + max(each * percent / 100, min_ms / 1000) for each in blue]
    return Latency(median(blue) * 1000, median(green) * 1000, mann_whitney_u(green, allowed, "greater").p_value)
