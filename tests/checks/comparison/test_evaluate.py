from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.comparison.evaluate import MetricResult, evaluate, score
from ecs_hooks.checks.comparison.sides import Settings, Side

SETTINGS = Settings(98, 10, 5)
BLUE = [20.0, 22.0, 19.0, 21.0, 20.0, 23.0, 18.0, 20.0, 21.0, 19.0, 22.0, 20.0, 21.0, 20.0, 19.0]
POSITIVE = st.lists(st.floats(0.001, 1e6), min_size=5, max_size=20)


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "M", **fields})


def side(values: list[float]) -> Side:
    points = {60.0 * minute: value for minute, value in enumerate(values)}
    return Side(Sample(points, fmean(values) if values else None), points, {}, {}, {}, {})


def times(factor: float) -> list[float]:
    return [factor * value for value in BLUE]


def evaluated(green: list[float], blue: list[float] = BLUE, **fields: Any) -> MetricResult:
    return evaluate(metric(**fields), side(green), side(blue), SETTINGS)


@pytest.mark.parametrize(
    ("factor", "fields", "points"),
    [
        (1.3, {}, 0),
        (1.3, {"tolerance_percent": 40}, 1),
        (1.3, {"tolerance_difference": 10}, 1),
        (1.3, {"tolerance_difference": 1}, 0),
        (1.3, {"tolerance_percent": 0, "tolerance_difference": 10}, 1),
        (0.7, {"direction": "decrease"}, 0),
        (0.7, {"direction": "decrease", "tolerance_difference": 10}, 1),
        (1.0, {"direction": "either"}, 1),
    ],
)
def test_the_wider_tolerance_applies(factor: float, fields: dict[str, Any], points: float) -> None:
    assert evaluated(times(factor), **fields).points == points


@pytest.mark.parametrize(
    ("factor", "fields", "critical"),
    [
        (1.3, {}, False),
        (1.3, {"critical": True}, True),
        (1.3, {"critical_effect": {"mean_ratio": 1.5}}, False),
        (1.6, {"critical_effect": {"mean_ratio": 1.5}}, True),
        (1.3, {"critical_effect": {"common_language": 0.95}}, True),
        (1.1, {"critical_effect": {"common_language": 1}}, False),
        (0.5, {"direction": "decrease", "critical_effect": {"mean_ratio": 1.5}}, True),
        (0.8, {"direction": "decrease", "critical_effect": {"mean_ratio": 1.5}}, False),
        (0.8, {"direction": "decrease", "critical_effect": {"common_language": 0.9}}, True),
        (0.5, {"direction": "either", "critical_effect": {"mean_ratio": 1.5}}, True),
        (2.0, {"direction": "either", "critical_effect": {"common_language": 0.9}}, True),
    ],
)
def test_a_large_effect_is_critical(factor: float, fields: dict[str, Any], critical: bool) -> None:
    assert evaluated(times(factor), **fields).critical is critical


def test_the_ratio_to_a_mean_of_0_is_infinite() -> None:
    fields = {"critical_effect": {"mean_ratio": 1000}}

    assert evaluated([1.0] * 9, [0.0] * 9, **fields).critical
    assert not evaluated([0.0] * 9, [0.0] * 9, **fields).critical


@pytest.mark.parametrize(
    ("criteria", "warning", "points", "summary"),
    [
        (["< 30"], [], 1, "M Average 26.43"),
        (["< 20"], [], 0, "M Average 26.43, expected < 20"),
        (["<= +10%"], [], 0, "M Average 26.43 (blue 20.33), expected <= +10%"),
        (["<= +10%"], ["<= +40%"], 0.5, "M Average 26.43 (blue 20.33), expected <= +10%"),
        (["<= +10%", "< 20"], [], 0, "M Average 26.43 (blue 20.33), expected <= +10% and < 20"),
        (["<= +7"], ["<= +8"], 1, "M Average 26.43 (blue 20.33)"),
        ([">= 5"], [], 1, "M Average 26.43"),
    ],
)
def test_all_criteria_must_hold(criteria: list[str], warning: list[str], points: float, summary: str) -> None:
    seen = evaluated(times(1.3), criteria=criteria, warning=warning)

    assert (seen.points, seen.summary) == (points, summary)


