from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Kind, Sample

PERIODS = [0.0, 60.0, 120.0, 180.0, 240.0]


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", **fields})


def test_datapoints_count_as_they_are() -> None:
    assert metric().sample({0.0: 1.0, 120.0: 2.0}, {}, PERIODS) == Sample({0.0: 1.0, 120.0: 2.0}, 1.5)
    assert metric().sample({}, {}, PERIODS) == Sample({}, None)


def test_fill_is_the_value_of_a_period_without_a_datapoint() -> None:
    filled = {0.0: 5.0, 60.0: 0.0, 120.0: 0.0, 180.0: 0.0, 240.0: 0.0}

    assert metric(fill=0).sample({0.0: 5.0}, {}, PERIODS) == Sample(filled, 1.0)


def test_per_is_a_percentage_and_over_the_window_that_of_the_sums() -> None:
    errors = metric(metric="HTTPCode_Target_5XX_Count", stat="Sum", per="RequestCount")

    sample = errors.sample({0.0: 1.0}, {0.0: 10.0, 60.0: 990.0, 120.0: 0.0}, PERIODS)

    assert sample == Sample({0.0: 10.0, 60.0: 0.0}, 0.1)


def test_outliers_count_neither_in_values_nor_in_sums() -> None:
    values = dict(zip(PERIODS, [1.0, 2.0, 3.0, 2.0, 100.0], strict=True))
    inside = dict(zip(PERIODS, [1.0, 2.0, 3.0, 2.0], strict=False))

    assert metric(outlier_factor=3).sample(values, {}, PERIODS) == Sample(inside, 2.0)
    share = metric(per="RequestCount", outlier_factor=3)
    assert share.sample(values, dict.fromkeys(PERIODS, 100.0), PERIODS) == Sample(inside, 2.0)


@pytest.mark.parametrize(("over", "value"), [("mean", 4), ("median", 2), ("maximum", 9)])
def test_over_window_is_the_statistic_for_criteria(over: str, value: float) -> None:
    assert metric(over_window=over).sample({0.0: 1.0, 60.0: 9.0, 120.0: 2.0}, {}, PERIODS).overall == value


@pytest.mark.parametrize(
    ("fields", "needed"),
    [({}, True), ({"criteria": ["< 1"]}, False), ({"criteria": ["< 1"], "warning": ["<= +5%"]}, True)],
)
def test_fixed_criteria_do_not_need_blue(fields: dict[str, Any], needed: bool) -> None:
    assert metric(**fields).needs_blue is needed


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"warning": ["< 1"]}, "warning: requires criteria"),
        ({"criteria": ["< 1"], "tolerance_percent": 5}, "tolerance_percent: belongs to the statistical test"),
        ({"criteria": ["< 1"], "direction": "decrease"}, "direction: belongs to the statistical test"),
        ({"criteria": ["< 1"], "critical_effect": {"mean_ratio": 2}}, "critical_effect: belongs"),
        ({"criteria": ["1"]}, "must be <, <=, > or >= and a limit"),
        ({"over_window": "men"}, "is not one of the allowed values .mean, median, maximum.; did you mean 'mean'"),
        ({"dimensions": {"TargetGroup": "{green.target_group}"}}, "must contain {revision.target_group}"),
        ({"critical_effect": {}}, "give mean_ratio, common_language or both"),
        ({"critical_effect": {"mean_ratio": 1}}, "greater than 1"),
    ],
)
def test_a_mistake_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        metric(**fields)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"stat": "p99"}, Kind.QUANTILE),
        ({"stat": "p99.9"}, Kind.QUANTILE),
        ({"stat": "p100"}, Kind.SERIES),
        ({"stat": "p0"}, Kind.SERIES),
        ({}, Kind.MEAN),
        ({"stat": "IQM"}, Kind.MEAN),
        ({"stat": "tm99"}, Kind.MEAN),
        ({"stat": "wm95"}, Kind.MEAN),
        ({"stat": "TM(2%:98%)"}, Kind.MEAN),
        ({"stat": "Sum"}, Kind.SERIES),
        ({"stat": "Maximum"}, Kind.SERIES),
        ({"stat": "TC(0.5:)"}, Kind.SERIES),
        ({"stat": "Sum", "per": "RequestCount"}, Kind.SHARE),
        ({"stat": "p99", "per": "RequestCount"}, Kind.SHARE),
    ],
)
def test_the_statistic_decides_how_a_metric_is_compared(fields: dict[str, Any], kind: Kind) -> None:
    assert metric(**fields).kind is kind
    assert metric(**fields).is_latency is (kind in {Kind.QUANTILE, Kind.MEAN})
