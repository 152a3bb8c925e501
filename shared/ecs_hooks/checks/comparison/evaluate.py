"""What comes of comparing one metric of green with blue's, and of many such together: in Kayenta's way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from ecs_hooks.checks.comparison.criterion import Criterion
from ecs_hooks.checks.comparison.metric import ComparedMetric, Sample
from ecs_hooks.checks.statistics.mann_whitney import mann_whitney


class Rules(NamedTuple):
    """What holds for every metric of a comparison.

    Parameters
    ----------
    confidence_percent
        How sure a failure has to be.
    tolerance_percent
        How much worse green may be, where the metric does not say.
    min_samples
        Datapoints that there must be.
    """

    confidence_percent: float
    tolerance_percent: float
    min_samples: int


class Judged(NamedTuple):
    """What came of a metric.

    Parameters
    ----------
    metric
        The metric.
    points
        1 for a pass, 0.5 for a warning, 0 for a failure; None where there are too few datapoints.
    told
        What was seen.
    samples
        Datapoints of green.
    critical
        Whether its failure, if it is one, is one of all.
    value, limit
        The value of green and the worst that it may be; None where there are none.
    """

    metric: ComparedMetric
    points: float | None
    told: str
    samples: int
    critical: bool = False
    value: float | None = None
    limit: float | None = None


def judge(metric: ComparedMetric, green: Sample, blue: Sample, rules: Rules) -> Judged:
    """Return what comes of a metric.

    Parameters
    ----------
    metric
        The metric.
    green, blue
        Its datapoints; blue's are not looked at where the metric does not need them.
    rules
        What holds for all metrics.
    """
    fewest = min(len(green.values), len(blue.values)) if metric.needs_blue else len(green.values)
    if fewest < rules.min_samples or green.overall is None:
        seen = f"{len(green.values)} datapoints of green"
        both = f" and {len(blue.values)} of blue" if metric.needs_blue else ""
        each = " of each" if metric.needs_blue else ""
        told = f"{metric.label}: {seen}{both}, expected {rules.min_samples} or more{each}"
        return Judged(metric, None, told, len(green.values))
    judged = _by_criteria if metric.criteria else _by_test
    return judged(metric, green, blue, rules)


def score(judged: Sequence[Judged], groups: Mapping[str, float]) -> float | None:
    """Return the score of all metrics that are known, 0 to 100; None where none is.

    Within a group each metric counts by its weight, and each group by its own: 1 where none is given.
    """
    total = reached = 0.0
    for group in dict.fromkeys(each.metric.group for each in judged):
        known = [each for each in judged if each.metric.group == group and each.points is not None]
        weights = math.fsum(each.metric.weight for each in known)
        if weights:
            points = math.fsum(each.metric.weight * (each.points or 0) for each in known)
            reached += groups.get(group, 1.0) * points / weights
            total += groups.get(group, 1.0)
    return 100 * reached / total if total else None


def _by_criteria(metric: ComparedMetric, green: Sample, blue: Sample, rules: Rules) -> Judged:  # noqa: ARG001
    value = green.overall or 0.0
    criteria = {text: Criterion.parse(text) for text in metric.criteria}
    broken = [text for text, criterion in criteria.items() if not criterion.holds(value, blue.overall)]
    highest = [criterion.limit(blue.overall) for criterion in criteria.values() if criterion.comparison[0] == "<"]
    warned = bool(metric.warning) and all(Criterion.parse(text).holds(value, blue.overall) for text in metric.warning)
    told = _told(metric, value, blue.overall if metric.needs_blue else None)
    told += f", expected {' and '.join(broken)}" if broken else ""
    return Judged(
        metric,
        1.0 if not broken else 0.5 if warned else 0.0,
        told,
        len(green.values),
        metric.critical,
        value,
        min(highest, default=None),
    )


def _by_test(metric: ComparedMetric, green: Sample, blue: Sample, rules: Rules) -> Judged:
    tolerance = rules.tolerance_percent if metric.tolerance_percent is None else metric.tolerance_percent
    bands = [_band(value, tolerance, metric) for value in blue.values]
    worse: list[float] = []
    if metric.direction != "decrease":
        allowed = [value + band for value, band in zip(blue.values, bands, strict=True)]
        worse.append(mann_whitney(green.values, allowed, "greater").p_value)
    if metric.direction != "increase":
        allowed = [value - band for value, band in zip(blue.values, bands, strict=True)]
        worse.append(mann_whitney(green.values, allowed, "less").p_value)
    # Two chances to fail are one too many: each has to be the surer (Bonferroni).
    failed = min(worse) * len(worse) < 1 - rules.confidence_percent / 100
    value, usual = median(green.values), median(blue.values)
    side = -1 if metric.direction == "decrease" else 1
    return Judged(
        metric,
        0.0 if failed else 1.0,
        _told(metric, value, usual),
        len(green.values),
        _is_critical(metric, green.values, blue.values),
        value,
        usual + side * _band(usual, tolerance, metric),
    )


def _told(metric: ComparedMetric, green: float, blue: float | None) -> str:
    unit = " %" if metric.per else ""
    return f"{metric.label} {green:.4g}{unit}" + ("" if blue is None else f", of blue {blue:.4g}{unit}")


def _band(value: float, tolerance_percent: float, metric: ComparedMetric) -> float:
    return max(abs(value) * tolerance_percent / 100, metric.tolerance_difference)


def _is_critical(metric: ComparedMetric, green: Sequence[float], blue: Sequence[float]) -> bool:
    effect = metric.critical_effect
    if effect is None:
        return metric.critical
    more = _ratio(fmean(green), fmean(blue))
    less = _ratio(fmean(blue), fmean(green))
    pairs = mann_whitney(green, blue).effect
    ratio = {"increase": more, "decrease": less}.get(metric.direction, max(more, less))
    share = {"increase": pairs, "decrease": 1 - pairs}.get(metric.direction, max(pairs, 1 - pairs))
    large = effect.mean_ratio is not None and ratio >= effect.mean_ratio
    return large or (effect.common_language is not None and share >= effect.common_language)


def _ratio(value: float, other: float) -> float:
    if other > 0:
        return value / other
    return math.inf if value > 0 else 1.0
