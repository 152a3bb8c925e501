from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from ecs_hooks.checks.statistics.fisher import more_often


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    size, other = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    return draw(st.integers(0, size)), size, draw(st.integers(0, other)), other


@given(tables())
def test_it_is_that_of_scipy(table: tuple[int, int, int, int]) -> None:
    hits, size, other_hits, other_size = table
    expected = fisher_exact([[hits, size - hits], [other_hits, other_size - other_hits]], alternative="greater").pvalue
    assert more_often(*table) == pytest.approx(float(expected), rel=1e-9, abs=1e-300)


def test_what_is_in_all_of_one_and_in_none_of_the_other_can_hardly_be_chance() -> None:
    assert more_often(15, 15, 0, 30) < 1e-11
    assert more_often(0, 15, 30, 30) == pytest.approx(1)
    assert more_often(1000, 1000, 0, 2000) == pytest.approx(0, abs=1e-300)
