"""A metric in a comparison of green with blue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from statistics import fmean, median
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from ecs_hooks.checks.comparison.criterion import Criterion, CriterionText
from ecs_hooks.checks.metric_fields import Dimensions, MetricName, Namespace, Statistic
from ecs_hooks.checks.statistics.descriptive import without_outliers
from ecs_hooks.core.formatting import not_allowed
from ecs_hooks.core.plan_model import PlanModel
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.placeholders import for_revision, placeholders

_DIMENSIONS = {"LoadBalancer": "{load_balancer}", "TargetGroup": "{revision.target_group}"}

_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d+)?)")
_MEAN = re.compile(r"Average$|IQM$|(?:tm|wm)\d|(?:TM|WM)\(")

_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"mean": fmean, "median": median, "maximum": max}
"""The statistics over the window, by their names in a plan. This is the only list of them."""


def _check_statistic(name: str) -> str:
    if name not in _STATISTICS:
        raise ValueError(not_allowed(name, list(_STATISTICS)))
    return name


class Effect(PlanModel):
    """An effect size, as in Kayenta; one of the two fields is enough."""

    mean_ratio: Annotated[float, Field(gt=1, le=1000)] | None = None
    """How many times worse green's mean is than blue's."""
    common_language: Annotated[float, Field(gt=0.5, le=1)] | None = None
    """Share of all pairs of datapoints in which green's is worse (common language effect size)."""

    @model_validator(mode="after")
    def _has_a_measure(self) -> Effect:
        if self.mean_ratio is None and self.common_language is None:
            raise ValueError("give mean_ratio, common_language or both")
        return self


class Kind(StrEnum):
    """How a metric is compared."""

    SHARE = "share"
    """By counts: `per` metrics."""
    QUANTILE = "quantile"
    """By counts of the values above a quantile of blue: percentiles."""
    MEAN = "mean"
    """By pairs of datapoints, weighted by the number of values: `Average`, trimmed means."""
    SERIES = "series"
    """By pairs of datapoints: all others."""


class Sample(NamedTuple):
    """The datapoints of a metric of one revision in a window."""

    values: Mapping[float, float]
    """The datapoints, by seconds since the beginning of the window."""
    overall: float | None
    """The statistic over the window; None without datapoints."""


