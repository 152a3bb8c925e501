"""Evaluates each metric of a comparison, and their score, which is that of Spinnaker's Kayenta."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import NamedTuple

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Effect, Kind
from ecs_hooks.checks.comparison.criterion import Criterion
from ecs_hooks.checks.comparison.finding import Finding, Undecided
from ecs_hooks.checks.comparison.paired import compare_paired
from ecs_hooks.checks.comparison.quantile import compare_quantile
from ecs_hooks.checks.comparison.share import blue_is_worse, compare_share
from ecs_hooks.checks.comparison.sides import Settings, Side, too_few_datapoints
from ecs_hooks.checks.statistics.mann_whitney import mann_whitney_u
from ecs_hooks.core.formatting import counted

_MUCH_SLOWER = 1.5
_MANY_POINTS = 1.0
"""Regressions beyond which a reason says that smaller ones would not have been seen."""


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
    detectable: float | None = None
    """The smallest regression that would have been found: a factor of blue's value, or percentage points."""
    caveat: str = ""
    """What a pass does not say: a lower quantile was compared, or small regressions would not have been seen."""
    broke: bool = False
    """Whether green has broken away from blue, so that the window need not be over."""


def evaluate(
    metric: ComparedMetric, green: Side, blue: Side, settings: Settings, *, earlier: Side | None = None
) -> MetricResult:
    """Return the result of a metric. Blue's datapoints do not matter where the metric does not need them.

    Parameters
    ----------
    metric
        The metric.
    green, blue
        Their datapoints in the window.
    settings
        The settings of the check.
    earlier
        Blue's datapoints from before this deployment, which take the place of those of the window where blue has too few;
        errors are compared with both.
    """
    number = len(green.sample.values)
    if metric.criteria:
        fewest = min(number, len(blue.sample.values)) if metric.needs_blue else number
        if fewest < settings.min_samples or green.sample.overall is None:
            seen = f"{metric.label}: {counted(number, 'datapoint')} of green, expected {settings.min_samples} or more"
            if metric.needs_blue:
                seen = too_few_datapoints(metric, number, len(blue.sample.values), settings)
            return MetricResult(metric, None, seen, number)
        return _by_criteria(metric, number, green.sample.overall, blue.sample.overall)
    compare = _COMPARE[metric.kind]
    try:
        result = _by_test(metric, green, blue, compare(metric, green, blue, settings), settings)
    except Undecided as undecided:
        if earlier is not None:
            try:
                found = (
                    compare_quantile(metric, green, earlier, settings, by_green=True)
                    if metric.kind is Kind.QUANTILE
                    else compare(metric, green, earlier, settings)
                )
                found = found._replace(caveats=[*found.caveats, "compared with blue before this deployment"])
                return _by_test(metric, green, earlier, found, settings)
            except Undecided:
                pass
        return MetricResult(metric, None, str(undecided), number)
    if metric.kind is Kind.SHARE and result.points and earlier is not None:
        return _by_both(metric, green, blue, earlier, result, settings)
    return result


def _by_both(
    metric: ComparedMetric, green: Side, blue: Side, earlier: Side, result: MetricResult, settings: Settings
) -> MetricResult:
    """Return the result of errors that blue's few requests of the window cannot show, from blue's earlier ones.

    If blue has more errors now than before this deployment, they are not green's, and the earlier requests do not count.
    """
    try:
        found = compare_share(metric, green, earlier, settings)
    except Undecided:
        return result
    if blue_is_worse(metric, blue, earlier):
        return result
    found = found._replace(
        p_value=2 * found.p_value, caveats=[*found.caveats, "compared with blue before this deployment"]
    )
    return _by_test(metric, green, earlier, found, settings)


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


