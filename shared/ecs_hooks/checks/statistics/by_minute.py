"""Tests of two revisions that were measured in the same minutes, which are not independent of each other.

Both tests compare minute by minute (stratified, paired), so that load that moves both revisions does not matter. Minutes are
neither alike nor independent: the variance is that between the minutes where it is larger than the binomial one, and it grows
with the correlation of consecutive minutes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from ecs_hooks.checks.statistics.distributions import (
    normal_quantile,
    normal_tail,
    student_t_quantile,
    student_t_tail,
)

_MAX_EXACT = 200
"""Number of hits up to which the distribution is computed exactly."""

_MAX_CORRELATION = 0.65
"""Higher estimates from few minutes mean a trend, such as a leak, rather than noise."""
_CORRELATION_BIAS = 4.0
"""The autocorrelation of a short series is too low by about (1 + 4 rho) / n (Marriott and Pope 1954): 4 / n at rho = 0.75."""

_SPARSE = 2.0
"""Hits a minute below which dispersion between minutes requires evidence: chance alone makes few hits look uneven."""
_DISPERSION_TAIL = 0.003
"""The level of that evidence."""

_ROUNDING = 1e-12
"""Differences up to this are those of rounding."""

_POWER_TAIL = 0.2
"""A detectable difference is found with the probability 1 - 0.2."""


class Counts(NamedTuple):
    """The requests of both revisions in one minute, and how many of them are hits: errors, or slow ones."""

    green_hits: float
    green_size: float
    blue_hits: float
    blue_size: float

    @property
    def both(self) -> bool:
        """Whether both revisions have requests."""
        return self.green_size > 0 and self.blue_size > 0

    @property
    def misses(self) -> Counts:
        """The counts of the other requests."""
        return Counts(
            self.green_size - self.green_hits, self.green_size, self.blue_size - self.blue_hits, self.blue_size
        )

    @property
    def swapped(self) -> Counts:
        """The counts with green in the place of blue."""
        return Counts(self.blue_hits, self.blue_size, self.green_hits, self.green_size)


class Comparison(NamedTuple):
    """The result of a test.

    Parameters
    ----------
    p_value
        Probability of so large a difference where green is not worse than allowed.
    difference
        How much worse green is than allowed: of shares, or the mean of the differences.
    deviation
        Standard deviation of `difference`, in the same unit.
    freedom
        Degrees of freedom of `deviation`; infinite where it is the binomial one.
    """

    p_value: float
    difference: float
    deviation: float
    freedom: float

    def detectable(self, level: float) -> float:
        """Return the smallest difference, beyond the allowed one, that is found with a probability of 80 %."""
        finite = math.isfinite(self.freedom)
        bound = student_t_quantile(level, self.freedom) if finite else normal_quantile(level)
        return (bound + normal_quantile(_POWER_TAIL)) * self.deviation


def total(minutes: Sequence[Counts]) -> Counts:
    """Return the sums over the minutes."""
    return Counts(*(math.fsum(each) for each in zip(*minutes, strict=True))) if minutes else Counts(0, 0, 0, 0)


def merged(minutes: Sequence[Counts]) -> list[Counts]:
    """Return the sums of consecutive minutes, as few of them as have requests of both revisions."""
    blocks: list[Counts] = []
    block = total([])
    for each in minutes:
        block = total([block, each])
        if block.both:
            blocks.append(block)
            block = total([])
    return [*blocks[:-1], total([blocks[-1], block])] if blocks else []


def compare_counts(minutes: Sequence[Counts], *, ratio: float = 1.0, sparse: bool = False) -> Comparison:
    """Test whether green's share of hits is greater than `ratio` times blue's, stratified by minute.

    The exact conditional test of the Cochran-Mantel-Haenszel statistic (mid-p), for a ratio other than 1 that of Poisson
    rates; the normal approximation where there are many hits. If the minutes differ by more than chance, Student's t
    distribution of the sum over the minutes: bursts of one revision are no proof.

    Parameters
    ----------
    minutes
        The counts. Only minutes in which both revisions have requests count; at least one is required.
    ratio
        How many times blue's share is allowed.
    sparse
        Whether the hits may be rare and independent of each other, such as errors: with less than two a minute, only
        significant differences between the minutes count as dispersion.
    """
    minutes = [each for each in minutes if each.both]
    sums = total(minutes)
    excesses: list[float] = []
    variance = weight = 0.0
    probabilities = [_share_of_green(each, ratio) for each in minutes]
    for each, expected in zip(minutes, probabilities, strict=True):
        hits, size = each.green_hits + each.blue_hits, each.green_size + each.blue_size
        finite = max(0.0, (size - hits) / (size - 1)) if ratio == 1 and size > 1 else 1.0
        excesses.append(each.green_hits - hits * expected)
        variance += hits * expected * (1 - expected) * finite
        weight += each.green_size * (1 - expected)
    excess = math.fsum(excesses)
    if sums.green_hits + sums.blue_hits <= _MAX_EXACT:
        chance = _exact_tail(minutes, probabilities, sums.green_hits, ratio)
    else:
        chance = normal_tail(excess / math.sqrt(variance)) if variance > 0 else 1.0
    sampling = _sampling_variance(minutes, sums, probabilities)
    few = sparse and sums.green_hits < _SPARSE * len(minutes)
    extra, freedom = _between(excesses, sampling)
    if few and not _dispersed(excesses, sampling):
        extra = 0.0
    spread = max(variance, sampling + extra)
    if extra <= 0 or spread <= variance:
        # Without hits the least variance is that of one.
        least = max(variance, probabilities[0] * (1 - probabilities[0]), 1e-12)
        return Comparison(chance, excess / weight, math.sqrt(least) / weight, math.inf)
    freedom *= (spread / extra) ** 2
    p_value = max(chance, student_t_tail(excess / math.sqrt(spread), freedom))
    return Comparison(p_value, excess / weight, math.sqrt(spread) / weight, freedom)


def _share_of_green(counts: Counts, ratio: float) -> float:
    """Return the share of a minute's hits that green has where it has exactly the allowed share."""
    return ratio * counts.green_size / (ratio * counts.green_size + counts.blue_size)


