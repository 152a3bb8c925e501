from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.load.mix import round_of

weights = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@given(weights=weights)
def test_a_round_has_each_as_often_as_its_weight_says(weights: list[int]) -> None:
    assert Counter(round_of(weights)) == dict(enumerate(weights))


@settings(deadline=None)
@given(weights=weights)
def test_at_every_moment_each_has_about_its_share(weights: list[int]) -> None:
    order = round_of(weights)
    for number in range(1, len(order) + 1):
        counts = Counter(order[:number])
        for index, weight in enumerate(weights):
            assert abs(counts[index] - number * weight / len(order)) < len(weights)


@pytest.mark.parametrize(
    ("weights", "order"),
    [([1], [0]), ([3, 1], [0, 0, 1, 0]), ([5, 1, 1], [0, 0, 1, 0, 2, 0, 0]), ([1, 1, 1], [0, 1, 2])],
)
def test_rounds(weights: list[int], order: list[int]) -> None:
    assert round_of(weights) == order
