from __future__ import annotations

from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_simulator.aws.cloudwatch import statistic
from ecs_hooks_simulator.canaries.performance import Performance

BLUE = Performance()


@given(
    st.floats(0.001, 10),
    st.floats(0.01, 2),
    st.floats(0, 100),
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=2).map(sorted),
)
def test_quantiles_are_in_order_and_grow_with_the_times(
    median: float, spread: float, slow: float, shares: list[float]
) -> None:
    performance = Performance(median=median, spread=spread, slow_percent=slow)
    low, high = (performance.quantile(share) for share in shares)

    assert low <= high
    assert performance.slower(2).quantile(shares[0]) == pytest.approx(2 * low)


def test_what_is_drawn_has_the_quantiles_of_the_distribution() -> None:
    answers = list(BLUE.answers(Random(1), 100_000))
    seconds = [each for _, each in answers]

    assert {status for status, _ in answers} == {200}
    assert median(seconds) == pytest.approx(BLUE.quantile(0.5), rel=0.02)
    assert statistic("p99", seconds) == pytest.approx(BLUE.quantile(0.99), rel=0.02)
    # The tail is long: p99 is five times the median.
    assert 4.5 < BLUE.quantile(0.99) / BLUE.quantile(0.5) < 5.5


def test_a_slower_tail_leaves_the_ordinary_answers_as_they_are() -> None:
    green = BLUE.slower_tail(1.3)

    assert green.quantile(0.99) == pytest.approx(1.3 * BLUE.quantile(0.99))
    assert green.quantile(0.5) == pytest.approx(BLUE.quantile(0.5), rel=0.005)
    assert BLUE.slower(1.3).quantile(0.5) == pytest.approx(1.3 * BLUE.quantile(0.5))


def test_without_slow_answers_there_is_no_tail_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"slow_percent 0\.5: "):
        Performance(slow_percent=0.5).slower_tail(1.3)


def test_errors() -> None:
    answers = Performance(error_percent=10).answers(Random(1), 10_000)

    assert sum(status == 500 for status, _ in answers) == pytest.approx(1000, rel=0.1)
