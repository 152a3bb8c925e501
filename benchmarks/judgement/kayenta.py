"""Spinnaker's Kayenta: the published algorithm of its default judge (NetflixACAJudge), implemented from its description.

A metric is High if the confidence interval of the Hodges-Lehmann shift between the revisions, that of the Wilcoxon rank sum test,
is above a tolerance: a share of the estimated shift. Effect sizes may widen what passes. The cases of Kayenta's own test suite
(spinnaker/kayenta, ClassifierSuite) hold it to the original.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Label = Literal["Pass", "High", "Low", "Nodata"]
Measure = Literal["meanRatio", "cles"]


class Settings(NamedTuple):
    """The settings of a metric; the default values are Kayenta's.

    Parameters
    ----------
    direction
        The direction in which the experiment is worse.
    confidence
        Of the confidence interval.
    tolerance
        Share of the estimated shift.
    is_critical
        Whether a High or Low metric fails the canary.
    replaces_nan
        Whether missing data are zeros; else they are removed.
    effect_sizes, critical_sizes
        The effect sizes from which on a metric is Low or High, and from which on it is critical.
    measure
        The effect size: the ratio of the means, or the common language effect size.
    """

    direction: Literal["increase", "decrease", "either"] = "increase"
    confidence: float = 0.98
    tolerance: float = 0.25
    is_critical: bool = False
    replaces_nan: bool = False
    effect_sizes: tuple[float, float] | None = None
    critical_sizes: tuple[float, float] | None = None
    measure: Measure = "meanRatio"


class Classification(NamedTuple):
    """The class of a metric."""

    label: Label
    critical: bool = False


def classify(experiment: Sequence[float], control: Sequence[float], settings: Settings) -> Classification:
    """Return the class of a metric of the experiment (green), compared with the control (blue)."""
    if not experiment or not control:
        if settings.replaces_nan:
            return Classification("Pass")
        return Classification("Nodata", settings.is_critical)
    if sorted(experiment) == sorted(control) or len({*experiment, *control}) == 1:
        return Classification("Pass")
    low, shift, high = shift_interval(experiment, control, settings.confidence)
    bound = abs(settings.tolerance * shift)
    above, below = low > bound, high < -bound
    if low == shift == 0 or high == shift == 0:
        # With most values tied at 0, a root finder ends beside 0, on the side that the test of no shift has.
        above, below = (
            _is_greater(*each, settings.confidence) for each in ((experiment, control), (control, experiment))
        )
    label: Label = "Pass"
    if settings.direction != "decrease" and above:
        label = "High"
    elif settings.direction != "increase" and below:
        label = "Low"
    size = effect_size(experiment, control, settings.measure)
    if label == "Pass" or not _reaches(label, size, settings.effect_sizes):
        return Classification("Pass")
    return Classification(label, settings.is_critical and _reaches(label, size, settings.critical_sizes))


def shift_interval(
    experiment: Sequence[float], control: Sequence[float], confidence: float
) -> tuple[float, float, float]:
    """Return the Hodges-Lehmann estimate of the shift between its confidence limits, as `wilcox.test` of R does.

    The limits are the shifts at which the rank sum statistic with continuity correction is as far from its expectation as
    the normal approximation allows: differences between pairs.
    """
    first, second = np.asarray(experiment), np.asarray(control)
    differences = np.sort(np.subtract.outer(first, second).ravel())
    pairs = len(differences)
    # Between two differences, values are only tied with values of their own revision.
    distance = _distance(confidence, len(first), len(second), _ties(first) + _ties(second))
    above = min(math.ceil(pairs / 2 + distance), pairs)
    low, high = float(differences[pairs - above]), float(differences[above - 1])
    return low, float(np.median(differences)), high


def _is_greater(values: Sequence[float], others: Sequence[float], confidence: float) -> bool:
    """Return whether the rank sum test without a shift has values greater than others."""
    first, second = np.asarray(values), np.asarray(others)
    distance = _distance(confidence, len(first), len(second), _ties(np.concatenate([first, second])))
    pairs = len(first) * len(second)
    return effect_size(values, others, "cles") * pairs - pairs / 2 > distance


def _distance(confidence: float, count: int, others: int, ties: float) -> float:
    """Return how far the statistic is from its expectation at a confidence limit, with continuity correction."""
    total = count + others
    variance = count * others / 12 * (total + 1 - ties / (total * (total - 1)))
    return NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(variance) + 0.5


def _ties(values: NDArray[np.float64]) -> float:
    return float(sum(float(count) ** 3 - float(count) for count in np.unique(values, return_counts=True)[1]))


def effect_size(experiment: Sequence[float], control: Sequence[float], measure: Measure) -> float:
    """Return the effect size: the ratio of the means, or the share of pairs in which the experiment is greater."""
    if measure == "cles":
        differences = np.subtract.outer(np.asarray(experiment), np.asarray(control))
        return float((np.sum(differences > 0) + np.sum(differences == 0) / 2) / differences.size)
    mean, usual = fmean(experiment), fmean(control)
    if usual == 0:
        return 1.0 if mean == 0 else math.inf
    return mean / usual


def _reaches(label: Label, size: float, sizes: tuple[float, float] | None) -> bool:
    low, high = sizes or (1.0, 1.0)
    return size >= high if label == "High" else size <= low
