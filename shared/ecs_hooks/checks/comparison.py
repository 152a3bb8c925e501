"""The comparison check: metrics of green are no worse than those of blue in the same minutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecs_hooks.analysis.mann_whitney import mann_whitney
from ecs_hooks.checks.base import CheckContext
from ecs_hooks.checks.metrics_watch import NOTHING, MetricsWatch
from ecs_hooks.deployment.dimensions import placeholder_actions, placeholders
from ecs_hooks.deployment.metrics import ACTION
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS
from ecs_hooks.event import Stage
from ecs_hooks.outcome import Evidence, Outcome, Policy

if TYPE_CHECKING:
    from ecs_hooks.deployment.actions import SharedActions

_REVISION = "{revision."
_DIMENSIONS = {"LoadBalancer": "{load_balancer}", "TargetGroup": "{revision.target_group}"}
_NAMED = 3


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
    """A metric of which it is the share, such as `RequestCount` for errors: green and blue seldom get as much traffic."""
    direction: Literal["increase", "decrease", "either"] = "increase"
    """What is worse."""
    tolerance_percent: Annotated[float, Field(ge=0, le=1000)] = 10
    """How much worse than blue green may be."""
    weight: Annotated[float, Field(gt=0, le=1000)] = 1
    """What it counts for in the score."""
    critical: bool = False
    """Whether a failure of this one metric is a failure of all."""

    @model_validator(mode="after")
    def _tells_the_revisions_apart(self) -> ComparedMetric:
        if not any(_REVISION in value for value in self.dimensions.values()):
            message = "dimensions: one has to have {revision.target_group}, or both revisions would be measured as one"
            raise ValueError(message)
        for value in self.dimensions_of("green").values():
            placeholders(value)
        return self

    def dimensions_of(self, which: str) -> dict[str, str]:
        """Return the dimensions for `green` or `blue`."""
        return {name: value.replace(_REVISION, f"{{{which}.") for name, value in self.dimensions.items()}

    @property
    def label(self) -> str:
        """The metric as reasons name it."""
        return f"{self.metric} {self.stat}" + (f" per {self.per}" if self.per else "")


class Judged(NamedTuple):
    """What came of comparing a metric.

    Parameters
    ----------
    metric
        The metric.
    verdict
        Whether it passed; None where there are too few datapoints.
    told
        What was seen.
    """

    metric: ComparedMetric
    verdict: bool | None
    told: str


class ComparisonCheck(MetricsWatch):
    """Compares metrics of green with those of blue, minute by minute, by the Mann-Whitney U test.

    Each metric passes unless green's values are worse than blue's beyond the tolerance, and that with the confidence that
    is asked for. The weights of the metrics that passed make the score. Both revisions need traffic meanwhile: the check
    is for the steps of a linear or canary deployment. Where green has none at a step (before the first) it is skipped.
    """

    type: Literal["comparison"] = "comparison"
    metrics: Annotated[tuple[ComparedMetric, ...], Field(min_length=1, max_length=20)]
    """What is compared."""
    confidence_percent: Annotated[float, Field(ge=50, lt=100)] = 98
    """How sure a metric's failure has to be."""
    min_samples: Annotated[int, Field(ge=3, le=1440)] = 5
    """Datapoints that each revision must have of a metric."""
    missing_data: Policy = "fail"
    """What a metric with fewer is."""
    pass_score: Annotated[float, Field(ge=0, le=100)] = 95
    """Score from which on it is a pass."""
    marginal_score: Annotated[float, Field(ge=0, le=100)] = 75
    """Score below which it is a failure; in between it is inconclusive."""
    inconclusive: Policy = "fail"
    """What a score in between is."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    """Minutes from the first invocation at this step to the decision."""

    @model_validator(mode="after")
    def _scores_are_in_order(self) -> ComparisonCheck:
        if self.marginal_score > self.pass_score:
            message = "marginal_score must not be above pass_score"
            raise ValueError(message)
        return self

    def actions(self, shared: SharedActions) -> frozenset[str]:  # noqa: ARG002 - it is alone with its questions
        """Return that for metrics, those for what the placeholders stand for, and that for green's share."""
        values = [
            value
            for each in self.metrics
            for which in ("green", "blue")
            for value in each.dimensions_of(which).values()
        ]
        return frozenset({ACTION, DEPLOYMENTS}).union(*map(placeholder_actions, values))

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        if _has_no_traffic(context):
            return Outcome.skip("green has no production traffic at this step, so there is nothing to compare")
        window = self.window(context)
        series = self.series(context)

        def values(identifier: str) -> Mapping[float, float]:
            return series.get(identifier, NOTHING).between(window.begin, window.end)

        if not window.over:
            seen = len(values("green0"))
            told = f"{seen} datapoint{'' if seen == 1 else 's'} of green so far"
            return Outcome.wait(told, {"samples": seen}, retry_after=self.period_seconds)
        samples = [
            tuple(
                _shares(values(f"{which}{number}"), values(f"{which}{number}per"))
                if each.per
                else list(values(f"{which}{number}").values())
                for which in ("green", "blue")
            )
            for number, each in enumerate(self.metrics)
        ]
        return self._judge([self._compare(each, *pair) for each, pair in zip(self.metrics, samples, strict=True)])

    def _compare(self, metric: ComparedMetric, green: Sequence[float], blue: Sequence[float]) -> Judged:
        if min(len(green), len(blue)) < self.min_samples:
            told = f"{metric.label}: {len(green)} datapoints of green and {len(blue)} of blue"
            return Judged(metric, None, f"{told}, expected {self.min_samples} or more of each")
        factor = metric.tolerance_percent / 100
        worse = []
        if metric.direction in {"increase", "either"}:
            worse.append(mann_whitney(green, [value * (1 + factor) for value in blue], "greater").p_value)
        if metric.direction in {"decrease", "either"}:
            worse.append(mann_whitney(green, [value * (1 - factor) for value in blue], "less").p_value)
        failed = min(worse) * len(worse) < 1 - self.confidence_percent / 100
        told = f"{metric.label} {median(green):.4g}, of blue {median(blue):.4g}"
        return Judged(metric, not failed, told)

    def _judge(self, judged: Sequence[Judged]) -> Outcome:
        unknown = [each for each in judged if each.verdict is None]
        known = [each for each in judged if each.verdict is not None]
        failed = [each for each in known if not each.verdict]
        total = sum(each.metric.weight for each in known)
        score = 100 * sum(each.metric.weight for each in known if each.verdict) / total if total else 0.0
        evidence: Evidence = {"score": score, "failed_metrics": len(failed), "unknown_metrics": len(unknown)}
        if unknown and self.missing_data == "fail":
            return Outcome.failed(_told(unknown), evidence)
        if not known:
            return Outcome.passed(_told(unknown), evidence)
        critical = [each for each in failed if each.metric.critical]
        if critical:
            return Outcome.failed(f"critical: {_told(critical)}", evidence)
        told = f"score {score:.3g}" + (f", worse: {_told(failed)}" if failed else "")
        if score >= self.pass_score:
            return Outcome.passed(told, evidence)
        if score < self.marginal_score:
            return Outcome.failed(f"{told}; expected {self.pass_score:g} or more", evidence)
        reason = f"inconclusive: {told}; expected {self.pass_score:g} or more"
        return Outcome.by_policy(self.inconclusive, reason, evidence)

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric of each revision."""
        return [
            {
                "Id": f"{prefix}_{identifier}",
                "MetricStat": self.metric_stat(context, metric.namespace, name, stat, metric.dimensions_of(which)),
            }
            for which in ("green", "blue")
            for number, metric in enumerate(self.metrics)
            for identifier, name, stat in _asked(metric, f"{which}{number}")
        ]


def _has_no_traffic(context: CheckContext) -> bool:
    # Whether the event before a step has the weights before or after it is not documented; ECS's own record tells.
    before = context.stage == Stage.PRE_PRODUCTION_TRAFFIC_SHIFT
    return context.green_percent == 0 or (before and context.deployment.green_percent == 0)


def _asked(metric: ComparedMetric, identifier: str) -> Iterator[tuple[str, str, str]]:
    yield identifier, metric.metric, metric.stat
    if metric.per is not None:
        yield f"{identifier}per", metric.per, "Sum"


def _shares(part: Mapping[float, float], whole: Mapping[float, float]) -> list[float]:
    """Return the shares; a count that is not reported is nought, as CloudWatch's counts of errors are."""
    return [part.get(stamp, 0.0) / value for stamp, value in whole.items() if value > 0]


def _told(judged: Sequence[Judged]) -> str:
    more = len(judged) - _NAMED
    return "; ".join(each.told for each in judged[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
