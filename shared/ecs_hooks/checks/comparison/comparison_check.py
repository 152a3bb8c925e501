"""The comparison check: metrics of green are no worse than those of blue."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.aws.cloudwatch import GET_METRIC_DATA, Series, get_metric_data
from ecs_hooks.checks.base import Requirements
from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Kind
from ecs_hooks.checks.comparison.evaluate import MetricResult, evaluate, score
from ecs_hooks.checks.comparison.metric_queries import Statistic, cut_statistics, first_statistics, read_side
from ecs_hooks.checks.comparison.quantile import find_cut
from ecs_hooks.checks.comparison.sides import FEW_REQUESTS, MIN_REQUESTS, Settings
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import FurtherQueries, MetricWindowCheck, Window
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Evidence, Outcome, Policy, Status
from ecs_hooks.core.validation_errors import FieldError
from ecs_hooks.deployment.placeholders import NoBlueError, placeholder_actions, unmeasured
from ecs_hooks.deployment.service_deployment import DESCRIBE_DEPLOYMENTS, LIST_DEPLOYMENTS

_MIN_SAMPLES = 5
_MAX_IN_REASON = 3
_MAX_IN_EVIDENCE = 20
_STEPS = {Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT}


class ComparisonCheck(MetricWindowCheck):
    """Compares metrics of green with those of blue, by statistical tests or by criteria.

    By a test, a metric fails if green is worse than blue by more than the tolerance, with the required confidence: errors and
    percentiles by counts of requests, all others minute by minute. A break in the last minutes fails at once. The score is the
    weighted share of the metrics that passed.

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
    min_samples: Annotated[int, Field(ge=3, le=1440)] | None = None
    """Minimum number of datapoints of a metric for each revision. Default: 5, or more where the confidence requires more."""
    warm_up_minutes: Annotated[float, Field(ge=0, le=1440)] = 3
    """Minutes from green's first request in which slow minutes do not count, up to the first that is not slower than the
    later ones are in the median: a new revision has cold caches. Only for latency: percentiles, `Average`, trimmed means."""
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

    @model_validator(mode="after")
    def _can_fail_and_pass(self) -> ComparisonCheck:
        problems: list[str] = []
        least = _least_samples(self.confidence_percent)
        if self.datapoints < least and not all(metric.criteria for metric in self.metrics):
            problems.append(
                f"min_samples: must be at least {least}; with fewer datapoints no difference has a confidence of "
                f"{self.confidence_percent:g} %"
            )
        needed = self.datapoints * self.period_seconds / 60
        if self.window_minutes < needed:
            problems.append(
                f"window_minutes: must be at least {needed:g}, for {self.datapoints} datapoints (min_samples) of "
                f"{self.period_seconds} s"
            )
        elif self.warm_up_minutes > self.window_minutes - needed and "warm_up_minutes" in self.model_fields_set:
            problems.append(
                f"warm_up_minutes: must be at most {self.window_minutes - needed:g}, so that {self.datapoints} datapoints "
                "(min_samples) of the window remain"
            )
        if problems:
            raise FieldError(*problems)
        return self

    @property
    def datapoints(self) -> int:
        """Minimum number of datapoints of a metric for each revision."""
        return (
            max(_MIN_SAMPLES, _least_samples(self.confidence_percent)) if self.min_samples is None else self.min_samples
        )

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        values = [
            value
            for _, metric, revision in self._metrics_of("green", "blue")
            for value in metric.dimensions_of(revision).values()
        ]
        before = {LIST_DEPLOYMENTS, DESCRIBE_DEPLOYMENTS} if self._needs_previous else set()
        if any(not metric.criteria for metric in self.metrics):
            before.add(DESCRIBE_DEPLOYMENTS)  # when blue served alone
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
        if self._needs_previous:
            self._previous_window(context)  # an unknown previous deployment fails at once
        window, series = self.window(context), self.series(context)
        previous = self._previous(context) if self._needs_previous and window.over else {}
        blue_window = self._previous_window(context) if previous else window
        results = [
            self._evaluated(context, number, window, blue_window, {**series, **previous})
            for number in range(len(self.metrics))
        ]
        if not window.over:
            return self._so_far(results)
        outcome = self._evaluate(results)
        if outcome.status is not Status.PASS:
            return outcome
        dimensions = {
            value
            for _, metric, revision in self._metrics_of("green")
            for value in metric.dimensions_of(revision).values()
        }
        return outcome.leaving_out(unmeasured(dimensions, context.deployment))

    def _evaluated(
        self, context: CheckContext, number: int, window: Window, blue_window: Window, series: Mapping[str, Series]
    ) -> MetricResult:
        metric, period = self.metrics[number], self.period_seconds
        earlier = None
        if f"earlier{number}" in series:
            earlier = read_side(metric, f"earlier{number}", self._earlier_window(context), series, period)
        return evaluate(
            metric,
            read_side(metric, f"green{number}", window, series, period),
            read_side(metric, f"blue{number}", blue_window, series, period),
            self._settings,
            earlier=earlier,
        )

    @property
    def _settings(self) -> Settings:
        return Settings(
            self.confidence_percent,
            self.tolerance_percent,
            self.datapoints,
            self.warm_up_minutes * 60,
            self.period_seconds,
            self.planned_periods,
        )

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return the queries of each metric of each revision with datapoints in the same minutes."""
        return self._queries(context, prefix, *(("green",) if self._needs_previous else ("green", "blue")))

    def further_queries(self, context: CheckContext, prefix: str, series: Mapping[str, Series]) -> FurtherQueries:
        """Return the queries for the numbers of requests above the cuts, which the first datapoints define."""
        window = self._window(context)
        if self._needs_previous and not window.over:
            return FurtherQueries()
        blue_window, known, begin = window, {**series}, math.inf
        if self._needs_previous:
            blue_window = self._previous_window(context)
            known, begin = {**series, **self._previous(context)}, blue_window.begin
        queries: list[dict[str, Any]] = []
        for number, metric in enumerate(self.metrics):
            if metric.criteria or metric.kind is Kind.SERIES:
                continue
            green = read_side(metric, f"green{number}", window, known, self.period_seconds)
            blue = read_side(metric, f"blue{number}", blue_window, known, self.period_seconds)
            fewer = self._needs_previous or green.requests < max(MIN_REQUESTS, blue.requests)
            lacks_blue = not fewer and blue.requests < MIN_REQUESTS
            if lacks_blue or (metric.kind is Kind.SHARE and not fewer and blue.requests < FEW_REQUESTS):
                begin = min(begin, self._earlier_window(context).begin)
                queries += self._statistics(
                    context, prefix, f"earlier{number}", metric, "blue", first_statistics(metric)
                )
            if metric.kind is Kind.QUANTILE:
                cut = find_cut(metric, green, blue, self._settings, by_green=lacks_blue)
                if cut is not None:
                    baseline = f"earlier{number}" if lacks_blue else f"blue{number}"
                    for name, revision in ((f"green{number}", "green"), (baseline, "blue")):
                        cuts = cut_statistics(metric, cut, revision)
                        queries += self._statistics(context, prefix, name, metric, revision, cuts)
        return FurtherQueries(queries, begin)

    def _queries(self, context: CheckContext, prefix: str, *revisions: str) -> list[dict[str, Any]]:
        return [
            query
            for number, metric, revision in self._metrics_of(*revisions)
            for query in self._statistics(
                context, prefix, f"{revision}{number}", metric, revision, first_statistics(metric)
            )
        ]

    def _statistics(
        self,
        context: CheckContext,
        prefix: str,
        name: str,
        metric: ComparedMetric,
        revision: str,
        statistics: Iterable[Statistic],
    ) -> Iterator[dict[str, Any]]:
        """Yield the query of each statistic of a metric of one revision."""
        dimensions = metric.dimensions_of(revision)
        for suffix, metric_name, stat, whole_window in statistics:
            metric_stat = self.metric_stat(context, metric.namespace, metric_name, stat, dimensions)
            if whole_window:
                # Periods are multiples of a minute.
                metric_stat["Period"] = max(self.period_seconds, math.ceil(self.window_minutes) * 60)
            yield {"Id": f"{prefix}_{name}{suffix}", "MetricStat": metric_stat}

    def _metrics_of(self, *revisions: str) -> Iterator[tuple[int, ComparedMetric, str]]:
        """Yield each metric with its number and revision; for blue only the metrics that need it."""
        for revision in revisions:
            for number, metric in enumerate(self.metrics):
                if revision == "green" or metric.needs_blue:
                    yield number, metric, revision

    @property
    def _needs_previous(self) -> bool:
        return self.baseline == "previous" and any(metric.needs_blue for metric in self.metrics)

    def _previous_window(self, context: CheckContext) -> Window:
        """Return the window in which blue was as new as green is."""
        began = context.deployment.blue_bake_start
        if began is None:
            raise NoBlueError("first deployment of the service: there is no previous one to compare with")
        window, begin = self._window(context), -self._aligned(-began)
        # After the beginning of this deployment, blue's datapoints no longer are those of blue alone.
        end = min(begin + window.end - window.begin, self._aligned(context.deployment.started_at))
        return Window(begin, end, over=True)

    def _earlier_window(self, context: CheckContext) -> Window:
        """Return the last window before this deployment, when blue had all of the traffic."""
        end = self._aligned(context.deployment.started_at)
        return Window(end - math.ceil(self.window_minutes) * 60, end, over=True)

    def _aligned(self, time: float) -> float:
        return time // self.period_seconds * self.period_seconds

    def _previous(self, context: CheckContext) -> dict[str, Series]:
        deployment, window = context.deployment, self._previous_window(context)

        def find() -> dict[str, Series]:
            return get_metric_data(deployment.region, self._queries(context, "c", "blue"), window.begin, window.end)

        found = deployment.facts.get(f"previous metrics {self.model_dump_json()}", find)
        return {identifier.removeprefix("c_"): each for identifier, each in found.items()}

    def _so_far(self, results: Sequence[MetricResult]) -> Outcome:
        broken = [each._replace(points=0.0 if each.broke else 1.0) for each in results]
        reached = score(broken, self.groups)
        if any(each.broke and each.critical for each in results) or (
            reached is not None and reached < self.marginal_score
        ):
            return self._evaluate([each for each in broken if each.broke])
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
        # What a critical metric has not shown is never a pass.
        needed = [each for each in unknown if self.missing_data == "fail" or each.metric.critical]
        if needed:
            return Outcome.failed(_summaries(needed), evidence)
        if reached is None:
            return Outcome.passed(_summaries(unknown), evidence)
        critical = [each for each in failed if each.critical]
        if critical:
            return Outcome.failed(f"critical: {_summaries(critical)}", evidence)
        summary = f"score {reached:.3g}"
        summary += f", worse: {_summaries(failed)}" if failed else ""
        summary += f", warning: {_summaries(warned)}" if warned else ""
        if reached >= self.pass_score:
            weak = [each for each in results if each.points and each.caveat]
            left_out = [f"metric {each.metric.label} (too little data)" for each in unknown]
            reason = "; ".join([summary, *([_listed(weak)] if weak else [])])
            return Outcome.passed(reason, evidence).leaving_out(left_out)
        if reached < self.marginal_score:
            return Outcome.failed(f"{summary}; expected {self.pass_score:g} or more", evidence)
        reason = f"inconclusive: {summary}; expected {self.pass_score:g} or more"
        return Outcome.by_policy(self.inconclusive, reason, evidence)


def _least_samples(confidence_percent: float) -> int:
    """Return the least number of datapoints of each revision that can show a difference with this confidence.

    If green equals blue, the probability that all of n datapoints of green are greater than all of blue's is 1 / C(2n, n).
    """
    return next(
        number for number in count(1) if 1 / math.comb(2 * number, number) <= 1 - confidence_percent / 100 + 1e-12
    )


def _values(results: Sequence[MetricResult]) -> dict[str, float | None]:
    """Return the values of the metrics with their limits for the evidence; of many metrics, the worst ones."""
    known = sorted((each for each in results if each.value is not None), key=lambda each: each.points or 0)
    shown = known[:_MAX_IN_EVIDENCE]
    values = {each.metric.label: each.value for each in shown}
    limits = {f"{each.metric.label}_limit": each.limit for each in shown if each.limit is not None}
    detectable = {f"{each.metric.label}_detectable": each.detectable for each in shown if each.detectable is not None}
    return values | limits | detectable


def _summaries(results: Sequence[MetricResult]) -> str:
    return listed([each.summary for each in results], _MAX_IN_REASON)


def _listed(results: Sequence[MetricResult]) -> str:
    return listed([each.caveat for each in results], _MAX_IN_REASON)
