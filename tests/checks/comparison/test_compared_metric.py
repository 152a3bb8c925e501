from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Criterion, Sample

PERIODS = [0.0, 60.0, 120.0, 180.0, 240.0]


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", **fields})


def test_datapoints_count_as_they_are() -> None:
    assert metric().sample({0.0: 1.0, 120.0: 2.0}, {}, PERIODS) == Sample((1.0, 2.0), 1.5)
    assert metric().sample({}, {}, PERIODS) == Sample((), None)


def test_fill_is_the_value_of_a_period_without_a_datapoint() -> None:
    assert metric(fill=0).sample({0.0: 5.0}, {}, PERIODS) == Sample((5.0, 0.0, 0.0, 0.0, 0.0), 1.0)


def test_per_is_a_percentage_and_over_the_window_that_of_the_sums() -> None:
    errors = metric(metric="HTTPCode_Target_5XX_Count", stat="Sum", per="RequestCount")

    sample = errors.sample({0.0: 1.0}, {0.0: 10.0, 60.0: 990.0, 120.0: 0.0}, PERIODS)

    assert sample == Sample((10.0, 0.0), 0.1)


def test_outliers_count_neither_in_values_nor_in_sums() -> None:
    values = dict(zip(PERIODS, [1.0, 2.0, 3.0, 2.0, 100.0], strict=True))

    assert metric(outlier_factor=3).sample(values, {}, PERIODS) == Sample((1.0, 2.0, 3.0, 2.0), 2.0)
    share = metric(per="RequestCount", outlier_factor=3)
    assert share.sample(values, dict.fromkeys(PERIODS, 100.0), PERIODS) == Sample((1.0, 2.0, 3.0, 2.0), 2.0)


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
    ("text", "green", "blue", "held"),
    [
        ("< 600", 599.9, None, True),
        ("< 600", 600, None, False),
        ("<=600", 600, None, True),
        ("> 0.5", 0.5, None, False),
        (">= .5", 0.5, None, True),
        ("<= +10%", 1.1, 1.0, True),
        ("<= +10%", 1.11, 1.0, False),
        ("< +0%", 1.0, 1.0, False),
        (">= -5%", 95, 100, True),
        (">= -5%", 94, 100, False),
        ("<= +10%", -89, -100, False),
        ("<= +10%", -91, -100, True),
        ("<= +0.5", 1.5, 1.0, True),
        ("<= +0.5", 1.6, 1.0, False),
        (">= -0.5", 0.4, 1.0, False),
        ("<= +10%", 0.0, 0.0, True),
    ],
)
def test_a_criterion_is_fixed_or_relative_to_blue(text: str, green: float, blue: float | None, held: bool) -> None:
    assert Criterion.parse(text).holds(green, blue) is held


@pytest.mark.parametrize("text", ["", "600", "== 3", "< ", "< a", "<= 10 ms", "< 1e3", "< +-3", "=< 3", "< nan"])
def test_another_text_is_not_a_criterion(text: str) -> None:
    with pytest.raises(ValueError, match="'< 600', or relative to blue, '<= \\+10%'"):
        Criterion.parse(text)


def test_a_percentage_requires_a_sign() -> None:
    with pytest.raises(ValueError, match="requires a sign"):
        Criterion.parse("<= 10%")


def test_a_relative_limit_requires_a_value_of_blue() -> None:
    with pytest.raises(ValueError, match="blue has no value"):
        Criterion.parse("<= +10%").limit(None)
