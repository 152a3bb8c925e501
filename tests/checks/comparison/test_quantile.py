from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.checks.comparison.compared_metric import ComparedMetric, Sample
from ecs_hooks.checks.comparison.finding import Undecided
from ecs_hooks.checks.comparison.quantile import (
    Cut,
    candidates,
    compare_quantile,
    find_cut,
    green_cuts,
    known_quantiles,
)
from ecs_hooks.checks.comparison.sides import Settings, Side

SETTINGS = Settings(98, 10, 5, warm_up_seconds=0)
QUANTILES = {0.99: 0.5, 0.95: 0.3, 0.9: 0.25, 0.75: 0.2, 0.5: 0.1, 0.25: 0.08, 0.1: 0.05}


def metric(**fields: Any) -> ComparedMetric:
    return ComparedMetric.model_validate({"metric": "TargetResponseTime", "stat": "p99", **fields})


def side(size: float, above: dict[str, float] | None = None, *, factor: float = 1.0, minutes: int = 15) -> Side:
    """Return a revision with so many requests, and so many above each cut, in each minute."""

    def each(value: float) -> dict[float, float]:
        return dict.fromkeys([60.0 * minute for minute in range(minutes)], value)

    return Side(
        Sample(each(0.4 * factor), 0.4),
        each(0.4 * factor),
        {},
        each(size),
        {quantile: factor * value for quantile, value in QUANTILES.items()},
        {name: each(number) if number else {} for name, number in (above or {}).items()},
    )


def cut_of(green: Side, blue: Side, *, by_green: bool = False, **fields: Any) -> Cut | None:
    return find_cut(metric(**fields), green, blue, SETTINGS, by_green=by_green)


@pytest.mark.parametrize(
    ("green", "blue", "quantile"),
    [(100, 100, 0.99), (190, 10, 0.9), (10, 190, 0.9), (20, 20, 0.95), (3, 100, 0.75), (2, 100, 0.5), (1, 100, None)],
)
def test_the_quantile_is_the_highest_that_both_support(green: float, blue: float, quantile: float | None) -> None:
    cut = cut_of(side(green), side(blue))

    assert (cut and cut.quantile) == quantile


def test_lower_quantiles_take_the_place_of_the_metrics_own() -> None:
    assert candidates(metric())[0] == 0.99
    assert candidates(metric(stat="p90"))[0] == 0.9
    assert max(candidates(metric(stat="p90"))) == 0.9
    assert candidates(metric(stat="p50")) == [0.5]
    assert set(candidates(metric())) < set(known_quantiles(metric()))


def test_a_low_quantile_requires_requests_below_it() -> None:
    assert cut_of(side(50), side(50), stat="p1") is None
    assert (cut_of(side(100), side(100)._replace(quantiles={0.01: 0.01}), stat="p1") or Cut(0, [], 0, {}, False))[
        0
    ] == 0.01


def test_the_cuts_are_moved_by_the_tolerance() -> None:
    cut = cut_of(side(100), side(100), direction="either")

    assert cut is not None
    assert cut.values["cut"] == 0.5
    assert cut.values["up"] == pytest.approx(0.55)
    assert cut.values["down"] == pytest.approx(0.45)
    assert cut.values["far"] > 2 * cut.values["up"]
    assert not cut.paired
    wide = cut_of(side(100), side(100), tolerance_difference=0.2)
    assert wide is not None
    assert wide.values["up"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("direction", "names"), [("increase", {"up", "far"}), ("decrease", {"down"}), ("either", {"up", "down", "far"})]
)
def test_the_direction_defines_the_cuts_of_green(direction: str, names: set[str]) -> None:
    assert set(green_cuts(metric(direction=direction))) == names


def test_a_cut_by_green_is_one_that_blue_may_have() -> None:
    cut = cut_of(side(100, factor=2), side(0), by_green=True)

    assert cut is not None
    assert cut.values["up"] == 1.0
    assert cut.values["cut"] == pytest.approx(1 / 1.1)
    wide = cut_of(side(100, factor=2), side(0), by_green=True, tolerance_difference=0.3)
    assert wide is not None
    assert wide.values["cut"] == pytest.approx(0.7)


def test_minutes_with_many_requests_are_compared_by_their_own_percentiles() -> None:
    cut = cut_of(side(20_000), side(20_000))
    assert cut is not None
    assert cut.paired

    slower = compare_quantile(metric(), side(20_000, factor=2), side(20_000), SETTINGS, by_green=False)
    assert (slower.value, slower.blue, slower.notes) == (0.8, 0.4, [])
    assert slower.p_value < SETTINGS.level


