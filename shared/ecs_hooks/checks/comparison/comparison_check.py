"""The comparison check: metrics of green are no worse than those of blue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA, Series, get_metric_data
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.comparison.evaluate import Defaults, MetricResult, evaluate, score
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NO_DATA, MetricWindowCheck, Window
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.placeholders import NoBlueError, placeholder_actions
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS, LIST_DEPLOYMENTS

_MAX_IN_REASON = 3
_MAX_IN_EVIDENCE = 20
_STEPS = {Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT}


class ComparisonCheck(MetricWindowCheck):
    """Compares metrics of green with those of blue, by the Mann-Whitney U test or by criteria.

    By the test, a metric fails if green's datapoints are worse than blue's by more than the tolerance, with the required
    confidence. The score is the weighted share of the metrics that passed.

    Blue's datapoints are those of the same minutes, so both revisions need traffic: at the steps of a linear or canary
    deployment. Where blue has no traffic any more, `baseline` takes the datapoints of the deployment that brought blue.
    Before the first step, when green has no production traffic, the check is skipped.
    """

    type: Literal["comparison"] = "comparison"
    metrics: Annotated[tuple[ComparedMetric, ...], Field(min_length=1, max_length=250)]
    """Metrics to compare."""
    baseline: Literal["blue", "previous"] = "blue"
    """Baseline of the comparison: `blue` in the same minutes, or, for the time after the last step, `previous`: blue in as
    many minutes from the beginning of its own bake time, when blue was as new as green is."""
    tolerance_percent: Annotated[float, Field(ge=0, le=1000)] = 10
    """How much worse green may be, in percent of blue's values, for metrics without a tolerance of their own."""
    confidence_percent: Annotated[float, Field(ge=50, lt=100)] = 98
    """Confidence that the failure of a metric requires."""
    min_samples: Annotated[int, Field(ge=3, le=1440)] = 5
    """Minimum number of datapoints of a metric for each revision."""
    missing_data: Policy = "fail"
    """Policy for a metric with fewer datapoints: fail the check, or (`pass`) leave the metric out."""
    groups: Annotated[dict[str, Annotated[float, Field(gt=0, le=1000)]], Field(max_length=50)] = Field(default={})
    """Weights of the groups of metrics. Default: 1 each."""
    pass_score: Annotated[float, Field(ge=0, le=100)] = 95
    """Minimum score of a pass."""
    marginal_score: Annotated[float, Field(ge=0, le=100)] = 75
    """Score below which the check fails; from it to `pass_score` the score is inconclusive."""
    inconclusive: Policy = "fail"
    """Policy for an inconclusive score."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    """Length of the window in minutes."""

    @model_validator(mode="after")
    def _has_scores_in_order(self) -> ComparisonCheck:
        if self.marginal_score > self.pass_score:
            raise FieldError("marginal_score: must not be greater than pass_score")
        return self

    @model_validator(mode="after")
    def _has_known_groups(self) -> ComparisonCheck:
        used = {metric.group for metric in self.metrics}
        unknown, unused = sorted(used - set(self.groups)), sorted(set(self.groups) - used)
        if self.groups and (unknown or unused):
            wrong = f"no weight for {unknown[0]!r}" if unknown else f"no metric is in {unused[0]!r}"
            raise FieldError(f"groups: {wrong}; give each group of the metrics a weight, or none of them")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        values = [
            value
            for _, metric, revision in self._metrics_of("green", "blue")
            for value in metric.dimensions_of(revision).values()
        ]
        before = {LIST_DEPLOYMENTS, DESCRIBE_DEPLOYMENTS} if self._needs_previous else set()
        required = super().requirements()
        return required._replace(
            actions=frozenset({GET_METRIC_DATA, *before}).union(*map(placeholder_actions, values)),
            # The check reads green's percentage of the traffic at the steps only.
            service_actions=lambda shared: frozenset({DESCRIBE_DEPLOYMENTS} if shared.stage in _STEPS else ()),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Read the metrics of both revisions, and compare them."""
        if context.stage in _STEPS and context.green_percent == 0:
            return Outcome.skip("green has no production traffic at this step, so there is nothing to compare")
        began = self._previous_began(context) if self._needs_previous else None
        window = self.window(context)
        series = self.series(context)
        if not window.over:
            return self._so_far(self._results(window, series, window, series))
        if began is None:
            return self._evaluate(self._results(window, series, window, series))
        # After the beginning of this deployment, blue's datapoints no longer are those of blue alone.
        end = min(began + window.end - window.begin, self._aligned(context.deployment.started_at))
        before = Window(began, end, over=True)
        return self._evaluate(self._results(window, series, before, self._previous(context, before)))

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric of each revision with datapoints in the same minutes."""
        return self._queries(context, prefix, *(("green",) if self._needs_previous else ("green", "blue")))

    def _queries(self, context: CheckContext, prefix: str, *revisions: str) -> list[dict[str, Any]]:
        queries: list[dict[str, Any]] = []
        for number, metric, revision in self._metrics_of(*revisions):
            stats = {"": (metric.metric, metric.stat)} | ({"per": (metric.per, "Sum")} if metric.per else {})
            for suffix, (name, stat) in stats.items():
                dimensions = metric.dimensions_of(revision)
                metric_stat = self.metric_stat(context, metric.namespace, name, stat, dimensions)
                queries.append({"Id": f"{prefix}_{revision}{number}{suffix}", "MetricStat": metric_stat})
        return queries

    def _metrics_of(self, *revisions: str) -> Iterator[tuple[int, ComparedMetric, str]]:
        """Yield each metric with its number and revision; for blue only the metrics that need it."""
        for revision in revisions:
            for number, metric in enumerate(self.metrics):
                if revision == "green" or metric.needs_blue:
                    yield number, metric, revision

    @property
    def _needs_previous(self) -> bool:
        return self.baseline == "previous" and any(metric.needs_blue for metric in self.metrics)

    def _previous_began(self, context: CheckContext) -> float:
        began = context.deployment.blue_bake_start
        if began is None:
            raise NoBlueError("first deployment of the service: there is no previous one to compare with")
        return -self._aligned(-began)

    def _aligned(self, time: float) -> float:
        return time // self.period_seconds * self.period_seconds

    def _previous(self, context: CheckContext, window: Window) -> dict[str, Series]:
        deployment = context.deployment

        def find() -> dict[str, Series]:
            return get_metric_data(deployment.region, self._queries(context, "c", "blue"), window.begin, window.end)

        found = deployment.facts.get(f"previous metrics {self.model_dump_json()}", find)
        return {identifier.removeprefix("c_"): each for identifier, each in found.items()}

    def _results(
        self, window: Window, series: Mapping[str, Series], blue_window: Window, blue_series: Mapping[str, Series]
    ) -> list[MetricResult]:
        defaults = Defaults(self.confidence_percent, self.tolerance_percent, self.min_samples)
        return [
            evaluate(
                metric,
                self._sample(metric, f"green{number}", window, series),
                self._sample(metric, f"blue{number}", blue_window, blue_series),
                defaults,
            )
            for number, metric in enumerate(self.metrics)
        ]

    def _sample(self, metric: ComparedMetric, identifier: str, window: Window, series: Mapping[str, Series]) -> Sample:
        reported, whole = (
            series.get(name, NO_DATA).between(window.begin, window.end) for name in (identifier, f"{identifier}per")
        )
        return metric.sample(reported, whole, range(int(window.begin), int(window.end), self.period_seconds))

    def _so_far(self, results: Sequence[MetricResult]) -> Outcome:
        samples = max(each.samples for each in results)
        worse = [each for each in results if each.points == 0]
        reason = f"{counted(samples, 'datapoint')} of green so far" + (f", worse: {_summaries(worse)}" if worse else "")
        return Outcome.wait(reason, {**_values(results), "samples": samples}, retry_after=self.period_seconds)

    def _evaluate(self, results: Sequence[MetricResult]) -> Outcome:
        unknown = [each for each in results if each.points is None]
        failed = [each for each in results if each.points == 0]
        warned = [each for each in results if each.points == 0.5]  # noqa: PLR2004 - half a pass
        reached = score(results, self.groups)
        evidence: Evidence = {
            **_values(results),
            "score": reached,
            "score_limit": self.pass_score,
            "failed_metrics": len(failed),
            "unknown_metrics": len(unknown),
        }
        if unknown and self.missing_data == "fail":
            return Outcome.failed(_summaries(unknown), evidence)
        if reached is None:
            return Outcome.passed(_summaries(unknown), evidence)
        critical = [each for each in failed if each.critical]
        if critical:
            return Outcome.failed(f"critical: {_summaries(critical)}", evidence)
        summary = f"score {reached:.3g}"
        summary += f", worse: {_summaries(failed)}" if failed else ""
        summary += f", warning: {_summaries(warned)}" if warned else ""
        if reached >= self.pass_score:
            return Outcome.passed(summary, evidence)
        if reached < self.marginal_score:
            return Outcome.failed(f"{summary}; expected {self.pass_score:g} or more", evidence)
        reason = f"inconclusive: {summary}; expected {self.pass_score:g} or more"
        return Outcome.by_policy(self.inconclusive, reason, evidence)


def _values(results: Sequence[MetricResult]) -> dict[str, float | None]:
    """Return the values of the metrics with their limits for the evidence; of many metrics, the worst ones."""
    known = sorted((each for each in results if each.value is not None), key=lambda each: each.points or 0)
    shown = known[:_MAX_IN_EVIDENCE]
    values = {each.metric.label: each.value for each in shown}
    return values | {f"{each.metric.label}_limit": each.limit for each in shown if each.limit is not None}


def _summaries(results: Sequence[MetricResult]) -> str:
    return listed([each.summary for each in results], _MAX_IN_REASON)
