"""Evaluates each metric of a comparison, and their score, as Spinnaker's Kayenta does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Criterion, Sample
from ecs_hooks.checks.statistics.mann_whitney import mann_whitney_u


class Defaults(NamedTuple):
    """The settings of the check that apply to every metric."""

    confidence_percent: float
    """Confidence that a failure requires."""
    tolerance_percent: float
    """How much worse green may be, where the metric has no tolerance of its own."""
    min_samples: int
    """Minimum number of datapoints."""


class MetricResult(NamedTuple):
    """The result of one metric."""

    metric: ComparedMetric
    points: float | None
    """1 for a pass, 0.5 for a warning, 0 for a failure; None with too few datapoints."""
    summary: str
    """The metric with its values, for a reason."""
    samples: int
    """Number of green's datapoints."""
    critical: bool = False
    """Whether a failure of the metric fails the check, whatever the score."""
    value: float | None = None
    """Green's value."""
    limit: float | None = None
    """The limit for green's value."""


def evaluate(metric: ComparedMetric, green: Sample, blue: Sample, defaults: Defaults) -> MetricResult:
    """Return the result of a metric. Blue's datapoints do not matter where the metric does not need them."""
    fewest = min(len(green.values), len(blue.values)) if metric.needs_blue else len(green.values)
    if fewest < defaults.min_samples or green.overall is None:
        seen = f"{len(green.values)} datapoints of green"
        both = f" and {len(blue.values)} of blue" if metric.needs_blue else ""
        each = " of each" if metric.needs_blue else ""
        summary = f"{metric.label}: {seen}{both}, expected {defaults.min_samples} or more{each}"
        return MetricResult(metric, None, summary, len(green.values))
    if metric.criteria:
        return _by_criteria(metric, green, green.overall, blue.overall)
    return _by_test(metric, green, blue, defaults)


def score(results: Sequence[MetricResult], groups: Mapping[str, float]) -> float | None:
    """Return the score of all metrics with enough datapoints, 0 to 100; None without such a metric.

    Within a group each metric counts by its weight, and each group by the weight in `groups`. Default: 1.
    """
    total = reached = 0.0
    for group in dict.fromkeys(each.metric.group for each in results):
        known = [each for each in results if each.metric.group == group and each.points is not None]
        weights = math.fsum(each.metric.weight for each in known)
        if weights:
            points = math.fsum(each.metric.weight * (each.points or 0) for each in known)
            reached += groups.get(group, 1.0) * points / weights
            total += groups.get(group, 1.0)
    return 100 * reached / total if total else None


def _by_criteria(metric: ComparedMetric, green: Sample, value: float, blue: float | None) -> MetricResult:
    criteria = {text: Criterion.parse(text) for text in metric.criteria}
    broken = [text for text, criterion in criteria.items() if not criterion.holds(value, blue)]
    upper = [criterion.limit(blue) for criterion in criteria.values() if criterion.comparison[0] == "<"]
    warned = bool(metric.warning) and all(Criterion.parse(text).holds(value, blue) for text in metric.warning)
    summary = _summary(metric, value, blue if metric.needs_blue else None)
    return MetricResult(
        metric,
        1.0 if not broken else 0.5 if warned else 0.0,
        summary + (f", expected {' and '.join(broken)}" if broken else ""),
        len(green.values),
        metric.critical,
        value,
        min(upper, default=None),
    )


def _by_test(metric: ComparedMetric, green: Sample, blue: Sample, defaults: Defaults) -> MetricResult:
    def tolerance(value: float) -> float:
        percent = defaults.tolerance_percent if metric.tolerance_percent is None else metric.tolerance_percent
        return max(abs(value) * percent / 100, metric.tolerance_difference)

    p_values: list[float] = []
    if metric.direction != "decrease":
        allowed = [value + tolerance(value) for value in blue.values]
        p_values.append(mann_whitney_u(green.values, allowed, "greater").p_value)
    if metric.direction != "increase":
        allowed = [value - tolerance(value) for value in blue.values]
        p_values.append(mann_whitney_u(green.values, allowed, "less").p_value)
    # Bonferroni correction: of two tests, each must have half of the probability of error.
    failed = min(p_values) * len(p_values) < 1 - defaults.confidence_percent / 100
    value, usual = median(green.values), median(blue.values)
    side = -1 if metric.direction == "decrease" else 1
    return MetricResult(
        metric,
        0.0 if failed else 1.0,
        _summary(metric, value, usual),
        len(green.values),
        _is_critical(metric, green.values, blue.values),
        value,
        usual + side * tolerance(usual),
    )


def _summary(metric: ComparedMetric, green: float, blue: float | None) -> str:
    unit = " %" if metric.per else ""
    return f"{metric.label} {green:.4g}{unit}" + ("" if blue is None else f" (blue {blue:.4g}{unit})")


def _is_critical(metric: ComparedMetric, green: Sequence[float], blue: Sequence[float]) -> bool:
    effect = metric.critical_effect
    if effect is None:
        return metric.critical
    more = _ratio(fmean(green), fmean(blue))
    less = _ratio(fmean(blue), fmean(green))
    pairs = mann_whitney_u(green, blue).effect
    ratio = {"increase": more, "decrease": less}.get(metric.direction, max(more, less))
    share = {"increase": pairs, "decrease": 1 - pairs}.get(metric.direction, max(pairs, 1 - pairs))
    large = effect.mean_ratio is not None and ratio >= effect.mean_ratio
    return large or (effect.common_language is not None and share >= effect.common_language)


def _ratio(value: float, other: float) -> float:
    if other > 0:
        return value / other
    return math.inf if value > 0 else 1.0
