from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.statistics.outliers import without_outliers

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=40)


def test_what_is_far_out_is_left_out() -> None:
    assert without_outliers([1, 2, 3, 4, 5, 100], 3) == [1, 2, 3, 4, 5]
    assert without_outliers([1, 2, 3, 4, 5, -100], 3) == [1, 2, 3, 4, 5]
    assert without_outliers([1, 2, 3, 4, 5, 8], 3) == [1, 2, 3, 4, 5, 8]
    assert without_outliers([1, 2, 3, 4, 5, 9.5], 1.5) == [1, 2, 3, 4, 5]


def test_of_a_few_values_none_is_far_from_all_others() -> None:
    assert without_outliers([1, 2, 1000], 3) == [1, 2, 1000]
    assert without_outliers([], 3) == []


@given(NUMBERS, st.floats(1, 10))
def test_most_values_stay_and_in_their_order(values: list[float], factor: float) -> None:
    kept = without_outliers(values, factor)

    assert len(kept) * 2 >= len(values)
    left = iter(values)
    assert all(value in left for value in kept)