def test_the_shares_above_the_cuts_are_compared() -> None:
    blue = side(100, {"cut": 1})
    found = compare_quantile(metric(), side(200, {"up": 20, "far": 0}), blue, SETTINGS, by_green=False)

    assert found.p_value < 1e-6
    assert found.notes == ["300 of 3000 requests above 0.55, blue 15 of 1500 above 0.5"]
    assert (found.statistic, found.value, found.blue) == ("p99", 0.5, 0.5)
    same = compare_quantile(metric(), side(200, {"up": 2}), blue, SETTINGS, by_green=False)
    assert same.p_value > 0.4
    assert 1.1 < same.detectable < 2


def test_counts_are_at_most_the_requests() -> None:
    found = compare_quantile(metric(), side(100, {"up": 101}), side(100, {"cut": 101}), SETTINGS, by_green=False)

    assert found.notes == ["1500 of 1500 requests above 0.55, blue 1500 of 1500 above 0.5"]
    assert found.detectable == float("inf")


@pytest.mark.parametrize(
    ("direction", "up", "down", "failed"),
    [
        ("decrease", 0, 0, True),
        ("decrease", 20, 20, False),
        ("either", 0, 0, True),
        ("either", 20, 20, True),
        ("either", 5, 5, False),
    ],
)
def test_the_direction_defines_what_is_worse(direction: str, up: float, down: float, failed: bool) -> None:
    green, blue = side(100, {"up": up, "down": down}), side(100, {"cut": 5})

    found = compare_quantile(metric(stat="p95", direction=direction), green, blue, SETTINGS, by_green=False)
    assert (found.p_value < SETTINGS.level) is failed


def test_a_break_is_counted_above_a_far_cut() -> None:
    green = side(100, {"up": 1})
    minutes = list(green.sizes)
    broken = green._replace(above={"up": green.above["up"], "far": dict.fromkeys(minutes[-3:], 90.0)})
    blue = side(100, {"cut": 1})

    assert compare_quantile(metric(), broken, blue, SETTINGS, by_green=False).broke == 15
    assert compare_quantile(metric(), green, blue, SETTINGS, by_green=False).broke == 0


@pytest.mark.parametrize(
    ("green", "blue", "message"),
    [
        (side(100), side(1), "too few requests of blue (1 a minute, 15 in total; p99 requires 1000, p50 20)"),
        (side(1), side(100), "too few requests of green (1 a minute, 15 in total; p99 requires 1000, p50 20)"),
        (
            side(2000, minutes=1),
            side(2000, minutes=1),
            "1 datapoint of green and 1 of blue, expected 5 or more of each",
        ),
    ],
)
def test_too_few_requests_are_undecided(green: Side, blue: Side, message: str) -> None:
    with pytest.raises(Undecided) as error:
        compare_quantile(metric(), green, blue, SETTINGS, by_green=False)
    assert message in str(error.value)


def test_a_metric_without_percentiles_says_so() -> None:
    without = side(100)._replace(sample=Sample({}, None), parts={}, quantiles={})

    with pytest.raises(Undecided, match="CloudWatch has no p99 of its values, as of statistic sets"):
        compare_quantile(metric(), without, side(100), SETTINGS, by_green=False)


def test_a_metric_without_counts_requires_many_values_in_each_period() -> None:
    with pytest.raises(Undecided, match=r"no counts of its values \(TC\), so p99 requires 1100 values"):
        compare_quantile(metric(), side(100, factor=2), side(100), SETTINGS, by_green=False)
    # No minute has a value above the cut, so no datapoint is a count of 0.
    assert compare_quantile(metric(), side(100), side(100), SETTINGS, by_green=False).p_value > 0.4


def test_a_metric_without_sample_counts_is_compared_by_pairs() -> None:
    green, blue = (side(100, factor=factor)._replace(sizes={}) for factor in (2, 1))

    assert compare_quantile(metric(), green, blue, SETTINGS, by_green=False).p_value < SETTINGS.level


@pytest.mark.parametrize(
    ("green", "blue", "caveats"),
    [
        (side(100), side(100), []),
        (side(190), side(10), ["p90 in place of p99 (blue has 150 requests)"]),
        (side(10), side(190), ["p90 in place of p99 (green has 150 requests)"]),
    ],
)
def test_a_lower_quantile_is_named(green: Side, blue: Side, caveats: list[str]) -> None:
    counts = blue._replace(above={"cut": dict.fromkeys(blue.sizes, 1.0)})
    found = compare_quantile(metric(), green, counts, SETTINGS, by_green=False)

    assert list(found.caveats) == caveats
