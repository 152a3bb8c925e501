from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.statistics.percentiles import nearest_rank

samples = st.lists(st.floats(-1e9, 1e9) | st.just(math.inf), min_size=1, max_size=300).map(sorted)
percents = st.integers(1, 100)


@given(values=samples, percent=percents)
def test_it_is_the_least_value_within_which_so_many_lie(values: list[float], percent: int) -> None:
    found = nearest_rank(values, percent)

    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


@settings(deadline=None)
@given(values=samples, percent=percents)
def test_it_is_what_numpy_calls_inverted_cdf(values: list[float], percent: int) -> None:
    assert nearest_rank(values, percent) == float(np.percentile(values, percent, method="inverted_cdf"))


@given(values=samples, low=percents, high=percents)
def test_a_higher_percentile_is_no_lower_value(values: list[float], low: int, high: int) -> None:
    low, high = sorted((low, high))

    assert nearest_rank(values, low) <= nearest_rank(values, high)


@pytest.mark.parametrize(
    ("size", "percent", "rank"),
    [(1, 1, 1), (1, 99, 1), (20, 95, 19), (20, 99, 20), (99, 99, 99), (100, 99, 99), (101, 99, 100), (1200, 50, 600)],
)
def test_ranks(size: int, percent: int, rank: int) -> None:
    assert nearest_rank(range(1, size + 1), percent) == rank


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_what_has_no_percentile(values: list[float], percent: int) -> None:
    with pytest.raises(ValueError, match="needs values"):
        nearest_rank(values, percent)
