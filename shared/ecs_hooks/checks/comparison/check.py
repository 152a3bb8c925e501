"""The comparison check: metrics of green are no worse than those of blue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ecs_hooks.aws.metrics import ACTION, Series, get_metric_data
from ecs_hooks.checks.comparison.evaluate import Judged, Rules, judge, score
from ecs_hooks.checks.comparison.metric import ComparedMetric, Sample
from ecs_hooks.checks.context import CheckContext
from ecs_hooks.checks.metric_window import NOTHING, MetricsWatch, Window
from ecs_hooks.checks.requirements import Requirements
from ecs_hooks.core.event import Stage
from ecs_hooks.core.formatting import counted, listed
from ecs_hooks.core.outcome import Evidence, Outcome, Policy
from ecs_hooks.deployment.dimensions import NoBlueError, placeholder_actions
from ecs_hooks.deployment.previous import ACTION as PREVIOUS
from ecs_hooks.deployment.service_deployment import ACTION as DEPLOYMENTS

_NAMED = 3
"""Metrics that a reason names."""
_SHOWN = 20
"""Metrics whose values go into the log."""
_STEPS = {Stage.PRE_PRODUCTION_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT}


class ComparisonCheck(MetricsWatch):
    """Compares metrics of green with those of blue, by the Mann-Whitney U test or by criteria.

    By the test a metric passes unless green's datapoints are worse than blue's beyond the tolerance, and that with the
    confidence that is asked for. The weights of the metrics that passed make the score.

    Blue's datapoints are those of the same minutes, so both revisions need traffic meanwhile: at the steps of a linear or
    canary deployment. Where blue has none any more, those of the deployment that brought blue stand in for them
    (`baseline`). Before the first step, when green has no production traffic, the check is skipped.
    """

    type: Literal["comparison"] = "comparison"
    metrics: Annotated[tuple[ComparedMetric, ...], Field(min_length=1, max_length=250)]
    """What is compared."""
    baseline: Literal["blue", "previous"] = "blue"
    """What green is compared with: `blue` in the same minutes, or, for after the last step, `previous`: blue in as many
    minutes from the beginning of its own bake time, when it was as new as green."""
    tolerance_percent: Annotated[float, Field(ge=0, le=1000)] = 10
    """How much worse than blue green may be, in per cent of blue's values, where a metric does not say."""
    confidence_percent: Annotated[float, Field(ge=50, lt=100)] = 98
    """How sure a metric's failure has to be."""
    min_samples: Annotated[int, Field(ge=3, le=1440)] = 5
    """Datapoints that each revision must have of a metric."""
    missing_data: Policy = "fail"
    """What a metric with fewer is: a failure of all, or (`pass`) left out."""
    groups: Annotated[dict[str, Annotated[float, Field(gt=0, le=1000)]], Field(max_length=50)] = Field(default={})
    """Weights of the groups that metrics belong to. Default: 1 each."""
    pass_score: Annotated[float, Field(ge=0, le=100)] = 95
    """Score from which on it is a pass."""
    marginal_score: Annotated[float, Field(ge=0, le=100)] = 75
    """Score below which it is a failure; in between it is inconclusive."""
    inconclusive: Policy = "fail"
    """What a score in between is."""
    window_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    """Minutes that are compared, up to the decision."""

    @model_validator(mode="after")
    def _scores_are_in_order(self) -> ComparisonCheck:
        if self.marginal_score > self.pass_score:
            raise ValueError("marginal_score must not be above pass_score")
        return self

    @model_validator(mode="after")
    def _groups_are_known(self) -> ComparisonCheck:
        used = {metric.group for metric in self.metrics}
        unknown, unused = sorted(used - set(self.groups)), sorted(set(self.groups) - used)
        if self.groups and (unknown or unused):
            wrong = f"no weight for {unknown[0]!r}" if unknown else f"no metric is in {unused[0]!r}"
            raise ValueError(f"groups: {wrong}; give each group of the metrics a weight, or none")
        return self

    def requirements(self) -> Requirements:
        """Return what the check requires."""
        values = [
            value
            for _, metric, which in self._revisions(("green", "blue"))
            for value in metric.dimensions_of(which).values()
        ]
        before = {PREVIOUS, DEPLOYMENTS} if self._needs_previous else set()
        required = super().requirements()
        return required._replace(
            actions=frozenset({ACTION, *before}).union(*map(placeholder_actions, values)),
            # Green's share of the traffic is read at the steps only.
            service_actions=lambda shared: frozenset({DEPLOYMENTS} if shared.stage in _STEPS else ()),
        )

    def run(self, context: CheckContext) -> Outcome:
        """Ask, and compare."""
        if context.stage in _STEPS and context.green_percent == 0:
            return Outcome.skip("green has no production traffic at this step, so there is nothing to compare")
        began = self._previous_began(context) if self._needs_previous else None
        window = self.window(context)
        series = self.series(context)
        if not window.over:
            return self._so_far(self._judged(window, series, window, series))
        if began is None:
            return self._judge(self._judged(window, series, window, series))
        # What blue has measured since this deployment began may be measured beside green.
        end = min(began + window.end - window.begin, self._aligned(context.deployment.started_at))
        before = Window(began, end, over=True)
        return self._judge(self._judged(window, series, before, self._previous(context, before)))

    def data_queries(self, context: CheckContext, prefix: str) -> list[dict[str, Any]]:
        """Return a query for each metric of each revision that is looked at in the same minutes."""
        return self._queries(context, prefix, ("green",) if self._needs_previous else ("green", "blue"))

    def _queries(self, context: CheckContext, prefix: str, revisions: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {
                "Id": f"{prefix}_{identifier}",
                "MetricStat": self.metric_stat(context, metric.namespace, name, stat, metric.dimensions_of(which)),
            }
            for number, metric, which in self._revisions(revisions)
            for identifier, name, stat in _asked(metric, f"{which}{number}")
        ]

    def _revisions(self, revisions: Sequence[str]) -> Iterator[tuple[int, ComparedMetric, str]]:
        """Yield each metric, with its number, for each of the revisions of which it is asked for."""
        for which in revisions:
            for number, metric in enumerate(self.metrics):
                if which == "green" or metric.needs_blue:
                    yield number, metric, which

    @property
    def _needs_previous(self) -> bool:
        return self.baseline == "previous" and any(metric.needs_blue for metric in self.metrics)

    def _previous_began(self, context: CheckContext) -> float:
        began = context.deployment.blue_served_alone
        if began is None:
            raise NoBlueError("this is the first deployment of the service, so there is no earlier one to compare with")
        return -self._aligned(-began)

    def _aligned(self, time: float) -> float:
        return time // self.period_seconds * self.period_seconds

    def _previous(self, context: CheckContext, window: Window) -> dict[str, Series]:
        deployment = context.deployment

        def find() -> dict[str, Series]:
            queries = self._queries(context, "c", ("blue",))
            return get_metric_data(deployment.region, queries, window.begin, window.end)

        found = deployment.facts.get(f"previous metrics {self.model_dump_json()}", find)
        return {identifier.removeprefix("c_"): each for identifier, each in found.items()}

    def _judged(
        self, window: Window, series: Mapping[str, Series], blue_window: Window, blue_series: Mapping[str, Series]
    ) -> list[Judged]:
        rules = Rules(self.confidence_percent, self.tolerance_percent, self.min_samples)
        return [
            judge(
                metric,
                self._sample(metric, f"green{number}", window, series),
                self._sample(metric, f"blue{number}", blue_window, blue_series),
                rules,
            )
            for number, metric in enumerate(self.metrics)
        ]

    def _sample(self, metric: ComparedMetric, identifier: str, window: Window, series: Mapping[str, Series]) -> Sample:
        def points(name: str) -> Mapping[float, float]:
            return series.get(name, NOTHING).between(window.begin, window.end)

        periods = range(int(window.begin), int(window.end), self.period_seconds)
        return metric.sample(points(identifier), points(f"{identifier}per") if metric.per else {}, periods)

    def _so_far(self, judged: Sequence[Judged]) -> Outcome:
        seen = max(each.samples for each in judged)
        worse = [each for each in judged if each.points == 0]
        told = f"{counted(seen, 'datapoint')} of green so far" + (f", worse: {_told(worse)}" if worse else "")
        return Outcome.wait(told, {**_evidence(judged), "samples": seen}, retry_after=self.period_seconds)

    def _judge(self, judged: Sequence[Judged]) -> Outcome:
        unknown = [each for each in judged if each.points is None]
        failed = [each for each in judged if each.points == 0]
        warned = [each for each in judged if each.points == 0.5]  # noqa: PLR2004 - half a pass
        reached = score(judged, self.groups)
        evidence: Evidence = {
            **_evidence(judged),
            "score": reached,
            "score_limit": self.pass_score,
            "failed_metrics": len(failed),
            "unknown_metrics": len(unknown),
        }
        if unknown and self.missing_data == "fail":
            return Outcome.failed(_told(unknown), evidence)
        if reached is None:
            return Outcome.passed(_told(unknown), evidence)
        critical = [each for each in failed if each.critical]
        if critical:
            return Outcome.failed(f"critical: {_told(critical)}", evidence)
        told = f"score {reached:.3g}"
        told += f", worse: {_told(failed)}" if failed else ""
        told += f", warning: {_told(warned)}" if warned else ""
        if reached >= self.pass_score:
            return Outcome.passed(told, evidence)
        if reached < self.marginal_score:
            return Outcome.failed(f"{told}; expected {self.pass_score:g} or more", evidence)
        reason = f"inconclusive: {told}; expected {self.pass_score:g} or more"
        return Outcome.by_policy(self.inconclusive, reason, evidence)


def _asked(metric: ComparedMetric, identifier: str) -> Iterator[tuple[str, str, str]]:
    yield identifier, metric.metric, metric.stat
    if metric.per is not None:
        yield f"{identifier}per", metric.per, "Sum"


def _evidence(judged: Sequence[Judged]) -> dict[str, float | None]:
    """Return the values of the metrics beside their limits, the worst metrics first where they are many."""
    known = sorted((each for each in judged if each.value is not None), key=lambda each: each.points or 0)[:_SHOWN]
    values = {each.metric.label: each.value for each in known}
    return values | {f"{each.metric.label}_limit": each.limit for each in known if each.limit is not None}


def _told(judged: Sequence[Judged]) -> str:
    return listed([each.told for each in judged], _NAMED)
