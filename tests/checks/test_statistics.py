from __future__ import annotations

import math
import warnings
from typing import get_args

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.statistics import Alternative, fisher_exact, mann_whitney_u, nearest_rank, without_outliers

ALTERNATIVES = list(get_args(Alternative))
continuous = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
tied = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=40)
distinct = st.lists(st.integers(0, 10**6).map(float), min_size=2, max_size=30, unique=True)


def by_scipy(first: list[float], second: list[float], alternative: Alternative) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = scipy.stats.mannwhitneyu(first, second, alternative=alternative)
    # If all values are equal, scipy divides 0 by 0.
    return float(result.statistic), 1.0 if result.pvalue != result.pvalue else float(result.pvalue)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(first=continuous | tied, second=continuous | tied)
def test_mann_whitney_equals_scipy_ties_included(
    first: list[float], second: list[float], alternative: Alternative
) -> None:
    result = mann_whitney_u(first, second, alternative)

    assert (result.u, result.p_value) == pytest.approx(by_scipy(first, second, alternative), abs=1e-9, rel=1e-9)
    assert result.effect == pytest.approx(result.u / (len(first) * len(second)))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(values=distinct, cut=st.integers(1, 12))
def test_mann_whitney_of_small_samples_without_ties_is_exact(
    values: list[float], cut: int, alternative: Alternative
) -> None:
    first, second = values[: min(cut, len(values) - 1)], values[min(cut, len(values) - 1) :]
    result = mann_whitney_u(first, second, alternative)

    assert (result.u, result.p_value) == pytest.approx(by_scipy(first, second, alternative), abs=1e-12, rel=1e-9)


@given(values=tied)
def test_a_sample_does_not_differ_from_itself(values: list[float]) -> None:
    result = mann_whitney_u(values, values)

    assert result.effect == 0.5
    assert result.p_value == pytest.approx(1, abs=0.06)


def test_mann_whitney_of_a_day_of_minutes_equals_scipy() -> None:
    blue = [float(minute % 97) for minute in range(1440)]
    green = [value * 1.3 for value in blue]

    assert (mann_whitney_u(green, blue, "greater").u, mann_whitney_u(green, blue, "greater").p_value) == pytest.approx(
        by_scipy(green, blue, "greater"), rel=1e-9
    )


@pytest.mark.parametrize(
    ("first", "second"), [([], [1.0]), ([1.0], []), ([float("nan")], [1.0]), ([1.0], [float("inf")])]
)
def test_empty_and_infinite_samples_are_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mann_whitney_u(first, second)


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    size, other = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    return draw(st.integers(0, size)), size, draw(st.integers(0, other)), other


@given(tables())
def test_fisher_exact_equals_scipy(table: tuple[int, int, int, int]) -> None:
    hits, size, other_hits, other_size = table
    expected = scipy.stats.fisher_exact(
        [[hits, size - hits], [other_hits, other_size - other_hits]], alternative="greater"
    ).pvalue
    assert fisher_exact(*table) == pytest.approx(float(expected), rel=1e-9, abs=1e-300)


def test_fisher_exact_is_small_for_all_hits_in_one_group() -> None:
    assert fisher_exact(15, 15, 0, 30) < 1e-11
    assert fisher_exact(0, 15, 30, 30) == pytest.approx(1)
    assert fisher_exact(1000, 1000, 0, 2000) == pytest.approx(0, abs=1e-300)


numbers = st.lists(st.floats(-1e6, 1e6), max_size=40)


def test_a_value_beyond_the_fences_is_an_outlier() -> None:
    assert without_outliers([1, 2, 3, 4, 5, 100], 3) == [1, 2, 3, 4, 5]
    assert without_outliers([1, 2, 3, 4, 5, -100], 3) == [1, 2, 3, 4, 5]
    assert without_outliers([1, 2, 3, 4, 5, 8], 3) == [1, 2, 3, 4, 5, 8]
    assert without_outliers([1, 2, 3, 4, 5, 9.5], 1.5) == [1, 2, 3, 4, 5]


def test_three_values_have_no_outliers() -> None:
    assert without_outliers([1, 2, 1000], 3) == [1, 2, 1000]
    assert without_outliers([], 3) == []


@given(numbers, st.floats(1, 10))
def test_at_least_half_of_the_values_remain_in_order(values: list[float], factor: float) -> None:
    kept = without_outliers(values, factor)

    assert len(kept) * 2 >= len(values)
    left = iter(values)
    assert all(value in left for value in kept)


samples = st.lists(st.floats(-1e9, 1e9) | st.just(math.inf), min_size=1, max_size=300).map(sorted)
percents = st.integers(1, 100)


@given(values=samples, percent=percents)
def test_a_percentile_is_the_smallest_value_with_that_share(values: list[float], percent: int) -> None:
    found = nearest_rank(values, percent)

    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


@settings(deadline=None)
@given(values=samples, percent=percents)
def test_nearest_rank_is_numpys_inverted_cdf(values: list[float], percent: int) -> None:
    assert nearest_rank(values, percent) == float(np.percentile(values, percent, method="inverted_cdf"))


@given(values=samples, low=percents, high=percents)
def test_a_higher_percentile_is_not_a_smaller_value(values: list[float], low: int, high: int) -> None:
    low, high = sorted((low, high))

    assert nearest_rank(values, low) <= nearest_rank(values, high)


@pytest.mark.parametrize(
    ("size", "percent", "rank"),
    [(1, 1, 1), (1, 99, 1), (20, 95, 19), (20, 99, 20), (99, 99, 99), (100, 99, 99), (101, 99, 100), (1200, 50, 600)],
)
def test_the_rank_is_rounded_up(size: int, percent: int, rank: int) -> None:
    assert nearest_rank(range(1, size + 1), percent) == rank


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_a_percentile_requires_values_and_a_percentage(values: list[float], percent: int) -> None:
    with pytest.raises(ValueError, match="a percentile requires values"):
        nearest_rank(values, percent)