class ComparedMetric(PlanModel):
    """A metric of both revisions."""

    metric: MetricName
    """Name, such as `TargetResponseTime`."""
    stat: Statistic = "Average"
    """Statistic of a datapoint: `Sum`, `Average`, a percentile such as `p99`, or any other of CloudWatch."""
    namespace: Namespace = "AWS/ApplicationELB"
    """Namespace."""
    dimensions: Dimensions = Field(default=_DIMENSIONS)
    """Dimensions. `{revision.target_group}` is a placeholder for green's target group, and for blue's; the other
    placeholders are those of the `metric` check, and so are literal braces."""
    per: MetricName | None = None
    """A metric of which this one is a percentage, such as `RequestCount` for errors, because green and blue rarely have the
    same traffic. A missing datapoint of this metric counts as 0 then, since CloudWatch does not report error counts of 0."""
    fill: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Value of a period without a datapoint. Default: the period does not count."""
    outlier_factor: Annotated[float, Field(ge=1, le=100)] | None = None
    """Removes datapoints further than this many interquartile ranges from the quartiles: 1.5 or 3 are common. Default: none
    is removed."""
    direction: Literal["increase", "decrease", "either"] = "increase"
    """Direction in which green is worse."""
    tolerance_percent: Annotated[float, Field(ge=0, le=1000)] | None = None
    """How much worse green may be, in percent of blue's value. Default: that of the check."""
    tolerance_difference: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """How much worse green may be in the unit of the metric, percentage points with `per`; the wider tolerance applies."""
    criteria: Annotated[tuple[CriterionText, ...], Field(max_length=10)] = ()
    """In place of the statistical test, limits for green's value over the window: fixed, `< 600`, or relative to blue,
    `<= +10%`, `<= +0.5`. All must hold."""
    warning: Annotated[tuple[CriterionText, ...], Field(max_length=10)] = ()
    """Wider criteria: if only these hold, the metric scores half."""
    over_window: Annotated[str, AfterValidator(_check_statistic), Field(json_schema_extra={"enum": [*_STATISTICS]})] = (
        "mean"
    )
    """Statistic of the datapoints for the criteria. For a metric with `per`, the percentage of the sums."""
    weight: Annotated[float, Field(gt=0, le=1000)] = 1
    """Weight in the score of its group."""
    group: Annotated[str, Field(max_length=80)] = ""
    """Group of the metric."""
    critical: bool = False
    """Whether a failure of this metric fails the check, whatever the score."""
    allowed_effect: Effect | None = None
    """Effect size up to which the metric passes, however certain the difference is."""
    critical_effect: Effect | None = None
    """Effect size from which on a failure of this metric fails the check."""

    @model_validator(mode="after")
    def _has_revision_placeholder(self) -> ComparedMetric:
        if self.dimensions_of("green") == self.dimensions:
            raise FieldError(
                "dimensions: must contain {revision.target_group}; else green and blue have the same metric"
            )
        for value in self.dimensions_of("green").values():
            placeholders(value)
        return self

    @model_validator(mode="after")
    def _has_test_or_criteria(self) -> ComparedMetric:
        if not self.criteria:
            if self.warning:
                raise FieldError("warning: requires criteria")
            return self
        for name in ("tolerance_percent", "tolerance_difference", "direction", "allowed_effect", "critical_effect"):
            if name in self.model_fields_set:
                raise FieldError(f"{name}: belongs to the statistical test, which criteria replace")
        return self

    @property
    def quantile(self) -> float | None:
        """The quantile of a percentile statistic, 0.99 for `p99`; None for another statistic."""
        match = _PERCENTILE.fullmatch(self.stat)
        return float(match.group(1)) / 100 if match and self.per is None else None

    @property
    def kind(self) -> Kind:
        """How the metric is compared where it has no criteria."""
        if self.per is not None:
            return Kind.SHARE
        if self.quantile is not None and 0 < self.quantile < 1:
            return Kind.QUANTILE
        return Kind.MEAN if _MEAN.match(self.stat) else Kind.SERIES

    @property
    def is_latency(self) -> bool:
        """Whether the metric has a distribution of values, such as latency, to which `warm_up_minutes` applies."""
        return self.kind in {Kind.QUANTILE, Kind.MEAN}

    @property
    def needs_blue(self) -> bool:
        """Whether the result depends on blue's values."""
        limits = [Criterion.parse(text) for text in (*self.criteria, *self.warning)]
        return not limits or any(limit.relative for limit in limits)

    def dimensions_of(self, revision: str) -> dict[str, str]:
        """Return the dimensions for `green` or `blue`."""
        return {name: for_revision(value, revision) for name, value in self.dimensions.items()}

    @property
    def label(self) -> str:
        """The metric in reasons."""
        return f"{self.metric} {self.stat}" + (f" per {self.per}" if self.per else "")

    def sample(self, reported: Mapping[float, float], whole: Mapping[float, float], periods: Sequence[float]) -> Sample:
        """Return the datapoints of one revision that count.

        Parameters
        ----------
        reported
            Datapoints of the metric, by time.
        whole
            Datapoints of `per`, by time.
        periods
            When each period of the window begins.
        """
        if self.per is not None:
            part = {time: reported.get(time, 0.0) for time, value in whole.items() if value > 0}
            values = {time: 100 * value / whole[time] for time, value in part.items()}
        elif self.fill is not None:
            values = {time: reported.get(time, self.fill) for time in periods}
        else:
            values = dict(reported)
        if self.outlier_factor is not None:
            inside = set(without_outliers(list(values.values()), self.outlier_factor))
            values = {time: value for time, value in values.items() if value in inside}
        if not values:
            return Sample({}, None)
        if self.per is not None:
            return Sample(values, 100 * sum(part[time] for time in values) / sum(whole[time] for time in values))
        return Sample(values, _STATISTICS[self.over_window](tuple(values.values())))
