from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_hooks.aws.cloudwatch import Series
from ecs_hooks.checks.comparison.compared_metric import ComparedMetric
from ecs_hooks.checks.comparison.metric_queries import cut_statistics, first_statistics, read_side
from ecs_hooks.checks.comparison.quantile import Cut
from ecs_hooks.checks.metric_window import Window
from ecs_hooks_simulator.aws.metric_statistic import parse_statistic

IDENTIFIER = re.compile(r"[a-z][a-zA-Z0-9_]*")
"""`Id` of a MetricDataQuery."""


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", **fields})


def first(**fields: Any) -> list[tuple[str, str, str]]:
    return [(each.suffix, each.metric, each.stat) for each in first_statistics(metric(**fields))]


def test_a_share_has_two_statistics() -> None:
    assert first(metric="Errors", stat="Sum", per="RequestCount") == [
        ("", "Errors", "Sum"),
        ("per", "RequestCount", "Sum"),
    ]


def test_a_mean_has_the_number_of_values() -> None:
    assert [stat for _, _, stat in first()] == ["Average", "SampleCount"]
    assert [stat for _, _, stat in first(stat="Sum")] == ["Sum"]


def test_criteria_have_their_statistic_alone() -> None:
    assert [stat for _, _, stat in first(stat="p99", criteria=["< 1"])] == ["p99"]


def test_a_percentile_has_lower_ones_over_the_whole_window() -> None:
    statistics = list(first_statistics(metric(stat="p99.9")))

    stats = [each.stat for each in statistics]
    assert stats[:2] == ["p99.9", "SampleCount"]
    assert {"p99.9", "p95", "p90", "p50"} <= set(stats[2:])
    assert [each.whole_window for each in statistics] == [False, False, *[True] * len(stats[2:])]
    assert all(IDENTIFIER.fullmatch(f"c0_green0{each.suffix}") for each in statistics)
    assert len({each.suffix for each in statistics}) == len(statistics)
    assert "p95" not in [each.stat for each in first_statistics(metric(stat="p90"))]


@pytest.mark.parametrize("value", [0.1, 1.0, 1e-7, 123456.789, 1 / 3, 2e-5])
def test_a_cut_has_neither_an_exponent_nor_more_than_ten_decimals(value: float) -> None:
    cut = Cut(0.99, [], 0, {"cut": value, "up": 1.1 * value, "down": 0.9 * value, "far": 3 * value}, paired=False)

    for direction, names in (
        ("increase", ["up", "far"]),
        ("decrease", ["down"]),
        ("either", ["up", "down", "far"]),
    ):
        green = list(cut_statistics(metric(stat="p99", direction=direction), cut, "green"))
        assert [each.suffix for each in green] == names
        for each in green:
            assert re.fullmatch(r"TC\(\d+(\.\d{1,10})?:\)", each.stat)
            assert parse_statistic(each.stat)
    (blue,) = cut_statistics(metric(stat="p99"), cut, "blue")
    assert float(blue.stat[3:-2]) == pytest.approx(value, abs=1e-10)


def test_the_datapoints_are_those_of_the_window() -> None:
    window = Window(600, 900, over=True)
    series = {
        "green0": Series(((540, 9.0), (600, 1.0), (720, 2.0), (900, 9.0))),
        "green0n": Series(((540, 7.0), (600, 10.0), (720, 30.0))),
        "green0w50": Series(((600, 0.5),)),
        "green0up": Series(((600, 3.0),)),
    }
    side = read_side(metric(stat="p50"), "green0", window, series, 60)

    assert side.sample.values == {0: 1, 120: 2}
    assert side.sizes == {0: 10, 120: 30}
    assert side.above["up"] == {0: 3}
    assert side.above["cut"] == {}
    assert side.quantiles[0.5] == 0.5


def test_two_datapoints_of_the_window_count_by_their_numbers_of_values() -> None:
    window = Window(600, 900, over=True)
    series = {
        "blue0": Series(((600, 1.0),)),
        "blue0n": Series(((600, 10.0), (660, 20.0), (720, 90.0))),
        "blue0w50": Series(((300, 1.0), (700, 5.0))),
    }

    assert read_side(metric(stat="p50"), "blue0", window, series, 60).quantiles[0.5] == pytest.approx(
        (30 * 1 + 90 * 5) / 120
    )
    del series["blue0n"]
    assert read_side(metric(stat="p50"), "blue0", window, series, 60).quantiles == {}


def test_only_percentiles_have_quantiles() -> None:
    assert read_side(metric(), "green0", Window(0, 60, over=True), {}, 60).quantiles == {}
