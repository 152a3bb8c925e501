from __future__ import annotations

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.statistics.fisher import fisher_exact


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
