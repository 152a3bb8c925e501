from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.statistics.descriptive import nearest_rank, without_outliers

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
