from __future__ import annotations

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.statistics import distributions
from ecs_hooks.checks.statistics.distributions import (
    beta_cdf,
    binomial_tail,
    clopper_pearson,
    normal_quantile,
    normal_tail,
    student_t_quantile,
    student_t_tail,
)

shares = st.floats(0, 1) | st.floats(1e-6, 0.01)
freedoms = st.integers(1, 2000).map(float) | st.floats(1, 60)
tails = st.floats(1e-9, 0.45)


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, 300) | st.integers(1, 1_000_000))
    return draw(st.integers(0, size) | st.integers(0, min(size, 50))), size


@given(x=shares, a=st.floats(0.5, 1e5), b=st.floats(0.5, 1e5))
def test_the_beta_distribution_equals_scipys(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(float(scipy.stats.beta.cdf(x, a, b)), abs=1e-9)


def test_enormous_parameters_end_after_so_many_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "_MAX_TERMS", 300)

    assert beta_cdf(0.5, 1e6, 1e6) == pytest.approx(0.5, abs=0.01)


@given(counts(), shares)
def test_the_binomial_tail_equals_scipys(count: tuple[int, int], share: float) -> None:
    hits, size = count

    assert binomial_tail(hits, size, share) == pytest.approx(
        float(scipy.stats.binom.sf(hits - 1, size, share)), abs=1e-9
    )


def test_more_hits_than_trials_are_impossible() -> None:
    assert binomial_tail(4, 3, 1) == 0


@given(counts(), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_share_equals_scipys(count: tuple[int, int], confidence: float) -> None:
    exact = scipy.stats.binomtest(*count).proportion_ci(confidence, method="exact")

    assert clopper_pearson(*count, confidence) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_without_trials_a_share_may_be_anything() -> None:
    assert clopper_pearson(0, 0, 0.95) == (0, 1)


@given(st.floats(-50, 50), freedoms)
def test_students_distribution_equals_scipys(t: float, freedom: float) -> None:
    assert student_t_tail(t, freedom) == pytest.approx(float(scipy.stats.t.sf(t, freedom)), abs=1e-9)


def test_infinite_differences_have_no_tail() -> None:
    assert student_t_tail(float("inf"), 3) == 0
    assert student_t_tail(float("-inf"), 3) == 1


@given(tails, freedoms)
def test_students_quantile_equals_scipys(tail: float, freedom: float) -> None:
    expected = float(scipy.stats.t.isf(tail, freedom))

    assert student_t_quantile(tail, freedom) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@given(tails)
def test_the_normal_distribution_equals_scipys(tail: float) -> None:
    quantile = normal_quantile(tail)

    assert quantile == pytest.approx(float(scipy.stats.norm.isf(tail)), abs=1e-9)
    assert normal_tail(quantile) == pytest.approx(tail, rel=1e-9)