def _exact_tail(minutes: Sequence[Counts], probabilities: Sequence[float], green_hits: float, ratio: float) -> float:
    """Return the probability of at least so many hits of green, given the hits of each minute; half of "exactly" (mid-p)."""
    distribution, least = [1.0], 0
    for each, expected in zip(minutes, probabilities, strict=True):
        hits = round(each.green_hits + each.blue_hits)
        if hits:
            first, of_minute = (
                _hypergeometric(hits, round(each.green_size), round(each.blue_size))
                if ratio == 1
                else (0, _binomial(hits, expected))
            )
            least += first
            distribution = _sum_distribution(distribution, of_minute)
    index = max(0, round(green_hits) - least)
    return min(1.0, math.fsum(distribution[index + 1 :]) + distribution[index] / 2)


def _hypergeometric(hits: int, size: int, other: int) -> tuple[int, list[float]]:
    """Return the least number of hits in the first of two groups, and the probabilities of it and of all greater ones."""
    least, most = max(0, hits - other), min(hits, size)
    # From the most probable number on, in both directions: from the least one on, the terms overflow.
    mode = min(max(least, (hits + 1) * (size + 1) // (size + other + 2)), most)
    up, down = [1.0], [1.0]
    for number in range(mode, most):
        up.append(up[-1] * (hits - number) * (size - number) / ((number + 1) * (other - hits + number + 1)))
    for number in range(mode, least, -1):
        down.append(down[-1] * number * (other - hits + number) / ((hits - number + 1) * (size - number + 1)))
    terms = [*reversed(down[1:]), *up]
    whole = math.fsum(terms)
    return least, [term / whole for term in terms]


def _binomial(size: int, share: float) -> list[float]:
    return [math.comb(size, number) * share**number * (1 - share) ** (size - number) for number in range(size + 1)]


def _sum_distribution(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return the distribution of the sum of two independent numbers (convolution)."""
    result = [0.0] * (len(first) + len(second) - 1)
    for index, probability in enumerate(first):
        for other, factor in enumerate(second):
            result[index + other] += probability * factor
    return result


def _sampling_variance(minutes: Sequence[Counts], sums: Counts, probabilities: Sequence[float]) -> float:
    """Return the variance of the sum of the excesses that chance alone causes, given each revision's share of hits."""
    green, blue = sums.green_hits / sums.green_size, sums.blue_hits / sums.blue_size
    return math.fsum(
        green * (1 - green) * each.green_size * (1 - share) ** 2 + blue * (1 - blue) * each.blue_size * share**2
        for each, share in zip(minutes, probabilities, strict=True)
    )


def _dispersed(excesses: Sequence[float], sampling: float) -> bool:
    """Return whether the excesses differ between the minutes by more than chance."""
    freedom = len(excesses) - 1
    if freedom < 1 or sampling <= 0:
        return False
    mean = math.fsum(excesses) / len(excesses)
    squares = math.fsum((each - mean) ** 2 for each in excesses)
    # The chi-squared quantile of Wilson and Hilferty (1931).
    spread = 2 / (9 * freedom)
    bound = freedom * (1 - spread + normal_quantile(_DISPERSION_TAIL) * math.sqrt(spread)) ** 3
    return squares / sampling * len(excesses) > bound


def compare_pairs(differences: Sequence[float], weights: Sequence[float]) -> Comparison:
    """Test whether the weighted mean of differences, one of each minute, is greater than 0.

    A paired t-test with the effective number of minutes: n (1 - rho) / (1 + rho) for the autocorrelation rho.

    Parameters
    ----------
    differences
        How much worse green is than allowed, by minute, such as the logarithm of a ratio; at least two.
    weights
        The weights of the minutes, greater than 0.
    """
    number, whole = len(differences), math.fsum(weights)
    mean = math.fsum(value * weight for value, weight in zip(differences, weights, strict=True)) / whole
    residuals = [(value - mean) * weight * number / whole for value, weight in zip(differences, weights, strict=True)]
    variance, freedom = _between(residuals, 0)
    deviation = math.sqrt(variance) / number
    if deviation <= _ROUNDING * max(1.0, abs(mean)):
        return Comparison(float(mean <= _ROUNDING), mean, deviation, freedom)
    return Comparison(student_t_tail(mean / deviation, freedom), mean, deviation, freedom)


def _between(values: Sequence[float], sampling: float) -> tuple[float, float]:
    """Return the variance of the sum of the minutes' values beyond that of sampling, and its degrees of freedom.

    Chance is independent from minute to minute; the rest grows with the autocorrelation.
    """
    number = len(values)
    if number < 2:  # noqa: PLR2004 - one value has no variance
        return 0.0, 1.0
    mean = math.fsum(values) / number
    residuals = [value - mean for value in values]
    squares = math.fsum(value * value for value in residuals)
    extra = squares * number / (number - 1) - sampling
    if extra <= 0:
        return 0.0, number - 1
    lagged = math.fsum(first * second for first, second in itertools.pairwise(residuals))
    rho = max(0.0, min(_MAX_CORRELATION, lagged / squares + _CORRELATION_BIAS / number))
    inflation = (1 + rho) / (1 - rho)
    # Correlated minutes are worth fewer; half of them at least, since the correlation is an estimate.
    return extra * inflation, max(1.0, number / 2, number / inflation - 1)
