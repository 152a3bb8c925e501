from __future__ import annotations

import warnings
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from ecs_hooks.checks.statistics.mann_whitney import Alternative, mann_whitney

ALTERNATIVES = list(get_args(Alternative))
continuous = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
tied = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=40)
distinct = st.lists(st.integers(0, 10**6).map(float), min_size=2, max_size=30, unique=True)


def scipys(first: list[float], second: list[float], alternative: Alternative) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = mannwhitneyu(first, second, alternative=alternative)
    # Where all values are the same there is no difference to be sure of; scipy divides nought by nought.
    return float(result.statistic), 1.0 if result.pvalue != result.pvalue else float(result.pvalue)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(first=continuous | tied, second=continuous | tied)
def test_it_is_what_scipy_says_ties_included(first: list[float], second: list[float], alternative: Alternative) -> None:
    result = mann_whitney(first, second, alternative)

    assert (result.u, result.p_value) == pytest.approx(scipys(first, second, alternative), abs=1e-9, rel=1e-9)
    assert result.effect == pytest.approx(result.u / (len(first) * len(second)))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(values=distinct, cut=st.integers(1, 12))
def test_small_samples_without_ties_are_counted_out(values: list[float], cut: int, alternative: Alternative) -> None:
    first, second = values[: min(cut, len(values) - 1)], values[min(cut, len(values) - 1) :]
    result = mann_whitney(first, second, alternative)

    assert (result.u, result.p_value) == pytest.approx(scipys(first, second, alternative), abs=1e-12, rel=1e-9)


@given(values=tied)
def test_a_sample_does_not_differ_from_itself(values: list[float]) -> None:
    result = mann_whitney(values, values)

    assert result.effect == 0.5
    assert result.p_value == pytest.approx(1, abs=0.06)


def test_the_day_of_a_minute_by_minute_metric() -> None:
    blue = [float(minute % 97) for minute in range(1440)]
    green = [value * 1.3 for value in blue]

    assert (mann_whitney(green, blue, "greater").u, mann_whitney(green, blue, "greater").p_value) == pytest.approx(
        scipys(green, blue, "greater"), rel=1e-9
    )


@pytest.mark.parametrize(
    ("first", "second"), [([], [1.0]), ([1.0], []), ([float("nan")], [1.0]), ([1.0], [float("inf")])]
)
def test_what_can_not_be_compared(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mann_whitney(first, second)
