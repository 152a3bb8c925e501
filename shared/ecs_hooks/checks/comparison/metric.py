"""A metric that a comparison judges: what of it is asked for, and what is worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.checks.comparison.criterion import Criterion, CriterionText
from ecs_hooks.checks.statistics.outliers import without_outliers
from ecs_hooks.deployment.dimensions import placeholders

_REVISION = "{revision."
_DIMENSIONS = {"LoadBalancer": "{load_balancer}", "TargetGroup": "{revision.target_group}"}

_OVER_WINDOW: dict[str, Callable[[Sequence[float]], float]] = {"mean": fmean, "median": median, "maximum": max}


class CriticalEffect(BaseModel):
    """How large the effect has to be for the failure of one metric to be a failure of all; one of the two is enough."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    mean_ratio: Annotated[float, Field(gt=1, le=1000)] | None = None
    """How many times worse green's mean is than blue's."""
    common_language: Annotated[float, Field(gt=0.5, le=1)] | None = None
    """In which share of all pairs of datapoints green's is the worse one."""

    @model_validator(mode="after")
    def _has_a_measure(self) -> CriticalEffect:
        if self.mean_ratio is None and self.common_language is None:
            raise ValueError("give mean_ratio, common_language or both")
        return self


class Sample(NamedTuple):
    """A metric of one revision in a window.

    Parameters
    ----------
    values
        Its datapoints.
    overall
        What they come to over the window; None where there are none.
    """

    values: Sequence[float]
    overall: float | None


class ComparedMetric(BaseModel):
    """A metric that both revisions have."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    metric: Annotated[str, Field(min_length=1, max_length=255)]
    """Its name, such as `TargetResponseTime`."""
    stat: Annotated[str, Field(min_length=1, max_length=100)] = "Average"
    """Statistic: `Sum`, `Average`, `p99`, ..."""
    namespace: Annotated[str, Field(min_length=1, max_length=255)] = "AWS/ApplicationELB"
    """Namespace."""
    dimensions: Annotated[dict[str, str], Field(max_length=30)] = Field(default=_DIMENSIONS)
    """Dimensions. `{revision.target_group}` is green's once, and blue's once; the others are those of `metric`."""
    per: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """A metric of which it is the share in per cent, such as `RequestCount` for errors: green and blue seldom get as much
    traffic. A count that is not reported is nought then, as CloudWatch's counts of errors are."""
    fill: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """What a period without a datapoint counts as. Default: it is left out."""
    outlier_factor: Annotated[float, Field(ge=1, le=100)] | None = None
    """Leaves out datapoints so many interquartile ranges beyond the quartiles: 1.5 or 3 are usual. Default: none."""
    direction: Literal["increase", "decrease", "either"] = "increase"
    """What is worse."""
    tolerance_percent: Annotated[float, Field(ge=0, le=1000)] | None = None
    """How much worse than blue green may be, in per cent of blue's value. Default: as the check says."""
    tolerance_difference: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """How much worse it may be in the unit of the metric, percentage points with `per`; the wider tolerance counts."""
    criteria: Annotated[tuple[CriterionText, ...], Field(max_length=10)] = ()
    """In place of the statistical test, what green's value over the window has to be: `< 600`, or relative to blue's
    `<= +10%`, `<= +0.5`. All have to hold."""
    warning: Annotated[tuple[CriterionText, ...], Field(max_length=10)] = ()
    """Wider criteria: where these hold at least, the metric counts half."""
    over_window: Literal["mean", "median", "maximum"] = "mean"
    """The value over the window that criteria look at. A share is that of the sums."""
    weight: Annotated[float, Field(gt=0, le=1000)] = 1
    """What it counts for in the score of its group."""
    group: Annotated[str, Field(max_length=80)] = ""
    """The group it belongs to."""
    critical: bool = False
    """Whether a failure of this one metric is a failure of all."""
    critical_effect: CriticalEffect | None = None
    """From which effect on it is one."""

    @model_validator(mode="after")
    def _tells_the_revisions_apart(self) -> ComparedMetric:
        if not any(_REVISION in value for value in self.dimensions.values()):
            raise ValueError(
                "dimensions: one has to have {revision.target_group}, or both revisions would be measured as one"
            )
        for value in self.dimensions_of("green").values():
            placeholders(value)
        return self

    @model_validator(mode="after")
    def _is_judged_in_one_way(self) -> ComparedMetric:
        if not self.criteria:
            if self.warning:
                raise ValueError("warning: needs criteria, of which it is the wider form")
            return self
        for name in ("tolerance_percent", "tolerance_difference", "direction", "critical_effect"):
            if name in self.model_fields_set:
                raise ValueError(f"{name}: belongs to the statistical test, which criteria replace")
        return self

    @property
    def needs_blue(self) -> bool:
        """Whether it is judged by blue's values."""
        limits = [Criterion.parse(text) for text in (*self.criteria, *self.warning)]
        return not limits or any(limit.relative for limit in limits)

    def dimensions_of(self, which: str) -> dict[str, str]:
        """Return the dimensions for `green` or `blue`."""
        return {name: value.replace(_REVISION, f"{{{which}.") for name, value in self.dimensions.items()}

    @property
    def label(self) -> str:
        """The metric as reasons name it."""
        return f"{self.metric} {self.stat}" + (f" per {self.per}" if self.per else "")

    def sample(self, reported: Mapping[float, float], whole: Mapping[float, float], periods: Sequence[float]) -> Sample:
        """Return what the datapoints of one revision come to.

        Parameters
        ----------
        reported
            Those of the metric, by time.
        whole
            Those of `per`.
        periods
            When each period of the window begins.
        """
        if self.per is not None:
            part = {stamp: reported.get(stamp, 0.0) for stamp, value in whole.items() if value > 0}
            values = {stamp: 100 * value / whole[stamp] for stamp, value in part.items()}
        elif self.fill is not None:
            values = {stamp: reported.get(stamp, self.fill) for stamp in periods}
        else:
            values = dict(reported)
        if self.outlier_factor is not None:
            inside = set(without_outliers(list(values.values()), self.outlier_factor))
            values = {stamp: value for stamp, value in values.items() if value in inside}
        kept = tuple(values.values())
        if not kept:
            return Sample((), None)
        if self.per is not None:
            return Sample(kept, 100 * sum(part[stamp] for stamp in values) / sum(whole[stamp] for stamp in values))
        return Sample(kept, _OVER_WINDOW[self.over_window](kept))
