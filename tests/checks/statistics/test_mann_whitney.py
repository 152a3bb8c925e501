from __future__ import annotations

import warnings
from typing import get_args

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.statistics.mann_whitney import Alternative, mann_whitney_u

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