def test_the_limit_is_the_lowest_upper_limit() -> None:
    assert evaluated(times(1), criteria=["< 30", "<= +10%", ">= 1"]).limit == pytest.approx(1.1 * fmean(BLUE))
    assert evaluated(times(1), criteria=[">= 1"]).limit is None
    assert evaluated(times(1)).limit == pytest.approx(22)
    assert evaluated(times(1), direction="decrease").limit == pytest.approx(18)


@pytest.mark.parametrize(
    ("green", "blue", "fields", "summary"),
    [
        ([1.0] * 4, BLUE, {}, "M Average: 4 datapoints of green and 15 of blue, expected 5 or more of each"),
        (
            BLUE,
            [],
            {"criteria": ["<= +1%"]},
            "M Average: 15 datapoints of green and 0 of blue, expected 5 or more of each",
        ),
        ([], [], {"criteria": ["< 1"]}, "M Average: 0 datapoints of green, expected 5 or more"),
    ],
)
def test_too_few_datapoints_have_no_points(
    green: list[float], blue: list[float], fields: dict[str, Any], summary: str
) -> None:
    seen = evaluated(green, blue, **fields)

    assert (seen.points, seen.summary) == (None, summary)


def test_a_fixed_criterion_does_not_need_blue() -> None:
    assert evaluated(BLUE, [], criteria=["< 30"]).points == 1


@given(POSITIVE, st.floats(0.1, 10), st.sampled_from(["increase", "decrease", "either"]))
def test_the_unit_of_a_metric_does_not_matter(green: list[float], factor: float, direction: str) -> None:
    # Powers of two, so that scaling is exact.
    scale = 2.0 ** round(factor)
    first = evaluated(green, BLUE, direction=direction)
    second = evaluated([scale * value for value in green], [scale * value for value in BLUE], direction=direction)

    assert first.points == second.points


@given(POSITIVE)
def test_green_that_is_blue_never_fails(values: list[float]) -> None:
    for direction in ("increase", "decrease", "either"):
        assert evaluated(values, values, direction=direction, tolerance_percent=0).points == 1
    assert evaluated(values, values, criteria=["<= +1%", ">= -1%"]).points == 1


@given(POSITIVE, POSITIVE, st.floats(0, 50))
def test_more_tolerance_never_fails_a_metric(green: list[float], blue: list[float], more: float) -> None:
    strict, lax = (evaluated(green, blue, tolerance_percent=10 + each).points for each in (0, more))

    assert (strict, lax) != (1, 0)


def of(points: float | None, group: str = "", weight: float = 1) -> MetricResult:
    return MetricResult(metric(group=group, weight=weight), points, "", 10)


def test_groups_count_by_their_weights_whatever_their_number_of_metrics() -> None:
    results = [of(0, "errors"), of(1, "latency"), of(1, "latency"), of(1, "latency")]

    assert score(results, {}) == 50
    assert score(results, {"errors": 3, "latency": 1}) == 25
    assert score([of(1, "a", 3), of(0, "a", 1), of(0.5, "b")], {}) == 62.5


def test_a_metric_without_points_is_not_part_of_the_score() -> None:
    assert score([of(None, "errors"), of(0.5, "latency"), of(None, "latency")], {"errors": 9}) == 50
    assert score([of(None)], {}) is None


@given(st.lists(st.tuples(st.sampled_from([0, 0.5, 1]), st.sampled_from("abc"), st.floats(0.1, 10)), min_size=1))
def test_only_passes_score_100(metrics: list[tuple[float, str, float]]) -> None:
    reached = score([of(*each) for each in metrics], {"a": 2})

    assert reached is not None
    assert 0 <= reached <= 100 + 1e-9
    assert (reached > 100 - 1e-9) is all(points == 1 for points, *_ in metrics)


def test_an_effect_size_requires_values_of_both() -> None:
    percentile = metric(stat="p50", allowed_effect={"mean_ratio": 2}, critical_effect={"mean_ratio": 2})
    counts = dict.fromkeys([60.0 * minute for minute in range(15)], 100.0)
    half = dict.fromkeys(counts, 50.0)
    green = side([30.0] * 15)._replace(sizes=counts, quantiles={0.5: 30.0}, above={"up": counts, "far": half})
    without = side([])._replace(sizes=counts, quantiles={0.5: 10.0}, above={"cut": half})

    seen = evaluate(percentile, green, side([]), SETTINGS, earlier=without)
    assert (seen.points, seen.critical) == (1, False)
