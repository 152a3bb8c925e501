from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks.comparison.metric import ComparedMetric, Sample

PERIODS = [0.0, 60.0, 120.0, 180.0, 240.0]


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", **fields})


def test_datapoints_are_taken_as_they_are() -> None:
    assert metric().sample({0.0: 1.0, 120.0: 2.0}, {}, PERIODS) == Sample((1.0, 2.0), 1.5)
    assert metric().sample({}, {}, PERIODS) == Sample((), None)


def test_a_period_without_a_datapoint_may_count() -> None:
    assert metric(fill=0).sample({0.0: 5.0}, {}, PERIODS) == Sample((5.0, 0.0, 0.0, 0.0, 0.0), 1.0)


def test_a_share_is_in_per_cent_and_over_the_window_that_of_the_sums() -> None:
    errors = metric(metric="HTTPCode_Target_5XX_Count", stat="Sum", per="RequestCount")

    sample = errors.sample({0.0: 1.0}, {0.0: 10.0, 60.0: 990.0, 120.0: 0.0}, PERIODS)

    assert sample == Sample((10.0, 0.0), 0.1)


def test_outliers_are_left_out_of_values_and_sums() -> None:
    values = dict(zip(PERIODS, [1.0, 2.0, 3.0, 2.0, 100.0], strict=True))

    assert metric(outlier_factor=3).sample(values, {}, PERIODS) == Sample((1.0, 2.0, 3.0, 2.0), 2.0)
    share = metric(per="RequestCount", outlier_factor=3)
    assert share.sample(values, dict.fromkeys(PERIODS, 100.0), PERIODS) == Sample((1.0, 2.0, 3.0, 2.0), 2.0)


@pytest.mark.parametrize(("over", "value"), [("mean", 4), ("median", 2), ("maximum", 9)])
def test_what_criteria_look_at(over: str, value: float) -> None:
    assert metric(over_window=over).sample({0.0: 1.0, 60.0: 9.0, 120.0: 2.0}, {}, PERIODS).overall == value


@pytest.mark.parametrize(
    ("fields", "needed"),
    [({}, True), ({"criteria": ["< 1"]}, False), ({"criteria": ["< 1"], "warning": ["<= +5%"]}, True)],
)
def test_what_needs_blue(fields: dict[str, Any], needed: bool) -> None:
    assert metric(**fields).needs_blue is needed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"warning": ["< 1"]}, "warning: needs criteria"),
        ({"criteria": ["< 1"], "tolerance_percent": 5}, "tolerance_percent: belongs to the statistical test"),
        ({"criteria": ["< 1"], "direction": "decrease"}, "direction: belongs to the statistical test"),
        ({"criteria": ["< 1"], "critical_effect": {"mean_ratio": 2}}, "critical_effect: belongs"),
        ({"criteria": ["1"]}, "a criterion is"),
        ({"critical_effect": {}}, "give mean_ratio, common_language or both"),
        ({"critical_effect": {"mean_ratio": 1}}, "greater than 1"),
    ],
)
def test_mistakes(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        metric(**fields)