def _by_criteria(metric: ComparedMetric, number: int, value: float, blue: float | None) -> MetricResult:
    criteria = {text: Criterion.parse(text) for text in metric.criteria}
    broken = [text for text, criterion in criteria.items() if not criterion.holds(value, blue)]
    upper = [criterion.limit(blue) for criterion in criteria.values() if criterion.comparison[0] == "<"]
    warned = bool(metric.warning) and all(Criterion.parse(text).holds(value, blue) for text in metric.warning)
    summary = _summary(metric, value, blue if metric.needs_blue else None)
    return MetricResult(
        metric,
        1.0 if not broken else 0.5 if warned else 0.0,
        summary + (f", expected {' and '.join(broken)}" if broken else ""),
        number,
        metric.critical,
        value,
        min(upper, default=None),
    )


def _by_test(metric: ComparedMetric, green: Side, blue: Side, found: Finding, settings: Settings) -> MetricResult:
    effects = _effects(metric, tuple(green.sample.values.values()), tuple(blue.sample.values.values()))
    large = metric.allowed_effect is None or any(effects(metric.allowed_effect))
    failed = large and (found.p_value < settings.level or found.broke > 0)
    notes = list(found.notes)
    if found.broke and failed:
        minute = found.broke * settings.period_seconds / 60
        notes.append(f"broke away from blue by minute {minute:g} of those that count")
    caveats = [*found.caveats, *_blind(found)]
    return MetricResult(
        metric,
        0.0 if failed else 1.0,
        _summary(metric, found.value, found.blue, found.statistic)
        + "".join(f", {note}" for note in (*notes, *found.caveats)),
        len(green.sample.values),
        metric.critical if metric.critical_effect is None else any(effects(metric.critical_effect)),
        found.value,
        found.limit,
        found.detectable if math.isfinite(found.detectable) else None,
        f"{metric.label}: {', '.join(caveats)}" if caveats else "",
        bool(found.broke) and large,
    )


def _blind(found: Finding) -> list[str]:
    """Return what the comparison would not have seen, in words, where that is much."""
    if not math.isfinite(found.detectable):
        return ["would not have seen any regression"]
    if found.in_points:
        words, much = f"{found.detectable:.2g} points more", found.detectable > _MANY_POINTS
    else:
        words, much = f"+{100 * (found.detectable - 1):.0f} %", found.detectable > _MUCH_SLOWER
    return [f"would not have seen less than {words}"] if much else []


def _summary(metric: ComparedMetric, green: float, blue: float | None, statistic: str = "") -> str:
    unit = " %" if metric.per else " s" if metric.metric == "TargetResponseTime" and metric.is_latency else ""
    label = metric.label
    if statistic and statistic != metric.stat:
        label = f"{metric.metric} {statistic}"
    return f"{label} {green:.4g}{unit}" + ("" if blue is None else f" (blue {blue:.4g}{unit})")


def _effects(
    metric: ComparedMetric, green: Sequence[float], blue: Sequence[float]
) -> Callable[[Effect], Iterator[bool]]:
    """Return a function that yields which effect sizes green reaches."""

    def reached(effect: Effect) -> Iterator[bool]:
        if not green or not blue:
            return
        more, less = _ratio(fmean(green), fmean(blue)), _ratio(fmean(blue), fmean(green))
        pairs = mann_whitney_u(green, blue).effect
        ratio = {"increase": more, "decrease": less}.get(metric.direction, max(more, less))
        share = {"increase": pairs, "decrease": 1 - pairs}.get(metric.direction, max(pairs, 1 - pairs))
        yield effect.mean_ratio is not None and ratio >= effect.mean_ratio
        yield effect.common_language is not None and share >= effect.common_language

    return reached


def _ratio(value: float, other: float) -> float:
    if other > 0:
        return value / other
    return math.inf if value > 0 else 1.0


_COMPARE: Mapping[Kind, Callable[[ComparedMetric, Side, Side, Settings], Finding]] = {
    Kind.SHARE: compare_share,
    Kind.QUANTILE: partial(compare_quantile, by_green=False),
    Kind.MEAN: compare_paired,
    Kind.SERIES: compare_paired,
}
